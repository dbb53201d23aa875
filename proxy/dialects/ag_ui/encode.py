"""Events to AG-UI's events, as server-sent events.

All text and all calls of an answer are one message, whose id is the stream's: in a later turn
vendors want the calls of one turn in one message, with their results behind it. Reasoning is a
message of its own, before it. What a vendor must see again is an encrypted value of the reasoning
or of the call, which clients keep and post again.

A failed answer ends in RUN_ERROR, which leaves open what was open. What AG-UI has no word for is a
RAW event, where a vendor said it, or a CUSTOM event: `citation` and `image`, with our event in it.
"""

from typing import Any

import msgspec

from proxy.codec.base import Encoder, Parsed
from proxy.dialects.ag_ui import shapes
from proxy.dialects.ag_ui.parse import Options
from proxy.events import (
    BlockEnd,
    BlockStart,
    Citation,
    Event,
    Image,
    ReasoningDelta,
    StreamEnd,
    StreamError,
    StreamStart,
    TextDelta,
    Tool,
    ToolCallDelta,
    Vendor,
)

_json = msgspec.json.Encoder().encode


class _Open(msgspec.Struct, gc=False):
    """An open block: its kind, the id of its message or call, and what stands before a delta."""

    kind: str
    id: str
    before: bytes


def encoder(parsed: Parsed) -> Encoder:
    """See `ClientHalf.encoder`."""
    return AGUIEncoder(parsed.options)


class AGUIEncoder(Encoder):
    """One run. Of several choices only the first is sent.

    Each frame is `id: <stream>:<number>` and then `data: <event>`, counted from 0: TanStack AI's
    clients take an id for that of the next data, and leave out a frame whose id they have seen.
    """

    folds = False  # clients count its frames

    def __init__(self, options: Options) -> None:
        self._options = options
        self._ids: dict[str, str] = {}
        self._stream = self._model = ""
        self._id = b""
        self._number = 0
        self._open: dict[int, _Open] = {}
        self._texts = 0  # open blocks of text, which are one message

    def encode(self, event: Event) -> bytes:
        if isinstance(event, TextDelta | ReasoningDelta):
            return self._delta(event.block, event.text)
        match event:
            case ToolCallDelta(block, piece):
                return self._delta(block, piece)
            case BlockStart() if not event.choice:
                return self._begin(event)
            case BlockEnd(block) if block in self._open:
                return self._close(event)
            case Image() if not event.choice:
                return self._own("image", event)
            case Citation(block) if block in self._open:
                return self._own("citation", event)
            case StreamStart():
                return self._start(event)
            case Vendor():
                return self._frame({"type": "RAW", "event": event.data, "source": event.dialect})
            case StreamEnd():
                return self._frame(
                    shapes.finished(self._ids, event.finish, event.usage, self._model)
                )
            case StreamError(error):
                return self._frame(shapes.failed(error, event.usage, self._model))
        # usage waits for the end; a text.rewrite never comes here, as `rewrites` of the client half
        # is false
        return b""

    def _start(self, event: StreamStart) -> bytes:
        self._stream, self._model = event.stream, event.model
        self._id = event.stream.encode()
        self._ids = shapes.ids(event, self._options)
        return self._frame(shapes.started(event, self._options))

    def _begin(self, event: BlockStart) -> bytes:
        block = event.block
        if event.kind == "tool_call":
            assert isinstance(event.tool, Tool)
            call = event.tool.id
            self._keep(block, event.kind, call, "TOOL_CALL_ARGS", "toolCallId")
            return self._frame(
                {
                    "type": "TOOL_CALL_START",
                    "toolCallId": call,
                    "toolCallName": event.tool.name,
                    "parentMessageId": self._stream,
                }
            )
        if event.kind == "reasoning":
            thought = shapes.thought_id(self._stream, block)
            self._keep(block, event.kind, thought, "REASONING_MESSAGE_CONTENT", "messageId")
            return self._frame({"type": "REASONING_START", "messageId": thought}) + self._frame(
                {"type": "REASONING_MESSAGE_START", "messageId": thought, "role": "reasoning"}
            )
        self._keep(block, event.kind, self._stream, "TEXT_MESSAGE_CONTENT", "messageId")
        self._texts += 1
        return b"" if self._texts > 1 else self._of_text("TEXT_MESSAGE_START", role="assistant")

    def _keep(self, block: int, kind: str, name: str, delta: str, key: str) -> None:
        before = b'%b,"delta":' % _json({"type": delta, key: name})[:-1]
        self._open[block] = _Open(kind, name, before)

    def _delta(self, block: int, piece: str) -> bytes:
        opened = self._open.get(block)
        if opened is None:
            return b""
        number = self._number
        self._number += 1
        return b"id: %b:%d\ndata: %b%b}\n\n" % (self._id, number, opened.before, _json(piece))

    def _close(self, event: BlockEnd) -> bytes:
        opened = self._open.pop(event.block)
        if opened.kind == "text":
            self._texts -= 1
            return b"" if self._texts else self._of_text("TEXT_MESSAGE_END")
        sealed = shapes.proof(event)
        if opened.kind == "tool_call":
            # before its end, which makes some clients run the tool
            proof = b"" if sealed is None else self._sealed("tool-call", opened.id, sealed)
            return proof + self._frame({"type": "TOOL_CALL_END", "toolCallId": opened.id})
        out = self._frame({"type": "REASONING_MESSAGE_END", "messageId": opened.id})
        if sealed is not None:
            out += self._sealed("message", opened.id, sealed)
        return out + self._frame({"type": "REASONING_END", "messageId": opened.id})

    def _of_text(self, kind: str, **more: str) -> bytes:
        return self._frame({"type": kind, "messageId": self._stream, **more})

    def _sealed(self, kind: str, name: str, sealed: str) -> bytes:
        return self._frame(
            {
                "type": "REASONING_ENCRYPTED_VALUE",
                "subtype": kind,
                "entityId": name,
                "encryptedValue": sealed,
            }
        )

    def _own(self, name: str, event: Image | Citation) -> bytes:
        return self._frame({"type": "CUSTOM", "name": name, "value": shapes.own(event)})

    def _frame(self, said: dict[str, Any]) -> bytes:
        number = self._number
        self._number += 1
        return b"id: %b:%d\ndata: %b\n\n" % (self._id, number, _json(said))

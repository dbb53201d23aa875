"""Events to the parts of a UI message stream, version 1. Source: `ui-message-chunks` of the `ai`
package.

Only keys that release 5.0.0 knew are sent, as the first releases fail on any other; `finishReason`,
which is newer, is left out of a `strict` stream. A failed answer ends in an `error` part, and
neither a `finish` nor `[DONE]`. Vendor events are transient data parts: a page may look at them
with `onData`, and they are not kept in the message.
"""

from types import MappingProxyType
from typing import Any

import msgspec

from proxy.codec.base import Encoder, Parsed
from proxy.dialects.ai_sdk import metadata, shapes
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
_DONE = b"data: [DONE]\n\n"
_DATA_PART = "data-vendor"


class _Call(msgspec.Struct):
    tool: Tool
    pieces: list[str]


def encoder(parsed: Parsed) -> Encoder:
    """See `ClientHalf.encoder`."""
    return UIMessageEncoder(parsed.options.message_id, strict=parsed.options.strict)


class UIMessageEncoder(Encoder):
    """One answer, as one step of a message. Of several choices only the first is sent."""

    headers = MappingProxyType({"x-vercel-ai-ui-message-stream": "v1"})
    gathers = frozenset({ToolCallDelta})
    folds = False  # clients count its events

    def __init__(self, message_id: str, *, strict: bool) -> None:
        self._message_id = message_id
        self._strict = strict
        self._deltas: dict[int, bytes] = {}  # open block -> all that stands before its delta's text
        self._calls: dict[int, _Call] = {}
        self._reasoning: set[int] = set()
        self._sources = 0

    def encode(self, event: Event) -> bytes:
        if isinstance(event, TextDelta | ReasoningDelta):
            before = self._deltas.get(event.block)
            return b"%b%b}\n\n" % (before, _json(event.text)) if before is not None else b""
        match event:
            case ToolCallDelta(block, piece):
                return self._arguments(block, piece)
            case BlockStart() if not event.choice:
                return self._begin(event)
            case BlockEnd(block) if block in self._deltas:
                return self._close(event)
            case Image() if not event.choice:
                return _frame(shapes.file(event))
            case Citation(block) if block in self._deltas:
                return self._source(event)
            case StreamStart():
                start = {
                    "type": "start",
                    "messageId": self._message_id or event.stream,
                    "messageMetadata": shapes.began(event),
                }
                return _frame(start) + _frame({"type": "start-step"})
            case Vendor():
                data = {"dialect": event.dialect, "data": event.data}
                return _frame({"type": _DATA_PART, "data": data, "transient": True})
            case StreamEnd():
                return self._end(event)
            case StreamError(error):
                return _frame({"type": "error", "errorText": error.message})
        # usage waits for the end; a text.rewrite never comes here, as `rewrites` of the client half
        # is false
        return b""

    def _begin(self, event: BlockStart) -> bytes:
        block = event.block
        if event.kind == "tool_call":
            assert isinstance(event.tool, Tool)
            self._calls[block] = _Call(event.tool, [])
            self._deltas[block] = _before(
                {"type": "tool-input-delta", "toolCallId": event.tool.id}, "inputTextDelta"
            )
            return _frame(
                {
                    "type": "tool-input-start",
                    "toolCallId": event.tool.id,
                    "toolName": event.tool.name,
                }
            )
        if event.kind == "reasoning":
            self._reasoning.add(block)
        self._deltas[block] = _before({"type": f"{event.kind}-delta", "id": str(block)}, "delta")
        return _frame({"type": f"{event.kind}-start", "id": str(block)})

    def _arguments(self, block: int, piece: str) -> bytes:
        call = self._calls.get(block)
        if call is None:
            return b""
        call.pieces.append(piece)
        return b"%b%b}\n\n" % (self._deltas[block], _json(piece))

    def _close(self, event: BlockEnd) -> bytes:
        del self._deltas[event.block]
        call = self._calls.pop(event.block, None)
        proof = metadata.written(event)
        beside = {"providerMetadata": proof} if proof else {}
        if call is not None:
            return _called(call, beside)
        kind = "reasoning" if event.block in self._reasoning else "text"
        self._reasoning.discard(event.block)
        return _frame({"type": f"{kind}-end", "id": str(event.block), **beside})

    def _source(self, event: Citation) -> bytes:
        part = shapes.source(event, self._sources)
        if part is None:
            return b""
        self._sources += 1
        return _frame(part)

    def _end(self, event: StreamEnd) -> bytes:
        """The reason stands in the metadata too, where every version leaves it to the page."""
        reason = {} if self._strict else {"finishReason": shapes.FINISH[event.finish.reason]}
        finish = {
            "type": "finish",
            **reason,
            "messageMetadata": shapes.ended(event.finish, event.usage),
        }
        return _frame({"type": "finish-step"}) + _frame(finish) + _DONE


def _called(call: _Call, beside: dict[str, Any]) -> bytes:
    value, fault = shapes.tool_input("".join(call.pieces))
    said = {"toolCallId": call.tool.id, "toolName": call.tool.name, "input": value, **beside}
    if fault is None:
        return _frame({"type": "tool-input-available", **said})
    return _frame({"type": "tool-input-error", **said, "errorText": fault})


def _frame(part: dict[str, Any]) -> bytes:
    return b"data: %b\n\n" % _json(part)


def _before(part: dict[str, Any], name: str) -> bytes:
    return b'data: %b,"%b":' % (_json(part)[:-1], name.encode())

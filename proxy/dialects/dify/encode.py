"""Events to those of a Dify chat app: `message` for text, `reasoning_chunk` for reasoning,
`message_end`; `error` for a failed answer.

Text that is taken back is a `message_replace` with the whole text, so the text is kept. Events of a
Dify upstream go on as they came.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from proxy.codec.base import Encoder, Parsed
from proxy.codec.growing import GrowingText
from proxy.codec.text_only import TextOnlyEncoder
from proxy.dialects.dify import shapes
from proxy.dialects.dify.errors import error_fields
from proxy.events import (
    Citation,
    Event,
    StreamEnd,
    StreamError,
    StreamStart,
    TextDelta,
    TextRewrite,
    Vendor,
)

_json = msgspec.json.encode


def encoder(parsed: Parsed) -> Encoder:
    """See `ClientHalf.encoder`."""
    return DifyEncoder(parsed.options)


class DifyEncoder(TextOnlyEncoder):
    """One answer. `conversation` is the one that the client named, "" for a new one."""

    heartbeat = b"event: ping\n\n"
    gathers = frozenset({TextDelta, TextRewrite, Citation})

    def __init__(self, conversation: str) -> None:
        super().__init__()
        self._ids = shapes.ids(None, conversation)
        self._conversation = conversation
        self._created = 0
        self._texts: dict[int, GrowingText] = {}  # by text block
        self._replaced = False  # later in the same write, so that no more of the text need be said
        self._cited: list[Citation] = []
        self._own: dict[str, Any] = {}  # metadata in Dify's own words
        self._tail = b""
        self._freeze()

    def _start(self, event: StreamStart) -> bytes:
        self._ids = shapes.ids(event, self._conversation)
        self._created = event.created
        self._freeze()
        return b""

    def _freeze(self) -> None:
        self._tail = (
            b","
            + _json({**self._ids, "id": self._ids["message_id"], "created_at": self._created})[1:]
            + b"\n\n"
        )

    def encode_all(self, events: Sequence[Event]) -> bytes:
        """Of several texts that replace all before them, only the newest is made."""
        rewrites = [at for at, event in enumerate(events) if isinstance(event, TextRewrite)]
        newest = rewrites[-1] if rewrites else 0
        self._replaced = True
        frames = [self.encode(event) for event in events[:newest]]
        self._replaced = False
        return self.joined([*frames, *(self.encode(event) for event in events[newest:])])

    def _text(self, block: int, text: str) -> bytes:
        self._texts.setdefault(block, GrowingText()).add(text)
        if self._replaced:
            return b""
        return b'data: {"event":"message","answer":%b%b' % (_json(text), self._tail)

    def _rewrite(self, block: int, keep: int, text: str) -> bytes:
        said = self._texts.setdefault(block, GrowingText())
        said.rewrite(keep, text)
        if self._replaced:
            return b""
        whole = "".join(map(str, self._texts.values()))
        return b'data: {"event":"message_replace","answer":%b,"reason":""%b' % (
            _json(whole),
            self._tail,
        )

    def _reasoning(self, text: str) -> bytes:
        return self._thought(text, final=False)

    def _reasoned(self) -> bytes:
        return self._thought("", final=True)

    def _thought(self, text: str, *, final: bool) -> bytes:
        data = {
            "message_id": self._ids["message_id"],
            "reasoning": text,
            "node_id": "",
            "is_final": final,
        }
        return b'data: {"event":"reasoning_chunk","data":%b%b' % (_json(data), self._tail)

    def _citation(self, event: Citation) -> bytes:
        self._cited.append(event)
        return b""

    def _vendor(self, event: Vendor) -> bytes:
        new = shapes.told_ids(event)
        if new:
            self._ids |= new
            self._freeze()
        said = shapes.told_event(event)
        if said is None:
            return b""
        if said["event"] == "message_end":  # ours comes at the end, with what this one holds
            self._own = said["metadata"] if isinstance(said.get("metadata"), dict) else {}
            return b""
        return b"data: %b\n\n" % _json(said)

    def _end(self, event: StreamEnd) -> bytes:
        known = shapes.metadata(event.usage, self._cited, self._own)
        more = b',"metadata":' + _json(known) if known else b""
        return b'data: {"event":"message_end"%b%b' % (more, self._tail)

    def _error(self, event: StreamError) -> bytes:
        return b'data: {"event":"error"%b%b' % (
            b"," + _json(error_fields(event.error))[1:-1],
            self._tail,
        )

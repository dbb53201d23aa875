"""Dialects that know one answer, of text and perhaps reasoning, and no blocks: what their client
halves have in common.
"""

from collections.abc import Mapping
from itertools import islice
from typing import Any

import msgspec

from proxy.codec.base import Encoder
from proxy.events import (
    BlockEnd,
    BlockKind,
    BlockStart,
    Citation,
    Event,
    Note,
    ReasoningDelta,
    StreamEnd,
    StreamError,
    StreamStart,
    TextDelta,
    TextRewrite,
    Vendor,
)

_SHOWN_CHARS = 200  # of unknown keys, in a note


def unknown_keys(document: Mapping[str, Any], known: type[msgspec.Struct]) -> tuple[Note, ...]:
    """A note about the keys of a client's body that its dialect does not know."""
    carried = {field.encode_name for field in msgspec.structs.fields(known)}
    # more of them are not shown
    strange = list(islice((key for key in document if key not in carried), _SHOWN_CHARS))
    if not strange:
        return ()
    return (
        Note(
            "dropped",
            "unknown_key",
            f"Not known here, and left out: {', '.join(sorted(strange))[:_SHOWN_CHARS]}.",
        ),
    )


class TextOnlyEncoder(Encoder):
    """Calls one method an event. Answers beside the first (`choice`) have no place in these
    dialects and are left out.
    """

    def __init__(self) -> None:
        self._kinds: dict[int, BlockKind] = {}  # open blocks of choice 0

    def encode(self, event: Event) -> bytes:
        if isinstance(event, TextDelta):
            return self._text(event.block, event.text) if event.block in self._kinds else b""
        if isinstance(event, ReasoningDelta):
            return self._reasoning(event.text) if event.block in self._kinds else b""
        if isinstance(event, TextRewrite):
            return (
                self._rewrite(event.block, event.keep, event.text)
                if event.block in self._kinds
                else b""
            )
        if isinstance(event, BlockStart):
            if not event.choice:  # 0, or not said
                self._kinds[event.block] = event.kind
            return b""
        return self._rare(event)

    def _rare(self, event: Event) -> bytes:
        match event:
            case BlockEnd():
                kind = self._kinds.pop(event.block, None)
                return self._reasoned() if kind == "reasoning" else b""
            case Citation():
                return self._citation(event) if event.block in self._kinds else b""
            case StreamStart():
                return self._start(event)
            case Vendor():
                return self._vendor(event)
            case StreamEnd():
                return self._end(event)
            case StreamError():
                return self._error(event)
            case _:
                return b""

    def _start(self, _event: StreamStart) -> bytes:
        """What opens the stream."""
        return b""

    def _text(self, _block: int, _text: str) -> bytes:
        """More text of the answer."""
        return b""

    def _rewrite(self, _block: int, _keep: int, _text: str) -> bytes:
        """Only for a dialect that can take text back; the others never get one (see `settle`)."""
        return b""

    def _reasoning(self, _text: str) -> bytes:
        """More reasoning."""
        return b""

    def _reasoned(self) -> bytes:
        """The end of a piece of reasoning."""
        return b""

    def _citation(self, _event: Citation) -> bytes:
        """A source of the text."""
        return b""

    def _vendor(self, _event: Vendor) -> bytes:
        """What only this vendor's clients know."""
        return b""

    def _end(self, _event: StreamEnd) -> bytes:
        """All that ends a complete answer."""
        return b""

    def _error(self, _event: StreamError) -> bytes:
        """The one error, and all that ends a failed answer."""
        return b""

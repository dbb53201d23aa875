"""The content blocks of an answer as they arrive: the vendor numbers them by `index`, we by our own
counter.

Text, thinking and tool calls become our blocks. All other kinds (redacted thinking, the vendor's
own tools and what they found, compaction, and kinds yet unknown) are collected and given whole as
one `vendor` event when they stop: nothing in them is for the client to act on.
"""

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from proxy.codec.json_depth import shallow
from proxy.dialects.anthropic import wire
from proxy.dialects.anthropic.wire import NAME
from proxy.events import (
    BlockEnd,
    BlockKind,
    BlockStart,
    Citation,
    Event,
    ReasoningDelta,
    TextDelta,
    Tool,
    ToolCallDelta,
    Vendor,
)
from proxy.framing import TooLarge

_WireText = wire.TextDelta
_KINDS: dict[str, BlockKind] = {"text": "text", "thinking": "reasoning", "tool_use": "tool_call"}
# What an open block costs beside its content, so that countless empty ones count too.
_BLOCK_BYTES = 256
# And a piece of an opaque one, so that countless empty ones do.
_PIECE_BYTES = 16


class _Block(msgspec.Struct):
    """An open block. `kind` None: opaque."""

    kind: BlockKind | None
    number: int  # ours
    content: dict[str, Any]  # as it began
    size: int  # bytes held
    pieces: dict[str, list[str]]  # what came for the keys of an opaque block since
    saw_arguments: bool = False
    signature: str | None = None


class ContentBlocks:
    """The open blocks of one answer. Methods append to `out`. At most `max_bytes` are held: beyond
    that TooLarge is raised.
    """

    def __init__(self, max_bytes: int) -> None:
        self._open: dict[int, _Block] = {}
        self._next = 0
        self._max = max_bytes
        self._held = 0
        self.last_kind: BlockKind | None = None
        # A tool was called by a program that runs at the vendor's, not by the model directly.
        self.programmatic = False

    def start(self, index: int, content: dict[str, Any], out: list[Event]) -> None:
        """A block begins. What its first frame holds already (a whole answer's holds all) is said
        at once.
        """
        self.stop(index, out)
        kind = _KINDS.get(str(content.get("type")))
        block = self._begin(index, kind, content, out)
        text = content.get("text" if kind == "text" else "thinking")
        if kind == "text":
            if text and isinstance(text, str):
                out.append(TextDelta(block.number, text))
            out.extend(
                _citation(block.number, citation) for citation in _list(content.get("citations"))
            )
        elif kind == "reasoning":
            if text and isinstance(text, str):
                out.append(ReasoningDelta(block.number, text))
            block.signature = _text(content.get("signature"))
        elif kind == "tool_call":
            caller = content.get("caller")
            self.programmatic |= isinstance(caller, dict) and caller.get("type") not in (
                None,
                "direct",
            )

    def delta(self, index: int, delta: wire.Delta, out: list[Event]) -> None:
        """A piece of a block. One whose beginning was not sent begins here."""
        block = self._open.get(index)
        # nearly every frame of an answer
        if type(delta) is _WireText and block is not None and block.kind == "text":
            if delta.text:
                out.append(TextDelta(block.number, delta.text))
            return
        match delta:
            case wire.TextDelta(text):
                if text:
                    block = self._as("text", index, block, {"text": text}, out)
                    if block.kind is not None:
                        out.append(TextDelta(block.number, text))
            case wire.InputJsonDelta(piece):
                if piece:
                    block = self._as("tool_call", index, block, {"partial_json": piece}, out)
                    if block.kind is not None:
                        block.saw_arguments = True
                        out.append(ToolCallDelta(block.number, piece))
            case wire.ThinkingDelta(text):
                if text:
                    block = self._as("reasoning", index, block, {"thinking": text}, out)
                    if block.kind is not None:
                        out.append(ReasoningDelta(block.number, text))
            case wire.SignatureDelta(signature):
                block = self._as("reasoning", index, block, {"signature": signature}, out)
                block.signature = signature
            case wire.CitationsDelta(citation):
                block = self._as("text", index, block, {"citation": citation}, out)
                if block.kind is not None and citation is not None:
                    out.append(_citation(block.number, citation))

    def unknown_delta(self, index: int, delta: dict[str, Any]) -> bool:
        """A delta of a kind that we do not know. False: it belongs to no opaque block."""
        block = self._open.get(index)
        if block is None or block.kind is not None:
            return False
        self._collect(block, delta)
        return True

    def stop(self, index: int, out: list[Event]) -> None:
        """A block is complete. Nothing happens if it is not open."""
        block = self._open.pop(index, None)
        if block is None:
            return
        self._held -= block.size
        if block.kind is None:
            out.append(Vendor(NAME, shallow(_assembled(block))))
            return
        if block.kind == "tool_call" and not block.saw_arguments and block.content.get("input"):
            # A call by a program of the vendor's (and whole answers) have their arguments in the
            # beginning, not in deltas.
            out.append(
                ToolCallDelta(block.number, msgspec.json.encode(block.content["input"]).decode())
            )
        out.append(BlockEnd(block.number, UNSET if block.signature is None else block.signature))

    def stop_all(self, out: list[Event]) -> None:
        """The answer is complete, or begins anew: close what is open."""
        for index in list(self._open):
            self.stop(index, out)

    def _begin(
        self, index: int, kind: BlockKind | None, content: dict[str, Any], out: list[Event]
    ) -> _Block:
        block = _Block(kind, self._next, content, 0, {})
        self._open[index] = block
        self._hold(block, _BLOCK_BYTES + len(msgspec.json.encode(content)))
        if kind is None:
            return block
        self._next += 1
        self.last_kind = kind
        tool: Tool | UnsetType = UNSET
        if kind == "tool_call":
            tool = Tool(
                _text(content.get("id")) or f"call_{block.number}", _text(content.get("name")) or ""
            )
        out.append(BlockStart(block.number, kind, tool))
        return block

    def _hold(self, block: _Block, size: int) -> None:
        block.size += size
        self._held += size
        if self._held > self._max:
            raise TooLarge(self._max)

    def _as(
        self,
        kind: BlockKind,
        index: int,
        block: _Block | None,
        piece: dict[str, Any],
        out: list[Event],
    ) -> _Block:
        """The block at `index`, as this kind; an opaque one takes the piece itself. Clones that
        forget a beginning, or change kind in the middle, get a block of the kind that their delta
        says.
        """
        if block is not None and block.kind == kind:
            return block
        if block is not None and block.kind is None:
            self._collect(block, piece)
            return block
        self.stop(index, out)
        return self._begin(index, kind, {}, out)

    def _collect(self, block: _Block, delta: dict[str, Any]) -> None:
        for key, value in delta.items():
            if value is None or key == "type":
                continue
            if isinstance(value, str):
                self._hold(block, len(key) + len(value) + _PIECE_BYTES)
                block.pieces.setdefault(key, []).append(value)
            else:
                self._hold(block, len(key) + len(msgspec.json.encode(value)) + _PIECE_BYTES)
                block.content[key] = value


def _assembled(block: _Block) -> dict[str, Any]:
    """An opaque block whole, as a whole answer would hold it. Arguments that are not JSON (cut by
    the vendor) stay text.
    """
    whole = dict(block.content)
    for key, pieces in block.pieces.items():
        text = "".join(pieces)
        if key == "partial_json":
            whole["input"] = _parsed(text)
        else:
            known = whole.get(key)
            whole[key] = known + text if isinstance(known, str) else text
    return whole


def _parsed(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return text


def _citation(block: int, citation: Any) -> Event:
    """The five shapes of a citation. Their positions are in the source, not in our text, so `start`
    and `end` stay unknown.
    """
    source = citation if isinstance(citation, dict) else {}
    return Citation(
        block,
        url=_text(source.get("url")) or _text(source.get("source")),
        title=_text(source.get("title")) or _text(source.get("document_title")),
        text=_text(source.get("cited_text")),
    )


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None

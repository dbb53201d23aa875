"""The content blocks of an answer as they arrive: the vendor numbers them by `index`, we by our own
counter.

Text, thinking, redacted thinking and tool calls become our blocks. All other kinds (the vendor's
own tools and what they found, compaction, and kinds yet unknown) are collected and given whole as
one event when they stop (`opaque.py`): nothing in them is for the client to act on.
"""

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from proxy.codec import proofs
from proxy.codec.json_depth import shallow
from proxy.codec.own_ids import OwnIds
from proxy.codec.proofs import ANTHROPIC
from proxy.dialects.anthropic import opaque, wire
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
_REDACTED = "redacted_thinking"
_KINDS: dict[str, BlockKind] = {
    "text": "text",
    "thinking": "reasoning",
    _REDACTED: "reasoning",
    "tool_use": "tool_call",
}
# What our events say of a block's beginning; the rest goes to clients of this dialect as it is.
_SAID = frozenset(
    {"type", "id", "name", "input", "text", "thinking", "signature", "data", "citations"}
)
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
        # by the index of an open call: text that a clone sends amid its arguments
        self._amid: dict[int, _Block] = {}
        self._ids = OwnIds()
        self._next = 0
        self._max = max_bytes
        self._held = 0
        self.called = False  # a tool was called by the model directly
        # A tool was called by a program that runs at the vendor's, not by the model directly.
        self.programmatic = False

    def start(self, index: int, content: dict[str, Any], out: list[Event]) -> None:
        """A block begins. What its first frame holds already (a whole answer's holds all) is said
        at once. One that does not say what it is begins with its first piece.
        """
        self.stop(index, out)
        if not content.get("type"):
            return
        kind = _KINDS.get(str(content["type"]))
        block = self._begin(index, kind, content, out)
        text = content.get("text" if kind == "text" else "thinking")
        if kind == "text":
            if text and isinstance(text, str):
                out.append(TextDelta(block.number, text))
            for citation in _list(content.get("citations")):
                _cite(block.number, citation, out)
        elif kind == "reasoning":
            if text and isinstance(text, str):
                out.append(ReasoningDelta(block.number, text))
            block.signature = _text(content.get("signature"))
        elif kind == "tool_call":
            caller = content.get("caller")
            by_program = isinstance(caller, dict) and caller.get("type") not in (None, "direct")
            self.programmatic |= by_program
            self.called |= not by_program

    def delta(self, index: int, delta: wire.Delta | None, out: list[Event]) -> None:
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
                    _cite(block.number, citation, out)

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
        self._close(block, out)
        amid = self._amid.pop(index, None)
        if amid is not None:
            self._close(amid, out)

    def stop_all(self, out: list[Event]) -> None:
        """The answer is complete, or begins anew: close what is open."""
        for index in list(self._open):
            self.stop(index, out)

    def _close(self, block: _Block, out: list[Event]) -> None:
        self._held -= block.size
        if block.kind is None:
            out.append(opaque.event_of(block.content, block.pieces))
            return
        if block.kind == "tool_call" and not block.saw_arguments and block.content.get("input"):
            # A call by a program of the vendor's (and whole answers) have their arguments in the
            # beginning, not in deltas.
            out.append(
                ToolCallDelta(block.number, msgspec.json.encode(block.content["input"]).decode())
            )
        out.append(_end(block))

    def _begin(
        self, index: int, kind: BlockKind | None, content: dict[str, Any], out: list[Event]
    ) -> _Block:
        block = _Block(kind, self._next, content, 0, {})
        self._open[index] = block
        self._hold(block, _BLOCK_BYTES + len(msgspec.json.encode(content)))
        if kind is None:
            return block
        self._next += 1
        more = {key: said for key, said in content.items() if key not in _SAID and said is not None}
        if more:
            extras = {"type": wire.BLOCK_EXTRAS, "block": block.number, "more": more}
            out.append(Vendor(NAME, shallow(extras)))
        tool: Tool | UnsetType = UNSET
        if kind == "tool_call":
            own = _text(content.get("id")) or f"call_{block.number}"
            tool = self._ids.alone(Tool(own, _text(content.get("name")) or ""))
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
        says. Text amid the arguments of a call is a block beside it: the call goes on.
        """
        if block is not None and block.kind == kind:
            return block
        if block is not None and block.kind is None:
            self._collect(block, piece)
            return block
        if block is not None and block.kind == "tool_call" and kind == "text":
            if index not in self._amid:
                self._amid[index] = self._begin(index, kind, {}, out)
                self._open[index] = block
            return self._amid[index]
        self.stop(index, out)
        self.called |= kind == "tool_call"
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


def _end(block: _Block) -> BlockEnd:
    """The end of one of our blocks, with the proof that the vendor wants to see again. A proof of
    another vendor comes from a proxy like this one.
    """
    redacted = block.content.get("type") == _REDACTED
    text = _text(block.content.get("data")) if redacted else block.signature
    if not text:
        return BlockEnd(block.number)
    proof = proofs.read(text, ANTHROPIC)
    if proof.call is not None:
        return BlockEnd(block.number, text, ANTHROPIC, redacted or UNSET)
    name = UNSET if proof.name is None else proof.name
    return BlockEnd(block.number, proof.text, proof.format or UNSET, redacted or UNSET, name)


def _cite(block: int, citation: Any, out: list[Event]) -> None:
    """A source of the text: as it is, for clients of this dialect, and as our event. Of its five
    shapes the positions are in the source, not in our text, so `start` and `end` stay unknown.
    """
    if not isinstance(citation, dict):
        return
    own = {"type": wire.CITATION, "block": block, "citation": citation}
    out.append(Vendor(NAME, shallow(own)))
    out.append(
        Citation(
            block,
            url=_text(citation.get("url")) or _text(citation.get("source")),
            title=_text(citation.get("title")) or _text(citation.get("document_title")),
            text=_text(citation.get("cited_text")),
        )
    )


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None

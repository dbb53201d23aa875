"""The content blocks of a Converse answer as they arrive: the vendor numbers them by
`contentBlockIndex`, we by our own counter.

Texts, reasoning and the client's tool calls become our blocks. All others (calls of the vendor's
own tools and their results, images, kinds yet unknown) are collected and given whole as one
`vendor` event when they stop: nothing in them is for the client to act on.
"""

import base64
from typing import Any

import msgspec
from msgspec import UNSET

from proxy.codec import proofs
from proxy.codec.bedrock import wire
from proxy.codec.json_depth import shallow
from proxy.codec.media import data_url
from proxy.codec.own_ids import OwnIds
from proxy.codec.tool_calls import made_id
from proxy.events import (
    BlockEnd,
    BlockKind,
    BlockStart,
    Citation,
    Event,
    Image,
    ReasoningDelta,
    TextDelta,
    Tool,
    ToolCallDelta,
    Vendor,
)
from proxy.framing import TooLarge

# What an open block costs beside its content, so that countless empty ones count too.
_BLOCK_BYTES = 256
_JOINED = -1  # the index of the one text that all neighbouring texts are joined into


class _Block(msgspec.Struct):
    """An open block. `kind` None: opaque, with what began it and the pieces since."""

    kind: BlockKind | None
    number: int  # ours
    size: int = _BLOCK_BYTES
    began: dict[str, Any] = {}
    pieces: list[Any] = []
    signature: str | None = None
    redacted: bool = False


class ContentBlocks:
    """The open blocks of one answer. Methods append to `out`. At most `max_bytes` are held: beyond
    that TooLarge is raised.

    `joins`: Nova, asked in its own form, sends each piece of its text as a block of its own; such
    neighbours become one text.
    """

    def __init__(self, name: str, max_bytes: int, *, joins: bool) -> None:
        self._name = name
        self._max = max_bytes
        self._joins = joins
        self._open: dict[int, _Block] = {}
        self._held = 0
        self._next = 0
        self._ids = OwnIds()
        self.called = False  # a tool was called

    def start(self, index: int, start: dict[str, Any], out: list[Event]) -> None:
        """A block begins, and says what it is."""
        self.stop(index, out)
        use = start.get("toolUse")
        if isinstance(use, dict) and use.get("type") in (None, "tool_use"):
            self._begin(
                index,
                "tool_call",
                out,
                self._ids.alone(
                    Tool(
                        _text(use.get("toolUseId")) or made_id("", self._next),
                        _text(use.get("name")) or "",
                    )
                ),
            )
        elif start:
            self._stop_text(out)
            self._hold(
                index,
                _Block(None, self._next, began=start, pieces=[]),
                len(msgspec.json.encode(start)),
            )

    def delta(self, index: int, delta: wire.Delta, out: list[Event]) -> bool:
        """A piece of a block. False for a kind that we do not know: `unknown` takes it."""
        if delta.text is not None:
            if delta.text:
                out.append(TextDelta(self._as("text", index, out).number, delta.text))
        elif delta.tool_use is not None:
            block = self._open.get(index)
            if block is not None and block.kind is None:
                self._collect(block, delta.tool_use.input or "")
            elif delta.tool_use.input:
                out.append(
                    ToolCallDelta(self._as("tool_call", index, out).number, delta.tool_use.input)
                )
        elif delta.reasoning_content is not None:
            self._thought(index, delta.reasoning_content, out)
        elif delta.citation is not None:
            out.append(_citation(self._as("text", index, out).number, delta.citation))
        else:
            return False
        return True

    def unknown(self, index: int, delta: dict[str, Any], out: list[Event]) -> None:
        """A piece of a kind that we do not know."""
        block = self._open.get(index)
        if block is not None and block.kind is None:
            self._collect(block, delta)
        elif delta:
            out.append(
                Vendor(
                    self._name,
                    {"contentBlockDelta": {"contentBlockIndex": index, "delta": shallow(delta)}},
                )
            )

    def stop(self, index: int, out: list[Event]) -> None:
        """A block is complete. Nothing happens if it is not open."""
        block = self._open.pop(index, None)
        if block is None:
            return
        self._held -= block.size
        if block.kind is None:
            image = _image(block)
            out.append(image or Vendor(self._name, shallow(_assembled(block))))
        elif not block.signature:
            out.append(BlockEnd(block.number))
        else:
            redacted = True if block.redacted else UNSET
            out.append(BlockEnd(block.number, block.signature, proofs.BEDROCK, redacted))

    def stop_all(self, out: list[Event]) -> None:
        """The answer is complete: close what is open."""
        for index in list(self._open):
            self.stop(index, out)

    def _thought(self, index: int, thought: wire.Thought, out: list[Event]) -> None:
        if thought.text:
            out.append(ReasoningDelta(self._as("reasoning", index, out).number, thought.text))
        if thought.signature:
            self._as("reasoning", index, out).signature = thought.signature
        if thought.redacted_content:
            self._redacted(index, thought.redacted_content, out)

    def _redacted(self, index: int, content: str, out: list[Event]) -> None:
        """Encrypted reasoning. What is in base64 here is the text that Anthropic itself gives."""
        try:
            text = base64.b64decode(content, validate=True).decode()
        except ValueError:  # no base64, or no text in it
            kept = {"reasoningContent": {"redactedContent": content}}
            out.append(Vendor(self._name, kept))
            return
        block = self._as("reasoning", index, out)
        block.redacted = True
        block.signature = (block.signature or "") + text

    def _as(self, kind: BlockKind, index: int, out: list[Event]) -> _Block:
        """The open block at `index`, begun if there is none or it is of another kind."""
        if kind == "text" and self._joins:
            index = _JOINED
        block = self._open.get(index)
        if block is not None and block.kind == kind:
            return block
        self.stop(index, out)
        return self._begin(
            index, kind, out, Tool(made_id("", self._next), "") if kind == "tool_call" else None
        )

    def _begin(
        self, index: int, kind: BlockKind, out: list[Event], tool: Tool | None = None
    ) -> _Block:
        self._stop_text(out)
        block = _Block(kind, self._next)
        self._hold(index, block)
        self._next += 1
        self.called |= kind == "tool_call"
        out.append(BlockStart(block.number, kind, UNSET if tool is None else tool))
        return block

    def _stop_text(self, out: list[Event]) -> None:
        if self._joins:
            self.stop(_JOINED, out)

    def _collect(self, block: _Block, piece: Any) -> None:
        block.pieces.append(piece)
        size = len(msgspec.json.encode(piece)) + _BLOCK_BYTES
        block.size += size
        self._count(size)

    def _hold(self, index: int, block: _Block, size: int = 0) -> None:
        block.size += size
        self._open[index] = block
        self._count(block.size)

    def _count(self, size: int) -> None:
        self._held += size
        if self._held > self._max:
            raise TooLarge(self._max)


def _image(block: _Block) -> Image | None:
    """A picture that came in pieces of base64, each of whole bytes."""
    began = block.began.get("image")
    form = began.get("format") if isinstance(began, dict) else None
    if not isinstance(form, str):
        return None
    pieces = [
        source["bytes"]
        for piece in block.pieces
        if isinstance(piece, dict) and isinstance(piece.get("image"), dict)
        for source in (piece["image"].get("source"),)
        if isinstance(source, dict) and isinstance(source.get("bytes"), str)
    ]
    try:
        whole = b"".join(base64.b64decode(piece, validate=True) for piece in pieces)
    except ValueError:
        return None
    if not whole:
        return None
    return Image(data_url(f"image/{form}", base64.b64encode(whole).decode()))


def _assembled(block: _Block) -> dict[str, Any]:
    """An opaque block whole, as a whole answer would hold it; one of a kind that we do not know as
    it came.
    """
    (kind, content), *more = block.began.items()
    if not more and isinstance(content, dict):
        if kind == "toolUse" and all(isinstance(piece, str) for piece in block.pieces):
            return {kind: {**content, "input": _parsed("".join(block.pieces))}}
        results = [
            piece[kind]
            for piece in block.pieces
            if isinstance(piece, dict) and isinstance(piece.get(kind), list)
        ]
        if kind == "toolResult" and len(results) == len(block.pieces):
            return {kind: {**content, "content": [item for result in results for item in result]}}
    return {"contentBlockStart": block.began, "contentBlockDelta": block.pieces}


def _parsed(text: str) -> Any:
    """Arguments; those that are no JSON (cut by the vendor) stay text."""
    try:
        return msgspec.json.decode(text or "{}")
    except (ValueError, RecursionError):
        return text


def _citation(block: int, citation: dict[str, Any]) -> Citation:
    """A source of the text. Its positions are in the source, not in our text, so `start` and `end`
    stay unknown.
    """
    location = citation.get("location")
    web = location.get("web") if isinstance(location, dict) else None
    content = citation.get("sourceContent")
    texts = (
        [_text(item.get("text")) or "" for item in content if isinstance(item, dict)]
        if isinstance(content, list)
        else []
    )
    return Citation(
        block,
        url=(_text(web.get("url")) if isinstance(web, dict) else None)
        or _text(citation.get("source")),
        title=_text(citation.get("title")),
        text="".join(texts) or None,
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None

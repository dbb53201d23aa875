"""The sources of an answer: the vendor's two forms of metadata to our citations.

    citationMetadata    {"citations" | "citationSources": [{startIndex, endIndex, uri, title}]}
    groundingMetadata   {"groundingChunks": [{"web": {uri, title}}], "groundingSupports": [{segment:
                        {startIndex, endIndex, text}, "groundingChunkIndices": [0]}]}

The vendor's positions count UTF-8 bytes of the whole answer; ours code points of the block. They
are the same, less where the block begins, as long as the text is ASCII; otherwise, and for
positions beyond the text that has come, they stay unknown.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from proxy.events import Citation

_KINDS = ("web", "retrievedContext", "maps")


class Said:
    """The text of one choice so far, as far as positions in it need it."""

    __slots__ = ("_ascii", "_block", "_chars", "_start")  # one for every open stream

    def __init__(self) -> None:
        self._chars = 0
        self._ascii = True
        self._block = -1
        self._start = 0  # of the newest block

    def add(self, block: int, text: str) -> None:
        if block != self._block:
            self._block, self._start = block, self._chars
        self._chars += len(text)
        self._ascii = self._ascii and text.isascii()

    def span(self, block: int, start: Any, end: Any) -> tuple[int | None, int | None]:
        """Where in the block. The vendor leaves a start of 0 out."""
        first, last = start if _is_index(start) else 0, end
        if (
            not self._ascii
            or block != self._block
            or not _is_index(last)
            or not self._start <= first <= last <= self._chars
        ):
            return None, None
        return first - self._start, last - self._start

    def on_wire(self, block: int, start: int | None, end: int | None) -> dict[str, int]:
        """A place in the newest block as the vendor says it."""
        if not self._ascii or block != self._block or start is None or end is None:
            return {}
        return {"startIndex": self._start + start, "endIndex": self._start + end}


class Cited(NamedTuple):
    """A source and, where it is known, what it is the source of."""

    url: str | None
    title: str | None
    text: str | None
    start: Any
    end: Any

    def citation(self, block: int, said: Said) -> Citation:
        start, end = said.span(block, self.start, self.end)
        return Citation(block, self.url, self.title, self.text, start, end)


def cited(metadata: Any) -> Iterator[Cited]:
    """The sources in a `citationMetadata`."""
    if isinstance(metadata, dict):
        for source in _objects(metadata.get("citations") or metadata.get("citationSources")):
            yield Cited(
                _text(source.get("uri")),
                _text(source.get("title")),
                None,
                source.get("startIndex"),
                source.get("endIndex"),
            )


def grounded(metadata: Any) -> Iterator[Cited]:
    """The sources in a `groundingMetadata`: for each piece of text those that support it, then
    those that support none in particular.
    """
    if not isinstance(metadata, dict):
        return
    sources = [_source(chunk) for chunk in _objects(metadata.get("groundingChunks"))]
    used: set[int] = set()
    for support in _objects(metadata.get("groundingSupports")):
        segment = support.get("segment")
        piece = segment if isinstance(segment, dict) else {}
        indices = support.get("groundingChunkIndices")
        for index in indices if isinstance(indices, list) else []:
            if _is_index(index) and index < len(sources):
                used.add(index)
                url, title = sources[index]
                yield Cited(
                    url,
                    title,
                    _text(piece.get("text")),
                    piece.get("startIndex"),
                    piece.get("endIndex"),
                )
    for index, (url, title) in enumerate(sources):
        if index not in used:
            yield Cited(url, title, None, None, None)


def _source(chunk: dict[str, Any]) -> tuple[str | None, str | None]:
    source = next((found for kind in _KINDS if isinstance(found := chunk.get(kind), dict)), {})
    return _text(source.get("uri")), _text(source.get("title"))


def _objects(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _is_index(value: Any) -> bool:
    return type(value) is int and value >= 0

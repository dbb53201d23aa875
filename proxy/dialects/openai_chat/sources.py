"""What an answer was drawn from: `annotations` of a delta or a message."""

from typing import Any

import msgspec

from proxy.codec.blocks import Blocks
from proxy.codec.counts import count
from proxy.events import Citation, Event

_MAX_REMEMBERED = 4096  # so as not to tell one twice


class Sources:
    """The sources of every choice of one answer."""

    def __init__(self, blocks: Blocks) -> None:
        self._blocks = blocks
        self._cited: set[int] | None = None  # hashes

    def cite(self, out: list[Event], choice: int, annotations: list[Any]) -> list[Any]:
        """Tell those that cite an address; answers the rest, which is kept as it is."""
        opaque = []
        for annotation in annotations:
            match annotation:
                case {"type": "url_citation", "url_citation": dict(said)}:
                    self._cite(out, choice, said)
                case _:
                    opaque.append(annotation)
        return opaque

    def _cite(self, out: list[Event], choice: int, said: dict[str, Any]) -> None:
        url, title, text = (
            value if isinstance(value := said.get(key), str) else None
            for key in ("url", "title", "content")
        )
        start, end = (count(said.get(key)) for key in ("start_index", "end_index"))
        if start is not None and end is not None and end < start:
            start = end = None
        citation = Citation(choice, url, title, text, start, end)
        key = hash(citation)  # keyed by choice, as blocks may change
        if self._cited is None:
            self._cited = set()
        if key not in self._cited:
            if len(self._cited) < _MAX_REMEMBERED:
                self._cited.add(key)
            block = self._blocks.open_text(out, choice)
            out.append(msgspec.structs.replace(citation, block=block))

"""What vendors say beside the deltas of a chunk that the schema has no place for."""

from collections.abc import Iterable
from operator import attrgetter
from typing import Any

from msgspec import Raw

from proxy.codec.lenient_json import loads
from proxy.dialects.openai_chat.wire import CHUNK_EXTRAS, QUIET, Chunk, present

_extras_of = attrgetter(*CHUNK_EXTRAS)
_CHUNK = -1  # stands for a choice, for what is said of none


class Extras:
    """The extras of one answer. Each value is given once; only log-probs, alike or not, each belong
    to a piece of text.
    """

    __slots__ = ("_sent",)

    def __init__(self) -> None:
        # hashes of the values that were given last
        self._sent: dict[tuple[int, str], int] = {}

    def of_chunk(self, chunk: Chunk, before: Chunk) -> dict[str, Any]:
        """Those beside a chunk's choices that were not given before. `before` is the last chunk."""
        extras = _extras_of(chunk)
        if extras == _extras_of(before):  # compared in C
            return {}
        return self.new(_CHUNK, present(CHUNK_EXTRAS, extras))

    def new(self, index: int, extras: Iterable[tuple[str, Raw]]) -> dict[str, Any]:
        """Those of a choice that were not given before."""
        told: dict[str, Any] = {}
        for name, value in extras:
            if value in QUIET:
                continue
            said = hash(bytes(value))
            if name == "logprobs" or self._sent.get((index, name)) != said:
                self._sent[index, name] = said
                told[name] = loads(value)
        return told

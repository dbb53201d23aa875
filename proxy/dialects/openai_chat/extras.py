"""What vendors say beside the choices of a chunk that the schema has no place for."""

from operator import attrgetter
from typing import Any

from proxy.codec.lenient_json import loads
from proxy.dialects.openai_chat.wire import CHUNK_EXTRAS, QUIET, Chunk, present

_extras_of = attrgetter(*CHUNK_EXTRAS)


class Extras:
    """The extras of one answer's chunks, each value given once."""

    def __init__(self) -> None:
        self._sent: dict[str, int] = {}  # name -> hash of the value that was given last

    def new(self, chunk: Chunk, before: Chunk) -> dict[str, Any]:
        """Those of the chunk that differ from what was given before. `before` is the last chunk."""
        extras = _extras_of(chunk)
        told: dict[str, Any] = {}
        if extras == _extras_of(before):  # compared in C
            return told
        for name, value in present(CHUNK_EXTRAS, extras):
            if value not in QUIET and self._sent.get(name) != (said := hash(bytes(value))):
                self._sent[name] = said
                told[name] = loads(value)
        return told

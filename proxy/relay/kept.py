"""How much of an answer a client's encoder gathers."""

from collections.abc import Sequence

from proxy.events import Event


class Kept:
    """Counts bytes as the upstream sent them, framing and all: what is kept of them is no more.
    `kinds` are the events that are kept.
    """

    __slots__ = ("_bytes", "_kinds", "_most_bytes")

    def __init__(self, most_bytes: int, kinds: frozenset[type[Event]]) -> None:
        self._bytes = 0
        self._most_bytes = most_bytes
        self._kinds = kinds

    def too_much(self, size: int, events: Sequence[Event]) -> bool:
        """Whether it is, with these events, which stood in `size` bytes more."""
        if not self._kinds.isdisjoint(map(type, events)):
            self._bytes += size
        return self._bytes > self._most_bytes

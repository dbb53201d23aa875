"""How much of an answer is kept at once: all of it before its first content, and afterwards what
the client's encoder gathers.
"""

from collections.abc import Sequence

from proxy.events import Event


class Kept:
    """Counts bytes as the upstream sent them, framing and all: what is kept of them is no more.
    `kinds` are the events that are kept; None: everything is, events or not.
    """

    __slots__ = ("_kinds", "_most_bytes", "_unread", "bytes")

    def __init__(self, most_bytes: int, kinds: frozenset[type[Event]] | None = None) -> None:
        self.bytes = 0
        self._most_bytes = most_bytes
        self._kinds = kinds
        # that came since the last event: they may be the beginning of the next one
        self._unread = 0

    def too_much(self, size: int, events: Sequence[Event]) -> bool:
        """Whether it is, with `size` bytes more, which gave these events."""
        self._unread += size
        if self._kinds is None:
            self.bytes += size
        elif events:
            for event in events:
                if type(event) in self._kinds:
                    self.bytes += self._unread
                    break
            self._unread = 0
        return self.bytes > self._most_bytes

"""What a reader of a kept log has missed, some events at a time."""

from collections.abc import Iterator
from itertools import islice

from proxy.events import Event
from proxy.relay.kept_log import MOST_AT_ONCE, KeptLog
from proxy.relay.snapshot import chars_of

TOO_MUCH = (
    "Of this stream more was said before than is kept (streams.resume.max_bytes_per_stream): its "
    "beginning cannot be given any more."
)


class Missed:
    """Of one reader, which asks for what follows what it had last."""

    __slots__ = ("_folded", "_log")

    def __init__(self, log: KeptLog) -> None:
        self._log = log
        self._folded: Iterator[Event] | None = None  # what it reads of what is folded

    def since(self, number: int) -> tuple[list[Event], int]:
        """Some events from this number on, and about how many bytes they were. Raises
        ConnectionError where they are not kept any more: the client comes back for a snapshot.
        """
        found = self._log.since(number)
        if found is not None:
            self._folded = None
            return found
        events = self._next()
        if not events:  # it reads no snapshot yet, or one that another has replaced
            self._folded = self._log.replayed(number)
            events = self._next()
        if not events:
            raise ConnectionResetError
        return events, sum(map(chars_of, events))

    def _next(self) -> list[Event]:
        return list(islice(self._folded or (), MOST_AT_ONCE))

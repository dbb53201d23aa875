"""What a dialect says of clients that come back to a kept stream."""

from collections.abc import Callable
from typing import NamedTuple

from proxy.codec.base import Incoming, Reply, Route

_DIGITS = 12  # of a frame's number: no stream has so many


class Wanted(NamedTuple):
    """What a client that comes back asks for: a stream, by its id or by `Parsed.chat`, without the
    first `frames`, which the client has; a negative number asks for so many of the newest. `ended`:
    it wants one that has ended, too, even if it had all of it.
    """

    stream: str
    frames: int = 0
    ended: bool = False


def going_on(_incoming: Incoming) -> Wanted:
    """`Resuming.wanted` of a dialect whose paths name the stream, and whose clients want all of it
    as long as it goes on.
    """
    return Wanted("")


def seen(event_id: str) -> tuple[str, int] | None:
    """The stream and the number in an id of a frame, `<stream>:<number>`. None: it is no id of
    ours.
    """
    stream, _, number = event_id.rpartition(":")
    if not (number.isascii() and number.isdigit() and len(number) < _DIGITS):
        return None
    return stream, int(number)


class Resuming(NamedTuple):
    """Where clients of a dialect come back to a kept stream, and where they stop it. A variable
    `chat` of a path says which stream; else `wanted` does, and in any case how much of it. It
    raises Refused.

    `again`: so do clients that post their request again, with a `Last-Event-ID`. `named` is a
    header of every answer that says the stream's id, `tail` one that says the number of the newest
    frame to who asks for so many of the newest.
    """

    follow: Route | None = None
    stop: Route | None = None
    stopped: Reply = Reply(204, b"")
    wanted: Callable[[Incoming], Wanted] = going_on
    again: bool = False
    named: str = ""
    tail: str = ""

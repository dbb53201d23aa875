"""Where a page that comes back goes on.

Source: HTML, "Server-sent events": an EventSource whose connection broke asks again by itself, with
the id of the last frame that it had as `Last-Event-ID`, and so does fetch-event-source.
"""

from proxy.codec.base import Incoming
from proxy.codec.resuming import Wanted, seen


def wanted(incoming: Incoming) -> Wanted:
    """See `Resuming.wanted`. Frames are numbered from 1, so a number says how many it has."""
    had = seen(incoming.headers["last-event-id"])
    return Wanted("") if had is None else Wanted(*had, ended=True)

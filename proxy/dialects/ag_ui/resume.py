"""Where an AG-UI client that comes back goes on.

Source: the connection adapters of `@tanstack/ai-client`. A page that was loaded again joins a run
by `GET ?runId=<its own name for the run>&offset=-1`; a connection that broke posts again, or joins
again, with the `Last-Event-ID` of the last frame that it had.
"""

from proxy.codec.base import Incoming
from proxy.codec.resuming import Wanted
from proxy.errors import bad_request

_FROM_THE_START = "-1"
_DIGITS = 12  # of a frame's number: no stream has so many


def wanted(incoming: Incoming) -> Wanted:
    """See `Resuming.wanted`. Raises Refused."""
    run = incoming.query.get("runId") or incoming.headers.get("x-run-id", "")
    seen = incoming.headers.get("last-event-id")
    if not seen:
        seen = incoming.query.get("offset", _FROM_THE_START)
        if seen == _FROM_THE_START:
            if not run:
                raise bad_request("runId is required: it says which run to join.", param="runId")
            return Wanted(run, ended=True)
    stream, _, number = seen.rpartition(":")
    if not (number.isascii() and number.isdigit() and len(number) < _DIGITS):
        return Wanted("")  # no id of ours
    return Wanted(stream, int(number) + 1, ended=True)

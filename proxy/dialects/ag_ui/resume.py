"""Where an AG-UI client that comes back goes on.

Source: the connection adapters of `@tanstack/ai-client`. A page that was loaded again joins a run
by `GET ?runId=<its own name for the run>&offset=-1`; a connection that broke posts again, or joins
again, with the `Last-Event-ID` of the last frame that it had.
"""

from proxy.codec.base import Incoming
from proxy.codec.resuming import Wanted, seen
from proxy.errors import bad_request

_FROM_THE_START = "-1"


def wanted(incoming: Incoming) -> Wanted:
    """See `Resuming.wanted`. Raises Refused."""
    run = incoming.query.get("runId") or incoming.headers.get("x-run-id", "")
    newest = incoming.headers.get("last-event-id")
    if not newest:
        newest = incoming.query.get("offset", _FROM_THE_START)
        if newest == _FROM_THE_START:
            if not run:
                raise bad_request("runId is required: it says which run to join.", param="runId")
            return Wanted(run, ended=True)
    had = seen(newest)
    if had is None:
        return Wanted("")
    stream, number = had
    return Wanted(stream, number + 1, ended=True)

"""When an upstream has taken too long for its answer, by its timeouts, and how that is said. All
times are of one monotonic clock, in seconds.
"""

from proxy.errors import Failure, Kind, failure
from proxy.settings.sections import Timeouts


def deadlines(
    timeouts: Timeouts, started: float, last_read: float | None, *, begun: bool
) -> list[tuple[float, Kind]]:
    """Until when something must have come, and what it is if it has not. The request went up when
    it `started`; `begun`: an event has come; `last_read` is None while nothing is read.
    """
    found: list[tuple[float, Kind]] = [(started + timeouts.total_s, "total_timeout")]
    if not begun:
        found.append((started + timeouts.first_event_s, "first_event_timeout"))
    elif last_read is not None:
        found.append((last_read + timeouts.idle_s, "idle_timeout"))
    return found


def late(kind: Kind, timeouts: Timeouts, name: str) -> Failure:
    """What it is that the upstream of this name has missed that one."""
    said = {
        "total_timeout": f"{name} was not done within {timeouts.total_s:g} s.",
        "first_event_timeout": f"{name} sent no event within {timeouts.first_event_s:g} s.",
        "idle_timeout": f"{name} sent nothing for {timeouts.idle_s:g} s.",
    }
    return failure(kind, said[kind], upstream=name)

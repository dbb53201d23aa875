"""How late the event loop is, measured all the time."""

import asyncio
import itertools
import sys
import time
from collections.abc import Sized

from proxy.observe import logs
from proxy.observe.metrics import Metrics

_LAG_PERIOD_S = 0.5
_TASKS_BEATS = 10  # of which one counts the tasks
# `all_tasks` looks at each task: that takes 7 ms with 10,000 streams, for which all of them wait.
# asyncio's own set knows its size at once; it has also those that have ended and that the collector
# has yet to find, which are no matter among many. From Python 3.14 on there is no such set, and
# `all_tasks` is quick.
_MANY = 500
_NAME = "_all_tasks" if sys.version_info < (3, 12) else "_scheduled_tasks"
_KEPT: Sized | None = getattr(asyncio.tasks, _NAME, None) if sys.version_info < (3, 14) else None


async def watch_lag(metrics: Metrics) -> None:
    """Tell the metrics how late the loop comes back to this task, and beside that how many tasks
    there are and how many lines the log has lost, until it is cancelled.
    """
    for beat in itertools.count():
        if beat % _TASKS_BEATS == 0:
            metrics.tasks(number_of_tasks())
        due = time.monotonic() + _LAG_PERIOD_S
        await asyncio.sleep(_LAG_PERIOD_S)
        metrics.lag(max(0.0, time.monotonic() - due))
        metrics.unlogged(logs.dropped())


def number_of_tasks() -> int:
    """How many tasks the event loop has: of many, perhaps a few more."""
    kept = _KEPT
    return len(asyncio.all_tasks() if kept is None or len(kept) < _MANY else kept)

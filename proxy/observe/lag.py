"""How late the event loop is, measured all the time."""

import asyncio
import itertools
import time

from proxy.observe import logs
from proxy.observe.metrics import Metrics

_LAG_PERIOD_S = 0.5
_TASKS_BEATS = 10  # of which one counts the tasks: with 10,000 streams that takes 3 ms


async def watch_lag(metrics: Metrics) -> None:
    """Tell the metrics how late the loop comes back to this task, and beside that how many tasks
    there are and how many lines the log has lost, until it is cancelled.
    """
    for beat in itertools.count():
        if beat % _TASKS_BEATS == 0:
            metrics.tasks(len(asyncio.all_tasks()))
        due = time.monotonic() + _LAG_PERIOD_S
        await asyncio.sleep(_LAG_PERIOD_S)
        metrics.lag(max(0.0, time.monotonic() - due))
        metrics.unlogged(logs.dropped())

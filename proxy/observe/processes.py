"""The `process_*` metrics of several processes: each has its own series, by process id, as counters
of different processes must not be added up to one that goes down when one of them ends.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from prometheus_client import Metric, ProcessCollector
from prometheus_client.registry import Collector

from proxy.observe.crew import SOCKETS


class Processes(Collector):
    """Those of all workers that listen, by their sockets in the folder that they share, of this one
    and of whoever started it.
    """

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder)

    def collect(self) -> Iterable[Metric]:
        families: dict[str, Metric] = {}
        for pid in self._pids():
            for family in _of(pid):
                to = families.setdefault(
                    family.name, Metric(family.name, family.documentation, family.type)
                )
                for sample in family.samples:
                    to.add_sample(sample.name, {"pid": str(pid)}, sample.value)
        return families.values()

    def _pids(self) -> Iterator[int]:
        before, after = SOCKETS.split("*")
        found = {os.getppid(), os.getpid()}
        for socket in self._folder.glob(SOCKETS):
            found.add(int(socket.name.removeprefix(before).removesuffix(after)))
        return iter(sorted(found))


def _of(pid: int) -> Iterable[Metric]:
    return ProcessCollector(pid=lambda: pid, registry=None).collect()

"""What whoever watches the workers counts for them: what a worker that died can count no more.

It is no worker, and reads no numbers of its own: it adds to a file of the folder that they share,
which any of them reads when it answers for all.
"""

import contextlib
import time
from pathlib import Path

from prometheus_client.mmap_dict import MmapedDict, mmap_key
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.multiprocess import mark_process_dead as _mark_process_dead

from proxy.observe.record import NONE

STREAMS = "mainstem_streams"
STREAMS_BY = ("client_dialect", "upstream", "model", "outcome")
ABOUT_STREAMS = (
    "Streams ended, by why: completed, or the kind of the failure. The upstream is none where no "
    "upstream was tried; the client's dialect and the model are where a worker died with them."
)
STREAMS_OPEN = "mainstem_streams_open"
RESTARTS = "mainstem_worker_restarts"
# where each worker answers the others, in the folder that they share
SOCKETS = "worker_*.sock"
ABOUT_RESTARTS = "Workers that died and were replaced."


def socket_of(pid: int) -> str:
    """The name of a worker's socket: one of SOCKETS."""
    return SOCKETS.replace("*", str(pid))


class Crew:
    """The books of one folder. Only one process may have it."""

    def __init__(self, folder: str) -> None:
        """`folder` is what the workers have as PROMETHEUS_MULTIPROC_DIR."""
        self._folder = Path(folder)
        self._counters: MmapedDict | None = None

    def died(self, pid: int) -> None:
        """A worker died and is replaced: the streams that it had open have failed, by a defect of
        ours. Call `gone` after it.
        """
        with contextlib.suppress(OSError):  # a full disk costs the count, not the other workers
            self._add(RESTARTS, {}, ABOUT_RESTARTS, 1.0)
            for upstream, count in self._open_in(pid).items():
                labels = dict(zip(STREAMS_BY, (NONE, upstream, NONE, "internal"), strict=True))
                self._add(STREAMS, labels, ABOUT_STREAMS, count)

    def gone(self, pid: int) -> None:
        """A worker has ended: what it had open no longer counts; its totals stay."""
        _mark_process_dead(pid, str(self._folder))  # type: ignore[no-untyped-call]
        (self._folder / socket_of(pid)).unlink(missing_ok=True)

    def close(self) -> None:
        """Nothing more is counted."""
        if self._counters is not None:
            self._counters.close()  # type: ignore[no-untyped-call]
            self._counters = None

    def _open_in(self, pid: int) -> dict[str, float]:
        """The streams that it had open, by upstream, as far as can be read: it may have died in the
        midst of a number.
        """
        file = str(self._folder / f"gauge_livesum_{pid}.db")
        try:
            found = MultiProcessCollector.merge([file])  # type: ignore[no-untyped-call]
            return {
                sample.labels["upstream"]: sample.value
                for metric in found
                if metric.name == STREAMS_OPEN
                for sample in metric.samples
                if sample.value > 0
            }
        except Exception:  # noqa: BLE001  whatever stands there, the other workers go on
            return {}

    def _add(self, family: str, labels: dict[str, str], about: str, more: float) -> None:
        if self._counters is None:
            file = str(self._folder / "counter_crew.db")
            self._counters = MmapedDict(file)  # type: ignore[no-untyped-call]
        key = mmap_key(family, f"{family}_total", [*labels], [*labels.values()], about)
        before, _ = self._counters.read_value(key)  # type: ignore[no-untyped-call]
        self._counters.write_value(key, before + more, time.time())  # type: ignore[no-untyped-call]

"""One row of the table: a proxy put through all modes, and what came of it per chunk, request and
stream."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from tests.bench.account import cpu_s
from tests.bench.asking import ASKING
from tests.bench.load import Plan, Result
from tests.bench.processes import load
from tests.bench.proxies import Proxy, upstream_path


class Scale(NamedTuple):
    """How much of everything. The rates are per stream and second."""

    streams: int = 100
    rate: float = 50.0
    window_s: float = 8.0
    warm_s: float = 1.0
    short_clients: int = 8
    short_window_s: float = 3.0
    short_chunks: int = 8
    open_streams: int = 2000
    burst_streams: int = 20
    burst_chunks: int = 3000
    idle_s: float = 1.5

    def mode_paths(self) -> dict[str, str]:
        """For each mode, what the upstream is asked; a paced answer outlasts its window a
        little."""
        paced = round(self.rate * (self.window_s + 2 * self.warm_s + 1.0))
        return {
            "paced": upstream_path("paced", self.rate, paced),
            "short": upstream_path("short", 0, self.short_chunks),
            "hold": upstream_path("hold", 0, 0),
            "burst": upstream_path("burst", 0, self.burst_chunks),
        }


QUICK = Scale(
    window_s=1.0,
    warm_s=0.3,
    short_window_s=0.5,
    open_streams=300,
    burst_streams=4,
    burst_chunks=1500,
    idle_s=0.3,
)


@dataclass
class Row:
    """What one path through one proxy cost. CPU is net of what the idle process uses."""

    name: str
    dialect: str  # the upstream's: rows of one dialect carry the same bytes
    proxy: str
    start_s: float = 0.0  # from the command to its first line, modules compiled; 0: not measured
    cpu_per_chunk_us: float = 0.0
    cpu_per_request_ms: float = 0.0
    delay_p50_ms: float = 0.0
    delay_p99_ms: float = 0.0
    memory_per_stream_kb: float = 0.0
    resident_bytes: int = 0  # with the paced streams open
    burst_chunks_per_s: float = 0.0
    burst_cpu_per_chunk_us: float = 0.0
    chunks_per_s: float = 0.0
    requests_per_s: float = 0.0
    held_open: int = 0
    # share of the paced window in which something else had the proxy's processor
    disturbed: float = 0.0
    asked: int = 0
    lost: int = 0
    complaint: str = ""


class Way(NamedTuple):
    """How a client reaches a mode through this proxy: the path and the model it asks for, its own
    dialect, and the lines that a request's head has beside the usual ones."""

    client: str
    path: Callable[[str], str]
    model: Callable[[str], str]
    headers: Callable[[str], str] = lambda _: ""


class Measurement:
    """Runs the modes one after the other and fills a row."""

    def __init__(
        self,
        row: Row,
        proxy: Proxy,
        way: Way,
        upstream_port: int,
        *,
        scale: Scale,
        log: Path,
        accounted: bool = True,
    ) -> None:
        self.row = row
        row.start_s = proxy.start_s
        self._proxy = proxy
        self._way = way
        self._upstream_port = upstream_port
        self._scale = scale
        self._log = log
        self._pid = proxy.pid if accounted else None
        self._idle = 0.0  # CPU seconds a second

    def _plan(self, mode: str, streams: int, window_s: float = 0.0, warm_s: float = 0.5) -> Plan:
        return Plan(
            mode=mode,  # type: ignore[arg-type]
            port=self._proxy.port,
            path=self._way.path(mode),
            body=ASKING[self._way.client].body(self._way.model(mode)).decode(),
            terminal=ASKING[self._way.client].terminal.decode(),
            streams=streams,
            window_s=window_s,
            warm_s=warm_s,
            pids=() if self._pid is None else (self._pid,),
            upstream_port=self._upstream_port,
            headers=self._way.headers(mode),
        )

    def _load(self, plan: Plan) -> Result:
        result = load(plan, self._log)
        self.row.asked += result.asked
        self.row.lost += result.lost
        self.row.complaint = self.row.complaint or result.complaint
        return result

    def _net(self, result: Result) -> float:
        return max(0.0, result.cpu_s - self._idle * result.wall_s)

    def warm_up(self) -> None:
        """The first requests pay for imports and caches; then what the process uses when nobody
        asks."""
        self._load(self._plan("short", 4, window_s=0.2, warm_s=0.1))
        if self._pid is not None:
            before, began = cpu_s(self._pid), time.monotonic()
            time.sleep(self._scale.idle_s)
            self._idle = (cpu_s(self._pid) - before) / (time.monotonic() - began)

    def memory(self) -> None:
        result = self._load(self._plan("hold", self._scale.open_streams))
        self.row.held_open = result.counted
        self.row.memory_per_stream_kb = result.memory_bytes / 1024 / max(1, result.counted)

    def paced(self, *, released: bool = False) -> None:
        """`released`: the streams last until they have been measured, however long it takes to
        open them."""
        plan = self._plan("paced", self._scale.streams, self._scale.window_s, self._scale.warm_s)
        result = self._load(replace(plan, released=released))
        self.row.chunks_per_s = result.counted / result.wall_s
        self.row.cpu_per_chunk_us = self._net(result) / max(1, result.counted) * 1e6
        self.row.resident_bytes = result.resident_bytes
        self.row.disturbed = result.waited_s / result.wall_s
        self.row.delay_p50_ms, self.row.delay_p99_ms = result.delay_p50_ms, result.delay_p99_ms

    def short(self) -> None:
        result = self._load(
            self._plan("short", self._scale.short_clients, self._scale.short_window_s)
        )
        self.row.requests_per_s = result.counted / result.wall_s
        self.row.cpu_per_request_ms = self._net(result) / max(1, result.counted) * 1e3

    def burst(self) -> None:
        result = self._load(self._plan("burst", self._scale.burst_streams))
        self.row.burst_chunks_per_s = result.counted / result.wall_s
        self.row.burst_cpu_per_chunk_us = self._net(result) / max(1, result.counted) * 1e6

    def all(self) -> Row:
        """Memory first: a process that has done much keeps room that later streams would fill
        unseen."""
        self.warm_up()
        self.memory()
        self.paced()
        self.short()
        self.burst()
        return self.row

"""`make bench ARGS=--workers`: what several workers carry, beside one.

Two processors are too few for four workers and a load that is not the limit. So each worker gets
the same small share of one processor, by a quota of its own; the parent of the workers has none.
Asked for more than they can, so many workers then carry so many times what one does, unless they
cost each other something. Beside that: what a chunk costs without quotas, each worker with as many
streams as one has alone.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from tests.bench.account import cpu_s
from tests.bench.asking import ASKING
from tests.bench.load import Plan, Result
from tests.bench.matrix import REFERENCE
from tests.bench.measure import Scale
from tests.bench.processes import load
from tests.bench.proxies import (
    Proxy,
    Served,
    client_path,
    mainstem,
    mainstem_config,
    upstream_path,
    workers_of,
)
from tests.bench.shares import shares
from tests.bench.table import DISTURBED

SIZES = (1, 2, 1, 4, 8, 1)  # one again and again, as a processor's speed changes with the minutes
QUICK_SIZES = (1, 2)
SCALE = Scale(window_s=4.0, warm_s=0.5, short_window_s=4.0)
AIM = 0.9  # of what as many workers carry that cost each other nothing
SHARE = 0.05  # of a processor, for each worker
# for each worker; the kernel shares connections out by chance, and none may be without
_CLIENTS = 10
_STREAMS, _RATE = 25, 50.0
_LONG = 1_000_000_000  # chunks: until the streams are released


@dataclass
class Carried:
    """What so many workers did. With quotas: chunks and requests a second; 0 where there can be
    none."""

    workers: int
    chunks_per_s: float = 0.0
    requests_per_s: float = 0.0
    used: float = 0.0  # of their quotas, the less of the two times
    chunk_us: float = 0.0  # without quotas, of all workers' processors
    busiest: float = 0.0  # of the workers, without quotas, beside the mean
    disturbed: float = 0.0  # without quotas, one worker
    asked: int = 0
    lost: int = 0
    complaints: list[str] = field(default_factory=list)


def measure(
    folder: Path,
    upstream_port: int,
    scale: Scale,
    sizes: tuple[int, ...],
    say: Callable[[str], None],
) -> list[Carried]:
    """In the order of `sizes`."""
    served = {
        "paced": Served(REFERENCE.upstream, upstream_path("paced", _RATE, _LONG)),
        "short": Served(REFERENCE.upstream, upstream_path("short", 0, scale.short_chunks)),
        "burst": Served(REFERENCE.upstream, upstream_path("burst", 0, _LONG)),
    }
    found = []
    for size in sizes:
        say(f"{size} workers ...")
        log = folder / "bench.log"
        with mainstem(mainstem_config(upstream_port, served, size), folder, log) as proxy:
            found.append(_Crew(proxy, size, upstream_port, scale, log).carried())
    return found


class _Crew:
    """So many workers, through all that is measured."""

    def __init__(
        self, proxy: Proxy, size: int, upstream_port: int, scale: Scale, log: Path
    ) -> None:
        self._port = proxy.port
        self._pids = workers_of(proxy)
        self._upstream_port = upstream_port
        self._scale = scale
        self._log = log
        self._of = Carried(size)

    def _load(
        self, mode: str, model: str, streams: int, window_s: float, share: float = 0.0
    ) -> Result:
        plan = Plan(
            mode=mode,  # type: ignore[arg-type]
            port=self._port,
            path=client_path(REFERENCE.client, model),
            body=ASKING[REFERENCE.client].body(model).decode(),
            terminal=ASKING[REFERENCE.client].terminal.decode(),
            streams=streams * self._of.workers,
            window_s=window_s,
            warm_s=self._scale.warm_s,
            pids=self._pids,
            share=share,
            upstream_port=self._upstream_port,
            released=True,
        )
        result = load(plan, self._log)
        self._of.asked += result.asked
        self._of.lost += result.lost
        if result.complaint:
            self._of.complaints.append(result.complaint)
        return result

    def carried(self) -> Carried:
        """The first requests pay for imports and caches, in each worker."""
        self._load("short", "short", _CLIENTS, self._scale.warm_s)
        self._paced()
        with shares(self._pids, SHARE) as possible:
            pass
        if possible:
            long = self._load("paced", "burst", _CLIENTS, self._scale.window_s, SHARE)
            short = self._load("short", "short", _CLIENTS, self._scale.short_window_s, SHARE)
            self._of.chunks_per_s, self._of.requests_per_s = _rate(long), _rate(short)
            given = SHARE * len(self._pids)
            self._of.used = min(each.cpu_s / each.wall_s for each in (long, short)) / given
        return self._of

    def _paced(self) -> None:
        before = [cpu_s(pid) for pid in self._pids]
        paced = self._load("paced", "paced", _STREAMS, self._scale.window_s)
        used = [cpu_s(pid) - was for pid, was in zip(self._pids, before, strict=True)]
        self._of.chunk_us = paced.cpu_s / max(1, paced.counted) * 1e6
        self._of.busiest = max(used) * len(used) / sum(used)
        if len(used) == 1:  # several wait for one another too
            self._of.disturbed = paced.waited_s / paced.wall_s


def _rate(result: Result) -> float:
    return result.counted / result.wall_s


def markdown(found: list[Carried]) -> list[str]:
    """A table with a line for each number of workers."""
    head = (
        "workers",
        "chunks a second",
        "to one",
        "requests a second",
        "to one",
        "of their shares",
        "CPU per chunk, undivided",
        "the busiest",
        "lost of all asked",
    )
    lines = ["| " + " | ".join(head) + " |", "|" + "--:|" * len(head)]
    one = [each for each in found if each.workers == 1]
    for size in sorted({each.workers for each in found}):
        these = [each for each in found if each.workers == size]
        cells = [
            f"{size}",
            *_rates(these, one, lambda each: each.chunks_per_s),
            *_rates(these, one, lambda each: each.requests_per_s),
            f"{_typical(these, lambda each: each.used):.0%}" if found[0].chunks_per_s else "",
            f"{_typical(these, lambda each: each.chunk_us):.1f} µs",
            f"{_typical(these, lambda each: each.busiest):.2f}×",
            f"{sum(each.lost for each in these):,} of {sum(each.asked for each in these):,}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def _rates(
    these: list[Carried], one: list[Carried], of: Callable[[Carried], float]
) -> tuple[str, str]:
    rate, ones = _typical(these, of), _typical(one, of)
    return (f"{rate:,.0f}", f"{rate / ones:.2f}×") if ones else ("", "")


def _typical(these: list[Carried], of: Callable[[Carried], float]) -> float:
    return median(map(of, these))


def about(found: list[Carried], scale: Scale) -> str:
    """How it was measured, and whether the aim is met."""
    if not found[0].chunks_per_s:
        return (
            "No worker could be given a share of a processor, so it is not known what several carry: "
            "quotas take root, and the kernel's control groups for the processor."
        )
    ones = [each for each in found if each.workers == 1]
    least = min(
        of(each) / _typical(ones, of) / each.workers
        for each in found
        if each.workers > 1
        for of in (lambda each: each.chunks_per_s, lambda each: each.requests_per_s)
    )
    used = min(each.used for each in found)
    return (
        f"All workers are on one processor, and the kernel gives each the same share of it, {SHARE:.0%}, so that neither the "
        f"vendor nor the clients are the limit: the workers used at least {used:.0%} of their shares. They are asked for more than they can: "
        f"{_CLIENTS} streams for each worker whose vendor sends as fast as they take it, then {_CLIENTS} clients for each that ask "
        f"again and again for {scale.short_chunks} chunks. N workers carry at least {least:.2f} N of what one does (the aim: {AIM:g} N). "
        f"Undivided, with {_STREAMS} streams of {_RATE:g} chunks a second for each worker: what a chunk costs, and what the busiest "
        "worker did beside the mean, as the kernel shares connections out by chance."
    )


def text(found: list[Carried], scale: Scale) -> str:
    """The table, what it is about, and what went wrong."""
    lines = [*markdown(found), "", about(found, scale)]
    disturbed = max(each.disturbed for each in found)
    if disturbed > DISTURBED:
        lines.append(
            f"Other programs had the workers' processor for up to {disturbed:.0%} of a window: run it "
            "again on a quiet machine."
        )
    lines += [
        f"{each.workers} workers: the first bad answer was {complaint!r}"
        for each in found
        for complaint in each.complaints[:1]
    ]
    return "\n".join(lines)

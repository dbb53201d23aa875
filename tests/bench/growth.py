"""`make bench ARGS=--growth`: what a chunk costs when few streams are open, and when as many are as
fit into a process.

All sizes together get the same chunks a second, so that only the number of streams differs. The
smallest is measured again in between, and the median of it counts, as with `--pairs`. nginx, where
it is, shows what of the growth is the kernel's and the processor's.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tests.bench.account import most_streams
from tests.bench.matrix import REFERENCE
from tests.bench.measure import Measurement, Row, Scale, Way
from tests.bench.proxies import (
    Proxy,
    Served,
    client_path,
    mainstem,
    mainstem_config,
    nginx,
    passed_path,
    upstream_path,
)
from tests.bench.table import DISTURBED
from tests.needs import path_of

_FULL = 10_000
SIZES = (10, 100, 1000, 5000, min(_FULL, most_streams()))
SCALE = Scale(window_s=5.0)
QUICK_SIZES = (10, 100, 300)
_CHUNKS_PER_S = 2500.0  # of all streams of a size
_MANY = 1000  # streams; memory that fewer take is lost in what the process takes by itself
_LONG = 1_000_000  # chunks: until the streams are released


class Grown(NamedTuple):
    """The rows of one proxy by the number of streams; of the smallest there are several."""

    name: str
    rows: dict[int, list[Row]]

    def typical(self, size: int, of: Callable[[Row], float]) -> float:
        return median(map(of, self.rows[size]))

    def cost_us(self, size: int) -> float:
        return self.typical(size, lambda row: row.cpu_per_chunk_us)

    def memory_kb(self, size: int) -> float:
        """What a stream adds to the process as it is with its first few."""
        least = min(self.rows)
        added = (
            self.typical(size, lambda row: row.resident_bytes) - self.rows[least][0].resident_bytes
        )
        return added / 1024 / (size - least)

    @property
    def all(self) -> list[Row]:
        return [row for rows in self.rows.values() for row in rows]


def in_turn(sizes: tuple[int, ...]) -> list[int]:
    """The smallest before each other one, and at the end."""
    smallest, *others = sizes
    return [size for other in others for size in (smallest, other)] + [smallest]


def count(sizes: tuple[int, ...]) -> int:
    """How many rows are measured."""
    return len(in_turn(sizes)) * (1 if path_of("nginx") is None else 2)


def scale_of(size: int, scale: Scale) -> Scale:
    """So many streams, of which each sends its share."""
    return scale._replace(streams=size, rate=_CHUNKS_PER_S / size)


def mode_of(size: int) -> str:
    """What the vendor is asked."""
    return upstream_path("paced", _CHUNKS_PER_S / size, _LONG)


def measure(
    folder: Path,
    upstream_port: int,
    scale: Scale,
    sizes: tuple[int, ...],
    say: Callable[[str], None],
) -> list[Grown]:
    """Mainstem, and nginx where it is."""
    log = folder / "bench.log"

    @contextmanager
    def ours() -> Iterator[Proxy]:
        served = {_name(size): Served(REFERENCE.upstream, mode_of(size)) for size in sizes}
        with mainstem(mainstem_config(upstream_port, served), folder, log) as proxy:
            yield proxy

    def to_us(size: int) -> Way:
        path = client_path(REFERENCE.client, _name(size))
        return Way(REFERENCE.client, lambda _: path, lambda _: _name(size))

    def to_nginx(size: int) -> Way:
        path = passed_path(REFERENCE.upstream, mode_of(size))
        return Way(REFERENCE.upstream, lambda _: path, lambda _: _name(size))

    found = []
    for name, proxied, way in (
        ("Mainstem", ours(), to_us),
        ("nginx", nginx(upstream_port, folder, log), to_nginx),
    ):
        if name == "nginx" and path_of("nginx") is None:
            continue
        grown = Grown(name, {size: [] for size in sizes})
        with proxied as proxy:
            for size in in_turn(sizes):
                say(f"{name}, {size:,} streams ...")
                row = Row(f"{name}, {size:,} streams", REFERENCE.upstream, name.lower())
                Measurement(
                    row, proxy, way(size), upstream_port, scale=scale_of(size, scale), log=log
                ).paced(released=True)
                grown.rows[size].append(row)
        found.append(grown)
    return found


def _name(size: int) -> str:
    return f"of-{size}"


def markdown(grown: list[Grown]) -> list[str]:
    """A table with a line for each size, and what is to be said about it."""
    ours, *others = grown
    beside = [
        f"{one.name}, CPU per chunk | to {min(one.rows)} | delay p50 / p99 | lost" for one in others
    ]
    lines = [
        "| "
        + " | ".join(
            [
                "open streams",
                "CPU per chunk",
                f"to {min(ours.rows)}",
                "of the processor",
                "delay p50 / p99",
                "memory per stream",
                "lost of all asked",
                *beside,
            ]
        )
        + " |",
        "|" + "--:|" * (7 + 4 * len(others)),
    ]
    for size in ours.rows:
        cells = [
            f"{size:,}",
            *_cost(ours, size),
            f"{ours.typical(size, _busy):.0%}",
            _delays(ours, size),
            f"{ours.memory_kb(size):.1f} KB" if size >= _MANY else "",
            _lost(ours, size),
            *(
                cell
                for one in others
                for cell in (*_cost(one, size), _delays(one, size), _lost(one, size))
            ),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def _cost(one: Grown, size: int) -> tuple[str, str]:
    cost, least = one.cost_us(size), one.cost_us(min(one.rows))
    return f"{cost:.1f} µs", f"{cost / (least or 1):.2f}×"


def _delays(one: Grown, size: int) -> str:
    p50 = one.typical(size, lambda row: row.delay_p50_ms)
    return f"{p50:.2f} / {one.typical(size, lambda row: row.delay_p99_ms):.2f} ms"


def _lost(one: Grown, size: int) -> str:
    rows = one.rows[size]
    return f"{sum(row.lost for row in rows):,} of {sum(row.asked for row in rows):,}"


def _busy(row: Row) -> float:
    """Which share of a processor the chunks took."""
    return row.chunks_per_s * row.cpu_per_chunk_us / 1e6


def text(grown: list[Grown], scale: Scale) -> str:
    """The table, what it is about, and what went wrong."""
    lines = [*markdown(grown), "", about(scale)]
    rows = [row for one in grown for row in one.all]
    disturbed = max(row.disturbed for row in rows)
    if disturbed > DISTURBED:
        lines.append(
            f"Other programs had the proxy's processor for up to {disturbed:.0%} of a window: run it "
            "again on a quiet machine."
        )
    lines += [
        f"{row.name}: the first bad answer was {row.complaint!r}" for row in rows if row.complaint
    ]
    return "\n".join(lines)


def about(scale: Scale) -> str:
    """How it was measured."""
    return (
        f"All streams of a size together send {_CHUNKS_PER_S:,.0f} chunks a second, for {scale.window_s:g} s. Delays are from "
        "the vendor's write to the client's read, with what the vendor's and the clients' own processes take. Memory is "
        f"what the process has grown by since it had {min(SIZES)}. Each stream takes two open files of the process: the "
        f"last line has as many as fit, {_FULL:,} at most."
    )

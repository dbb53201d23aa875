"""`make bench ARGS=--growth`: what a chunk costs when few streams are open, and when thousands are.

All sizes together get the same chunks a second, so that only the number of streams differs. The
smallest is measured again in between, and the median of it counts, as with `--pairs`. nginx, where
it is, shows what of the growth is the kernel's and the processor's.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

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

SIZES = (10, 100, 1000, 5000)
QUICK_SIZES = (10, 100, 300)
_CHUNKS_PER_S = 2500.0  # of all streams of a size
_LONG = 1_000_000  # chunks: until the streams are released


class Grown(NamedTuple):
    """The rows of one proxy by the number of streams; of the smallest there are several."""

    name: str
    rows: dict[int, list[Row]]

    def cost_us(self, size: int) -> float:
        return median(row.cpu_per_chunk_us for row in self.rows[size])

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


def text(grown: list[Grown], scale: Scale) -> str:
    """A table, and what is to be said about it."""
    sizes = list(grown[0].rows)
    lines = [
        f"CPU per chunk at {_CHUNKS_PER_S:,.0f} chunks/s in all, {scale.window_s:g} s for each size",
        "".join(["streams".ljust(10), *(f"{size:>18,}" for size in sizes)]),
    ]
    for one in grown:
        costs = [one.cost_us(size) for size in sizes]
        cells = (f"{cost:.1f} µs {cost / (costs[0] or 1):.2f}x" for cost in costs)
        lines.append("".join([one.name.ljust(10), *(f"{cell:>18}" for cell in cells)]))
    rows = [row for one in grown for row in one.all]
    lines.append(
        f"{sum(row.lost for row in rows)} of {sum(row.asked for row in rows):,} streams were lost."
    )
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

"""`make bench ARGS=--pairs`: what a chunk costs a whole Mainstem, for each pair of the commonest
dialects, as one matrix.

One process serves all pairs, one after the other. The reference pair is measured again in between,
and the median of it counts: what a processor does in a second changes with the minutes.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tests.bench.asking import ASKING
from tests.bench.matrix import REFERENCE, Pair, pairs, render
from tests.bench.measure import Measurement, Row, Scale, Way
from tests.bench.proxies import Proxy, Served, client_path, mainstem, mainstem_config
from tests.bench.table import DISTURBED
from tests.bench.wire import VENDORS

PAIRS = Scale(window_s=2.5, warm_s=0.4)
REFERENCES = 4  # how often the reference is measured, beginning and end included


class Measured(NamedTuple):
    """A row for each pair, and one for each time that the reference was measured."""

    rows: dict[Pair, Row]
    references: list[Row]

    @property
    def all(self) -> list[Row]:
        return [*self.references, *self.rows.values()]

    @property
    def lost(self) -> int:
        return sum(row.lost for row in self.all)


def in_turn(every: Sequence[Pair]) -> Iterator[Pair | None]:
    """The pairs, and None where the reference is to be measured: first, last, and in between at
    equal distances."""
    share = -(-len(every) // (REFERENCES - 1))
    for at, pair in enumerate(every):
        if at % share == 0:
            yield None
        yield pair
    yield None


def count() -> int:
    """How many rows are measured."""
    return len(list(in_turn(pairs(VENDORS, ASKING))))


def measure(
    folder: Path, log: Path, upstream_port: int, scale: Scale, say: Callable[[str], None]
) -> Measured:
    """All pairs, one after the other."""
    paced = scale.mode_paths()["paced"]
    config = mainstem_config(
        upstream_port, {dialect: Served(dialect, paced) for dialect in VENDORS}
    )
    measured = Measured({}, [])
    with mainstem(config, folder, log) as proxy:
        # the first streams of a process pay for what later ones find
        _paced(REFERENCE, proxy, upstream_port, scale, log)
        for pair in in_turn(pairs(VENDORS, ASKING)):
            say("the reference ..." if pair is None else f"{pair.upstream} -> {pair.client} ...")
            row = _paced(pair or REFERENCE, proxy, upstream_port, scale, log)
            if pair is None:
                measured.references.append(row)
            else:
                measured.rows[pair] = row
    return measured


def _paced(pair: Pair, proxy: Proxy, upstream_port: int, scale: Scale, log: Path) -> Row:
    row = Row(f"{pair.upstream} -> {pair.client}", pair.upstream, "mainstem")
    way = Way(
        pair.client, lambda _: client_path(pair.client, pair.upstream), lambda _: pair.upstream
    )
    Measurement(row, proxy, way, upstream_port, scale=scale, log=log).paced()
    return row


def text(measured: Measured, scale: Scale) -> str:
    """The matrix and what is to be said about it."""
    costs = {pair: row.cpu_per_chunk_us for pair, row in measured.rows.items()}
    references = [row.cpu_per_chunk_us for row in measured.references]
    what = f"CPU per chunk at {scale.streams} streams of {scale.rate:g} chunks/s, {scale.window_s:g} s for each pair"
    remarks = [
        f"The reference was {', '.join(f'{cost:.1f}' for cost in references)} µs; their median counts.",
        f"{measured.lost} of {sum(row.asked for row in measured.all)} streams were lost.",
    ]
    disturbed = [row.disturbed for row in measured.all if row.disturbed > DISTURBED]
    if disturbed:
        remarks.append(
            f"Other programs had the proxy's processor in {len(disturbed)} of {len(measured.all)} windows, for up to {max(disturbed):.0%} "
            "of one: run it again on a quiet machine, or see `make micro`."
        )
    remarks += [
        f"{row.name}: the first bad answer was {row.complaint!r}"
        for row in measured.all
        if row.complaint
    ]
    return "\n".join([render(what, costs, median(references)), *remarks])

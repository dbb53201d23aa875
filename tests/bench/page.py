"""docs/PERFORMANCE.md and its picture, made from one run of the bench: `make bench ARGS=--write`."""

import os
import platform
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from tests.bench import bounds, crew, growth, through
from tests.bench.crew import Carried
from tests.bench.growth import Grown
from tests.bench.matrix import Pair
from tests.bench.measure import Row, Scale
from tests.bench.rivals import LITELLM_RATE, LITELLM_STREAMS
from tests.bench.table import DISTURBED
from tests.bench.through import Cost
from tests.pages import wrapped

_DOCS = Path(__file__).resolve().parents[2] / "docs"
PICTURE = "performance.svg"
_WIDTH, _LEFT, _RIGHT, _BAR, _TOP = 900, 300, 110, 22, 34
_COLOURS = {
    "mainstem": "#0a66c2",
    "nginx": "#7a8793",
    "envoy": "#7a8793",
    "litellm": "#7a8793",
    "portkey": "#7a8793",
}


class Measure(NamedTuple):
    """One thing that is compared; less is better."""

    title: str
    unit: str
    value: Callable[[Row], float]
    decimals: int = 1


MEASURES = (
    Measure("CPU per chunk", "µs", lambda row: row.cpu_per_chunk_us),
    Measure("CPU per short request", "ms", lambda row: row.cpu_per_request_ms, 2),
    Measure("Memory per open stream", "KB", lambda row: row.memory_per_stream_kb),
)


class Found(NamedTuple):
    """What a run has measured."""

    rows: Sequence[Row]
    direct: Row | None
    scale: Scale
    grown: list[Grown]
    carried: list[Carried]


def write(found: Found) -> None:
    """Both files, in docs."""
    counted = {pair: through.cost(pair) for pair in bounds.WHOLE}
    made = datetime.now(UTC).date().isoformat()
    (_DOCS / "PERFORMANCE.md").write_text(markdown(found, counted, made))
    (_DOCS / PICTURE).write_text(picture(found.rows))


def markdown(found: Found, counted: Mapping[Pair, Cost], made: str) -> str:
    """The page. `made` is the day of the run."""
    rows, direct, scale, grown, carried = found
    nginx = {row.dialect: row for row in rows if row.proxy == "nginx"}
    base = direct or Row("", "", "")
    head = (
        "",
        "CPU per chunk",
        "to nginx",
        "CPU per short request",
        "added delay p50 / p99",
        "memory per open stream",
        "open at once",
        "lost of all asked",
    )
    lines = [
        "# What it costs",
        "",
        "This page is made by `make bench ARGS=--write`: run it on your own machine, as only ratios within one run compare.",
        "",
        f"![CPU per chunk, CPU per short request and memory per open stream, of each proxy]({PICTURE})",
        "",
        "| " + " | ".join(head) + " |",
        "|---|" + "--:|" * (len(head) - 1),
        *(_line(row, nginx.get(row.dialect), base) for row in rows),
        "",
        (
            f"One run of {made}, {os.cpu_count()} processors, Python {platform.python_version()}. Each proxy has one process on one processor, a "
            "vendor and the clients have another. Mainstem checks keys, keeps metrics and writes a log line for each request; the "
            "others write none. Where a name has an arrow, the proxy translates (or reads and writes the dialect anew); the others pass "
            "bytes through."
        ),
        "",
        (
            f"- **Chunk**: {scale.streams} streams of {scale.rate:g} chunks a second (LiteLLM: {LITELLM_RATE:g}), each chunk one piece of text; the CPU time of the proxy's "
            "process over the chunks that the clients counted."
        ),
        f"- **Short request**: a stream of {scale.short_chunks} chunks that come in one write, over connections that stay open.",
        f"- **Added delay**: from the vendor's write to the client's read, less what it is without a proxy (p50 {base.delay_p50_ms:.2f} ms).",
        f"- **Memory**: what {scale.open_streams:,} open streams (LiteLLM: {LITELLM_STREAMS}) add to the process, over their number.",
        "",
        *_disturbed([*rows, *(row for one in grown for row in one.all), *carried]),
        "## When few streams are open, and when as many are as fit",
        "",
        *growth.markdown(grown),
        "",
        growth.about(growth.SCALE),
        "",
        "## Several workers",
        "",
        *crew.markdown(carried),
        "",
        crew.about(carried, crew.SCALE),
        "",
        "## Counted, not timed",
        "",
        (
            "Opcodes of Python's interpreter, from socket to socket, with keys, metrics and logs on. They are alike on any machine; a "
            "test holds them (`make micro`, `tests/bench/bounds.py`)."
        ),
        "",
        "| | per chunk | per short request |",
        "|---|--:|--:|",
        *(
            f"| {pair.upstream} → {pair.client} | {cost.chunk:,.0f} | {cost.request:,} |"
            for pair, cost in counted.items()
        ),
    ]
    return wrapped("\n".join([*lines, ""]))


def _disturbed(rows: Sequence[Row | Carried]) -> list[str]:
    """That neighbours have disturbed the run, if they have."""
    most = max((row.disturbed for row in rows), default=0.0)
    if most <= DISTURBED:
        return []
    return [
        (
            f"**Other programs had the proxies' processor for up to {most:.0%} of the time.** Chunks then come in heaps, which are cheaper "
            "by the piece, for nginx most of all, and delays are the neighbours': this run shows the order of things, and "
            "one on a quiet machine the ratios."
        ),
        "",
    ]


def _line(row: Row, nginx: Row | None, base: Row) -> str:
    beside = None if row.proxy == "nginx" else nginx
    ratio = (
        f"{row.cpu_per_chunk_us / beside.cpu_per_chunk_us:.2f}×"
        if beside is not None and beside.cpu_per_chunk_us
        else ""
    )
    p50, p99 = (
        max(0.0, of - without)
        for of, without in (
            (row.delay_p50_ms, base.delay_p50_ms),
            (row.delay_p99_ms, base.delay_p99_ms),
        )
    )
    cells = (
        _name(row),
        f"{row.cpu_per_chunk_us:.1f} µs",
        ratio,
        f"{row.cpu_per_request_ms:.2f} ms",
        f"{p50:.2f} / {p99:.2f} ms",
        f"{row.memory_per_stream_kb:.1f} KB",
        f"{row.held_open:,}",
        f"{row.lost:,} of {row.asked:,}",
    )
    return "| " + " | ".join(cells) + " |"


def _name(row: Row) -> str:
    return " ".join(row.name.split()).replace("->", "→")


def picture(rows: Sequence[Row]) -> str:
    """Bars, a group for each measure. LiteLLM's would make all others invisible: its bar is cut at
    the right edge, and the number says how long it is."""
    parts: list[str] = []
    top = _TOP
    for measure in MEASURES:
        parts.append(
            f'<text x="10" y="{top}" font-size="15" font-weight="bold">{measure.title}, {measure.unit}</text>'
        )
        top += 12
        most = (
            max((measure.value(row) for row in rows if row.proxy != "litellm"), default=0.0) or 1.0
        )
        for row in rows:
            value = measure.value(row)
            cut = value > most
            length = (_WIDTH - _LEFT - _RIGHT) * min(value, most) / most + (30 if cut else 0)
            parts.append(
                f'<text x="{_LEFT - 8}" y="{top + 15}" text-anchor="end">{_name(row)}</text>'
                f'<rect x="{_LEFT}" y="{top + 2}" width="{length:.1f}" height="{_BAR - 5}" fill="{_COLOURS.get(row.proxy, "#999")}"/>'
                f'<text x="{_LEFT + length + 6:.1f}" y="{top + 15}">{value:.{measure.decimals}f}{" (cut)" if cut else ""}</text>'
            )
            top += _BAR
        top += 32
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {top - 20}" font-family="sans-serif" font-size="12" fill="#222">',
            f'<rect width="{_WIDTH}" height="{top - 20}" fill="#fff"/>',
            *parts,
            "</svg>\n",
        ]
    )

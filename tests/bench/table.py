"""The bench's one table, and the sentences under it."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from tests.bench.measure import Row, Scale

CHUNK_RATIO_AIM = 1.6
MEMORY_AIM_KB = 24.0
# of the window; beyond it delays are the neighbours' and chunks come in heaps, which are cheaper by
# the piece
DISTURBED = 0.05


class Column(NamedTuple):
    """A heading of two lines and what stands under it. `beside` is the nginx row of the same bytes,
    if any."""

    heading: tuple[str, str]
    cell: Callable[[Row, Row | None], str]


def _ratio(of: float, to: float | None) -> str:
    return f"{of / to:.1f}x" if to else ""


def _columns(direct: Row | None) -> list[Column]:
    def added(of: float, base: float) -> str:
        return f"{max(0.0, of - base):.2f} ms"

    base = direct or Row("", "", "")
    return [
        Column(("", ""), lambda row, _: row.name),
        Column(("CPU per", "chunk"), lambda row, _: f"{row.cpu_per_chunk_us:.1f} µs"),
        Column(
            ("to", "nginx"),
            lambda row, nginx: _ratio(row.cpu_per_chunk_us, nginx and nginx.cpu_per_chunk_us),
        ),
        Column(("CPU per", "request"), lambda row, _: f"{row.cpu_per_request_ms:.3f} ms"),
        Column(
            ("to", "nginx"),
            lambda row, nginx: _ratio(row.cpu_per_request_ms, nginx and nginx.cpu_per_request_ms),
        ),
        Column(("added delay", "p50"), lambda row, _: added(row.delay_p50_ms, base.delay_p50_ms)),
        Column(("added delay", "p99"), lambda row, _: added(row.delay_p99_ms, base.delay_p99_ms)),
        Column(("memory per", "open stream"), lambda row, _: f"{row.memory_per_stream_kb:.1f} KB"),
        Column(
            ("to", "nginx"),
            lambda row, nginx: _ratio(
                row.memory_per_stream_kb, nginx and nginx.memory_per_stream_kb
            ),
        ),
        Column(("burst", "chunks/s"), lambda row, _: f"{row.burst_chunks_per_s:,.0f}"),
        Column(
            ("start to", "listening"), lambda row, _: f"{row.start_s:.2f} s" if row.start_s else ""
        ),
        Column(("open", "at once"), lambda row, _: f"{row.held_open:,}"),
        Column(("lost of", "all asked"), lambda row, _: f"{row.lost:,} of {row.asked:,}"),
    ]


def render(rows: Sequence[Row], direct: Row | None, scale: Scale) -> str:
    """All of it as text."""
    nginx = {row.dialect: row for row in rows if row.proxy == "nginx"}
    columns = _columns(direct)
    table = [[column.heading[line] for column in columns] for line in (0, 1)]
    for row in rows:
        beside = None if row.proxy == "nginx" else nginx.get(row.dialect)
        table.append([column.cell(row, beside) for column in columns])
    widths = [max(len(line[at]) for line in table) for at in range(len(columns))]
    lines = [
        "  ".join(
            cell.ljust(width) if at == 0 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in table
    ]
    lines.insert(2, "-" * len(lines[0]))
    return "\n".join([*lines, "", *_remarks(rows, nginx, direct, scale)])


def _remarks(
    rows: Sequence[Row], nginx: dict[str, Row], direct: Row | None, scale: Scale
) -> list[str]:
    remarks = [
        (
            f"CPU per chunk: {scale.streams} streams of {scale.rate:g} chunks/s on one core for {scale.window_s:g} s. Request: a stream of "
            f"{scale.short_chunks} chunks in one write. Memory: at {scale.open_streams:,} open streams. Burst: {scale.burst_streams} streams; "
            "nginx takes in a burst as much as the bench can send and count."
        ),
    ]
    if direct is not None:
        remarks.append(
            f"Delay without a proxy (already taken off): p50 {direct.delay_p50_ms:.2f} ms, p99 {direct.delay_p99_ms:.2f} ms at "
            f"{direct.chunks_per_s:,.0f} chunks/s."
        )
    if not nginx:
        remarks.append(
            "nginx is not on this machine, so there is no ratio: `make tools` (or apt-get install nginx-light) brings it."
        )
    ours = [row for row in rows if row.proxy == "mainstem"]
    for row in ours:
        beside = nginx.get(row.dialect)
        aims = [
            _aim("memory per open stream", row.memory_per_stream_kb, MEMORY_AIM_KB, "KB"),
            f"{row.lost} lost",
        ]
        if beside is not None:
            ratio = row.cpu_per_chunk_us / max(beside.cpu_per_chunk_us, 1e-9)
            aims.insert(0, _aim("CPU per chunk beside nginx", ratio, CHUNK_RATIO_AIM, "x"))
        remarks.append(f"{row.name}: {'; '.join(aims)}.")
    remarks += [
        f"{row.name}: other programs had the proxy's processor for {row.disturbed:.0%} of the window; run it again on a quiet machine."
        for row in rows
        if row.disturbed > DISTURBED
    ]
    remarks += [
        f"{row.name}: the first bad answer was {row.complaint!r}" for row in rows if row.complaint
    ]
    return remarks


def _aim(what: str, value: float, aim: float, unit: str) -> str:
    return f"{what} {value:.1f} {unit} ({'within' if value <= aim else 'OVER'} the aim of {aim:g} {unit})"

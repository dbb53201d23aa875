"""What a chunk costs for each pair of dialects, as one text: a row for each upstream dialect, a
column for each client dialect."""

from collections.abc import Mapping
from typing import NamedTuple

AIM = 1.5  # no pair is to cost more than this many times the reference


class Pair(NamedTuple):
    """Whose answer becomes whose."""

    upstream: str
    client: str

    def __str__(self) -> str:
        return f"{self.upstream} -> {self.client}"


REFERENCE = Pair("openai_chat", "native")


def pairs(upstreams: Mapping[str, object], clients: Mapping[str, object]) -> list[Pair]:
    return [Pair(upstream, client) for upstream in upstreams for client in clients]


def over(costs: Mapping[Pair, float], reference: float) -> list[Pair]:
    """The pairs that cost too much."""
    return [pair for pair, cost in costs.items() if cost > AIM * reference]


def render(what: str, costs: Mapping[Pair, float], reference: float, unit: str = "µs") -> str:
    """`costs` per chunk, in `unit`, and what the reference pair cost in the same run."""
    clients = list(dict.fromkeys(pair.client for pair in costs))
    rows = [
        [upstream, *(_cell(costs[Pair(upstream, client)], reference) for client in clients)]
        for upstream in dict.fromkeys(pair.upstream for pair in costs)
    ]
    table = [["upstream", *(f"-> {client} " for client in clients)], *rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = [
        "  ".join(
            [
                line[0].ljust(widths[0]),
                *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)),
            ]
        )
        for line in table
    ]
    lines.insert(1, "-" * len(lines[0]))
    found = over(costs, reference)
    verdict = (
        "none costs more than"
        if not found
        else f"{len(found)} of {len(costs)}, marked with !, cost more than"
    )
    return "\n".join(
        [
            *lines,
            "",
            f"{what}, {unit}, and its ratio to {REFERENCE} ({reference:.1f} {unit}): {verdict} {AIM:g}x.",
        ]
    )


def _cell(cost: float, reference: float) -> str:
    ratio = cost / reference if reference else 0.0
    return f"{cost:.1f} {ratio:.2f}x{'!' if ratio > AIM else ' '}"

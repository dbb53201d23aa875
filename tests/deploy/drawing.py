"""Panels of a dashboard as one SVG: where they stand in Grafana, and what Prometheus answered."""

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any, NamedTuple

_COLUMN, _ROW = 50, 24  # px of Grafana's grid, which has 24 columns
_COLOURS = ("#3366b0", "#d9822b", "#3a8f4d", "#b83a4b", "#7a54a8", "#14919b", "#8a6d3b", "#c0508f")
_LEGEND = 6  # names that fit under a panel
_STEPS = (("", 1.0), ("k", 1e3), ("M", 1e6), ("G", 1e9))
_SECONDS = (("µs", 1e-6), ("ms", 1e-3), ("s", 1.0))
Points = Sequence[tuple[float, float]]


class Panel(NamedTuple):
    """One panel: `panel` as the dashboard has it, and its series by name: times from the left
    edge, in seconds, and values.
    """

    panel: Mapping[str, Any]
    series: Mapping[str, Points]


def picture(panels: Sequence[Panel], seconds: float) -> str:
    """All of them, over so many seconds."""
    places = [panel["gridPos"] for panel, _ in panels]
    height = max(place["y"] + place["h"] for place in places) * _ROW + 8
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {24 * _COLUMN} {height}">',
            '<g font-family="sans-serif" font-size="10" fill="#333">',
            '<rect width="100%" height="100%" fill="#f4f5f5"/>',
            *(line for panel in panels for line in _panel(panel, seconds)),
            "</g></svg>\n",
        )
    )


def quantity(value: float, unit: str) -> str:
    """A number as a reader likes it."""
    if unit == "percentunit":
        return f"{value * 100:.3g} %"
    steps = _SECONDS if unit == "s" else _STEPS
    name, size = next(
        (step for step in reversed(steps) if abs(value) >= step[1]),
        steps[0] if value else steps[-1],
    )
    after = {"reqps": "/s", "bytes": "B", "Bps": "B/s"}.get(unit, "")
    return f"{value / size:.3g} {name}{after}".strip() if value else "0"


def _panel(given: Panel, seconds: float) -> Iterator[str]:
    panel, place = given.panel, given.panel["gridPos"]
    left, top = place["x"] * _COLUMN, place["y"] * _ROW
    title = escape(panel["title"])
    if panel["type"] == "row":
        yield f'<text x="{left + 4}" y="{top + 18}" font-size="14">{title}</text>'
        return
    width, height = place["w"] * _COLUMN - 6, place["h"] * _ROW - 6
    yield f'<g transform="translate({left + 3} {top + 3})">'
    yield f'<rect width="{width}" height="{height}" fill="#fff" stroke="#ddd"/>'
    yield f'<text x="6" y="14" font-weight="bold">{title}</text>'
    draw = {"stat": _stat, "heatmap": _heatmap}.get(panel["type"], _lines)
    if any(given.series.values()):
        yield from draw(given, width, height, seconds)
    else:
        yield f'<text x="{width // 2}" y="{height // 2}" text-anchor="middle" fill="#999">no data</text>'
    yield "</g>"


def _unit(panel: Mapping[str, Any]) -> str:
    return str(panel.get("fieldConfig", {}).get("defaults", {}).get("unit", "short"))


def _stat(given: Panel, width: int, height: int, _: float) -> Iterator[str]:
    (name, points), *_ = given.series.items()
    by_name = given.panel.get("options", {}).get("textMode") == "name"
    said = name if by_name else quantity(points[-1][1], _unit(given.panel))
    yield (
        f'<text x="{width // 2}" y="{height // 2 + 14}" font-size="24" text-anchor="middle" '
        f'fill="{_COLOURS[0]}">{escape(said)}</text>'
    )


class _Frame(NamedTuple):
    """Where the values of a panel are drawn."""

    left: int
    top: int
    width: int
    height: int
    seconds: float
    most: float

    def at(self, time: float, value: float) -> str:
        x = self.left + time / self.seconds * self.width
        y = self.top + self.height - value / self.most * self.height
        return f"{x:.0f},{y:.1f}".removesuffix(".0")


def _frame(width: int, height: int, seconds: float, most: float) -> _Frame:
    return _Frame(48, 22, width - 58, height - 68, seconds, most)


def _lines(given: Panel, width: int, height: int, seconds: float) -> Iterator[str]:
    custom = given.panel.get("fieldConfig", {}).get("defaults", {}).get("custom", {})
    stacked = custom.get("stacking", {}).get("mode") == "normal"
    tops = _stacked(given.series) if stacked else given.series
    highest = max((value for points in tops.values() for _, value in points), default=0.0)
    frame = _frame(width, height, seconds, _round(highest))
    yield from _axes(frame, _unit(given.panel))
    colours = dict(zip(tops, _COLOURS * (len(tops) // len(_COLOURS) + 1), strict=False))
    for name, points in reversed(tops.items()) if stacked else tops.items():
        line = " ".join(frame.at(*point) for point in points)
        if stacked and points:  # the one below covers the rest
            ends = frame.at(points[-1][0], 0), frame.at(points[0][0], 0)
            yield f'<polygon points="{line} {" ".join(ends)}" fill="{colours[name]}"/>'
        else:
            yield f'<polyline points="{line}" fill="none" stroke="{colours[name]}"/>'
    yield from _legend(colours, height, width)


def _stacked(series: Mapping[str, Points]) -> dict[str, Points]:
    """Each upon those before it."""
    times = sorted({time for points in series.values() for time, _ in points})
    below = dict.fromkeys(times, 0.0)
    found: dict[str, Points] = {}
    for name, points in series.items():
        for time, value in points:
            below[time] += value
        found[name] = [*below.items()]
    return found


def _heatmap(given: Panel, width: int, height: int, seconds: float) -> Iterator[str]:
    """Buckets of a histogram, which Prometheus counts up to each bound."""
    bounds = sorted(given.series, key=float)
    cells: dict[tuple[int, float], float] = {}
    before: dict[float, float] = {}
    for row, bound in enumerate(bounds):
        upto = dict(given.series[bound])
        for time, value in upto.items():
            cells[row, time] = max(0.0, value - before.get(time, 0.0))
        before = upto
    most = max(cells.values()) or 1.0
    frame = _frame(width, height + 28, seconds, float(len(bounds)))
    times = sorted({time for _, time in cells})
    wide = frame.width / max(1, len(times) - 1)
    tall = frame.height / len(bounds)
    for row in range(0, len(bounds), 3):
        y = frame.top + frame.height - row * tall
        bound = float(bounds[row])
        said = "more" if math.isinf(bound) else quantity(bound, "s")
        yield f'<text x="{frame.left - 4}" y="{y:.0f}" text-anchor="end">{said}</text>'
    for (row, time), value in cells.items():
        if value:
            x = frame.left + time / frame.seconds * frame.width - wide / 2
            y = frame.top + frame.height - (row + 1) * tall
            yield (
                f'<rect x="{x:.0f}" y="{y:.0f}" width="{wide:.1f}" height="{tall:.1f}" '
                f'fill="{_COLOURS[0]}" opacity="{math.sqrt(value / most):.2f}"/>'
            )


def _axes(frame: _Frame, unit: str) -> Iterator[str]:
    right = frame.left + frame.width
    for part in range(3):
        y = frame.top + frame.height * (2 - part) // 2
        yield f'<path d="M{frame.left} {y}H{right}" stroke="#e5e5e5"/>'
        said = quantity(frame.most * part / 2, unit)
        yield f'<text x="{frame.left - 4}" y="{y + 4}" text-anchor="end">{said}</text>'
    bottom = frame.top + frame.height + 12
    for part in range(3):
        x = frame.left + frame.width * part // 2
        yield f'<text x="{x}" y="{bottom}" text-anchor="middle">{frame.seconds * part / 2:.0f} s</text>'


def _legend(colours: Mapping[str, str], height: int, width: int) -> Iterator[str]:
    shown = list(colours.items())[:_LEGEND]
    each = (width - 12) // 3
    for number, (name, colour) in enumerate(shown):
        x, y = 6 + number % 3 * each, height - 18 + number // 3 * 12
        more = len(colours) - len(shown)
        last = f" and {more} more" if more and number == len(shown) - 1 else ""
        fits = max(8, each // 6 - len(last))
        said = name if len(name) <= fits else name[: fits - 1] + "…"
        yield f'<rect x="{x}" y="{y - 7}" width="8" height="8" fill="{colour}"/>'
        yield f'<text x="{x + 11}" y="{y}">{escape(said + last)}</text>'


def _round(value: float) -> float:
    """The next number that is 1, 2 or 5 times a power of ten; 1 for nothing."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value * 0.999)

"""A curve as an SVG picture, written by hand: one line over time, and bands for the spans that are
compared."""

from collections.abc import Sequence
from typing import NamedTuple

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 800, 300, 60, 40, 30
_TICKS = 5


class Band(NamedTuple):
    """A span of time and the mean over it."""

    begin_s: float
    end_s: float
    mean: float


def curve(
    points: Sequence[tuple[float, float]], bands: Sequence[Band], title: str, unit: str
) -> str:
    """The picture of (seconds, value); the value's axis begins at 0, so that a small change looks
    small."""
    last = max((at for at, _ in points), default=1.0) or 1.0
    most = max((value for _, value in points), default=1.0) * 1.1 or 1.0

    def x(at: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - 20) * at / last

    def y(value: float) -> float:
        return _HEIGHT - _BOTTOM - (_HEIGHT - _BOTTOM - _TOP) * value / most

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" font-size="11" fill="#333">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>',
        f'<text x="{_LEFT}" y="18" font-size="13">{title}</text>',
    ]
    for tick in range(_TICKS + 1):
        value, at = most * tick / _TICKS, last * tick / _TICKS
        parts.append(
            f'<line x1="{_LEFT}" x2="{_WIDTH - 20}" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke="#ddd"/>'
        )
        parts.append(
            f'<text x="{_LEFT - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{value:.0f} {unit}</text>'
        )
        parts.append(
            f'<text x="{x(at):.1f}" y="{_HEIGHT - _BOTTOM + 16}" text-anchor="middle">{at / 60:.1f} min</text>'
        )
    for band in bands:
        width = x(band.end_s) - x(band.begin_s)
        parts.append(
            f'<rect x="{x(band.begin_s):.1f}" y="{_TOP}" width="{width:.1f}" height="{_HEIGHT - _BOTTOM - _TOP}" fill="#48a" opacity="0.12"/>'
        )
        parts.append(
            f'<text x="{x(band.begin_s) + 4:.1f}" y="{_TOP + 12}">mean {band.mean:.1f} {unit}</text>'
        )
    path = " ".join(f"{x(at):.1f},{y(value):.1f}" for at, value in points)
    parts.append(f'<polyline points="{path}" fill="none" stroke="#06c" stroke-width="1.5"/>')
    return "\n".join([*parts, "</svg>\n"])

"""Pictures of a recording for a terminal: when its bytes came, and how long the gaps were."""

from collections.abc import Sequence

from proxy.recording.tape import Read, Recording

_BARS = " ▁▂▃▄▅▆▇█"
_ASCII = " .:-=+*#@"
# Upper bounds of the classes of gaps, in milliseconds.
_CLASSES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)
_MAX_BAR, _MIN_BAR = 40, 4
_BESIDE_BAR = 22  # columns


def timeline(recording: Recording, width: int, *, ascii_only: bool = False) -> list[str]:
    """Two lines: a column for each slice of time, as high as many bytes came in it, blank where
    none did; and the scale.
    """
    total = max(recording.end_ms, 1e-9)
    columns = [0] * width
    for read in recording.reads:
        columns[min(width - 1, int(read.ms / total * width))] += len(read.data)
    most = max(columns, default=0) or 1
    bars = _ASCII if ascii_only else _BARS
    drawn = "".join(bars[-(-size * (len(bars) - 1) // most)] for size in columns)
    end = f"{total / 1000:.2f} s"
    return [drawn, "0 s".ljust(width - len(end)) + end]


def histogram(gaps: Sequence[float], width: int, *, ascii_only: bool = False) -> list[str]:
    """A line for each class of gaps from the shortest to the longest that there is, no wider than
    `width` where that has room for bars.
    """
    counts = [0] * (len(_CLASSES) + 1)
    for gap in gaps:
        counts[next((n for n, bound in enumerate(_CLASSES) if gap < bound), len(_CLASSES))] += 1
    filled = [number for number, count in enumerate(counts) if count]
    if not filled:
        return []
    most, bar = max(counts), min(_MAX_BAR, max(_MIN_BAR, width - _BESIDE_BAR))
    full = "#" if ascii_only else "█"
    return [
        f"{_label(number):>14} {counts[number]:>6} {full * -(-counts[number] * bar // most)}"
        for number in range(filled[0], filled[-1] + 1)
    ]


def gaps_of(reads: Sequence[Read]) -> list[float]:
    """Milliseconds between each read and the one before."""
    return [reads[n].ms - reads[n - 1].ms for n in range(1, len(reads))]


def _label(number: int) -> str:
    if number == len(_CLASSES):
        return f"{_time(_CLASSES[-1])} and more"
    return f"under {_time(_CLASSES[number])}"


def _time(ms: float) -> str:
    return f"{ms / 1000:g} s" if ms >= 1000 else f"{ms:g} ms"

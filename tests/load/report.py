"""What a soak measured: its verdicts, the summary and the picture."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

from tests.load.ledger import Verdict
from tests.load.picture import Band, curve
from tests.load.watch import Sample

WARM_S = 120.0
# in a run: the first after the warming up is compared with the last. What lives at a time moves
# shorter ones by some percent
_WINDOWS = 4
_LEAST_S = 3 * WARM_S  # of a run whose memory is judged
GROWTH = 0.05
LAG_S = 0.5
_MIB = 1 << 20


@dataclass
class Course:
    """The proxy over time, while the clients were there."""

    samples: list[Sample] = field(default_factory=list)
    last: Sample = field(default_factory=lambda: Sample(0, 0, 0, 0, 0))

    def bands(self, seconds: float) -> list[Band]:
        """The memory after the warming up and at the end, in MiB; none for a run that is too short
        to have both."""
        if seconds < _LEAST_S:
            return []
        window_s = seconds / _WINDOWS
        return [self._band(WARM_S, WARM_S + window_s), self._band(seconds - window_s, seconds)]

    def _band(self, begin_s: float, end_s: float) -> Band:
        return Band(
            begin_s,
            end_s,
            fmean(sample.memory_bytes / _MIB for sample in self._within(begin_s, end_s)),
        )

    def load(self, begin_s: float, end_s: float) -> str:
        """What there was to hold in that time, which moves the memory."""
        there = self._within(begin_s, end_s)
        streams = fmean(sample.open_streams for sample in there)
        kept = fmean(sample.kept_bytes / _MIB for sample in there)
        return f"{streams:.0f} streams open, {kept:.1f} MiB kept"

    def _within(self, begin_s: float, end_s: float) -> list[Sample]:
        return [sample for sample in self.samples if begin_s <= sample.at_s < end_s]

    def lag_p99_s(self) -> float:
        lags = sorted(sample.lag_s for sample in self.samples)
        return lags[len(lags) * 99 // 100]


def measured(course: Course, seconds: float) -> list[Verdict]:
    """The verdicts that hang on the machine as well."""
    bands, lag_s = course.bands(seconds), course.lag_p99_s()
    if bands:
        first, last = bands
        growth = last.mean / first.mean - 1
        loads = [course.load(band.begin_s, band.end_s) for band in bands]
        said = f"{first.mean:.1f} MiB after two minutes ({loads[0]}), {last.mean:.1f} at the end ({loads[1]}): {growth:+.1%}, at most {GROWTH:+.0%}"
        memory = Verdict("memory", growth <= GROWTH, said)
    else:
        now = course.samples[-1].memory_bytes / _MIB
        memory = Verdict(
            "memory",
            True,
            f"{now:.1f} MiB at the end; not judged in under {_LEAST_S / 60:g} minutes; {course.load(0, seconds)} on average",
        )
    return [
        memory,
        Verdict(
            "event loop", lag_s <= LAG_S, f"lag p99 {lag_s * 1e3:.1f} ms, at most {LAG_S * 1e3:.0f}"
        ),
    ]


def write(out: Path, plan: Mapping[str, Any], course: Course, verdicts: Sequence[Verdict]) -> None:
    """summary.json and memory.svg."""
    summary = {
        "plan": plan,
        "verdicts": [verdict._asdict() for verdict in verdicts],
        "samples": [sample._asdict() for sample in course.samples],
    }
    (out / "summary.json").write_text(json.dumps(summary, indent=1) + "\n")
    points = [(sample.at_s, sample.memory_bytes / _MIB) for sample in course.samples]
    title = f"Memory of the proxy, {plan['streams']} streams with faults at random"
    (out / "memory.svg").write_text(curve(points, course.bands(plan["seconds"]), title, "MiB"))

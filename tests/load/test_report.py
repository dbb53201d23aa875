"""What a soak measured is judged, and drawn."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.load.ledger import Verdict
from tests.load.report import Course, measured, write
from tests.load.watch import Sample

MIB = 1 << 20


def course(first: float, last: float, lag_s: float = 0.01) -> Course:
    """Twenty minutes: warming up, then this much memory, in the last five minutes that much."""
    times = range(0, 1200, 2)
    memory = [20.0 if at < 120 else first if at < 900 else last for at in times]
    return Course(
        [
            Sample(at, round(used * MIB), 500 if at < 600 else 600, 700, lag_s, 3 * MIB)
            for at, used in zip(times, memory, strict=True)
        ]
    )


@pytest.mark.parametrize(("last", "holds"), [(104.9, True), (105.1, False), (60.0, True)])
def test_memory_may_be_five_percent_above_what_it_was_after_two_minutes(
    last: float, holds: bool
) -> None:
    memory, _ = measured(course(100, last), 1200)
    assert holds == memory.holds


def test_what_there_was_to_hold_is_said_beside_the_memory() -> None:
    memory, _ = measured(course(100, 101), 1200)
    said = (
        "100.0 MiB after two minutes (500 streams open, 3.0 MiB kept), "
        "101.0 at the end (600 streams open, 3.0 MiB kept): +1.0%, at most +5%"
    )
    assert said == memory.said


def test_a_short_run_has_no_verdict_of_its_memory() -> None:
    memory, _ = measured(course(100, 200), 300)
    assert memory.holds
    assert "not judged" in memory.said


@pytest.mark.parametrize(("lag_s", "holds"), [(0.4, True), (0.6, False)])
def test_the_event_loop_may_be_late_but_not_long(lag_s: float, holds: bool) -> None:
    _, loop = measured(course(100, 100, lag_s), 1200)
    assert holds == loop.holds


def test_the_summary_is_json_and_the_picture_is_xml(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"streams": 500, "seconds": 1200},
        course(100, 101),
        [Verdict("memory", True, "fine")],
    )
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert [{"name": "memory", "holds": True, "said": "fine", "wrong": []}] == summary["verdicts"]
    assert 600 == len(summary["samples"])
    picture = ET.parse(tmp_path / "memory.svg")
    assert 600 == len(str(picture.find(".//{*}polyline").get("points")).split())  # type: ignore[union-attr]

"""The picture of the dashboard says what Prometheus said."""

import re
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.deploy.drawing import Panel, picture, quantity


def panel(
    kind: str = "timeseries", *, stacked: bool = False, unit: str = "short"
) -> dict[str, Any]:
    custom = {"stacking": {"mode": "normal" if stacked else "none"}}
    return {
        "title": "A < B",
        "type": kind,
        "gridPos": {"x": 0, "y": 0, "w": 8, "h": 8},
        "fieldConfig": {"defaults": {"unit": unit, "custom": custom}},
    }


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (0.0, "s", "0"),
        (0.00025, "s", "250 µs"),
        (0.0125, "s", "12.5 ms"),
        (90.0, "s", "90 s"),
        (0.125, "percentunit", "12.5 %"),
        (2.5, "reqps", "2.5 /s"),
        (1500.0, "Bps", "1.5 kB/s"),
        (2e9, "bytes", "2 GB"),
        (0.25, "short", "0.25"),
        (12000.0, "short", "12 k"),
    ],
)
def test_a_number_is_said_in_its_unit(value: float, unit: str, said: str) -> None:
    assert said == quantity(value, unit)


def test_each_series_is_a_line_from_edge_to_edge_and_named() -> None:
    series = {"one & all": [(0.0, 0.0), (10.0, 5.0)], "other": [(0.0, 1.0), (10.0, 1.0)]}
    text = picture([Panel(panel(), series)], 10.0)
    ET.fromstring(text)
    assert [["48,140", "384,22"], ["48,116.4", "384,116.4"]] == [
        line.split() for line in re.findall(r'<polyline points="([^"]+)"', text)
    ]
    assert all(f">{name}</text>" in text for name in ("A &lt; B", "one &amp; all", "other", "10 s"))


def test_what_is_stacked_stands_on_what_is_below() -> None:
    series = {"one": [(0.0, 1.0), (10.0, 1.0)], "other": [(10.0, 4.0)]}
    text = picture([Panel(panel(stacked=True), series)], 10.0)
    upper, lower = (line.split() for line in re.findall(r'<polygon points="([^"]+)"', text))
    assert ["48,116.4", "384,22", "384,140", "48,140"] == upper
    assert ["48,116.4", "384,116.4"] == lower[:2]


def test_a_heatmap_shows_what_fell_between_two_bounds() -> None:
    series = {"0.1": [(0.0, 4.0)], "1.0": [(0.0, 4.0)], "+Inf": [(0.0, 8.0)]}
    text = picture([Panel(panel("heatmap"), series)], 10.0)
    assert ["1.00", "1.00"] == re.findall(r'opacity="([^"]+)"', text)


def test_a_panel_without_data_says_so() -> None:
    for kind in ("stat", "timeseries", "heatmap"):
        assert "no data" in picture([Panel(panel(kind), {"one": []})], 10.0)

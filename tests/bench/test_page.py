"""The page of figures says what a run measured, and its picture shows it."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.bench import crew, growth, page, rivals
from tests.bench.crew import Carried
from tests.bench.growth import Grown
from tests.bench.matrix import REFERENCE
from tests.bench.measure import Row, Scale
from tests.bench.through import Cost

ROWS = [
    Row(
        "Mainstem  openai_chat -> native",
        "openai_chat",
        "mainstem",
        cpu_per_chunk_us=40.0,
        cpu_per_request_ms=0.7,
        delay_p50_ms=0.15,
        delay_p99_ms=0.3,
        memory_per_stream_kb=30.0,
        held_open=2000,
        asked=5000,
        lost=1,
    ),
    Row("nginx     openai_chat passed through", "openai_chat", "nginx", cpu_per_chunk_us=25.0),
    Row("LiteLLM   openai_chat -> openai_chat", "openai_chat", "litellm", cpu_per_chunk_us=900.0),
]
GROWN = [Grown("Mainstem", {10: ROWS[:1]})]
CARRIED = [Carried(1, 900, 40), Carried(2, 1800, 80)]
DIRECT = Row("no proxy", "openai_chat", "none", delay_p50_ms=0.1, delay_p99_ms=0.1)


def test_the_page_has_a_line_for_each_proxy_with_its_ratio_to_nginx() -> None:
    """Delays are without what there is without a proxy; what was counted stands below."""
    counted = {REFERENCE: Cost(712.0, 26562)}
    text = page.markdown(page.Found(ROWS, DIRECT, Scale(), GROWN, CARRIED), counted, "2026-01-02")

    assert (
        "| Mainstem openai_chat → native | 40.0 µs | 1.60× | 0.70 ms | 0.05 / 0.20 ms | 30.0 KB | 2,000 | 1 of 5,000 |"
        in text.splitlines()
    )
    assert "| nginx openai_chat passed through | 25.0 µs |  |" in text
    assert "| openai_chat → native | 712 | 26,562 |" in text
    assert all(line in text for line in growth.markdown(GROWN))
    assert all(line in text for line in crew.markdown(CARRIED))
    assert "2026-01-02" in text
    assert f"]({page.PICTURE})" in text


def test_a_run_that_neighbours_disturbed_says_so() -> None:
    """So that nobody quotes it."""
    rows = [Row("nginx", "openai_chat", "nginx", disturbed=0.2)]

    assert "20%" in page.markdown(page.Found(rows, None, Scale(), GROWN, CARRIED), {}, "2026-01-02")


def test_the_picture_has_a_bar_for_each_proxy_and_measure_as_long_as_its_value() -> None:
    """But one that is far beyond the others is cut, and says so."""
    root = ET.fromstring(page.picture(ROWS))
    bars = [bar for bar in root.findall(".//{*}rect") if bar.get("x")]
    ours, nginx, litellm = (float(bar.get("width", "")) for bar in bars[:3])

    assert len(bars) == len(ROWS) * len(page.MEASURES)
    assert abs(nginx / ours - 25 / 40) < 0.01
    assert ours < litellm < float(root.get("viewBox", "").split()[2])
    assert "900.0 (cut)" in [text.text for text in root.findall(".//{*}text")]


def test_envoy_is_told_to_pass_everything_to_the_vendor_without_a_time_limit() -> None:
    """An open stream has no end."""
    config = json.loads(rivals.envoy_config(1234, 5678))["static_resources"]
    manager = config["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    route = manager["route_config"]["virtual_hosts"][0]["routes"][0]

    assert config["listeners"][0]["address"]["socket_address"]["port_value"] == 1234
    assert {"cluster": config["clusters"][0]["name"], "timeout": "0s"} == route["route"]
    assert ({"prefix": "/"}, "0s") == (route["match"], manager["stream_idle_timeout"])


def test_litellm_knows_a_model_for_each_mode() -> None:
    """Each at the vendor's own path for that mode."""
    config = json.loads(rivals.litellm_config(5678, {"paced": "/paced/50/550"}))

    assert [("paced", "http://127.0.0.1:5678/paced/50/550/v1")] == [
        (model["model_name"], model["litellm_params"]["api_base"]) for model in config["model_list"]
    ]


def test_portkey_is_told_in_each_request_where_the_vendor_of_that_mode_is() -> None:
    """It has no configuration."""
    assert (
        "x-portkey-provider: openai\r\n"
        "x-portkey-custom-host: http://127.0.0.1:5678/paced/50/550/v1\r\n"
    ) == rivals.portkey_headers(5678, "/paced/50/550")


def test_what_is_not_there_is_named_with_the_command_that_brings_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run without them says so."""
    (tmp_path / "there").touch()
    places = {"Envoy": tmp_path / "a", "LiteLLM": tmp_path / "there", "Portkey": tmp_path / "b"}
    monkeypatch.setattr(rivals, "PROGRAMS", places)

    assert "Without Envoy and Portkey: `make rivals` brings what is missing." == rivals.lacking()
    monkeypatch.setattr(rivals, "PROGRAMS", {"LiteLLM": tmp_path / "there"})
    assert "" == rivals.lacking()

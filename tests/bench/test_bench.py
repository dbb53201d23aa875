"""The harness counts right: what its vendor sends is what its clients count, directly and through nginx."""

from pathlib import Path

import pytest

from tests.bench.load import Plan
from tests.bench.measure import QUICK, Measurement, Row, Scale, Way
from tests.bench.processes import load, upstream
from tests.bench.proxies import nginx, passed_path, upstream_path
from tests.bench.table import render
from tests.bench.wire import ASKING, SLOT, WIRES, request_body
from tests.needs import requires

TINY = Scale(
    streams=5,
    rate=40,
    window_s=0.3,
    warm_s=0.1,
    short_clients=2,
    short_window_s=0.2,
    open_streams=30,
    burst_streams=2,
    burst_chunks=500,
    idle_s=0.1,
)


@pytest.mark.parametrize("name", WIRES)
def test_a_content_chunk_is_one_http_chunk_with_the_time_in_its_slot(name):
    """The chunk's size line fits whatever the time is."""
    size, _, rest = WIRES[name].content(1234567890123456789).partition(b"\r\n")

    assert int(size, 16) == len(rest) - len(b"\r\n")
    assert b"@@1234567890123456789 streams" in rest
    assert len(b"@@1234567890123456789") == SLOT


@pytest.mark.parametrize(("mode", "rate", "chunks"), [("paced", 200, 20), ("burst", 0, 2000)])
@pytest.mark.parametrize("dialect", WIRES)
def test_every_chunk_that_was_sent_is_counted_and_no_stream_is_lost(mode, rate, chunks, dialect, tmp_path):
    """Straight at the vendor, three streams that end by themselves."""
    with upstream(tmp_path / "log") as port:
        path = passed_path(dialect, upstream_path(mode, rate, chunks))
        plan = Plan("burst", port, path, request_body("any").decode(), ASKING[dialect].terminal.decode(), streams=3)
        result = load(plan, tmp_path / "log")

    assert (3 * chunks, 3, 0) == (result.counted, result.asked, result.lost), result.complaint


def test_an_answer_without_its_last_frame_counts_as_lost(tmp_path):
    """A proxy that cuts streams cannot look fast."""
    with upstream(tmp_path / "log") as port:
        path = passed_path("openai_chat", upstream_path("burst", 0, 5))
        result = load(Plan("burst", port, path, "{}", "a terminal that never comes", streams=2), tmp_path / "log")

    assert (2, 2) == (result.asked, result.lost)
    assert "[DONE]" in result.complaint


@requires("nginx")
def test_a_row_through_nginx_is_whole(tmp_path):
    """All modes run, nothing is lost, and every number is there."""
    with upstream(tmp_path / "log") as port, nginx(port, tmp_path, tmp_path / "log") as proxy:
        modes = TINY.mode_paths()
        way = Way("anthropic", lambda mode: passed_path("anthropic", modes[mode]), lambda mode: mode)
        row = Measurement(Row("nginx", "anthropic", "nginx"), proxy, way, port, scale=TINY, log=Path(tmp_path / "log")).all()

    assert (30, 0, "") == (row.held_open, row.lost, row.complaint)
    assert min(row.cpu_per_chunk_us, row.cpu_per_request_ms, row.delay_p50_ms, row.memory_per_stream_kb, row.burst_chunks_per_s) > 0


def test_the_table_gives_ratios_beside_nginx_and_says_when_there_is_none():
    """Rows of the same bytes are compared; without nginx a sentence says why there is no ratio."""
    ours = Row("Mainstem", "anthropic", "mainstem", cpu_per_chunk_us=50.0, memory_per_stream_kb=20.0)
    theirs = Row("nginx", "anthropic", "nginx", cpu_per_chunk_us=20.0, memory_per_stream_kb=16.0)

    assert "2.5x" in render([ours, theirs], None, QUICK)
    assert "no ratio" in render([ours], None, QUICK)

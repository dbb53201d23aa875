"""The harness counts right: what its vendor sends is what its clients count, directly and through
nginx."""

from pathlib import Path

import pytest

from proxy.dialects.registry import UPSTREAMS
from proxy.events import Event, StreamEnd, TextDelta
from tests.bench import matrix, micro
from tests.bench.asking import ASKING
from tests.bench.load import Plan, Run
from tests.bench.matrix import REFERENCE, Pair
from tests.bench.measure import QUICK, Measurement, Row, Scale, Way
from tests.bench.pairs import REFERENCES, Measured, in_turn, text
from tests.bench.processes import load, upstream
from tests.bench.proxies import (
    Served,
    client_path,
    mainstem,
    mainstem_config,
    nginx,
    passed_path,
    upstream_path,
)
from tests.bench.table import render
from tests.bench.wire import SLOT, TEXT, VENDORS, WIRES
from tests.needs import requires
from tests.support import decode

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


# What stands in the last frame of each vendor's answer, and nowhere else.
TERMINALS = {name: asking.terminal.decode() for name, asking in ASKING.items()} | {
    "ollama": '"done":true'
}


@pytest.mark.parametrize("name", VENDORS)
def test_a_vendors_answer_is_whole_and_has_one_piece_of_text_a_chunk(name):
    """As this dialect's own upstream half reads it."""
    decoder = UPSTREAMS[name].decoder(1 << 20, {})
    first, *content, last = VENDORS[name].chunks(5)
    decoder.feed(first)

    assert [[TEXT]] * 5 == [_texts(decoder.feed(chunk)) for chunk in content]
    assert [] == _texts(decoder.feed(last))
    assert isinstance(
        decode(UPSTREAMS[name].decoder(1 << 20, {}), [first, *content, last])[-1], StreamEnd
    )


def _texts(events: list[Event]) -> list[str]:
    return [event.text for event in events if isinstance(event, TextDelta)]


@pytest.mark.parametrize("name", WIRES)
def test_a_content_chunk_is_one_http_chunk_with_the_time_in_its_slot(name):
    """The chunk's size line fits whatever the time is."""
    size, _, rest = WIRES[name].content(1234567890123456789).partition(b"\r\n")

    assert int(size, 16) == len(rest) - len(b"\r\n")
    assert b"@@1234567890123456789 streams" in rest
    assert len(b"@@1234567890123456789") == SLOT


@pytest.mark.parametrize(("mode", "rate", "chunks"), [("paced", 200, 20), ("burst", 0, 2000)])
@pytest.mark.parametrize("dialect", WIRES)
def test_every_chunk_that_was_sent_is_counted_and_no_stream_is_lost(
    mode, rate, chunks, dialect, tmp_path
):
    """Straight at the vendor, three streams that end by themselves."""
    with upstream(tmp_path / "log") as port:
        path = passed_path(dialect, upstream_path(mode, rate, chunks))
        plan = Plan("burst", port, path, "{}", TERMINALS[dialect], streams=3)
        result = load(plan, tmp_path / "log")

    assert (3 * chunks, 3, 0) == (result.counted, result.asked, result.lost), result.complaint


def test_a_request_has_the_headers_that_its_proxy_wants():
    """Beside its own."""
    plan = Plan("burst", 1, "/", "{}", "", streams=1, headers="x-one: 1\r\n")

    assert Run(plan).request.endswith(b"\r\ncontent-length: 2\r\nx-one: 1\r\n\r\n{}")


def test_an_answer_without_its_last_frame_counts_as_lost(tmp_path):
    """A proxy that cuts streams cannot look fast."""
    with upstream(tmp_path / "log") as port:
        path = passed_path("openai_chat", upstream_path("burst", 0, 5))
        result = load(
            Plan("burst", port, path, "{}", "a terminal that never comes", streams=2),
            tmp_path / "log",
        )

    assert (2, 2) == (result.asked, result.lost)
    assert "[DONE]" in result.complaint


@requires("nginx")
def test_a_row_through_nginx_is_whole(tmp_path):
    """All modes run, nothing is lost, and every number is there."""
    with upstream(tmp_path / "log") as port, nginx(port, tmp_path, tmp_path / "log") as proxy:
        modes = TINY.mode_paths()
        way = Way(
            "anthropic", lambda mode: passed_path("anthropic", modes[mode]), lambda mode: mode
        )
        row = Measurement(
            Row("nginx", "anthropic", "nginx"),
            proxy,
            way,
            port,
            scale=TINY,
            log=Path(tmp_path / "log"),
        ).all()

    assert (30, 0, "") == (row.held_open, row.lost, row.complaint)
    assert (
        min(
            row.cpu_per_chunk_us,
            row.cpu_per_request_ms,
            row.delay_p50_ms,
            row.memory_per_stream_kb,
            row.burst_chunks_per_s,
        )
        > 0
    )


def test_the_table_gives_ratios_beside_nginx_and_says_when_there_is_none():
    """Rows of the same bytes are compared; without nginx a sentence says why there is no ratio."""
    ours = Row(
        "Mainstem", "anthropic", "mainstem", cpu_per_chunk_us=50.0, memory_per_stream_kb=20.0
    )
    theirs = Row("nginx", "anthropic", "nginx", cpu_per_chunk_us=20.0, memory_per_stream_kb=16.0)

    assert "2.5x" in render([ours, theirs], None, QUICK)
    assert "no ratio" in render([ours], None, QUICK)


def test_every_dialect_passes_whole_through_one_mainstem(tmp_path):
    """Each vendor and each client of the pairs once. A client's vendor may say the text again at
    its end."""
    clients = dict(zip(VENDORS, reversed(ASKING), strict=True))
    models = {dialect: Served(dialect, upstream_path("burst", 0, 20)) for dialect in VENDORS}
    log = tmp_path / "log"
    results = {}
    with upstream(log) as port, mainstem(mainstem_config(port, models), tmp_path, log) as proxy:
        for model, client in clients.items():
            asking = ASKING[client]
            plan = Plan(
                "burst",
                proxy.port,
                client_path(client, model),
                asking.body(model).decode(),
                asking.terminal.decode(),
                streams=2,
            )
            results[model, client] = load(plan, log)

    assert dict.fromkeys(clients.items(), (0, "")) == {
        pair: (result.lost, result.complaint) for pair, result in results.items()
    }
    assert all(result.counted >= 40 for result in results.values()), results


def test_the_reference_is_measured_first_last_and_in_between():
    """And every pair once."""
    every = matrix.pairs(VENDORS, ASKING)
    turns = list(in_turn(every))

    assert every == [pair for pair in turns if pair is not None]
    assert (REFERENCES, None, None) == (turns.count(None), turns[0], turns[-1])


def test_the_matrix_marks_what_costs_over_one_and_a_half_times_the_reference():
    """The median of what the reference cost counts."""
    costs = {
        REFERENCE: 10.0,
        Pair("openai_chat", "gemini"): 15.0,
        Pair("openai_chat", "anthropic"): 15.2,
    }
    rows = {
        pair: Row("", "", "mainstem", cpu_per_chunk_us=cost, asked=5)
        for pair, cost in costs.items()
    }
    references = [
        Row("", "", "mainstem", cpu_per_chunk_us=cost, asked=5) for cost in (1.0, 10.0, 10.0, 99.0)
    ]
    shown = text(Measured(rows, references), QUICK)

    assert [Pair("openai_chat", "anthropic")] == matrix.over(costs, 10.0)
    assert all(
        cell in shown
        for cell in (
            "10.0 1.00x ",
            "15.0 1.50x ",
            "15.2 1.52x!",
            "1 of 3, marked with !",
            "0 of 35 streams",
        )
    ), shown
    assert "none costs more than 1.5x" in matrix.render("CPU", {REFERENCE: 10.0}, 10.0)


def test_micro_times_every_pair():
    """That every chunk arrived is checked inside."""
    costs = micro.measured(pieces=5, rounds=1)

    assert matrix.pairs(VENDORS, ASKING) == list(costs)
    assert min(costs.values()) > 0

"""The accounts are compared: each of these would be a defect of the proxy's, and each is found."""

import json

import pytest

from tests.load.errands import Errand
from tests.load.ledger import Ledger, Line, Verdict, allowed, read_row, whole_text
from tests.load.manners import Row
from tests.load.scripts import Asked
from tests.load.watch import Samples


def errand(
    model: str = "anthropic",
    plays: tuple[str, str] = ("good", "good"),
    manner: str = "read",
    dialect: str = "native",
) -> Errand:
    return Errand(Asked("a", 3, 0.1, plays), dialect, model, manner, "cancel", 2, reset=False)


def stream_line(**changes: object) -> str:
    said = {
        "level": "info",
        "event": "stream",
        "request_id": "a",
        "client_dialect": "native",
        "upstream": "anthropic-1",
        "model": "anthropic",
    }
    return json.dumps({**said, "status": 200, "outcome": "completed", **changes})


def samples(outcome: str = "completed", streams: int = 1, requests: int = 1) -> Samples:
    labels = {"client_dialect": "native", "upstream": "anthropic-1", "outcome": outcome}
    return {
        "mainstem_streams_total": [(labels, streams)],
        "mainstem_requests_total": [({}, requests)],
    }


def whole() -> Row:
    return Row(200, "complete", [0, 1, 2])


def failing(verdicts: list[Verdict]) -> set[str]:
    return {verdict.name for verdict in verdicts if not verdict.holds}


def test_accounts_that_agree_give_verdicts_that_hold() -> None:
    ledger = Ledger()
    ledger.row(errand(), whole())
    ledger.log(stream_line())
    assert set() == failing(ledger.verdicts({"a"}, samples()))


@pytest.mark.parametrize(
    ("defect", "lines", "row", "found"),
    [
        ("logged twice", [stream_line(), stream_line()], whole(), "accounted"),
        ("not logged", [], whole(), "accounted"),
        (
            "another outcome than was played",
            [stream_line(outcome="idle_timeout")],
            whole(),
            "outcomes",
        ),
        (
            "a failure that looks like a success",
            [stream_line(outcome="upstream_truncated")],
            whole(),
            "seen alike",
        ),
        (
            "a success that looks like a failure",
            [stream_line()],
            Row(200, "failed", [0, 1, 2]),
            "seen alike",
        ),
        ("another status", [stream_line(status=502)], whole(), "seen alike"),
        ("cut", [stream_line()], Row(200, "cut", [0]), "seen alike"),
        ("a piece lost", [stream_line()], Row(200, "complete", [0, 2]), "text"),
        ("a piece twice", [stream_line()], Row(200, "complete", [0, 1, 1, 2]), "text"),
        ("a defect", [stream_line(outcome="internal")], whole(), "internal"),
        (
            "an error",
            [stream_line(), json.dumps({"level": "error", "event": "internal error"})],
            whole(),
            "log",
        ),
        ("a traceback", [stream_line(), "Traceback (most recent call last):"], whole(), "log"),
        ("no end", [stream_line()], Row(200, "hung", [0]), "hung"),
    ],
)
def test_a_defect_is_found(defect: str, lines: list[str], row: Row, found: str) -> None:
    ledger = Ledger()
    ledger.row(errand(), row)
    for line in lines:
        ledger.log(line)
    assert found in failing(ledger.verdicts({"a"}, samples())), defect


@pytest.mark.parametrize(
    "wrong", [samples(streams=2), samples(requests=2), samples(outcome="internal")]
)
def test_metrics_that_say_otherwise_than_the_log_are_found(wrong: Samples) -> None:
    ledger = Ledger()
    ledger.row(errand(), whole())
    ledger.log(stream_line())
    assert {"metrics"} == failing(ledger.verdicts({"a"}, wrong))


@pytest.mark.parametrize(("seen", "found"), [(set(), set()), ({"a"}, {"accounted"})])
def test_a_client_that_left_need_not_be_in_the_log_unless_the_upstream_was_asked(
    seen: set[str], found: set[str]
) -> None:
    ledger = Ledger()
    ledger.row(errand(manner="leave_early"), Row(0, "left"))
    assert found == failing(ledger.verdicts(seen, samples(streams=0, requests=0)))


@pytest.mark.parametrize(
    ("model", "plays", "manner", "ends"),
    [
        ("anthropic", ("stall", "good"), "read", {"idle_timeout"}),
        ("anthropic-gemini", ("says_503", "good"), "read", {"completed"}),
        ("anthropic-gemini", ("cut", "good"), "read", {"upstream_truncated"}),
        ("anthropic-gemini", ("empty", "no_end_of_body"), "read", {"idle_timeout"}),
        ("hedged+anthropic-gemini", ("good", "reset"), "read", {"completed", "upstream_truncated"}),
        ("narrow+anthropic", ("good", "reset"), "read", {"completed", "overloaded"}),
        ("dead", ("good", "good"), "read", {"connect_failed"}),
        ("stuck", ("good", "good"), "read", {"connect_timeout", "first_event_timeout"}),
        ("stuck-anthropic", ("good", "reset"), "read", {"upstream_truncated"}),
        ("anthropic", ("good", "good"), "leave_midway", {"completed", "client_gone"}),
        ("anthropic", ("good", "good"), "crowd_in", {"completed", "rate_limited"}),
        ("anthropic", ("good", "good"), "bad_body", {"bad_request"}),
        ("anthropic", ("good", "good"), "come_back", {""}),
    ],
)
def test_what_is_played_says_how_a_stream_may_end(
    model: str, plays: tuple[str, str], manner: str, ends: set[str]
) -> None:
    assert ends == allowed(errand(model, plays, manner))


@pytest.mark.parametrize(
    ("dialect", "pieces", "is_whole"),
    [
        ("native", [0, 1, 2], True),
        ("native", [0, 1, 2, 0, 1, 2], False),
        ("openai_responses", [0, 1, 2, 0, 1, 2], True),
        ("openai_responses", [0, 1, 2, 0, 1], False),
    ],
)
def test_a_text_said_again_at_the_end_is_whole_only_where_the_dialect_does_so(
    dialect: str, pieces: list[int], is_whole: bool
) -> None:
    assert is_whole == whole_text(errand(dialect=dialect), Row(200, "complete", pieces))


def test_what_the_clients_print_is_read_back() -> None:
    assert (errand(), whole()) == read_row(
        json.dumps([errand(), {"status": 200, "ended": "complete", "pieces": [0, 1, 2]}])
    )


def test_a_line_of_the_log_is_kept_by_request() -> None:
    ledger = Ledger()
    ledger.log(stream_line())
    assert {"a": Line("native", "anthropic-1", "anthropic", 200, "completed")} == ledger.lines


@pytest.mark.parametrize(("pieces", "holds"), [([0, 1, 2], True), ([0, 2], False)])
def test_who_comes_back_must_have_every_piece_once(pieces: list[int], holds: bool) -> None:
    """Of both requests together; the second is no stream of its own."""
    ledger = Ledger()
    row = Row(200, "left", [0], along=Row(200, "complete", pieces))
    ledger.row(errand(manner="resume"), row)
    for line in (stream_line(), stream_line(request_id="a-2", outcome="")):
        ledger.log(line)
    verdicts = ledger.verdicts({"a"}, samples(requests=2))
    assert ({"text"} if not holds else set()) == failing(verdicts)

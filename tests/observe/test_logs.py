"""What is logged: one line a stream, one form for all, no secret, no line that somebody else
wrote."""

import io
import json
import logging
import re
import shlex
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from multidict import CIMultiDict

from proxy.events import Finish, Note, Usage
from proxy.observe import logs
from proxy.observe.record import StreamRecord

EVIL = 'x\n2026-01-01T00:00:00Z info forged status=200\r\x1b[2K\x9b31m\u2028\u061c\u2067\u202etxt\ud800 "q"'


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Logging is the process's own: put it back."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    logging.captureWarnings(False)
    root.handlers, root.level = handlers, level
    structlog.contextvars.clear_contextvars()
    structlog.reset_defaults()


def out(form: logs.Format = "json", level: logs.Level = "info") -> io.StringIO:
    stream = io.StringIO()
    logs.configure(form, level, stream)
    return stream


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def ended(outcome: Any = "completed") -> StreamRecord:
    record = StreamRecord("req-1", "native", 100.0)
    record.model, record.model_label, record.upstream, record.upstream_model = (
        "fast",
        "fast",
        "openai",
        "gpt-4o-mini",
    )
    record.key, record.stream = "web", "str-1"
    record.notes = [Note("dropped", "seed", "It has no seed.")]
    record.fallbacks = [("a", "openai", "overloaded")]
    record.usage, record.finish = Usage(7, 3), Finish("stop", "stop")
    record.begin_target(100.0)
    record.attempted("a", "overloaded", 100.1)
    record.begin_target(100.1)
    record.vendor_request_id, record.response_id = "req_theirs", "chatcmpl-1"
    record.chunk(10, 100.5)
    record.content(101.0)
    record.attempted("openai", "ok", 101.0)
    record.end(outcome, 200, 102.0)
    return record


def test_one_line_a_stream() -> None:
    """With what is known about it, and nothing that was said in it."""
    stream = out()
    logs.stream_line(structlog.get_logger(), ended())
    (line,) = lines(stream)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", line.pop("timestamp"))
    assert {
        "level": "info",
        "event": "stream",
        "request_id": "req-1",
        "stream": "str-1",
        "client_dialect": "native",
        "model": "fast",
        "upstream": "openai",
        "upstream_model": "gpt-4o-mini",
        "key": "web",
        "status": 200,
        "outcome": "completed",
        "ended_by": "upstream",
        "vendor_request_id": "req_theirs",
        "response_id": "chatcmpl-1",
        "attempts": [
            "a gpt-4o-mini overloaded 0.000+0.100",
            "openai gpt-4o-mini ok 0.100+0.900",
        ],
        "finish": "stop",
        "total_s": 2.0,
        "first_byte_s": 0.5,
        "first_content_s": 1.0,
        "chunks": 1,
        "bytes_in": 10,
        "bytes_out": 0,
        "heartbeats": 0,
        "input_tokens": 7,
        "output_tokens": 3,
        "notes": ["dropped:seed"],
        "fallbacks": ["a>openai:overloaded"],
    } == line


@pytest.mark.parametrize(
    ("outcome", "level"),
    [
        ("completed", "info"),
        ("client_gone", "info"),
        (None, "info"),
        ("upstream_truncated", "warning"),
        ("internal", "warning"),
    ],
)
def test_failures_are_warnings(outcome: str | None, level: str) -> None:
    """A client that leaves is no failure."""
    stream = out()
    record = ended()
    record.outcome = outcome  # type: ignore[assignment]
    logs.stream_line(structlog.get_logger(), record)
    assert level == lines(stream)[0]["level"]


def test_only_one_that_failed_says_why() -> None:
    """What an earlier target said is of no interest where another one answered."""
    told = {
        "error": "Overloaded",
        "error_code": "overloaded_error",
        "upstream_status": 529,
        "asked": "api.example.com/v1/messages",
        "origin": "https://app.example.com",
    }
    stream = out()
    for outcome in ("completed", "overloaded"):
        record = ended(outcome)
        for name, value in told.items():
            setattr(record, name, value)
        logs.stream_line(structlog.get_logger(), record)
    assert [{}, told] == [
        {name: line[name] for name in told if name in line} for line in lines(stream)
    ]


def test_the_parts_of_the_tokens_are_told_where_they_are_known() -> None:
    stream, record = out(), ended()
    record.usage = Usage(9, 8, 7, 6, 5, 4, None)
    logs.stream_line(structlog.get_logger(), record)
    (line,) = lines(stream)
    assert {
        "input_tokens": 9,
        "output_tokens": 8,
        "cached_input_tokens": 7,
        "reasoning_tokens": 6,
        "cache_write_tokens": 5,
        "audio_input_tokens": 4,
    } == {name: line[name] for name in line if name.endswith("_tokens")}


def test_the_fields_of_a_line_are_bounded() -> None:
    """However long a name is and however many notes there are."""
    stream = out()
    record = ended("overloaded")
    record.model = record.upstream_model = "m" * 100_000
    record.asked = record.origin = "o" * 100_000
    record.notes = [Note("dropped", "seed", "x")] * 1000
    record.fallbacks = [("a", "b", "overloaded")] * 1000
    logs.stream_line(structlog.get_logger(), record)
    structlog.get_logger().info("e" * 100_000, deep=[[[[[[1]]]]]])
    assert max(len(line) for line in stream.getvalue().splitlines()) < 10_000


@pytest.mark.parametrize("form", ["json", "console"])
def test_nobody_writes_a_line_of_their_own(form: logs.Format) -> None:
    """Line breaks, escape sequences and marks that turn text around, in any place, by either
    way."""
    stream = out(form)
    record = ended()
    record.model = EVIL
    logs.stream_line(structlog.get_logger(), record)
    structlog.get_logger().info(EVIL, **{EVIL: EVIL}, headers={EVIL: [EVIL]})
    logging.getLogger(EVIL).warning("%s", EVIL)
    text = stream.getvalue()
    assert len(text.splitlines()) == 3
    assert not re.search(
        "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u2028-\u202e\u2066-\u2069\ud800-\udfff]", text
    )
    if form == "json":
        assert EVIL == lines(stream)[1]["event"]


@pytest.mark.parametrize("model", [r'x\" status=200 y="', 'a "b\\', "a=b", "plain", ""])
def test_a_field_for_a_terminal_ends_where_its_value_does(model: str) -> None:
    """Judged by what reads a shell's words."""
    stream = out("console")
    structlog.get_logger().info("stream", model=model, status=400)
    assert ["stream", f"model={model}", "status=400"] == shlex.split(stream.getvalue())[-3:]


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_traceback_stays_one_entry(form: logs.Format) -> None:
    """On a terminal its lines are marked, so that a line break in the message begins no entry."""
    stream = out(form)
    try:
        int(EVIL)
    except ValueError:
        structlog.get_logger().exception("internal error")
        logging.getLogger("lib").exception("failed")
    starts = [line for line in stream.getvalue().splitlines() if not line.startswith("  | ")]
    assert len(starts) == 2
    assert "ValueError" in stream.getvalue()


@pytest.mark.parametrize("form", ["json", "console"])
def test_secrets_are_masked(form: logs.Format) -> None:
    """The last defence: by name, at any depth, in pairs, in any spelling."""
    stream = out(form)
    structlog.get_logger().warning(
        "request",
        authorization="Bearer sk-secret",
        headers={"Cookie": "sk-secret", "X-Api-Key": "sk-secret", "accept": "text/html"},
        raw=[("Authorization", "sk-secret"), ("accept", "text/plain")],
        api_key=["sk-secret"],
        multi=CIMultiDict({"Authorization": "sk-secret"}),
        key="web",
    )
    text = stream.getvalue()
    assert "sk-secret" not in text
    assert all(kept in text for kept in ("********", "text/html", "text/plain", "web"))


def test_what_is_no_json_is_logged_all_the_same() -> None:
    """A log call never raises for what it is given."""
    stream = out()
    structlog.get_logger().info(
        "odd", raw=b"\xff", nan=float("nan"), some={1: object()}, several={1}
    )
    (line,) = lines(stream)
    assert ("b'\\xff'", "nan", [1]) == (line["raw"], line["nan"], line["several"])


def test_the_request_id_is_bound_throughout() -> None:
    """To our own lines and to those of libraries."""
    stream = out()
    with structlog.contextvars.bound_contextvars(request_id="req-1"):
        structlog.get_logger().info("ours")
        logging.getLogger("aiohttp.server").error("theirs")
    assert [("ours", "req-1"), ("theirs", "req-1")] == [
        (line["event"], line["request_id"]) for line in lines(stream)
    ]
    assert lines(stream)[1]["logger"] == "aiohttp.server"


def test_levels_hold_for_both_ways_and_may_change() -> None:
    """A reload configures again, and leaves one handler."""
    out()
    stream = out(level="error")
    structlog.get_logger().warning("no")
    logging.getLogger("lib").warning("no")
    structlog.get_logger().error("yes")
    logging.getLogger("lib").error("yes")
    assert ["yes", "yes"] == [line["event"] for line in lines(stream)]


def test_warnings_of_libraries_are_log_lines() -> None:
    """Else they would break into a file of JSON lines."""
    stream = out()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("old", DeprecationWarning, stacklevel=1)
        logging.captureWarnings(False)
    assert "old" in lines(stream)[0]["event"]


def test_auto_is_json_where_there_is_no_terminal() -> None:
    """And console where there is one."""
    stream = out("auto")
    structlog.get_logger().info("hello")
    assert lines(stream)[0]["event"] == "hello"

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    logs.configure("auto", "info", terminal)
    structlog.get_logger().info("hello", said="a b", number=1.5)
    assert terminal.getvalue().endswith(' info hello said="a b" number=1.5\n')


@pytest.mark.parametrize("model", ["plain", 'a "b" \\ c', "d\x7f\x1f\n", "\xe9\u2028", "\ud800"])
def test_a_line_says_the_same_by_either_way(model: str) -> None:
    """Whether a logger writes it or we do: the same fields in the same order, ASCII only."""
    written = []
    for outcome in ("completed", "overloaded"):
        stream, record = out(), ended(outcome)
        record.model = model
        logs.stream_line(structlog.get_logger(), record)
        assert stream.getvalue().rstrip("\n").isprintable()
        assert stream.getvalue().isascii()
        written.append(lines(stream)[0])
    direct, logged = written
    assert list(direct) == list(logged)
    assert model == direct["model"] == logged["model"]


def test_who_catches_what_is_logged_gets_the_lines_of_streams_too() -> None:
    """And nothing of them is written."""
    stream = out()
    with structlog.testing.capture_logs() as caught:
        logs.stream_line(structlog.get_logger(), ended())
    assert ["stream"] == [line["event"] for line in caught]
    assert not stream.getvalue()

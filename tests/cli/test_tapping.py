"""`mainstem tap` for people and for scripts: styles, conversations, JSON, exit statuses."""

import io
import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
import yaml

from proxy.cli import main
from proxy.cli.views import Document, Lines, Raw, Text
from proxy.codec.base import Encoder
from proxy.errors import failure
from proxy.events import (
    BlockStart,
    Finish,
    ReasoningDelta,
    StreamEnd,
    StreamError,
    StreamStart,
    TextDelta,
    Timing,
    Tool,
    ToolCallDelta,
    Usage,
)
from tests.cli.tools import Ended

START = StreamStart("tap", "m", "up", "vendor-m", 0)
EVIL = "\x1b]0;owned\x07\x9b31m\u202e"
END = StreamEnd(Finish("stop"), Usage(3, 20), Timing(100, 1100))


def config(folder: Path, **mocks: dict[str, Any]) -> str:
    """A model for each mock, by its name."""
    path = folder / "mainstem.yaml"
    upstreams = {
        name: {"dialect": "openai_chat", "mock": {"tokens_per_s": 0, **mock}}
        for name, mock in mocks.items()
    }
    models = {name: [{"upstream": name}] for name in mocks}
    path.write_text(yaml.safe_dump({"upstreams": upstreams, "models": models}))
    return str(path)


def shown(view: Encoder, *events: Any) -> str:
    return b"".join(map(view.encode, events)).decode()


TEXT = (START, BlockStart(0, "text"))


def test_a_terminal_gets_styles_and_a_pipe_the_text() -> None:
    events = (*TEXT, TextDelta(0, "a **b"), TextDelta(0, "**"), END)
    assert "a \x1b[1mb\x1b[0m\n" == shown(Text(terminal=True, styled=True), *events)
    assert "a **b**\n" == shown(Text(terminal=True, styled=False), *events)
    assert "a **b**" == shown(Text(terminal=False, styled=False), *events)


def test_a_style_ends_with_its_block() -> None:
    """And a fence that was never closed is no fence of the next text."""
    events = (
        *TEXT,
        TextDelta(0, "```\nx"),
        BlockStart(1, "tool_call", tool=Tool("c", "look")),
        ToolCallDelta(1, "{}"),
        BlockStart(2, "text"),
        TextDelta(2, "**y**"),
        END,
    )
    assert (
        "\x1b[2m```\x1b[0m\n\x1b[36mx\x1b[0m\n[look] {}\n\x1b[1my\x1b[0m\n"
        == shown(Text(terminal=True, styled=True), *events)
    )  # fmt: skip


@pytest.mark.parametrize("view", [Text(terminal=True, styled=True), Text(terminal=False, styled=False), Lines(), Document()], ids=["terminal", "pipe", "events", "json"])  # fmt: skip
def test_nothing_of_a_vendor_steers_a_terminal(
    view: Encoder, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither text, nor a tool's name and arguments, nor an error."""
    out = shown(
        view,
        *TEXT,
        TextDelta(0, EVIL),
        BlockStart(1, "tool_call", tool=Tool("c", f"n{EVIL}")),
        ToolCallDelta(1, EVIL),
        BlockStart(2, "reasoning"),
        ReasoningDelta(2, EVIL),
        StreamError(failure("upstream_error", f"why{EVIL}")),
    )
    assert out
    said = (out + str(view.summary)).replace("\x1b[2m", "").replace("\x1b[0m", "")  # type: ignore[attr-defined]
    assert set() == {*said} & {*EVIL} - {*"0;owned]31m"}
    if isinstance(view, Lines | Document):
        assert EVIL in [json.loads(line).get("text") for line in out.splitlines()]


def test_raw_bytes_are_exact_but_on_a_terminal() -> None:
    """A character may be cut in two there."""
    data = f"data: 你{EVIL}\r\n".encode()
    assert data == Raw(terminal=False).chunk(data)
    raw = Raw(terminal=True)
    seen = b"".join([raw.chunk(data[:7]), raw.chunk(data[7:])]).decode()
    assert "data: 你\ufffd]0;owned\ufffd\ufffd31m\ufffd\n" == seen


def test_the_summary_has_times_and_rate(capsys: pytest.CaptureFixture[str]) -> None:
    view = Text(terminal=False, styled=False)
    shown(view, *TEXT, TextDelta(0, "a"), END)
    assert (
        "[stop] 3 tokens in, 20 out, first after 100 ms, all after 1100 ms, 20.0 tokens a second"
        == view.summary
    )


@pytest.fixture
def tap(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., Ended]]:
    """Runs the command in this process: many processes at once would want more than one machine."""

    def run(*arguments: str, stdin: bytes = b"") -> Ended:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        status = main(["tap", *arguments])
        return Ended(status, *capsys.readouterr())

    yield run
    structlog.reset_defaults()


def test_scripts_get_json_and_a_status(tmp_path: Path, tap: Callable[..., Ended]) -> None:
    given = config(
        tmp_path,
        echo={"scenario": "echo"},
        tools={"scenario": "tools"},
        short={"scenario": "length"},
        no={"scenario": "refusal"},
        busy={"scenario": "error_429"},
        wrong={"scenario": "error_404"},
        breaks={"scenario": "echo", "fault": "cut@1"},
    )

    def ask(model: str, *more: str, stdin: bytes = b"") -> Ended:
        return tap("--config", given, "--model", model, *more, stdin=stdin)

    echo, piped, none, tools, short, no, busy, wrong, breaks = (
        ask("echo", "--json", "hi **you**"),
        ask("echo", stdin="Grüße\n".encode()),
        ask("echo"),
        ask("tools", "--json", "hi"),
        ask("short", "hi"),
        ask("no", "--json", "hi"),
        ask("busy", "--json", "hi"),
        ask("wrong", "hi"),
        ask("breaks", "--json", "one two three"),
    )
    assert [0, 0, 2, 0, 3, 4, 5, 1, 1] == [
        one.status for one in (echo, piped, none, tools, short, no, busy, wrong, breaks)
    ]
    document = json.loads(echo.out)
    assert ("hi **you**", "stop", None) == (
        document["text"],
        document["finish"]["reason"],
        document["error"],
    )
    assert 1 == echo.out.count("\n")
    assert "" == echo.err
    assert "Grüße\n" == piped.out
    assert "There is no prompt" in none.err
    calls = json.loads(tools.out)["tool_calls"]
    assert ["get_weather", "get_weather"] == [call["name"] for call in calls]
    assert all("city" in json.loads(call["arguments"]) for call in calls)
    assert "rate_limited" == json.loads(busy.out)["error"]["kind"]
    said = json.loads(breaks.out)
    assert ("one", "upstream_truncated", None) == (
        said["text"],
        said["error"]["kind"],
        said["finish"],
    )


def test_each_line_of_a_conversation_is_a_turn(tmp_path: Path, tap: Callable[..., Ended]) -> None:
    """The mock counts what it is told: a turn brings the ones before; /new forgets them."""
    given = config(tmp_path, echo={"scenario": "echo"})
    lines = b"two\n\nthree\n/new\nfour\n/quit\nfive\n"
    arguments = ("--config", given, "--chat", "--json", "one")
    ended = tap(*arguments, stdin=lines)
    rows = [json.loads(line) for line in ended.out.splitlines()]
    assert ["one", "two", "three", "four"] == [row["text"] for row in rows]
    counts = [row["usage"]["input_tokens"] for row in rows]
    assert counts[0] < counts[1] < counts[2] > counts[3]
    assert 0 == ended.status


@pytest.fixture
def _heeded() -> Iterator[None]:
    """What a shell begins in the background ignores SIGINT, and so would its children."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_heeded")
def test_a_conversation_on_a_terminal(tmp_path: Path) -> None:
    """Ctrl-C stops an answer and not the conversation."""
    given = config(tmp_path, stalls={"scenario": "long", "fault": "stall@2"})
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "proxy", "tap", "--config", given]
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    ) as process:
        os.close(theirs)
        try:
            _until(ours, b"> ")
            os.write(ours, b"hi\n")
            _until(ours, b" river")
            process.send_signal(signal.SIGINT)
            _until(ours, b"[stopped]")
            _until(ours, b"> ")
            os.write(ours, b"/quit\n")
            assert 130 == process.wait(20)
        finally:
            process.kill()
            os.close(ours)


def test_who_leaves_a_conversation_leaves_its_line(tmp_path: Path) -> None:
    """The shell's prompt does not stand behind ours."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "proxy", "tap", "--config", config(tmp_path)]
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    ) as process:
        os.close(theirs)
        try:
            _until(ours, b"> ")
            os.write(ours, b"\x04")  # Ctrl-D
            _until(ours, b"\n")
            assert 0 == process.wait(20)
        finally:
            process.kill()
            os.close(ours)


def _until(terminal: int, text: bytes) -> None:
    read = b""
    while text not in read:
        read += os.read(terminal, 1)

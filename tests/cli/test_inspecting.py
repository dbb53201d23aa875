"""`mainstem inspect` and `mainstem convert`."""

import json
import os
import pty
import stat
from pathlib import Path

import pytest

from proxy.cli import main
from proxy.cli.picture import histogram, timeline
from proxy.cli.plain import columns, escaped, plain
from proxy.events import TextDelta, ToolCallDelta
from proxy.recording.reading import events_of
from proxy.recording.tape import SUFFIX, Read, parsed, written
from tests.recording.samples import READS, recording

ESCAPE = b"data: \x1b]0;title\x07\n\n"


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / f"one{SUFFIX}"
    path.write_bytes(written(recording(masked=("user",))))
    return str(path)


def test_an_overview_says_what_and_when(file: str, capsys: pytest.CaptureFixture[str]):
    assert 0 == main(["inspect", file])
    out = capsys.readouterr().out
    assert "POST /chat/completions, model m-1" in out
    assert "200, " in out
    assert "in 4 reads, complete" in out
    assert "stop, tokens unknown" in out
    assert "gaps    median 1.0 ms" in out
    assert "longest 49.5 ms, before read 3 at 0.08 s" in out
    assert "hidden  user" in out
    assert "under 50 ms      1" in out


def test_bytes_events_and_reads(file: str, capfdbinary: pytest.CaptureFixture[bytes]):
    assert 0 == main(["inspect", file, "--raw"])
    assert recording().body == capfdbinary.readouterr().out
    assert 0 == main(["inspect", file, "--events"])
    rows = [line.split(maxsplit=1) for line in capfdbinary.readouterr().out.splitlines()]
    assert ["stream.start", "block.start"] == [json.loads(row)["type"] for _, row in rows[:2]]
    assert b"30.0" == rows[1][0]
    assert 0 == main(["inspect", file, "--timing"])
    assert 3 + len(READS) == len(capfdbinary.readouterr().out.splitlines())


def test_a_terminal_is_not_steered(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / f"{'b'}{SUFFIX}"
    path.write_bytes(written(recording(reads=(Read(30, ESCAPE),), model="m\x1b[2J")))
    for form in ([], ["--timing"], ["--events"]):
        assert 0 == main(["inspect", str(path), *form])
        assert "\x1b" not in capsys.readouterr().out
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal, pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdout", terminal)
        assert 0 == main(["inspect", str(path), "--raw"])
    assert b"data: \\x1b]0;title\\x07" == os.read(ours, 1000).splitlines()[0]
    os.close(ours)


@pytest.mark.parametrize(
    ("text", "shown", "on_one_line"),
    [
        ("a\tb\r\nc", "a\tb\nc", "a\\tb\\r\\nc"),
        ("\x1b[2J\x9b0m", "\ufffd[2J\ufffd0m", "\\x1b[2J\\x9b0m"),
        ("\u202eabc\u2066", "\ufffdabc\ufffd", "\\u202eabc\\u2066"),
        ("你好👨‍👩‍👧é", "你好👨‍👩‍👧é", "你好👨‍👩‍👧é"),
    ],
)
def test_controls_are_taken_out_and_letters_stay(text: str, shown: str, on_one_line: str):
    assert shown == plain(text)
    assert on_one_line == escaped(text)


def test_a_silence_is_a_blank_in_the_picture():
    drawn, scale = timeline(recording(), 9, ascii_only=True)
    assert [3, 8] == [at for at, sign in enumerate(drawn) if sign != " "]
    assert "0 s0.09 s" == scale
    assert ["  under 10 ms      1 ########################################"] == [
        line[1:] for line in histogram([9.9], 80, ascii_only=True)
    ]
    assert [] == histogram([], 80)


def test_a_narrow_terminal_gets_narrow_bars():
    assert [30] == [len(line) for line in histogram([9.9], 30, ascii_only=True)]


def test_of_bare_bytes_no_times_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "answer.sse"
    path.write_bytes(recording().body)
    assert 0 == main(["inspect", str(path), "--dialect", "openai_chat"])
    out = capsys.readouterr().out
    assert ["asked   unknown", "of      openai_chat (openai_chat)"] == out.splitlines()[1:3]
    assert "times   unknown" in out
    assert "0 s" not in out


@pytest.mark.parametrize(("count", "within"), [(2, "682.0"), (20, "100.0")])
def test_most_gaps_are_no_longer_than_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], count: int, within: str
):
    """Of few gaps 95 % are all."""
    gaps = [*[100.0] * (count - 1), 682.0]
    times = [30 + sum(gaps[:number]) for number in range(count + 1)]
    path = tmp_path / f"one{SUFFIX}"
    reads = tuple(Read(ms, b": x\n\n") for ms in times)
    path.write_bytes(written(recording(reads=reads, end_ms=times[-1])))
    assert 0 == main(["inspect", str(path)])
    assert f"95 % within {within} ms" in capsys.readouterr().out


def test_characters_of_two_columns_count_twice():
    assert [0, 3, 4, 5, 1] == [columns(text) for text in ("", "abc", "莱茵", "a莱茵", "e\u0301")]


def test_another_dialect_to_a_pipe_or_a_file(
    file: str, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
):
    assert 0 == main(["convert", file, "--to", "anthropic"])
    body = capfdbinary.readouterr().out
    assert body.startswith(b"event: message_start\ndata: ")
    output = tmp_path / "out.sse"
    assert 0 == main(["convert", file, "--to", "anthropic", "-o", str(output)])
    assert body == output.read_bytes()
    assert 0o600 == stat.S_IMODE(output.stat().st_mode)
    assert 1 == main(["convert", file, "--to", "anthropic", "-o", str(output)])
    assert b"is there already" in capfdbinary.readouterr().err
    assert 0 == main(["inspect", str(output), "--dialect", "anthropic", "--events"])
    assert "你".encode() in capfdbinary.readouterr().out


def test_another_dialect_as_a_recording(file: str, tmp_path: Path):
    output = tmp_path / f"out{SUFFIX}"
    assert 0 == main(["convert", file, "--to", "gemini", "-o", str(output)])
    one = parsed(output.read_bytes())
    assert ("gemini", "/v1beta/models/m-1:streamGenerateContent") == (
        one.dialect,
        one.request.path,
    )


def test_har_and_back(file: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    har, folder = tmp_path / "two.har", tmp_path / "folder"
    folder.mkdir()
    (tmp_path / f"two{SUFFIX}").write_bytes(written(recording(model="m-2")))
    assert 0 == main(["convert", str(tmp_path), "--to", "har", "-o", str(har)])
    assert 1 == main(["inspect", str(har)])
    assert "has 2 answers: choose one with --entry N.\n  1: m-1" in capsys.readouterr().err
    assert 0 == main(["inspect", str(har), "--entry", "2"])
    assert "model m-2" in capsys.readouterr().out
    arguments = ["convert", str(har), "--to", "recording", "--redact", "content"]
    assert 0 == main([*arguments, "-o", str(folder)])
    back = [parsed(path.read_bytes()) for path in sorted(folder.iterdir())]
    assert ["m-1", "m-2"] == [one.model for one in back]
    assert b'"content":"***"' in back[0].body
    assert [len(read.data) for read in READS] == [len(read.data) for read in back[0].reads]
    assert ("content",) == back[0].masked


def test_what_mitmproxy_saved_is_read_into_a_folder_that_is_made(tmp_path: Path):
    """mitmdump 11.0.2 wrote it, between curl and the mock (`tools`, as Gemini speaks, gzipped)."""
    saved = Path(__file__).parents[1] / "recording" / "mitmproxy.har"
    twice = json.loads(saved.read_text())
    twice["log"]["entries"] *= 2
    (tmp_path / "twice#b.har").write_text(json.dumps(twice))
    folder = tmp_path / "made"
    command = [
        "convert",
        str(tmp_path / "twice#b.har"),
        "--to",
        "recording",
        "--output",
        str(folder),
    ]
    assert 0 == main(command)
    files = sorted(folder.iterdir())
    assert [f"twice#b-000{number}.recording.jsonl" for number in (1, 2)] == [
        file.name for file in files
    ]
    ones = [parsed(file.read_bytes()) for file in files]
    said = [event for _, event in events_of(ones[0])]
    text = "".join(event.text for event in said if isinstance(event, TextDelta))
    arguments = [event.arguments for event in said if isinstance(event, ToolCallDelta)]
    assert "Let me look that up in two places." == text
    assert ['{"city":"Paris"}', '{"city":"北京"}'] == arguments
    one = ones[0]
    assert ("gemini", "m", 200, "spread") == (one.dialect, one.model, one.status, one.gaps)
    assert {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]} == one.request.body
    assert "content-encoding" not in one.headers


def test_mistakes_are_sentences(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    body = tmp_path / "a.sse"
    body.write_bytes(b"data: {}\n\n")
    empty = tmp_path / "a.har"
    empty.write_text('{"log":{"entries":[]}}')
    for arguments, said in [
        (["inspect", str(body)], "say --dialect, if it holds the bytes of an answer"),
        (["inspect", str(tmp_path / "none.har")], "cannot be read"),
        (["inspect", str(empty)], "no answer of a known chat API with a body is in it"),
        (["convert", str(empty), "--to", "har"], "no answer of a known chat API"),
    ]:
        assert 1 == main(arguments)
        assert said in capsys.readouterr().err

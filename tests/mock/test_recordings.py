"""Recordings as scripts: the bytes sent are the recording's."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.mock.load import load
from proxy.mock.recordings import frames
from proxy.mock.script import END, LAST, Manner, MockError, Pace, Pause, Send, Status
from tests.support import facts, needs_recordings, recording_bytes, recordings_dir

DIALECTS = (
    "openai_chat",
    "anthropic",
    "seed",
    "sider",
    "chatglm",
    "baidu_chat",
    "yiyan",
    "plain",
    "ollama",
)


def body(path: Path, manner: Manner) -> bytes:
    return b"".join(step.data for step in load(path, manner) if isinstance(step, Send))


@needs_recordings
def test_every_recorded_stream_is_sent_as_it_is():
    """Frame by frame, and joined the very bytes; files that hold one event a line get their framing
    back."""
    folder = recordings_dir()
    assert folder is not None
    rows = [row for dialect in DIALECTS for row in facts(dialect)]
    assert 100 < len(rows)
    for row in rows:
        if row["file"].endswith((".txt", ".md")):
            continue
        assert recording_bytes(row) == body(folder / row["file"], Manner(row["dialect"])), row[
            "file"
        ]


@needs_recordings
def test_seed_reads_have_their_own_timing():
    """What each read gave comes when it came; at pace 0 it comes at once."""
    folder = recordings_dir()
    assert folder is not None
    path = folder / "seed" / "a-minimal.reads.jsonl"
    steps = load(path, Manner("plain", pace=Pace(40)))
    assert [0.5] * 7 == [round(step.seconds, 1) for step in steps if isinstance(step, Pause)]
    assert (folder / "seed" / "a-minimal.body.sse").read_bytes() == body(path, Manner("plain"))
    assert not any(isinstance(step, Pause) for step in load(path, Manner("plain")))


@needs_recordings
def test_error_bodies_have_the_status_of_their_name():
    """error-429-… is answered with 429 and its JSON."""
    folder = recordings_dir()
    assert folder is not None
    paths = sorted(folder.rglob("error-*.json"))
    assert 10 < len(paths)
    for path in paths:
        status, send, end = load(path, Manner("openai_chat"))
        assert isinstance(status, Status)
        assert isinstance(send, Send)
        assert (int(path.name.split("-")[1]), path.read_bytes(), END) == (
            status.status,
            send.data,
            end,
        )


@pytest.mark.parametrize(
    ("data", "count"),
    [
        (b"data: a\n\ndata: b\n\n", 2),
        (b"data: a\r\n\r\ndata: b\r\n\r\n\r\n: c\r\n", 3),
        (b"data: a\r\rdata: b\r\r", 2),
        (b'{"a":1}{"a":2}{"a":3}', 3),
        (b'data:{"a":1}data:{"a":2}data:[DONE]', 3),
        (b"\x00" * 600, 3),
        (b"", 0),
    ],
)
def test_frames(data: bytes, count: int):
    """A blank line ends a frame; values back to back are frames; bytes that show none are cut in
    pieces."""
    assert count == len(frames(data))
    assert data == b"".join(frames(data))


@given(st.binary(max_size=600))
def test_frames_lose_nothing(data: bytes):
    """Joined, the frames of anything are that thing, and none is empty."""
    assert data == b"".join(frames(data))
    assert all(frames(data))


def test_the_pace_is_a_gap_between_frames(tmp_path: Path):
    """No gap before the first."""
    path = tmp_path / "two.sse"
    path.write_bytes(b"data: a\n\ndata: b\n\n")
    steps = load(path, Manner("plain", "text/event-stream", Pace(10)))
    assert [
        Status(200, {"content-type": "text/event-stream"}),
        Send(b"data: a\n\n"),
        Pause(0.1),
        Send(b"data: b\n\n"),
        END,
    ] == steps


def test_ndjson_and_whole_documents(tmp_path: Path):
    """A line a frame; a .json is one document with its own content type."""
    (tmp_path / "a.ndjson").write_bytes(b'{"a":1}\n{"a":2}\n')
    assert [b'{"a":1}\n', b'{"a":2}\n'] == [
        s.data for s in load(tmp_path / "a.ndjson", Manner("ollama")) if isinstance(s, Send)
    ]
    (tmp_path / "a.json").write_bytes(b"{}")
    assert [Status(200, {"content-type": "application/json"}), Send(b"{}"), END] == load(
        tmp_path / "a.json", Manner("plain")
    )


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("a.chunks.jsonl", "line 2 is not a JSON event"),
        ("a.reads.jsonl", "line 1 is not {t_ms, bytes, text}"),
        ("b.chunks.jsonl", "line 1 is not a JSON event"),
        ("b.reads.jsonl", "line 1 is not {t_ms, bytes, text}"),
        ("error-700-a.json", "its name says status 700; a status is from 200 to 599"),
    ],
)
def test_what_is_no_recording_is_said(tmp_path: Path, name: str, says: str):
    """One sentence with the file and the line."""
    no_text = b'{"type":"\xff","t_ms":1,"text":"\xff"}\n'
    (tmp_path / name).write_bytes(no_text if name[0] == "b" else b'{"type":"a"}\n{"type":')
    with pytest.raises(MockError) as caught:
        load(tmp_path / name, Manner("anthropic"))
    assert says in str(caught.value)


def test_empty_files_are_empty_answers(tmp_path: Path):
    """A script is whole even where the file is not."""
    for name in ("a.sse", "a.ndjson", "a.bin", "a.chunks.jsonl", "a.reads.jsonl"):
        (tmp_path / name).write_bytes(b"")
        steps = load(tmp_path / name, Manner("plain"))
        assert isinstance(steps[0], Status)
        assert isinstance(steps[-1], LAST)

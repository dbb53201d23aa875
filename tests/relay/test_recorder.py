"""What an upstream streams, kept as a file: through the whole proxy, over real sockets."""

import asyncio
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import structlog

from proxy.recording.tape import Recording, parsed
from proxy.recording.veil import MASK
from proxy.relay import recorder
from tests.raw_upstream import CHUNKED, LAST_CHUNK, Peer, raw_upstream
from tests.running import running

KEY = "sk-a-long-secret-key-0123456789"
PIECES = [
    b'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":"Hi \xe4\xbd',
    b'\xa0"}}],"user":"ann"}\n\n',
    b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n',
]
ASK = {"model": "m", "prompt": "hi", "user": "ann"}


async def asked(
    folder: Path,
    pieces: list[bytes],
    *,
    end: str = "complete",
    until: Callable[[], object],
    **record: Any,
) -> None:
    """One request, which gets these pieces, a read each."""

    async def script(peer: Peer) -> None:
        await peer.request()
        more = f"\r\nSet-Cookie: a=b\r\nx-request-id: r\r\nopenai-version: v {KEY}\r\n\r\n"
        peer.write(CHUNKED.replace(b"\r\n\r\n", more.encode()))
        for piece in pieces:
            await asyncio.sleep(0.02)
            peer.send(piece)
        await asyncio.sleep(0.02)
        if end == "complete":
            peer.write(LAST_CHUNK)
        else:
            peer.reset()

    async with raw_upstream(script) as url:
        config = {
            "upstreams": {"up": {"dialect": "openai_chat", "base_url": url, "api_key": KEY}},
            "models": {"*": [{"upstream": "up", "model": "vendor/m:1"}]},
            "record": {"folder": str(folder), **record},
        }
        async with running(config) as proxy:
            async with proxy.session.post(f"{proxy.url}/v1/stream", json=ASK) as response:
                await response.read()
            async with asyncio.timeout(5):
                while not until():  # noqa: ASYNC110  another thread's work
                    await asyncio.sleep(0.01)


async def recorded(folder: Path, pieces: list[bytes], **other: Any) -> list[Recording]:
    """What is in the folder then."""
    await asked(folder, pieces, until=lambda: _files(folder), **other)
    return [parsed(path.read_bytes()) for path in _files(folder)]


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.recording.jsonl"))


async def test_reads_are_kept_as_the_network_gave_them(tmp_path: Path) -> None:
    """A character cut in two stays so."""
    folder = tmp_path / "deep" / "recordings"
    (one,) = await recorded(folder, PIECES)
    assert PIECES == [read.data for read in one.reads]
    assert [one.head_ms, *(read.ms for read in one.reads), one.end_ms] == sorted(
        [one.head_ms, *(read.ms for read in one.reads), one.end_ms]
    )
    assert ("up", "openai_chat", "vendor/m:1", "complete") == (
        one.upstream,
        one.dialect,
        one.model,
        one.end,
    )


async def test_only_the_owner_reads_a_file_whose_name_is_safe(tmp_path: Path) -> None:
    folder = tmp_path / "recordings"
    await recorded(folder, PIECES)
    (path,) = folder.iterdir()
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    assert 0o700 == stat.S_IMODE(folder.stat().st_mode)
    assert "-up-vendor-m-1-" in path.name


async def test_neither_keys_nor_unknown_headers_are_kept(tmp_path: Path) -> None:
    (one,) = await recorded(tmp_path, PIECES)
    assert {"accept", "content-type"} == {*one.request.headers}
    kept = {"content-type": "text/event-stream", "openai-version": f"v {MASK}"}
    assert kept == one.headers
    assert "/chat/completions" == one.request.path
    assert KEY.encode() not in _files(tmp_path)[0].read_bytes()


async def test_a_key_that_the_answer_repeats_is_hidden_over_two_reads(tmp_path: Path) -> None:
    """The reads keep their sizes."""
    said = f'data: {{"choices":[{{"index":0,"delta":{{"content":"{KEY}"}}}}]}}\n\n'.encode()
    pieces = [said[:60], said[60:], PIECES[2]]
    (one,) = await recorded(tmp_path, pieces)
    assert [len(piece) for piece in pieces] == [len(read.data) for read in one.reads]
    assert said.replace(KEY.encode(), b"*" * len(KEY)) == one.body[: len(said)]


async def test_chosen_fields_are_hidden_in_request_and_answer(tmp_path: Path) -> None:
    (one,) = await recorded(tmp_path, PIECES, redact=["user"])
    assert MASK == one.request.body["user"]
    assert b'"user":"***"' in one.body
    assert ("user",) == one.masked


async def test_what_breaks_off_is_kept_as_such(tmp_path: Path) -> None:
    (one,) = await recorded(tmp_path, PIECES[:2], end="reset")
    assert ("broken", PIECES[:2]) == (one.end, [read.data for read in one.reads])


async def test_a_file_is_bounded(tmp_path: Path) -> None:
    (one,) = await recorded(tmp_path, PIECES, max_file_bytes=len(PIECES[0]))
    assert ("full", PIECES[:1]) == (one.end, [read.data for read in one.reads])


async def test_a_folder_is_bounded(tmp_path: Path) -> None:
    """What is there stays, and the log says so."""
    (tmp_path / "old.recording.jsonl").write_bytes(b"old")
    with structlog.testing.capture_logs() as logs:

        def warned() -> list[Any]:
            return [row for row in logs if row["event"] == "a stream was not recorded"]

        await asked(tmp_path, PIECES, until=warned, max_files=1)
        assert [f"{tmp_path} holds record.max_files (1) of them"] == [
            row["why"] for row in warned()
        ]
    assert ["old.recording.jsonl"] == [path.name for path in _files(tmp_path)]


async def test_a_folder_that_cannot_be_written_costs_no_stream(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with structlog.testing.capture_logs() as logs:
        await asked(
            tmp_path / "file",
            PIECES,
            until=lambda: [row for row in logs if row["event"] == "a stream was not recorded"],
        )


async def test_a_large_request_is_left_out_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "_MAX_REQUEST_BYTES", 10)
    (one,) = await recorded(tmp_path, PIECES)
    assert None is one.request.body

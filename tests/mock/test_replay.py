"""Recordings replayed over HTTP: bytes and read boundaries are the recorded ones."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from proxy.mock.compose import MockSpec
from proxy.mock.files import recordings_in
from proxy.mock.load import load
from proxy.mock.recordings import steps_of
from proxy.mock.script import CUT, END, Manner, MockError, Pause, Send
from proxy.mock.server import MockServer
from proxy.recording.shelf import Titled
from proxy.recording.tape import Asked, Recording, written
from tests.mock.wire import ask, chunks, connect
from tests.recording.samples import READS, REQUEST, recording

PATH = "/any/prefix/chat/completions"
RECORDED = [read.data for read in READS]


@asynccontextmanager
async def replaying(*recordings: Recording, **spec: Any) -> AsyncIterator[MockServer]:
    shelf = tuple(Titled(f"{number}.jsonl", one) for number, one in enumerate(recordings))
    server = MockServer({"replay": MockSpec("recorded", shelf=shelf, **spec)}, root="replay")
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@pytest.mark.parametrize("speed", [0, 4])
async def test_bytes_and_boundaries_are_the_recorded_ones(speed: float) -> None:
    async with replaying(recording(), speed=speed) as server:
        seen = await ask(server.address, PATH, REQUEST)
    assert RECORDED == chunks(seen.raw)
    assert seen.whole
    assert b"200 OK" in seen.head
    assert b"x-mock-recording: 0.jsonl" in seen.head
    assert b"x-mock-match: exact" in seen.head


async def test_reads_come_in_the_recorded_order_and_time() -> None:
    """Only the order is asserted; how far the gaps are off is printed (pytest -s)."""
    async with replaying(recording()) as server:
        reader, writer = await connect(server.address, PATH, REQUEST)
        await reader.readuntil(b"\r\n\r\n")
        at, got = [], []
        for _ in READS:
            size = int(await reader.readline(), 16)
            got.append(await reader.readexactly(size + 2))
            at.append(time.monotonic() * 1000)
        writer.close()
    assert RECORDED == [data[:-2] for data in got]
    recorded = [read.ms for read in READS]
    off = [
        abs((at[n + 1] - at[n]) - (recorded[n + 1] - recorded[n])) for n in range(len(READS) - 1)
    ]
    print(f"gaps are off by {median(off):.1f} ms at the median, {max(off):.1f} ms at most")


def test_the_script_keeps_every_gap_and_its_speed() -> None:
    """Reads that came at once stay two reads."""
    steps = steps_of(recording(), 2)
    pauses = [round(step.seconds * 1000, 2) for step in steps if isinstance(step, Pause)]
    assert [10, 5, 2, 23.25, 2, 2.75] == pauses
    assert RECORDED == [step.data for step in steps if isinstance(step, Send)]
    assert END == steps[-1]
    assert CUT == steps_of(recording(end="broken"))[-1]


async def test_what_broke_off_then_breaks_off_now() -> None:
    async with replaying(recording(end="broken"), speed=0) as server:
        seen = await ask(server.address, PATH, REQUEST)
    assert not seen.whole
    assert RECORDED == chunks(seen.raw)


async def test_faults_damage_a_recording() -> None:
    """A frame is a read."""
    async with replaying(recording(), speed=0) as server:
        cut = await ask(server.address, PATH, REQUEST, {"x-mock-fault": "cut@2"})
        refused = await ask(server.address, PATH, REQUEST, {"x-mock-fault": "status:429"})
        failed = await ask(server.address, PATH, REQUEST, {"x-mock-fault": "error@1"})
    assert RECORDED[:2] == chunks(cut.raw)
    assert not cut.whole
    assert b" 429 " in refused.head
    assert b"gave up" in failed.body


async def test_requests_choose_speed_and_rule() -> None:
    other = {**REQUEST, "model": "other"}
    async with replaying(recording(), speed=0) as server:
        exact = await ask(server.address, PATH, other, {"x-mock-match": "exact"})
        order = await ask(server.address, PATH, other, {"x-mock-match": "order"})
        wrong = await ask(server.address, PATH, other, {"x-mock-match": "models"})
    assert b" 404 " in exact.head
    assert b"No recording fits POST" in exact.body
    assert b" 200 " in order.head
    assert b" 400 " in wrong.head
    assert b'did you mean \\"model\\"' in wrong.body


async def test_a_dialect_without_a_client_half_is_replayed_too() -> None:
    """AWS's event stream: no client speaks it, and it is no text."""
    data = bytes(range(256))
    one = recording(
        dialect="bedrock_converse",
        request=Asked(path="/model/m-1/converse-stream", body={}),
        reads=(READS[0], type(READS[0])(40, data)),
    )
    async with replaying(one, speed=0) as server:
        seen = await ask(server.address, "/model/m-1/converse-stream", {"new": True})
        cut = await ask(
            server.address, "/model/m-1/converse-stream", {}, {"x-mock-fault": "error@1"}
        )
    assert [READS[0].data, data] == chunks(seen.raw)
    assert b"fault error: dialect bedrock_converse" in cut.body


def test_files_and_folders_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / f"{name}.recording.jsonl").write_bytes(written(recording(model=name)))
    (tmp_path / ".c.recording.jsonl").write_bytes(b"half")
    assert ["a", "b"] == [one.model for _, one in recordings_in(tmp_path)]
    assert ["a"] == [one.model for _, one in recordings_in(tmp_path / "a.recording.jsonl")]
    with pytest.raises(MockError, match="no name of a file in it ends in"):
        recordings_in(tmp_path / "..")
    (tmp_path / "c.recording.jsonl").write_bytes(b"half")
    with pytest.raises(MockError, match=r"c\.recording\.jsonl: line 1"):
        recordings_in(tmp_path)


def test_a_scenario_may_be_one_recording(tmp_path: Path) -> None:
    """At pace 0 it comes at once; its reads stay apart."""
    path = tmp_path / "a.recording.jsonl"
    path.write_bytes(written(recording()))
    steps = load(path, Manner("openai_chat"))
    assert RECORDED == [step.data for step in steps if isinstance(step, Send)]
    assert 0.01 > sum(step.seconds for step in steps if isinstance(step, Pause))

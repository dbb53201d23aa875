"""What `make model` does, in small: a recording of the real model (gemma-3-270m in llama.cpp's
server, made by `make model ARGS="--keep FOLDER"`) is replayed without it."""

import statistics
from pathlib import Path
from typing import Any

import msgspec
import pytest

from proxy.events import ToolCallDelta
from proxy.mock.recordings import steps_of
from proxy.mock.script import Pause, Send
from proxy.recording.reading import events_of
from proxy.recording.tape import Recording, parsed
from tests.cli.tools import started
from tests.model.asks import ASKS
from tests.model.replayed import Came, compare, replay
from tests.model.tee import chunks, tee
from tests.raw_upstream import CHUNKED, LAST_CHUNK, Peer, raw_upstream

KEPT = Path(__file__).with_name("tool-call.recording.jsonl")


@pytest.fixture
def kept() -> Recording:
    return parsed(KEPT.read_bytes())


def test_the_model_called_the_tool(kept: Recording) -> None:
    """Its answer reads as the call of a tool, in pieces."""
    pieces = [each.event for each in events_of(kept) if isinstance(each.event, ToolCallDelta)]
    assert 6 < len(pieces)
    assert '{"city": "Paris"}' == "".join(piece.arguments for piece in pieces)


async def test_the_replay_has_the_same_bytes_and_boundaries(kept: Recording) -> None:
    async with started("replay", str(KEPT), "--speed", "0", "--port", "0", last="its") as mock:
        title, came = await replay(mock.url, kept)
    assert KEPT.name == title
    assert [read.data for read in kept.reads] == [data for _, data in came]


def test_the_replay_plans_the_same_times(kept: Recording) -> None:
    """But that two reads which came at once stay 2 ms apart."""
    now, planned = 0.0, []
    for step in steps_of(kept):
        if isinstance(step, Pause):
            now += step.seconds
        elif isinstance(step, Send):
            planned.append(now * 1000)
    late = [due - read.ms for due, read in zip(planned, kept.reads, strict=True)]
    assert -1e-6 < min(late)
    assert max(late) <= 2
    assert 1e-6 > statistics.median(late)


async def test_the_wire_keeps_what_the_model_wrote(kept: Recording) -> None:
    """What went through it, chunk by chunk, of a connection that goes on."""

    async def play(peer: Peer) -> None:
        await peer.request()
        peer.write(CHUNKED)
        peer.send(b"one\r\n")
        peer.send(b"two")
        peer.write(LAST_CHUNK)

    async with raw_upstream(play) as url, tee(url) as wire:
        _, came = await replay(wire.url, kept)
    assert [b"one\r\n", b"two"] == [data for _, data in came]
    assert [b"one\r\n", b"two"] == chunks(bytes(wire.answers[0]))


def _shifted(came: list[Came], by_ms: float) -> list[Came]:
    return [Came(each.ms + number * by_ms, each.data) for number, each in enumerate(came)]


def test_every_difference_is_found(kept: Recording) -> None:
    """Each thing that `make model` compares can fail."""
    wire = [read.data for read in kept.reads]
    came = [Came(read.ms, read.data) for read in kept.reads]
    joined = b"".join(wire)

    def faults(**other: Any) -> list[str]:
        given = {"wire": wire, "recording": kept, "came": came, "found": True, **other}
        return compare(ASKS[2], **given).faults

    assert [] == faults()
    assert ["the mock played another file"] == faults(found=False)
    assert ["half of the gaps are further off"] == faults(came=_shifted(came, 11.0))
    assert [] == faults(came=_shifted(came, 9.0))
    assert ["a read ends where the model ended no chunk"] == faults(wire=[joined])
    assert ["the recording has other bytes than the model wrote"] == faults(wire=[*wire, b"x"])
    cut = msgspec.structs.replace(kept, end="broken")
    assert ["the answer did not end"] == faults(recording=cut)
    head, *rest = came
    parts = [Came(head.ms, head.data[:9]), Came(head.ms, head.data[9:]), *rest]
    assert "the replay has other boundaries" in faults(came=parts)
    assert "the replay has other bytes" not in faults(came=parts)
    assert "the replay has other bytes" in faults(came=rest)

"""A wall clock that is set while streams run: by a day, forth and back."""

import asyncio
import json
import re
import time

import pytest

from tests.raw_upstream import CHUNKED, LAST_CHUNK, Peer, raw_upstream
from tests.running import one, running
from tests.server.test_failures import ASK, STOP

PIECE = b'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n'


@pytest.mark.parametrize("step_s", [-86_400.0, 86_400.0])
async def test_a_stream_goes_on_and_is_timed_as_it_was(
    step_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No deadline comes early or never, and what its end says of times has nothing of the step."""
    now = time.time

    async def script(peer: Peer) -> None:
        await peer.request()
        peer.write(CHUNKED)
        peer.send(PIECE)
        await peer.writer.drain()
        await asyncio.sleep(0.05)
        monkeypatch.setattr(time, "time", lambda: now() + step_s)
        peer.send(PIECE + STOP)
        peer.write(LAST_CHUNK)

    async with raw_upstream(script) as url, running(one("openai_chat", url)) as run:
        async with run.session.post(f"{run.url}/v1/stream", json=ASK) as answer:
            said = await answer.text()
        end = next(line for line in said.splitlines() if '"type":"stream.end"' in line)
        assert 0 <= json.loads(end.removeprefix("data: "))["timing"]["total_ms"] < 60_000
        metrics = await (await run.session.get(f"{run.url}/metrics")).text()
        spent = re.findall(
            r"^mainstem_(?:stream|event_gap)_seconds_sum.* (\S+)$", metrics, re.MULTILINE
        )
        assert len(spent) == 2
        assert all(0 <= float(seconds) < 60 for seconds in spent), spent

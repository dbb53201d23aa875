"""Dear requests are read and built in a process of their own."""

import asyncio
import json
import os
import pickle
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from multiprocessing import Pipe
from typing import Any

import pytest

from proxy.codec.base import TargetConfig
from proxy.codec.relaying import built
from proxy.dialects.registry import CLIENTS, UPSTREAMS
from proxy.errors import Failure, Refused
from proxy.relay import dear_work
from proxy.relay.dear import DEAR_MARKS, Dear, DearProcess, is_dear
from proxy.relay.dear_work import Building, Read, Reading, Unread, Worker, serve
from tests.fuzz.bodies import incoming
from tests.samples import ASKED, SAMPLES

_WAIT_S = 20
MESSAGES = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
GOOD = json.dumps({"model": "m", "messages": [*MESSAGES * 600, MESSAGES[0]]}).encode()


def reading(name: str, body: bytes, **more: Any) -> Reading:
    return Reading((name,), incoming(body), **more)


def there_and_back(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))


def target(name: str) -> TargetConfig:
    sample = SAMPLES[name]
    return TargetConfig("far", sample.model, "k", dict(sample.options))


@asynccontextmanager
async def process() -> AsyncIterator[DearProcess]:
    """Once it takes requests."""
    made = DearProcess()
    try:
        async with asyncio.timeout(_WAIT_S):
            while made.pid is None:
                await made.do(reading("native", b"{}"))
                await asyncio.sleep(0.02)
        yield made
    finally:
        await made.close()


def test_what_has_many_values_is_dear_whatever_its_size() -> None:
    assert is_dear(b'{"a":[' + b'"",' * DEAR_MARKS)
    assert is_dear(GOOD)
    assert not is_dear(b'{"a":"' + b"a" * 4_000_000 + b'"}')
    assert not is_dear(b"," * DEAR_MARKS)


@pytest.mark.parametrize("client", ASKED)
def test_a_request_is_the_same_from_there(client: str) -> None:
    """For every target; nothing in it, and in what is known of it here, cannot travel."""
    body = json.dumps(ASKED[client].body).encode()
    parsed = CLIENTS[client].parse_request(incoming(body))
    worker, job = Worker(), reading(client, body)
    read = there_and_back(worker.done(there_and_back(job)))
    assert (client, parsed.options, parsed.notes, parsed.chat, parsed.keeping is not None) == (
        read.half,
        read.parsed.options,
        read.parsed.notes,
        read.parsed.chat,
        read.keeps,
    )
    asked = parsed.request
    light = read.parsed.request
    assert (asked.model, asked.stream, asked.on_loss) == (light.model, light.stream, light.on_loss)
    for name in SAMPLES:
        call = there_and_back(worker.done(there_and_back(Building(job, name, target(name)))))
        assert _or_failure(lambda name=name: built(UPSTREAMS[name], asked, target(name))) == call


def _or_failure(do: Callable[[], Any]) -> Any:
    try:
        return do()
    except Refused as refused:
        return refused.failure


def test_what_is_refused_there_is_told_in_its_own_dialect() -> None:
    read = Worker().done(Reading(("openai_chat", "openai_completions"), incoming(b'{"model":1}')))
    assert isinstance(read, Unread)
    assert ("openai_chat", "bad_request") == (read.half, read.why.kind)


def test_a_request_for_a_count_is_made_there() -> None:
    body = json.dumps(ASKED["anthropic"].body).encode()
    job = reading("anthropic", body, counted=True)
    worker = Worker()
    assert isinstance(worker.done(job), Read)
    call = worker.done(Building(job, "anthropic", target("anthropic")))
    assert not isinstance(call, Failure | Read | Unread)
    assert call.path.endswith("count_tokens")


async def test_the_first_waits_until_the_process_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a thread it would take its turns from all streams."""
    monkeypatch.setattr("proxy.relay.dear._STARTS_S", _WAIT_S)
    made = DearProcess()
    try:
        await made.do(reading("native", b"{}"))
        assert made.pid is not None
    finally:
        await made.close()


async def test_it_is_read_and_built_there(monkeypatch: pytest.MonkeyPatch) -> None:
    async with process() as made:
        monkeypatch.delattr("proxy.relay.dear.Worker")  # what would do it here
        dear = Dear(made, reading("native", GOOD))
        read = await dear.read()
        assert isinstance(read, Read)
        assert ("m", []) == (read.parsed.request.model, read.parsed.request.messages)
        call = await dear.built("openai_chat", target("openai_chat"))
        assert json.loads(GOOD)["messages"] == json.loads(call.body)["messages"]
        refused = await Dear(made, reading("native", b'{"n":1}')).read()
        assert isinstance(refused, Unread)


async def test_what_it_broke_off_over_is_refused_and_the_next_one_served() -> None:
    async with process() as made:
        pid = made.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(Refused, match="broke off"):
            await made.do(reading("native", GOOD))
        assert isinstance(await made.do(reading("native", GOOD)), Read)


async def test_it_ends_with_whoever_started_it() -> None:
    async with process() as made:
        pid = made.pid
        assert pid is not None
        assert made._wire is not None
        made._wire.close()
        assert made._process is not None
        assert 0 == await asyncio.to_thread(made._process.wait, _WAIT_S)


async def test_it_ends_when_it_is_closed() -> None:
    async with process() as made:
        child = made._process
        assert child is not None
        await made.close()
        assert (None, -signal.SIGKILL) == (made.pid, child.returncode)


async def test_where_none_can_be_started_the_thread_does_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError

    monkeypatch.setattr("subprocess.Popen", full)
    made = DearProcess()
    assert isinstance(await made.do(reading("native", GOOD)), Read)
    assert isinstance(await made.do(reading("native", GOOD)), Read)
    await made.close()


def test_with_nothing_to_do_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dear_work, "_IDLE_S", 0)
    (jobs, to_jobs), (from_results, results) = Pipe(duplex=False), Pipe(duplex=False)
    with jobs, to_jobs, from_results, results:
        serve(jobs, results)
        assert dear_work.READY == from_results.recv()

"""Workers that are replaced one after another, and an upstream that is swapped, under open streams:
none is cut, by the clients' own count. The short form has 60 streams, the slow one 300."""

import asyncio
import json
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.cli.crowd import Crowd, streaming
from tests.cli.test_reloading import Scene, config, scene
from tests.cli.test_workers import children, open_files, sockets
from tests.cli.tools import (
    HELLO,
    STOP,
    Client,
    clients,
    events,
    log_lines,
    metric,
    stage,
    until,
    until_metric,
)
from tests.raw_upstream import CHUNKED, LAST_CHUNK, Peer

WORKERS = 3
SIZES = [60, pytest.param(300, marks=pytest.mark.slow)]
PACE_S = 0.1
# a drain of no length: what is replaced is not bounded by it
SERVER = {"workers": WORKERS, "drain_s": 0.01, "reload_check_s": 0.1}


def piece(number: int) -> bytes:
    said = {"choices": [{"index": 0, "delta": {"content": f"{number} "}}]}
    return b"data: " + json.dumps(said).encode() + b"\n\n"


class Counted:
    """An upstream that counts until it is told to end."""

    def __init__(self) -> None:
        self.over = asyncio.Event()

    async def play(self, peer: Peer) -> None:
        await peer.request()
        peer.write(CHUNKED)
        number = 0
        while not self.over.is_set() and not peer.writer.transport.is_closing():
            peer.send(piece(number))
            number += 1
            await asyncio.sleep(PACE_S)
        peer.send(STOP)
        peer.write(LAST_CHUNK)


async def began(client: Client) -> bytes:
    client.post()
    return await client.reader.readuntil(b"text.delta")


async def end_of(client: Client, begun: bytes) -> str:
    """How it ended: `whole` where every number has come, in its turn, and then one end."""
    try:
        said = begun + await client.reader.readuntil(b"\r\n0\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return "cut"
    found = events(said.partition(b"\r\n\r\n")[2])
    text = "".join(event["text"] for event in found if event["type"] == "text.delta")
    numbers = [int(word) for word in text.split()]
    if numbers != list(range(len(numbers))):
        return "gaps"
    return {"stream.end": "whole"}.get(found[-1]["type"], "failed")


def listens(pid: int) -> bool:
    """Whether a process has a socket that takes connections."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    names = {f"socket:[{row[9]}]" for row in rows if row[3] == "0A"}
    return bool(names.intersection(open_files(pid)))


async def replaced(it: Scene, before: list[int]) -> None:
    """Until none of those takes connections any more, and as many others do."""

    async def done() -> bool:
        now = [pid for pid in children(it.process.pid) if pid not in before]
        return len(now) == WORKERS and not any(map(listens, before))

    await until(done, 40)


@pytest.mark.parametrize("streams", SIZES)
async def test_three_workers_are_replaced_and_no_stream_is_cut(
    tmp_path: Path, streams: int
) -> None:
    """By a setting that no process changes in place; others ask all the while."""
    counted = Counted()
    async with stage() as far, stage() as busy:
        far.script, busy.script = counted.play, streaming
        given = config(far.url, server=SERVER)
        given["upstreams"]["busy"] = {"dialect": "openai_chat", "base_url": busy.url}
        given["models"]["m"] = [{"upstream": "busy"}]
        async with scene(tmp_path, given) as it, clients(it.url) as connect:
            before = children(it.process.pid)
            talking = [await connect() for _ in range(streams)]
            for client in talking:
                client.post({"model": "counted", "prompt": "hi"})
            begun = await asyncio.gather(
                *(client.reader.readuntil(b"text.delta") for client in talking)
            )
            shares = [sockets(pid) for pid in before]
            assert min(shares) > max(shares) / 10  # each has some
            crowd = Crowd(it.url, 20)
            it.write(json.dumps(changed(given, request_head_s=11)))
            await replaced(it, before)
            assert streams <= await metric(it.admin, "mainstem_streams_open")
            counted.over.set()
            ends = await asyncio.gather(*map(end_of, talking, begun))
            assert {"whole": streams} == Counter(ends)
            for client in talking:  # else they might send one more request, for which it waits
                client.leave()
            await crowd.finish()
            assert {"200 stream.end": crowd.begun} == crowd.outcomes

            async def gone() -> bool:
                return not set(before) & set(children(it.process.pid))

            await until(gone)
            await until_metric(it.admin, "mainstem_streams_total{", streams + crowd.begun)
            assert 0 == await metric(it.admin, "mainstem_worker_restarts_total")
            ended = await it.end()
    assert (0, []) == (ended.status, log_lines(ended.err))


def changed(given: dict[str, Any], **server: Any) -> dict[str, Any]:
    return {**given, "server": {**given["server"], **server}}


async def test_the_number_of_workers_follows_the_file(tmp_path: Path) -> None:
    async with stage() as upstream:
        given = config(upstream.url, server={**SERVER, "workers": 2})
        async with scene(tmp_path, given) as it:
            for many in (3, 1):
                it.write(json.dumps(changed(given, workers=many)))

                async def as_many(many: int = many) -> bool:
                    return many == len(children(it.process.pid))

                await until(as_many, 40)
            assert 0 == (await it.end()).status


async def test_a_connection_that_is_kept_has_one_more_answer_of_a_worker_that_goes(
    tmp_path: Path,
) -> None:
    """A front that keeps its connections loses no request; the answer tells it to go elsewhere."""
    async with stage() as upstream:

        async def whole(peer: Peer) -> None:
            while True:
                await peer.request()
                peer.write(CHUNKED)
                peer.send(HELLO + STOP)
                peer.write(LAST_CHUNK)

        upstream.script = whole
        given = config(upstream.url, server=SERVER)
        async with scene(tmp_path, given) as it, clients(it.url) as connect:
            before = children(it.process.pid)
            kept = [await connect() for _ in range(9)]
            for client in kept:
                client.post()
                assert b"\r\nConnection: close" not in (await client.answer())[0]
            it.process.send_signal(signal.SIGUSR2)
            await replaced(it, before)
            for client in kept:
                client.post()
                head, body = await client.answer()
                assert b"\r\nConnection: close" in head
                assert "stream.end" == events(body)[-1]["type"]
                assert b"" == await client.reader.read()
            await until(lambda: _disjoint(it, before))
            assert 0 == (await it.end()).status


async def _disjoint(it: Scene, before: list[int]) -> bool:
    return not set(before) & set(children(it.process.pid))


@pytest.mark.parametrize("streams", SIZES)
async def test_a_swapped_upstream_ends_what_it_began_and_gets_nothing_new(
    tmp_path: Path, streams: int
) -> None:
    old, new = Counted(), Counted()
    asked: Counter[str] = Counter()
    async with stage() as first, stage() as second:

        async def play_new(peer: Peer) -> None:
            asked["new"] += 1
            await new.play(peer)

        first.script, second.script = old.play, play_new
        given = config(first.url, server=SERVER)
        async with scene(tmp_path, given) as it, clients(it.url) as connect:
            talking = [await connect() for _ in range(streams)]
            begun = await asyncio.gather(*map(began, talking))
            it.write(json.dumps(config(second.url, server=SERVER, name="other")))
            await it.read("ok", WORKERS)
            assert 0 == asked["new"]
            later = [await connect() for _ in range(streams)]
            heads = await asyncio.gather(*map(began, later))
            assert streams == asked["new"]
            assert all(b"x-mainstem-upstream: other" in head.lower() for head in heads)
            old.over.set()
            new.over.set()
            ends = await asyncio.gather(*map(end_of, [*talking, *later], [*begun, *heads]))
            assert {"whole": 2 * streams} == Counter(ends)
            for upstream in ("far", "other"):
                line = f'mainstem_streams_total{{client_dialect="native",model="*",outcome="completed",upstream="{upstream}"'

                async def counted(line: str = line) -> bool:
                    return streams == await metric(it.admin, line)

                await until(counted)
            assert 0 == (await it.end()).status


async def test_readiness_is_false_before_the_port_is_closed(tmp_path: Path) -> None:
    """Whoever balances has `announce_s` to see it; what comes meanwhile is served."""
    async with stage() as upstream:
        given = config(upstream.url, server={"announce_s": 1, "drain_s": 2})
        async with scene(tmp_path, given) as it, clients(it.url) as connect:
            it.process.send_signal(signal.SIGTERM)

            async def unready() -> bool:
                async with clients(it.admin) as admin:
                    asking = await admin()
                    asking.writer.write(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n")
                    return b" 503 " in (await asking.reader.readline())

            await until(unready)
            late = await connect()
            late.post()
            head, body = await late.answer()
            assert b" 200 " in head.partition(b"\r\n")[0]
            assert b"\r\nConnection: close" in head
            assert "stream.end" == events(body)[-1]["type"]
            assert 0 == (await it.ended()).status

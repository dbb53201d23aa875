"""SIGTERM ends what runs as well as can be; SIGHUP changes what comes, and nothing that runs."""

import asyncio
import json
import signal
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from tests.cli.tools import (
    HELLO,
    ROLE,
    STOP,
    Ended,
    Stage,
    clients,
    events,
    log_lines,
    metric,
    request_bytes,
    stage,
    started,
    until,
    until_refused,
)
from tests.raw_upstream import CHUNKED, LAST_CHUNK, Peer


def written(folder: Path, upstream: Stage, **more: Any) -> str:
    """A configuration with this upstream."""
    config = {
        "server": {"port": 0, "drain_s": 2},
        "admin": {"port": 0},
        "logs": {"format": "json"},
        "upstreams": {"far": {"dialect": "openai_chat", "base_url": upstream.url}},
        "models": {"*": [{"upstream": "far"}]},
        **more,
    }
    file = folder / "mainstem.yaml"
    file.write_text(yaml.safe_dump(config))
    return str(file)


async def test_sigterm_lets_streams_end_and_then_ends_them(tmp_path: Path) -> None:
    go = asyncio.Event()
    waiting: set[bytes] = set()

    async def script(peer: Peer) -> None:
        await peer.request()
        prompt = next(
            word
            for word in (b"whole", b"endless", b"silent", b"headless", b"document")
            if word in peer.body
        )
        if prompt != b"headless":
            peer.write(CHUNKED)
            peer.send(ROLE if prompt == b"silent" else HELLO)
        waiting.add(prompt)
        if prompt == b"whole":
            await go.wait()
            peer.send(STOP)
            peer.write(LAST_CHUNK)
        await peer.left()

    async def all_wait() -> bool:
        return 5 == len(waiting)

    async with stage() as upstream:
        upstream.script = script
        async with (
            started("serve", "--config", written(tmp_path, upstream), last="try") as proxy,
            clients(proxy.url) as connect,
        ):
            admin = proxy.greeting.split("metrics  ")[1].split("/metrics")[0]
            asking = {
                prompt: await connect()
                for prompt in ("whole", "endless", "silent", "headless", "document")
            }
            for prompt, client in asking.items():
                client.post({"model": "m", "prompt": prompt, "stream": prompt != "document"})
            idle = await connect()
            idle.post({})
            await idle.answer()
            late = await connect()
            request = request_bytes(json.dumps({"model": "m", "prompt": "whole"}).encode())
            late.writer.write(request[:9])
            await until(all_wait)
            for prompt in ("whole", "endless"):
                await asking[prompt].reader.readuntil(b"Hello")

            proxy.process.send_signal(signal.SIGTERM)
            await until_refused(connect)
            async with aiohttp.ClientSession() as session:
                async with session.get(f"{admin}/readyz") as ready:
                    assert (503, "draining\n") == (ready.status, await ready.text())
                async with session.get(f"{admin}/livez") as alive:
                    assert 200 == alive.status
            assert b"" == await idle.reader.read()  # what waits for nothing is closed
            late.writer.write(request[9:])  # begun before it could know
            head = await late.reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 ")
            assert b"\r\nConnection: close\r\n" in head
            go.set()
            assert b'"stream.end"' in await late.reader.read()
            rest = await asking["whole"].reader.read()
            assert b'"stream.end"' in rest
            assert rest.endswith(b"\r\n0\r\n\r\n")

            rest = await asking["endless"].reader.read()
            assert b'"stream.error"' in rest
            assert b'"kind":"shutdown"' in rest
            assert rest.endswith(b"\r\n0\r\n\r\n")
            for prompt in ("silent", "headless", "document"):
                head, body = await asking[prompt].answer()
                assert head.startswith(b"HTTP/1.1 503 "), prompt
                assert b"shutdown" in body, prompt
            ended = await proxy.ended()
    assert 0 == ended.status
    outcomes = sorted(
        str(line.get("outcome"))
        for line in log_lines(ended.err)
        if line["event"] == "stream" and line.get("upstream")
    )
    assert [*["completed"] * 2, *["shutdown"] * 4] == outcomes


async def test_nothing_running_is_ended_at_once_and_whoever_insists_need_not_wait(
    tmp_path: Path,
) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        peer.write(CHUNKED)
        peer.send(HELLO)
        await peer.left()

    async def stopped(number: int, *, running: bool) -> Ended:
        async with (
            started("serve", "--config", config, last="try") as proxy,
            clients(proxy.url) as connect,
        ):
            if running:
                client = await connect()
                client.post()
                await client.reader.readuntil(b"Hello")
                proxy.process.send_signal(number)
                assert proxy.process.stderr is not None
                async with asyncio.timeout(15):
                    await proxy.process.stderr.readuntil(b"draining")
            async with asyncio.timeout(15):  # of 60
                return await proxy.end(number)

    async with stage() as upstream:
        upstream.script = script
        config = written(tmp_path, upstream, server={"port": 0, "drain_s": 60})
        calm, again, interrupted = await asyncio.gather(
            stopped(signal.SIGTERM, running=False),
            stopped(signal.SIGTERM, running=True),
            stopped(signal.SIGINT, running=True),
        )
    assert [0, -signal.SIGTERM, 130] == [calm.status, again.status, interrupted.status]
    for ended in (calm, again, interrupted):
        assert "Traceback" not in ended.err


async def test_sighup_changes_what_comes_and_nothing_that_runs(tmp_path: Path) -> None:
    go = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        peer.write(CHUNKED)
        peer.send(HELLO)
        await go.wait()
        peer.send(HELLO + STOP)
        peer.write(LAST_CHUNK)

    async with stage() as upstream:
        upstream.script = script
        models = {"old": [{"upstream": "far"}]}
        config = written(tmp_path, upstream, models=models)
        async with (
            started("serve", "--config", config, last="try") as proxy,
            aiohttp.ClientSession() as session,
            clients(proxy.url) as connect,
        ):
            admin = proxy.greeting.split("metrics  ")[1].split("/metrics")[0]

            async def listed() -> list[str]:
                async with session.get(f"{proxy.url}/v1/models") as response:
                    return [model["id"] for model in (await response.json())["data"]]

            async def reloaded(result: str, times: int) -> None:
                proxy.process.send_signal(signal.SIGHUP)

                async def counted() -> bool:
                    return times == await metric(
                        admin, f'mainstem_config_reloads_total{{result="{result}"}}'
                    )

                await until(counted)

            client = await connect()
            client.post({"model": "old", "prompt": "hi"})
            await client.reader.readuntil(b"Hello")

            played = {"dialect": "plain", "mock": {"tokens_per_s": 0}}
            written(
                tmp_path,
                upstream,
                upstreams={"mock": played},
                models={"new": [{"upstream": "mock"}]},
                logs={"level": "warning"},
            )
            await reloaded("ok", 1)
            assert ["new"] == await listed()
            newer = await connect()
            newer.post({"model": "new", "prompt": "hi"})
            assert "stream.end" == events((await newer.answer())[1])[-1]["type"]

            written(tmp_path, upstream, models={"bad": [{"upstream": "nobody"}]})
            await reloaded("failed", 1)
            assert ["new"] == await listed()

            go.set()
            rest = await client.reader.readuntil(b"\r\n0\r\n\r\n")
            assert b'"stream.end"' in rest
            ended = await proxy.end()
    lines = log_lines(ended.err)
    # by now the level is warning
    assert ["configuration not reloaded: nothing was changed"] == [line["event"] for line in lines]
    assert any("'nobody' is not among upstreams" in problem for problem in lines[0]["problems"])

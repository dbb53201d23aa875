"""The real command with no file left to open: it goes on with what it has, and takes clients again
once there are files."""

import asyncio
import json
import resource
from pathlib import Path

import pytest

from tests.cli.tools import HELLO, STOP, Client, clients, events, stage, started, until
from tests.raw_upstream import CHUNKED, LAST_CHUNK, Peer

pytestmark = pytest.mark.skipif(
    not hasattr(resource, "prlimit"), reason="only Linux lets another process's limits be set"
)
FILES = 60


async def test_without_files_it_goes_on_and_with_files_it_takes_clients_again(
    tmp_path: Path,
) -> None:
    """Twice: the second time finds it as the first did."""
    go_on = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        peer.write(CHUNKED)
        peer.send(HELLO)
        await go_on.wait()
        peer.send(STOP)
        peer.write(LAST_CHUNK)

    file = tmp_path / "mainstem.yaml"
    async with stage() as upstream:
        upstream.script = script
        far = {"dialect": "openai_chat", "base_url": upstream.url}
        file.write_text(
            json.dumps(
                {
                    "server": {"port": 0},
                    "upstreams": {"far": far},
                    "models": {"*": [{"upstream": "far"}]},
                }
            )
        )
        async with started("serve", "--config", str(file), last="try") as proxy:
            resource.prlimit(proxy.process.pid, resource.RLIMIT_NOFILE, (FILES, FILES))
            for _ in range(2):
                go_on.clear()
                async with clients(proxy.url) as connect:
                    before = await connect()
                    before.post()
                    await before.reader.readuntil(b"text.delta")
                    flood = [await connect() for _ in range(2 * FILES)]
                    assert await _one_is_dropped(flood)
                    go_on.set()
                    rest = await before.reader.readuntil(b"\r\n0\r\n\r\n")
                    assert b'"stream.end"' in rest
                await until(lambda: _answered(proxy.url))
            assert 0 == (await proxy.end()).status


async def _one_is_dropped(flood: list[Client]) -> bool:
    """Whether the proxy has closed one of these, for want of a file: the others it keeps."""
    async with asyncio.timeout(15):
        waiting = [asyncio.create_task(client.reader.read(1)) for client in flood]
        try:
            done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()
        return all(
            isinstance(task.exception(), ConnectionError) or task.result() == b"" for task in done
        )


async def _answered(url: str) -> bool:
    try:
        async with clients(url) as connect:
            client = await connect()
            client.post()
            _, body = await client.answer()
            return bool(events(body)[-1]["type"] == "stream.end")
    except (ConnectionError, asyncio.IncompleteReadError):
        return False

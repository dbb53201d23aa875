"""Faults that only a network has, made real: another machine, and a wire to it that is cut, loses
packets or has a firewall on it."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.cli.tools import HELLO, ROLE, STOP, Client, Stage, clients, events, until, whole
from tests.e2e.proxy_process import running_proxy
from tests.leaving.scene import Proxy, closes, first_words, new_mark
from tests.needs import requires
from tests.netns import network
from tests.netns.network import Network
from tests.raw_upstream import CHUNKED, LAST_CHUNK, Peer, raw_upstream

pytestmark = [requires("netns"), pytest.mark.asyncio(loop_scope="module")]
NOTICED_S = 15  # without our care the kernel would go on for a quarter of an hour
EVENTS = 150
FILLER = b'data: {"choices":[{"index":0,"delta":{"content":"%b"}}]}\n\n' % (b"x" * 60_000)


class Scene:
    """A proxy at this end of the wire, an upstream at the far end and one next to the proxy."""

    def __init__(self, net: Network, proxy: Proxy, far: Stage, near: Stage) -> None:
        self.net = net
        self.proxy = proxy
        self.far = far
        self.near = near

    @asynccontextmanager
    async def asked(
        self, model: str, *, across: bool = False, **body: Any
    ) -> AsyncIterator[tuple[Client, str]]:
        """A client that has asked, and its mark. `across`: it is at the far end."""
        mark = new_mark()
        options: dict[str, Any] = {}
        if across:
            options["sock"] = plug = self.net.inside()
            plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
            host, _, port = self.proxy.url.removeprefix("http://").rpartition(":")
            await asyncio.get_running_loop().sock_connect(plug, (host, int(port)))
        async with clients(self.proxy.url) as connect:
            client = await connect(**options)
            client.post({"model": model, "prompt": mark, **body}, x_request_id=mark)
            yield client, mark

    def open_files(self) -> int:
        return len(list(Path(f"/proc/{self.proxy.process.process.pid}/fd").iterdir()))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene() -> AsyncIterator[Scene]:
    far, near = Stage(), Stage()
    with network.network() as net:
        async with (
            raw_upstream(far.play, sock=net.listening()) as far_url,
            raw_upstream(near.play) as near_url,
        ):
            upstreams = {
                "far": {"base_url": far_url, "timeouts": {"connect_s": 1, "idle_s": 1}},
                "far_tls": {
                    "base_url": far_url.replace("http:", "https:"),
                    "timeouts": {"connect_s": 1},
                },
                "far_patient": {"base_url": far_url, "timeouts": {"connect_s": 60}},
                "nowhere": {"base_url": f"http://{net.nowhere}:80", "timeouts": {"connect_s": 60}},
                "near": {"base_url": near_url},
            }
            models: dict[str, Any] = {name: [{"upstream": name}] for name in upstreams}
            models |= {
                f"{name}_or_near": [{"upstream": name}, {"upstream": "near"}]
                for name in ("far", "far_tls", "nowhere")
            }
            process = running_proxy(
                {
                    "server": {"host": net.near},
                    "auth": "none",
                    "streams": {"write_timeout_s": 2, "heartbeat_s": 0.3},
                    "breaker": {"failures": 0},
                    "upstreams": {
                        name: {"dialect": "openai_chat", **each} for name, each in upstreams.items()
                    },
                    "models": models,
                }
            )
            async with process:
                yield Scene(net, Proxy(process), far, near)


@pytest.fixture(autouse=True)
def _mended(scene: Scene) -> None:
    scene.net.wire.lets = network.passes
    scene.far.script = scene.near.script = whole


async def begins(peer: Peer) -> None:
    await peer.request()
    peer.write(CHUNKED)
    peer.send(ROLE + HELLO)


def until_left(
    *, after: Callable[[Peer], Awaitable[None]]
) -> tuple[Callable[[Peer], Awaitable[None]], asyncio.Event]:
    """A script that begins an answer and then does this until the proxy hangs up, and what is set
    when it has."""
    left = asyncio.Event()

    async def script(peer: Peer) -> None:
        await begins(peer)
        doing = asyncio.ensure_future(after(peer))
        await peer.left()
        left.set()
        doing.cancel()
        await asyncio.gather(doing, return_exceptions=True)

    return script, left


async def is_silent(_peer: Peer) -> None:
    """Says nothing more."""


async def goes_on(peer: Peer) -> None:
    while True:
        peer.send(HELLO)
        await asyncio.sleep(0.05)


async def floods(peer: Peer) -> None:
    while True:
        peer.send(FILLER)
        await peer.writer.drain()


async def settled(scene: Scene, files: int) -> None:
    async def none_more() -> bool:
        return scene.open_files() <= files

    await until(none_more, NOTICED_S)


async def test_an_upstream_that_vanishes_in_mid_stream_is_an_idle_timeout_in_band(
    scene: Scene,
) -> None:
    scene.far.script, left = until_left(after=goes_on)
    files = scene.open_files()
    async with scene.asked("far") as (client, mark):
        await first_words(client)
        scene.net.wire.lets = network.nothing
        async with asyncio.timeout(NOTICED_S):
            _, body = await _rest(client)
        assert "idle_timeout" == (await scene.proxy.line(mark))["outcome"]
    assert ("stream.error", "idle_timeout") == (body[-1]["type"], body[-1]["error"]["kind"])
    await settled(scene, files)  # our end is closed, though the other will not hear of it
    assert not left.is_set()


@pytest.mark.parametrize(
    ("model", "eaten", "kind"),
    [
        ("far", network.nothing, "connect_timeout"),
        ("far", network.no_handshake, "connect_timeout"),
        ("far_tls", network.no_data, "connect_timeout"),
        ("nowhere", network.passes, "connect_failed"),
    ],
)
async def test_an_upstream_that_cannot_be_reached_is_left_for_the_next(
    scene: Scene, model: str, eaten: Callable[[bytes], bool], kind: str
) -> None:
    scene.net.wire.lets = eaten
    async with scene.asked(f"{model}_or_near") as (client, mark):
        async with asyncio.timeout(NOTICED_S):
            head, body = await client.answer()
        line = await scene.proxy.line(mark)
    assert head.startswith(b"HTTP/1.1 200 ")
    assert "stream.end" == events(body)[-1]["type"]
    assert [f"{model}>near:{kind}"] == line["fallbacks"]


async def test_without_another_target_the_client_is_told(scene: Scene) -> None:
    scene.net.wire.lets = network.no_handshake
    async with scene.asked("far") as (client, _), asyncio.timeout(NOTICED_S):
        head, body = await client.answer()
    assert head.startswith(b"HTTP/1.1 504 ")
    assert "connect_timeout" == json.loads(body)["error"]["kind"]


async def test_a_client_that_leaves_while_the_network_is_silent_leaves_nothing_behind(
    scene: Scene,
) -> None:
    """The connection that is being made is given up at once, not after connect_s."""
    scene.net.wire.lets = network.no_handshake

    async def connects() -> bool:
        return scene.net.connecting() > 0

    async def does_not() -> bool:
        return scene.net.connecting() == 0

    async with scene.asked("far_patient") as (client, mark):
        await until(connects)
        closes(client)
        line = await scene.proxy.line(mark, NOTICED_S)
        await until(does_not)
    assert ("client_gone", 499) == (line["outcome"], line["status"])


@pytest.mark.parametrize("after", [goes_on, floods, is_silent])
async def test_a_client_that_vanishes_in_mid_stream_is_noticed(
    scene: Scene, after: Callable[[Peer], Awaitable[None]]
) -> None:
    """What is written to it, or a heartbeat, is not acknowledged: after write_timeout_s it has
    left, and its upstream is hung up on."""
    scene.near.script, left = until_left(after=after)
    async with scene.asked("near", across=True) as (client, mark):
        await first_words(client)
        scene.net.wire.lets = network.nothing
        async with asyncio.timeout(NOTICED_S):
            await left.wait()
        assert "client_gone" == (await scene.proxy.line(mark))["outcome"]


async def test_a_client_that_vanishes_while_nothing_is_written_to_it_is_noticed(
    scene: Scene,
) -> None:
    """Keep-alive probes find out: one document is being gathered, so there are not even
    heartbeats."""
    scene.near.script, left = until_left(after=goes_on)
    async with scene.asked("near", across=True, stream=False) as (_, mark):
        await asyncio.sleep(0.1)
        scene.net.wire.lets = network.nothing
        async with asyncio.timeout(NOTICED_S):
            await left.wait()
        assert "client_gone" == (await scene.proxy.line(mark))["outcome"]


async def test_a_client_that_is_silent_and_there_is_left_alone(scene: Scene) -> None:
    """It sends nothing and gets nothing for longer than write_timeout_s: its machine answers the
    probes."""
    go_on = asyncio.Event()

    async def script(peer: Peer) -> None:
        await begins(peer)
        await go_on.wait()
        peer.send(STOP)
        peer.write(LAST_CHUNK)

    scene.near.script = script
    async with scene.asked("near", across=True, stream=False) as (client, _):
        asyncio.get_running_loop().call_later(3.5, go_on.set)
        head, body = await client.answer()
    assert head.startswith(b"HTTP/1.1 200 ")
    assert "Hello" in body.decode()


async def test_a_stream_stays_whole_when_a_fifth_of_the_packets_is_lost(scene: Scene) -> None:
    """On both of its ways: the upstream and the client are beyond the wire."""

    async def script(peer: Peer) -> None:
        await begins(peer)
        for number in range(EVENTS):
            peer.send(b'data: {"choices":[{"index":0,"delta":{"content":" %d"}}]}\n\n' % number)
            await asyncio.sleep(0.005)
        peer.send(STOP)
        peer.write(LAST_CHUNK)

    scene.far.script = script
    async with scene.asked("far_patient", across=True) as (client, _):
        scene.net.wire.lets, scene.net.wire.eaten = network.lossy(0.2), 0
        async with asyncio.timeout(40):
            _, body = await client.answer()
    assert scene.net.wire.eaten > 10
    said = "".join(event["text"] for event in events(body) if event["type"] == "text.delta")
    assert "Hello" + "".join(f" {number}" for number in range(EVENTS)) == said
    assert "stream.end" == events(body)[-1]["type"]


async def _rest(client: Client) -> tuple[bytes, list[dict[str, Any]]]:
    """What is still to come of an answer that is being read, up to the end of its body."""
    rest = await client.reader.readuntil(b"\r\n0\r\n\r\n")
    lines = [line for line in rest.split(b"\r\n") if line.startswith((b"id: ", b"data: "))]
    return rest, events(b"\n".join(lines))

"""What the tests of leaving clients share: `mainstem mock` as the upstream, proxies in front of it,
and ways to leave.

Each request has a mark, which is its prompt, its request id and so the name of its line in the log
and of its entry in the mock's account.
"""

import asyncio
import itertools
import json
import socket
import struct
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import aiohttp

from tests.cli.tools import Client, Started, clients, started, until
from tests.e2e.proxy_process import running_proxy

Policy = Literal["cancel", "grace", "finish"]
POLICIES: tuple[Policy, ...] = ("cancel", "grace", "finish")
AT_ONCE_S = 5  # for a busy machine; the mock would have gone on for minutes
BIG_S = 60  # for what is big: tens of megabytes, on a busy machine
_BIG = b'data: {"choices":[{"index":0,"delta":{"content":"%b"}}]}\n\n' % (b"x" * 60_000)
_BIG_END = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'

# What each upstream plays, told to the mock by headers of the upstream.
UPSTREAMS: dict[str, dict[str, str]] = {
    "steady": {"scenario": "long", "tokens-per-s": "20"},  # 200 s
    "brief": {
        "scenario": "hello",
        "tokens-per-s": "10",
    },  # two seconds, in which a client can leave
    "big": {"scenario": "big.sse", "tokens-per-s": "0"},  # more than any socket holds
    "headless": {"fault": "delay:60"},
    "mute": {"fault": "first_event_delay:60"},
    "mute_too": {"fault": "first_event_delay:60"},
    "breaks": {"fault": "cut@3", "tokens-per-s": "0"},
    "busy": {"scenario": "error_503"},  # come again in 7 s
    "narrow": {"scenario": "long", "tokens-per-s": "20"},
}
_MORE: dict[str, dict[str, Any]] = {
    "narrow": {"max_streams": 1, "queue_s": 60},
    "breaks": {"dialect": "anthropic"},
}
_GRACE_S = {"steady": 0.5}  # ends it long before its end; the others have time
_LONG_GRACE_S = 60


def big_bytes() -> int:
    """More than the kernel takes on its own, however fast a stream begins: for the mock to send,
    for the proxy to receive and to send."""
    most_sent, most_received = (
        int(Path(f"/proc/sys/net/ipv4/tcp_{name}").read_text().split()[2])
        for name in ("wmem", "rmem")
    )
    return 2 * most_sent + most_received + (4 << 20)


class Account:
    """The mock's own account."""

    def __init__(self, process: Started, session: aiohttp.ClientSession) -> None:
        self.url = process.url
        self._process = process
        self._session = session

    async def stop(self) -> None:
        """End the mock, and every connection to it."""
        await self._process.end()

    async def all(self, limit: int) -> list[dict[str, Any]]:
        """The newest entries, newest first."""
        async with self._session.get(
            f"{self.url}/mock/requests", params={"limit": str(limit)}
        ) as response:
            found: list[dict[str, Any]] = await response.json()
        return found

    async def of(self, mark: str) -> list[dict[str, Any]]:
        """What it was asked for this request, oldest first."""
        return [entry for entry in await self.all(20) if mark in json.dumps(entry["body"])][::-1]

    async def come(self, mark: str, count: int = 1) -> None:
        """Returns once it has been asked this often."""

        async def asked() -> bool:
            return len(await self.of(mark)) == count

        await until(asked)

    async def ended(self, mark: str, how: str, within_s: float = 15) -> None:
        """Returns once all that it was asked for this request has ended so; any other end is a
        failure at once."""

        async def so() -> bool:
            ends = [entry["ended"] for entry in await self.of(mark)]
            assert {*ends} <= {None, how}, ends
            return bool(ends) and None not in ends

        await until(so, within_s)

    async def goes_on(self, mark: str, frames: int = 3) -> None:
        """Returns once it has sent so many more frames, and is still at it."""
        (before,) = await self.of(mark)

        async def more() -> bool:
            (now,) = await self.of(mark)
            assert now["open"], now["ended"]
            return bool(now["frames_sent"] >= before["frames_sent"] + frames)

        await until(more)

    async def blocked(self, mark: str) -> None:
        """Returns once it cannot send any more, because nobody reads."""
        seen: list[int] = []

        async def stands() -> bool:
            await asyncio.sleep(0.08)
            seen.extend(entry["bytes_sent"] for entry in await self.of(mark))  # once it is asked
            return len(seen) > 3 and seen[-1] > 0 and len({*seen[-4:]}) == 1

        await until(stands, BIG_S)
        (entry,) = await self.of(mark)
        assert entry["open"], entry["ended"]


class Proxy:
    """One proxy in front of the mock."""

    def __init__(self, process: running_proxy) -> None:
        self.url = process.url
        self.process = process

    def lines(self) -> list[dict[str, Any]]:
        """Its log so far; a line that is being written is left out."""
        whole = self.process.log.rpartition("\n")[0]
        return [json.loads(line) for line in whole.splitlines() if line.startswith("{")]

    async def line(self, mark: str, within_s: float = 15) -> dict[str, Any]:
        """The one line of this request, once it is there."""
        found: list[dict[str, Any]] = []

        async def there() -> bool:
            found[:] = [line for line in self.lines() if line.get("request_id") == mark]
            return bool(found)

        await until(there, within_s)
        (line,) = found
        return line


_marks = itertools.count(1)


def new_mark() -> str:
    return f"mark-{next(_marks):05}"  # of one length: no mark is the beginning of another


def config(mock_url: str, policy: Policy, **more: Any) -> dict[str, Any]:
    """Every upstream; each as a model without a policy of its own, and as one with each policy,
    such as `steady-finish`."""
    upstreams = {}
    models: dict[str, Any] = {}
    for name, play in UPSTREAMS.items():
        own = _MORE.get(name, {})
        dialect = own.get("dialect", "openai_chat")
        headers = {f"x-mock-{key}": value for key, value in play.items()}
        upstreams[name] = {
            "dialect": dialect,
            "base_url": f"{mock_url}/{dialect}",
            "headers": headers,
            "breaker": {"failures": 0},
            **own,
        }
        section = {"targets": [{"upstream": name}], "grace_s": _GRACE_S.get(name, _LONG_GRACE_S)}
        models[name] = section
        models |= {f"{name}-{each}": {**section, "on_disconnect": each} for each in POLICIES}
    targets = [{"upstream": "breaks"}, {"upstream": "mute"}]
    models["goes_on"] = {"targets": targets, "continue_after_commit": True}
    models["hedged"] = {
        "targets": [{"upstream": "mute"}, {"upstream": "mute_too"}],
        "hedge_after_s": 0.05,
    }
    config = {
        "streams": {"on_disconnect": policy, "grace_s": _LONG_GRACE_S},
        "retry": {"retries": 1, "max_backoff_s": 30},
        "timeouts": {"connect_s": 60, "first_event_s": 120},
        "upstreams": upstreams,
        "models": models,
    }
    for section, values in more.items():
        config[section] = {**config.get(section, {}), **values}
    return config


@asynccontextmanager
async def mock(folder: Path) -> AsyncIterator[Account]:
    """`mainstem mock`, which also has the big answer."""
    await asyncio.to_thread(
        (folder / "big.sse").write_bytes, _BIG * (big_bytes() // len(_BIG)) + _BIG_END
    )
    command = ("mock", "--port", "0", "--scripts", str(folder))
    async with started(*command, last="its account") as process, aiohttp.ClientSession() as session:
        yield Account(process, session)


@asynccontextmanager
async def proxies(*configs: Mapping[str, Any]) -> AsyncIterator[list[Proxy]]:
    """The real command, once for each configuration, begun together."""
    async with AsyncExitStack() as stack:
        processes = [running_proxy(dict(each)) for each in configs]
        await asyncio.gather(*(stack.enter_async_context(process) for process in processes))
        yield [Proxy(process) for process in processes]


# Ways to leave.


def closes(client: Client) -> None:
    """FIN; or RST by the kernel, where something was left unread."""
    client.writer.close()


def resets(client: Client) -> None:
    """RST."""
    raw = client.writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.writer.transport.abort()


def half_closes(client: Client) -> None:
    """FIN, and it could still read: nothing tells this from a close, so it is one (as it is to
    nginx)."""
    client.writer.write_eof()


Leaves = Callable[[Client], None]
WAYS: tuple[Leaves, ...] = (closes, resets, half_closes)


@asynccontextmanager
async def asked(
    proxy: Proxy, model: str, *, narrow: bool = False, **wishes: Any
) -> AsyncIterator[tuple[Client, str]]:
    """A client that has asked `model`, and its mark. `narrow`: it takes few bytes unless it reads.
    `wishes` are headers; `stream` is not."""
    mark = new_mark()
    stream = wishes.pop("stream", True)
    options: dict[str, Any] = {}
    if narrow:
        plug = socket.socket()
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        plug.setblocking(False)
        host, _, port = proxy.url.removeprefix("http://").rpartition(":")
        await asyncio.get_running_loop().sock_connect(plug, (host, int(port)))
        options = {"sock": plug, "limit": 4096}
    async with clients(proxy.url) as connect:
        client = await connect(**options)
        client.post({"model": model, "prompt": mark, "stream": stream}, x_request_id=mark, **wishes)
        yield client, mark


async def first_words(client: Client) -> None:
    """Returns once some of the answer's text is here."""
    async with asyncio.timeout(15):
        await client.reader.readuntil(b'"text.delta"')

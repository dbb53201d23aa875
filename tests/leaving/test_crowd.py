"""A thousand clients that leave at once: nobody else notices, and nothing is left of them."""

import asyncio
import itertools
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import aiohttp
import pytest

from tests.cli.tools import Client, clients, metric, request_bytes, until, until_metric
from tests.leaving.scene import Account, Policy, Proxy, config, mock, proxies

STALLED_S = 15  # far more than a busy machine takes from a stream of 20 events a second
OTHERS = 20
CROWD = "crowd: " + " ".join(f"word{number}" for number in range(12))
# In mid-stream for long, and in mid-stream for 6 s, which is time for all to come and to leave.
TALK = {
    "cancel": {"scenario": "long", "tokens-per-s": "0.5"},
    "finish": {"scenario": "echo", "tokens-per-s": "2"},
}
TASKS = "mainstem_event_loop_tasks"


class Other:
    """A client that is there all the time: what it got, and when."""

    def __init__(self, client: Client) -> None:
        self.text = ""
        self.at: list[float] = []
        self._client = client
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        while True:
            line = await self._client.reader.readline()
            if line.startswith(b'data: {"type":"text.delta"'):
                self.text += json.loads(line[6:])["text"]
                self.at.append(monotonic())

    async def more(self, count: int) -> None:
        """Returns once it has got so many more events."""
        enough = len(self.at) + count

        async def got() -> bool:
            assert not self._reading.done(), "its stream has ended"
            return len(self.at) >= enough

        await until(got, 30)

    async def leave(self) -> None:
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)
        self._client.leave()

    def longest_gap_s(self, since: float, until: float) -> float:
        """Between two of its events."""
        at = [when for when in self.at if since <= when <= until]
        return max((after - before for before, after in itertools.pairwise(at)), default=0.0)


@asynccontextmanager
async def watched(proxy: Proxy) -> AsyncIterator[list[Other]]:
    """Twenty others, each of which has got something."""
    async with clients(proxy.url) as connect:
        others = []
        for _ in range(OTHERS):
            client = await connect()
            client.post({"model": "steady", "prompt": "other"})
            others.append(Other(client))
        try:
            await asyncio.gather(*(other.more(10) for other in others))
            yield others
        finally:
            for other in others:
                await other.leave()


@asynccontextmanager
async def crowd(proxy: Proxy, account: Account, size: int) -> AsyncIterator[Callable[[], None]]:
    """So many clients, half of them in mid-stream, half before the first event; and what makes all
    of them leave."""
    async with clients(proxy.url) as connect:
        everyone = await asyncio.gather(*(connect() for _ in range(size)))
        for number, client in enumerate(everyone):
            body = {"model": "mute" if number % 2 else "talk", "prompt": CROWD}
            client.writer.write(request_bytes(json.dumps(body).encode()))
        async with asyncio.timeout(30):
            await asyncio.gather(
                *(client.reader.readuntil(b'"text.delta"') for client in everyone[::2])
            )

        async def all_came() -> bool:
            await asyncio.sleep(0.1)
            return size == len(await of_crowd(account))

        await until(all_came, 30)

        def leave() -> None:
            for client in everyone:
                client.leave()

        yield leave


def talking(account: Account, policy: Policy) -> dict[str, Any]:
    """The configuration, with an upstream for the crowd."""
    made = config(account.url, policy)
    headers = {f"x-mock-{key}": value for key, value in TALK[policy].items()}
    made["upstreams"]["talk"] = {
        "dialect": "openai_chat",
        "base_url": f"{account.url}/openai_chat",
        "headers": headers,
    }
    made["models"]["talk"] = [{"upstream": "talk"}]
    return made


async def reference(account: Account) -> str:
    """What the others' upstream says, from itself and at once."""
    headers = {"x-mock-scenario": "long", "x-mock-tokens-per-s": "0"}
    body = {"model": "m", "messages": [{"role": "user", "content": "reference"}]}
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{account.url}/openai_chat/chat/completions", json=body, headers=headers
        ) as response,
    ):
        said: str = (await response.json())["choices"][0]["message"]["content"]
    return said


async def of_crowd(account: Account) -> list[str | None]:
    """How each of the crowd's answers ended, so far."""
    return [
        entry["ended"] for entry in await account.all(2000) if CROWD in json.dumps(entry["body"])
    ]


def open_files(proxy: Proxy) -> int:
    return len(list(Path(f"/proc/{proxy.process.process.pid}/fd").iterdir()))


@pytest.mark.parametrize(
    ("policy", "size", "ends"),
    [
        ("cancel", 1000, {"client_gone": 1000}),
        ("finish", 500, {"client_gone": 250, "complete": 250}),
    ],
)
async def test_nobody_else_notices_and_nothing_is_left(
    tmp_path: Path, policy: Policy, size: int, ends: dict[str, int]
) -> None:
    async with mock(tmp_path) as account, proxies(talking(account, policy)) as (proxy,):
        files, tasks = open_files(proxy), await metric(proxy.url, TASKS)
        async with watched(proxy) as others:
            async with crowd(proxy, account, size) as leave:
                await until_metric(proxy.url, "mainstem_streams_open", OTHERS + size / 2)
                began = monotonic()
                leave()
                await asyncio.gather(*(other.more(40) for other in others))

            async def all_ended() -> bool:
                await asyncio.sleep(0.1)
                return None not in await of_crowd(account)

            await until(all_ended, 30)
            assert ends == Counter(await of_crowd(account))
            await asyncio.gather(*(other.more(1) for other in others))
            said = await reference(account)
            assert all(said.startswith(other.text) for other in others)
            before, after = (
                max(other.longest_gap_s(*span) for other in others)
                for span in ((0, began), (began, monotonic()))
            )
            # see with -s
            print(
                f"longest gap of the others, of 50 ms each: {before:.3f} s while the crowd came, {after:.3f} s as it left"
            )
            assert after < STALLED_S
        await account.stop()  # with it go the idle connections that are kept for it

        async def nothing_left() -> bool:
            await asyncio.sleep(0.1)
            counts = (
                await metric(proxy.url, "mainstem_streams_open"),
                await metric(proxy.url, TASKS) - tasks,
                open_files(proxy) - files,
            )
            # the connection that asks for the metrics
            return counts[0] == 0 and counts[1] <= 1 and counts[2] <= 1

        await until(nothing_left)
        counted = 'mainstem_streams_total{client_dialect="native",model="%s",outcome="%s",'
        assert ends.get("complete", 0) == await metric(proxy.url, counted % ("talk", "completed"))
        assert size / 2 == sum(
            [
                await metric(proxy.url, counted % ("talk", outcome))
                for outcome in ("completed", "client_gone")
            ]
        )
        assert size / 2 == await metric(proxy.url, counted % ("mute", "client_gone"))

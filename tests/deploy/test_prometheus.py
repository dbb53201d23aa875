"""A real Prometheus scrapes three workers under mixed load with faults, and says the same numbers as
the clients and the mock that was asked: also after a worker was killed, after all were replaced,
and while the last ones drain. What its dashboard asks is answered."""

import asyncio
import hashlib
import json
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from proxy.cli import local_key
from proxy.mock.compose import MockSpec
from proxy.mock.server import MockServer
from tests.cli.test_workers import children
from tests.cli.tools import Started, started, until
from tests.deploy.prometheus_server import Prometheus, prometheus
from tests.deploy.test_deploy import expressions
from tests.needs import requires

pytestmark = [requires("prometheus"), pytest.mark.timeout(120)]

MOCKS = {
    "good": MockSpec("openai_chat", tokens_per_s=2000),
    "claude": MockSpec("anthropic", tokens_per_s=2000),
    "cut": MockSpec("openai_chat", tokens_per_s=2000, fault="cut@3"),
    "busy": MockSpec("openai_chat", fault="status:429"),
    "stalls": MockSpec("openai_chat", tokens_per_s=2000, fault="stall@2"),
    "late": MockSpec("openai_chat", fault="first_event_delay:30"),
    "narrow": MockSpec("anthropic", tokens_per_s=100),
}
# As a vendor sends it that says more than others do.
ODD = b"".join(
    b"data: %b\n\n" % line
    for line in (
        b'{"choices":[{"index":0,"delta":{"content":"Hi "}}],"system_fingerprint":"fp"}',
        b'{"choices":[{"index":0,"delta":{"content":"you"}}]}',
        b'{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}',
        b'{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2,"odd_ms":7}}',
        b"[DONE]",
    )
)
MODELS: Mapping[str, Any] = {
    "fast": ["good"],
    "fine": ["claude"],
    "cut": ["cut"],
    "second": ["busy", "good"],
    "refused": ["busy"],
    "left": ["stalls"],
    "hedged": {"targets": ["late", "good"], "hedge_after_s": 0.05},
    "dead": ["dead", "good"],
    "lost": ["down"],
    "narrow": ["narrow"],
    "odd": ["odd"],
}
# What a wave asks for, and how often. Of "left" the client leaves in the midst of the answer.
WAVE = {
    "fast": 8,
    "fine": 6,
    "cut": 4,
    "second": 4,
    "refused": 3,
    "left": 4,
    "hedged": 2,
    "dead": 4,
    "lost": 2,
    "narrow": 6,
    "odd": 3,
    "unknown": 2,
}
PRICES = {"*": {"input_per_million": 2, "output_per_million": 8}}
KEY = "prometheus-test"
SCRAPED_S = 30  # two scrapes a second, of which a busy machine loses some
# Those that did not end with their worker.
STREAMS = 'mainstem_streams_total{client_dialect!="none"}'
Holding = list[asyncio.Task[None]]


class Account:
    """What the clients saw, by what the metrics have as labels."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, ...]] = Counter()
        self.streams: Counter[tuple[str, ...]] = Counter()
        self.tokens: Counter[tuple[str, ...]] = Counter()
        self.content: Counter[tuple[str, ...]] = Counter()
        self.gaps: Counter[tuple[str, ...]] = Counter()
        self.lost = 0  # ended with their worker

    def add(self, model: str, status: int, events: list[dict[str, Any]], *, left: bool) -> None:
        """An answer of the native dialect, as far as it was read."""
        last = events[-1]
        error = last.get("error") or {}
        known = model if model in MODELS else "none"
        start = events[0] if events[0].get("type") == "stream.start" else {}
        upstream = _upstream_at_the_end(events) or error.get("upstream") or "none"
        outcome = "client_gone" if left else error.get("kind", "completed")
        self.requests["native", known, str(status)] += 1
        self.streams["native", upstream, known, outcome] += 1
        if not start:
            return
        pieces = sum(event["type"] == "text.delta" for event in events)
        self.content[upstream, known] += 1
        if not left:  # what was on its way to one who left, only the proxy knows
            self.gaps[upstream, known] += pieces - 1
        usage = last.get("usage") or {}
        for direction in ("input", "output"):
            self.tokens[upstream, known, direction] += usage.get(f"{direction}_tokens") or 0

    def cost(self) -> dict[tuple[str, ...], float]:
        """At the prices of the configuration."""
        rates = {"input": 2e-6, "output": 8e-6}
        found: Counter[tuple[str, ...]] = Counter()
        for (upstream, model, direction), count in self.tokens.items():
            found[upstream, model] += count * rates[direction]  # type: ignore[assignment]
        return {by: round(amount, 9) for by, amount in found.items()}


def _upstream_at_the_end(events: list[dict[str, Any]]) -> str:
    start = events[0]
    return str(start["upstream"]) if start.get("type") == "stream.start" else ""


class Load:
    """Clients of the proxy at `url`."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self._url = url
        self._session = session
        self.account = Account()

    async def wave(self) -> None:
        """All of WAVE at once."""
        await asyncio.gather(
            *(self.ask(model) for model, count in WAVE.items() for _ in range(count))
        )

    async def ask(self, model: str, release: asyncio.Event | None = None) -> None:
        """One stream, counted when it has ended. `release`: when the client of "left" leaves."""
        body = {"model": model, "prompt": "Count these words, please."}
        headers = {"Authorization": f"Bearer {KEY}"}
        events: list[dict[str, Any]] = []
        left = False
        async with self._session.post(
            f"{self._url}/v1/stream", json=body, headers=headers
        ) as response:
            if response.status != 200:
                events.append(await response.json())
            else:
                async for line in response.content:
                    if line.startswith(b"data: "):
                        events.append(json.loads(line[6:]))
                    if model == "left" and events[-1]["type"] == "text.delta":
                        if release is not None:
                            await release.wait()
                        if response.content.exception() is not None:  # its worker has died
                            self.account.lost += 1
                            return
                        left = True
                        response.close()
                        break
        self.account.add(model, response.status, events, left=left)


def written(folder: Path, mock: MockServer, more: Mapping[str, Any]) -> str:
    upstreams: dict[str, Any] = {
        name: {
            "dialect": spec.dialect,
            "base_url": mock.base_url(name) + _path_of(spec.dialect),
            "prices": PRICES,
        }
        for name, spec in mock.mocks.items()
    }
    upstreams["narrow"] |= {"max_streams": 1, "queue_s": 20}
    upstreams["down"] = {"dialect": "openai_chat", "base_url": "http://127.0.0.1:9/v1"}
    upstreams["dead"] = {**upstreams["down"], "breaker": {"failures": 1, "open_s": 600}}
    config = {
        "server": {"port": 0, "workers": 3, "drain_s": 10},
        "admin": {"port": 0},
        "auth": {"keys": [{"name": "web", "sha256": hashlib.sha256(KEY.encode()).hexdigest()}]},
        "metrics": {"by_key": True},
        "retry": {"retries": 1, "backoff_s": 0.01, "max_backoff_s": 0.05, "budget": 1},
        "breaker": {"failures": 0},
        "upstreams": upstreams,
        "models": {name: _model(asked) for name, asked in MODELS.items()},
        **more,
    }
    file = folder / "mainstem.yaml"
    file.write_text(json.dumps(config))
    return str(file)


def _path_of(dialect: str) -> str:
    return "/v1" if dialect == "openai_chat" else ""


def _model(asked: Any) -> Any:
    section = {"targets": asked} if isinstance(asked, list) else asked
    return {**section, "targets": [{"upstream": name} for name in section["targets"]]}


@asynccontextmanager
async def scene(
    folder: Path, more: Mapping[str, Any] | None = None
) -> AsyncIterator[tuple[MockServer, Started, Prometheus, Load]]:
    """`more`: what else the configuration has."""
    odd = folder / "odd.sse"
    odd.write_bytes(ODD)
    mock = MockServer({**MOCKS, "odd": MockSpec("openai_chat", str(odd), 0)})
    await mock.start()
    try:
        async with (
            started("serve", "--config", written(folder, mock, more or {}), last="try") as proxy,
            prometheus(admin_of(proxy).removeprefix("http://")) as server,
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, force_close=True)
            ) as session,
        ):
            yield mock, proxy, server, Load(proxy.url, session)
    finally:
        await mock.stop()


def admin_of(proxy: Started) -> str:
    return proxy.greeting.split("metrics  ")[1].split("/metrics")[0]


def operator(proxy: Started) -> dict[str, str]:
    return {"x-api-key": local_key.found(admin_of(proxy)) or ""}


async def open_by_worker(proxy: Started) -> Counter[int]:
    """How many streams each worker has open."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{admin_of(proxy)}/admin/streams", headers=operator(proxy)) as response,
    ):
        return Counter(stream["worker"] for stream in (await response.json())["streams"])


async def same(expected: Any, ask: Callable[[], Awaitable[Any]]) -> None:
    """Holds within a few scrapes; says what it was if it does not."""
    found: Any = None

    async def holds() -> bool:
        nonlocal found
        found = await ask()
        return bool(found == expected)

    try:
        await until(holds, within_s=SCRAPED_S)
    except TimeoutError:
        assert expected == found


async def told_alike(server: Prometheus, load: Load, mock: MockServer, *, running: int = 0) -> None:
    """Prometheus, the clients and the mock; so many streams have not ended."""
    account, pair = load.account, ("upstream", "model")
    asked = Counter((entry["upstream"],) for entry in mock.account.newest())
    del asked[("late",)]  # a target that lost a race has no result
    asked["stalls",] -= account.lost + running
    tokens = 'mainstem_tokens_total{direction=~"input|output"}'
    attempts = 'mainstem_upstream_attempts_total{upstream!~"dead|down"}'
    expected: Mapping[tuple[str, ...], Mapping[tuple[str, ...], float]] = {
        (STREAMS, "client_dialect", *pair, "outcome"): account.streams,
        ("mainstem_requests_total", "client_dialect", "model", "status"): account.requests,
        (tokens, *pair, "direction"): account.tokens,
        ("mainstem_first_content_seconds_count", *pair): account.content,
        ('mainstem_event_gap_seconds_count{model!="left"}', *pair): account.gaps,
        ("mainstem_cost_total", *pair): account.cost(),
        (attempts, "upstream"): asked,
    }

    async def told() -> dict[tuple[str, ...], dict[tuple[str, ...], float]]:
        return {query: await server.sums(*query) for query in expected}

    await same(
        {query: {by: n for by, n in counts.items() if n} for query, counts in expected.items()},
        told,
    )


async def holding(load: Load, server: Prometheus, count: int) -> tuple[asyncio.Event, Holding]:
    """So many streams that are open, until the event is set."""
    release = asyncio.Event()
    held = [asyncio.create_task(load.ask("left", release)) for _ in range(count)]
    await same({("stalls",): count}, lambda: server.sums("mainstem_streams_open", "upstream"))
    return release, held


async def test_prometheus_says_what_the_clients_and_the_mock_count(tmp_path: Path) -> None:
    async with scene(tmp_path) as (mock, proxy, server, load):
        await load.wave()
        await told_alike(server, load, mock)
        moves = await server.sums("mainstem_fallbacks_total", "from_upstream", "to_upstream")
        assert {("dead", "good"): WAVE["dead"], ("busy", "good"): WAVE["second"]} == moves

        # A worker is killed with what it has open: that has failed, and nothing else has changed.
        release, held = await holding(load, server, 12)
        ((killed, lost), *_) = (await open_by_worker(proxy)).most_common()
        os.kill(killed, signal.SIGKILL)
        dead = 'mainstem_streams_total{client_dialect="none"}'
        await same({("stalls", "internal"): lost}, lambda: server.sums(dead, "upstream", "outcome"))
        left = {("stalls",): 12 - lost} if lost < 12 else {}
        await same(left, lambda: server.sums("mainstem_streams_open", "upstream"))
        assert [1.0] == await server.numbers("mainstem_worker_restarts_total")
        release.set()
        await asyncio.gather(*held)
        assert lost == load.account.lost
        await told_alike(server, load, mock)

        # All workers are drained and replaced, one after another: what they counted stays.
        before = await workers(proxy)
        release, held = await holding(load, server, 6)
        proxy.process.send_signal(signal.SIGUSR2)
        release.set()
        await asyncio.gather(*held)

        async def replaced() -> bool:
            return not before & await workers(proxy)

        await until(replaced, within_s=60)  # three starts, one after another
        await told_alike(server, load, mock)
        assert {} == await server.sums("mainstem_streams_open", "upstream")

        await load.wave()
        await told_alike(server, load, mock)
        await every_query_of_the_dashboard_has_data(server)

        # While the last stream keeps the proxy draining, all others have been told.
        last, held_longest = await holding(load, server, 1)
        proxy.process.send_signal(signal.SIGTERM)
        await same({("stalls",): 1}, lambda: server.sums("mainstem_streams_open", "upstream"))
        await told_alike(server, load, mock, running=1)
        last.set()
        await asyncio.gather(*held_longest)
        ended = await proxy.ended()
        assert 0 == ended.status, ended.err


async def workers(proxy: Started) -> set[int]:
    """Those that live."""
    return set(children(proxy.process.pid))


async def every_query_of_the_dashboard_has_data(server: Prometheus) -> None:
    """A number, within a few scrapes: on a busy machine one takes too long, and until the next one
    nothing is there. Those of the store of kept streams have none without a Redis."""
    silent = [query for query in expressions() if "mainstem_store_" not in query]

    async def told() -> bool:
        silent[:] = [query for query in silent if not await server.numbers(query)]
        return not silent

    try:
        await until(told, within_s=SCRAPED_S)
    except TimeoutError:
        assert [] == silent

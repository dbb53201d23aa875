"""The openai and anthropic SDKs, unmodified, whose connection is cut: they ask again by themselves,
and get the answer of the generation that runs. The mock keeps the account."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import anthropic
import httpx2
import openai
import pytest

from tests.relay.far import until
from tests.running import Running, running

CONFIG: dict[str, Any] = {
    "upstreams": {"far": {"dialect": "openai_chat", "mock": {"scenario": "hello"}}},
    "models": {"*": [{"upstream": "far"}]},
}
KEPT = {"streams": {"resume": {}}}
BEFORE_HEAD = 0
IN_HEAD = 60
AFTER_SOME = 2000
Url = str
BROKEN = (httpx2.HTTPError,)  # what the SDK lets through of its transport's


class CutsFirst:
    """A TCP proxy whose first connection is cut when so many bytes of an answer have passed; 0:
    when the upstream has been asked."""

    def __init__(self, run: Running, most_bytes: int) -> None:
        self._run = run
        self._most_bytes = most_bytes
        self._open: set[asyncio.Task[None]] = set()
        self.connections = 0

    async def __call__(self, client: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        self.connections += 1
        first = self.connections == 1
        host, _, port = self._run.url.removeprefix("http://").partition(":")
        server, to_server = await asyncio.open_connection(host, int(port))
        up = asyncio.create_task(_pass(client, to_server))
        try:
            await self._down(server, to, cut=first)
        finally:
            up.cancel()
            for writer in (to, to_server):
                writer.transport.abort()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
            self._open.discard(task)

    async def _down(
        self, server: asyncio.StreamReader, to: asyncio.StreamWriter, *, cut: bool
    ) -> None:
        if not cut:
            await _pass(server, to)
        elif self._most_bytes:
            to.write(await server.readexactly(self._most_bytes))
            await to.drain()
        else:
            await until(lambda: self._run.mock.account.newest(1))

    async def close(self) -> None:
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(4096):
            writer.write(data)
            await writer.drain()


@asynccontextmanager
async def cutting(
    most_bytes: int, config: dict[str, Any], tokens_per_s: float
) -> AsyncIterator[tuple[Url, CutsFirst, Running]]:
    far = CONFIG["upstreams"]["far"]
    mock = {"far": {**far, "mock": {**far["mock"], "tokens_per_s": tokens_per_s}}}
    async with running({**CONFIG, "upstreams": mock, **config}) as run:
        cuts = CutsFirst(run, most_bytes)
        server = await asyncio.start_server(cuts, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            yield f"http://127.0.0.1:{port}", cuts, run
            await cuts.close()


async def openai_text(url: Url, *, stream: bool) -> str:
    async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="none") as client:
        asked: Any = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
        if not stream:
            whole = await client.chat.completions.create(**asked)
            return whole.choices[0].message.content or ""
        async with client.chat.completions.stream(**asked) as events:
            return (await events.get_final_completion()).choices[0].message.content or ""


async def responses_text(url: Url, *, stream: bool) -> str:
    async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="none") as client:
        if not stream:
            return (await client.responses.create(model="m", input="hi")).output_text
        async with client.responses.stream(model="m", input="hi") as events:
            return (await events.get_final_response()).output_text


async def anthropic_text(url: Url, *, stream: bool) -> str:
    async with anthropic.AsyncAnthropic(base_url=url, api_key="none") as client:
        asked: Any = {
            "model": "m",
            "max_tokens": 100,
            "messages": [{"role": "user", "content": "hi"}],
        }
        if not stream:
            block = (await client.messages.create(**asked)).content[0]
            return block.text if block.type == "text" else ""
        async with client.messages.stream(**asked) as events:
            return await events.get_final_text()


SDKS = [openai_text, responses_text, anthropic_text]
Asks = Callable[..., Awaitable[str]]


@pytest.mark.parametrize("ask", SDKS)
@pytest.mark.parametrize(
    ("stream", "most_bytes"),
    [
        pytest.param(True, BEFORE_HEAD, id="stream-before-head"),
        pytest.param(False, BEFORE_HEAD, id="document-before-head"),
        pytest.param(False, IN_HEAD, id="document-in-its-head"),
    ],
)
async def test_a_retry_goes_on_with_the_generation_that_runs(
    ask: Asks, stream: bool, most_bytes: int
) -> None:
    """One generation, and its whole text; the SDK's first connection was cut."""
    async with cutting(most_bytes, KEPT, 50 if most_bytes == BEFORE_HEAD else 0) as (
        url,
        cuts,
        run,
    ):
        text = await ask(url, stream=stream)
        assert text == await ask(run.url, stream=False)
        assert 2 == cuts.connections
        # that one, and the one that it is held against
        assert 2 == len(run.mock.account.newest(9))


async def test_where_streams_are_not_kept_a_retry_is_a_second_generation() -> None:
    """What the setting changes."""
    async with cutting(BEFORE_HEAD, {}, 50) as (url, cuts, run):
        await openai_text(url, stream=True)
        assert (2, 2) == (cuts.connections, len(run.mock.account.newest(9)))


async def test_a_stream_cut_after_its_head_is_gone_on_with_by_its_idempotency_key() -> None:
    """The SDK tells its user, who asks once more with the same key."""
    async with cutting(AFTER_SOME, KEPT, 40) as (url, cuts, run):
        async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="none") as client:
            seen: list[list[str]] = []
            for _ in range(2):
                seen.append([])
                with contextlib.suppress(openai.APIError, *BROKEN):
                    stream = await client.chat.completions.create(
                        model="m",
                        messages=[{"role": "user", "content": "hi"}],
                        stream=True,
                        extra_headers={"Idempotency-Key": "mine"},
                    )
                    async for chunk in stream:
                        seen[-1] += [choice.delta.content or "" for choice in chunk.choices]
        broken, whole = map("".join, seen)
        assert whole == await openai_text(run.url, stream=False)
        assert whole.startswith(broken)
        assert len(broken) < len(whole)
        assert 2 == cuts.connections
        assert 2 == len(run.mock.account.newest(9))


@pytest.mark.parametrize("error", [openai.UnprocessableEntityError])
async def test_an_idempotency_key_with_another_request_is_refused(error: type[Exception]) -> None:
    """As the SDK's own exception, which it does not retry."""
    async with (
        cutting(AFTER_SOME, KEPT, 0) as (_, _, run),
        openai.AsyncOpenAI(base_url=f"{run.url}/v1", api_key="none") as client,
    ):
        key = {"Idempotency-Key": "mine"}
        await client.responses.create(model="m", input="hi", extra_headers=key)
        with pytest.raises(error, match="another request"):
            await client.responses.create(model="m", input="ho", extra_headers=key)
        assert 1 == len(run.mock.account.newest(9))

"""A client stops its answer where answers are not kept: what runs is ended, whoever else asks gets
the same words and ends nothing."""

import asyncio
import json
from typing import Any

import aiohttp
import pytest
import structlog

from tests.raw_upstream import CHUNKED, Peer
from tests.relay.far import ROLE, Far, delta, proxied, silent, until
from tests.running import Running
from tests.server.access.test_keys import sha256

ANY = {"*": [{"upstream": "far"}]}
KEYS = {"auth": {"keys": [{"name": name, "sha256": sha256(name)} for name in ("ann", "bob")]}}
DIFY = "/v1/chat-messages"
AI_SDK = "/v1/ai-sdk"
QUESTION = {"inputs": {}, "query": "hi", "response_mode": "streaming", "user": "u"}
PAGE = {
    "id": "chat",
    "model": "m",
    "messages": [{"id": "1", "role": "user", "parts": [{"type": "text", "text": "hi"}]}],
}


class Talks:
    """An upstream that says a word and then nothing. `left`: how often the proxy has gone."""

    def __init__(self) -> None:
        self.left = 0

    async def __call__(self, peer: Peer) -> None:
        peer.write(CHUNKED)
        peer.send(ROLE + delta("word "))
        await peer.left()
        self.left += 1


def asking(run: Running, path: str, body: dict[str, Any], key: str = "ann") -> Any:
    return run.session.post(run.url + path, json=body, headers={"x-api-key": key})


async def said(response: aiohttp.ClientResponse) -> list[dict[str, Any]]:
    """The rest of its events."""
    text = await response.text()
    return [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: {")]


async def first(response: aiohttp.ClientResponse) -> dict[str, Any]:
    async for line in response.content:
        if line.startswith(b"data: {"):
            found: dict[str, Any] = json.loads(line[6:])
            return found
    raise AssertionError("it ended")


async def stopped(run: Running, path: str, key: str = "ann") -> tuple[int, bytes]:
    async with asking(run, path, {"user": "u"}, key) as response:
        return response.status, await response.read()


async def test_a_stop_of_difys_ends_the_answer_and_no_stranger_learns_whether_there_is_one() -> (
    None
):
    """As Dify's own, which says success of any id."""
    talks = Talks()
    with structlog.testing.capture_logs() as log:
        async with proxied(["far"], {"far": Far(talks)}, models=ANY, **KEYS) as run:
            async with asking(run, DIFY, QUESTION) as response:
                task = (await first(response))["task_id"]
                where = f"{DIFY}/{task}/stop"
                success = (200, b'{"result":"success"}')
                assert success == await stopped(run, where, "bob")
                assert success == await stopped(run, f"{DIFY}/nothing/stop")
                assert 0 == talks.left
                assert success == await stopped(run, where)
                events = await said(response)
                assert "error" == events[-1]["event"]
                await until(lambda: talks.left == 1)
            assert success == await stopped(run, where)
            assert 401 == (await stopped(run, where, "eve"))[0]
    ends = [(line["outcome"], line["ended_by"]) for line in log if "outcome" in line]
    assert [("cancelled", "client")] == ends


async def test_a_page_stops_its_own_chat_by_its_own_name_for_it() -> None:
    """Also what goes on without it, as the page is left."""
    talks = Talks()
    streams = {"on_disconnect": "finish"}
    async with proxied(["far"], {"far": Far(talks)}, streams=streams, **KEYS) as run:
        async with asking(run, AI_SDK, PAGE) as response:
            await first(response)
        async with asking(run, AI_SDK, PAGE, "bob") as others:
            await first(others)
            assert (204, b"") == await stopped(run, f"{AI_SDK}/other/stop")
            assert 0 == talks.left
            assert (204, b"") == await stopped(run, f"{AI_SDK}/chat/stop")
            await until(lambda: talks.left == 1)
            assert (204, b"") == await stopped(run, f"{AI_SDK}/chat/stop")
            assert 1 == talks.left
            assert (204, b"") == await stopped(run, f"{AI_SDK}/chat/stop", "bob")
            assert "error" == (await said(others))[-1]["type"]


async def test_an_answer_that_has_not_begun_is_not_waited_for_any_more() -> None:
    far = Far(silent)
    async with proxied(["far"], {"far": far}, **KEYS) as run:
        async with asyncio.timeout(10):
            asked = asyncio.create_task(answered(run))
            await until(lambda: far.asked)
            await stopped(run, f"{AI_SDK}/chat/stop")
            assert 499 == await asked
        await until(lambda: far.left == 1)


async def answered(run: Running) -> int:
    async with asking(run, AI_SDK, PAGE) as response:
        return int(response.status)


@pytest.mark.parametrize("name", ["", "x" * 257])
async def test_what_has_no_name_is_stopped_by_none(name: str) -> None:
    """Nor by one that is too long to be kept."""
    talks = Talks()
    async with (
        proxied(["far"], {"far": Far(talks)}, **KEYS) as run,
        asking(run, AI_SDK, {**PAGE, "id": name}) as response,
    ):
        await first(response)
        await stopped(run, f"{AI_SDK}/{name or '%20'}/stop")
        assert 0 == talks.left

"""Responses over a WebSocket: what is asked, told, kept and refused on one connection."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import ClientWebSocketResponse, WSMsgType

from tests.raw_upstream import CHUNKED, LAST_CHUNK, Peer, raw_upstream
from tests.running import Running, one, running
from tests.server.test_failures import HELLO, STOP

MOCK: dict[str, Any] = {
    "upstreams": {
        "far": {"dialect": "anthropic", "mock": {"scenario": "hello", "tokens_per_s": 0}}
    },
    "models": {"*": [{"upstream": "far"}]},
}
ASK = {"type": "response.create", "model": "m", "input": "Say hello", "store": False}
ENDS = {"response.completed", "response.incomplete", "response.failed", "error"}


@asynccontextmanager
async def connected(
    config: dict[str, Any] | None = None, **headers: str
) -> AsyncIterator[tuple[ClientWebSocketResponse, Running]]:
    async with (
        running(config or MOCK) as run,
        run.session.ws_connect(f"{run.url}/v1/responses", headers=headers) as socket,
    ):
        yield socket, run


async def answer(socket: ClientWebSocketResponse, **asked: Any) -> list[dict[str, Any]]:
    """The events of one answer."""
    await socket.send_json({**ASK, **asked})
    events: list[dict[str, Any]] = []
    async with asyncio.timeout(10):
        while not events or events[-1]["type"] not in ENDS:
            events.append(json.loads(await socket.receive_str()))
    return events


def asked_of(run: Running) -> list[Any]:
    """The conversations that the mock was asked, oldest first."""
    return [entry["body"]["messages"] for entry in run.mock.account.newest()][::-1]


async def test_an_answer_s_events_are_those_of_a_post() -> None:
    async with connected() as (socket, run):
        told = await answer(socket)
        body = {name: value for name, value in ASK.items() if name != "type"}
        async with run.session.post(
            f"{run.url}/v1/responses", json={**body, "stream": True}
        ) as response:
            lines = (await response.text()).splitlines()
        posted = [json.loads(line[6:]) for line in lines if line.startswith("data: {")]
        assert [event["type"] for event in posted] == [event["type"] for event in told]
        assert posted[-1]["response"]["usage"] == told[-1]["response"]["usage"]
        assert 2.0 == await run.metric(
            'mainstem_requests_total{client_dialect="openai_responses",model="*",status="200"}'
        )


async def test_the_next_message_goes_on_from_the_answer_that_is_kept() -> None:
    async with connected() as (socket, run):
        first = await answer(socket)
        text = first[-1]["response"]["output"][0]["content"][0]["text"]
        more = [{"type": "message", "role": "user", "content": "And then?"}]
        for _ in range(2):
            first = await answer(
                socket, input=more, previous_response_id=first[-1]["response"]["id"]
            )
        assert "response.completed" == first[-1]["type"]
        _, second, third = asked_of(run)
        assert ["user", "assistant", "user"] == [turn["role"] for turn in second]
        assert 5 == len(third)
        assert text in json.dumps(second[1], ensure_ascii=False)


async def test_what_was_prepared_is_gone_on_from_without_having_asked_anybody() -> None:
    async with connected() as (socket, run):
        prepared = await answer(socket, generate=False)
        assert ["response.created", "response.completed"] == [each["type"] for each in prepared]
        assert [] == asked_of(run)
        told = await answer(
            socket,
            input=[{"type": "message", "role": "user", "content": "More"}],
            previous_response_id=prepared[-1]["response"]["id"],
        )
        assert "response.completed" == told[-1]["type"]
        ((turn,),) = asked_of(run)
        assert ("Say hello" in json.dumps(turn), "More" in json.dumps(turn)) == (True, True)


async def test_an_answer_that_is_not_kept_is_not_found_and_the_connection_goes_on() -> None:
    async with connected() as (socket, _):
        (error,) = await answer(socket, previous_response_id="resp_of_another")
        assert (400, "previous_response_not_found") == (error["status"], error["error"]["code"])
        assert "response.completed" == (await answer(socket))[-1]["type"]


async def test_after_a_failure_nothing_is_kept() -> None:
    async with connected() as (socket, _):
        first = await answer(socket)
        (error,) = await answer(socket, input=7)
        assert 400 == error["status"]
        (error,) = await answer(socket, previous_response_id=first[-1]["response"]["id"])
        assert "previous_response_not_found" == error["error"]["code"]


async def test_a_conversation_that_is_too_long_is_not_kept() -> None:
    limits = {"max_body_bytes": 3000}
    async with connected({**MOCK, "limits": limits}) as (socket, _):
        first = await answer(socket, input="x" * 2900)
        assert "response.completed" == first[-1]["type"]
        (error,) = await answer(socket, previous_response_id=first[-1]["response"]["id"])
        assert "previous_response_not_found" == error["error"]["code"]


@pytest.mark.parametrize(
    ("message", "param"),
    [
        ("no JSON", None),
        ("[]", None),
        ("{}", "type"),
        ('{"type": "other"}', "type"),
        ('{"type": "response.create", "input": [1', None),
        (json.dumps({**ASK, "stream_id": "s1"}), "stream_id"),
        (json.dumps({**ASK, "previous_response_id": 7}), "previous_response_id"),
        ("[" * 5000 + "]" * 5000, None),
    ],
)
async def test_a_message_that_is_none_is_an_error_and_the_connection_goes_on(
    message: str, param: str | None
) -> None:
    async with connected() as (socket, _):
        await socket.send_str(message)
        error = json.loads(await socket.receive_str())
        assert ("error", 400, param) == (error["type"], error["status"], error["error"]["param"])
        assert "response.completed" == (await answer(socket))[-1]["type"]


async def test_what_a_client_tells_of_an_answer_asks_for_nothing() -> None:
    async with connected() as (socket, _):
        await socket.send_json({"type": "response.processed", "response_id": "r"})
        assert "response.completed" == (await answer(socket))[-1]["type"]


async def test_messages_that_come_early_are_answered_in_their_order() -> None:
    async with connected() as (socket, run):
        for number in range(3):
            await socket.send_json({**ASK, "input": f"Number {number}"})
        ended = 0
        async with asyncio.timeout(10):
            while ended < 3:
                event = json.loads(await socket.receive_str())
                ended += event["type"] == "response.completed"
        asked = [json.dumps(turns) for turns in asked_of(run)]
        assert [True] * 3 == [f"Number {n}" in turns for n, turns in enumerate(asked)]


async def test_an_upstream_s_refusal_is_an_error_with_its_status() -> None:
    async with connected(**{"x-mock-fault": "status:429"}) as (socket, _):
        (error,) = await answer(socket)
        assert 429 == error["status"]
        assert "retry-after" in {name.lower() for name in error["headers"]}


async def test_a_failure_in_the_midst_is_told_by_its_own_events() -> None:
    async with connected(**{"x-mock-fault": "cut@3"}) as (socket, _):
        assert "error" == (await answer(socket))[-1]["type"]
        assert "response.failed" == json.loads(await socket.receive_str())["type"]


@pytest.mark.parametrize(("key", "status"), [(None, 401), ("wrong", 401), ("right", 101)])
async def test_a_handshake_needs_a_key(key: str | None, status: int) -> None:
    digest = hashlib.sha256(b"right").hexdigest()
    keys = [{"name": "web", "sha256": digest, "models": ["m"], "requests_per_minute": 1}]
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    async with running({**MOCK, "auth": {"keys": keys}}) as run:
        if status != 101:
            with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
                await run.session.ws_connect(f"{run.url}/v1/responses", headers=headers)
            assert status == caught.value.status
            return
        async with run.session.ws_connect(f"{run.url}/v1/responses", headers=headers) as socket:
            (error,) = await answer(socket, model="other")
            assert 403 == error["status"]
            (error,) = await answer(socket)
            assert 429 == error["status"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://other.example"}, 403),
        ({"Origin": "https://mine.example"}, 101),
        ({"Origin": "https://mine.example", "Sec-Fetch-Mode": "websocket"}, 101),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "websocket"}, 403),
        ({}, 101),
    ],
)
async def test_only_pages_that_may_call_open_one(headers: dict[str, str], status: int) -> None:
    config = {**MOCK, "cors": {"allow_origins": ["https://mine.example"]}}
    async with running(config) as run:
        if status == 101:
            async with run.session.ws_connect(f"{run.url}/v1/responses", headers=headers) as socket:
                assert "response.completed" == (await answer(socket))[-1]["type"]
            return
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await run.session.ws_connect(f"{run.url}/v1/responses", headers=headers)
        assert status == caught.value.status


async def test_a_get_that_opens_none_is_told_to_post() -> None:
    async with running(MOCK) as run:
        for headers, status in (({}, 405), ({"Upgrade": "websocket"}, 426)):
            async with run.session.get(f"{run.url}/v1/responses", headers=headers) as response:
                assert status == response.status
                assert "message" in (await response.json())["error"]


async def test_a_message_that_is_too_large_closes_the_connection() -> None:
    async with connected({**MOCK, "limits": {"max_body_bytes": 1000}}) as (socket, _):
        await socket.send_json({**ASK, "input": "x" * 2000})
        closed = await socket.receive()
        assert (WSMsgType.CLOSE, aiohttp.WSCloseCode.MESSAGE_TOO_BIG) == (closed.type, closed.data)


async def test_a_binary_message_closes_the_connection() -> None:
    async with connected() as (socket, _):
        await socket.send_bytes(b"{}")
        closed = await socket.receive()
        assert (WSMsgType.CLOSE, aiohttp.WSCloseCode.UNSUPPORTED_DATA) == (
            closed.type,
            closed.data,
        )


@pytest.mark.parametrize("abrupt", [False, True])
async def test_a_client_that_leaves_closes_the_upstream(abrupt: bool) -> None:
    gone = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        peer.write(CHUNKED)
        peer.send(HELLO)
        await peer.left()
        gone.set()

    async with raw_upstream(script) as url, running(one("openai_chat", url)) as run:
        socket = await run.session.ws_connect(f"{run.url}/v1/responses")
        await socket.send_json(ASK)
        await socket.receive()
        if abrupt:
            socket._response.close()
        else:
            await socket.close()
        async with asyncio.timeout(2):
            await gone.wait()


async def test_a_drain_closes_a_connection_that_asks_nothing() -> None:
    async with connected() as (socket, run):
        await answer(socket)
        draining = asyncio.create_task(run.process.gateway.drain(5))
        closed = await socket.receive()
        assert (WSMsgType.CLOSE, aiohttp.WSCloseCode.GOING_AWAY) == (closed.type, closed.data)
        async with asyncio.timeout(2):
            await draining


async def test_a_drain_lets_an_answer_end_and_then_closes() -> None:
    go = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        peer.write(CHUNKED)
        peer.send(HELLO)
        await go.wait()
        peer.send(STOP)
        peer.write(LAST_CHUNK)

    async with raw_upstream(script) as url, connected(one("openai_chat", url)) as (socket, run):
        await socket.send_json(ASK)
        await socket.receive()
        draining = asyncio.create_task(run.process.gateway.drain(5))
        await asyncio.sleep(0.05)
        go.set()
        types = []
        async with asyncio.timeout(5):
            while (message := await socket.receive()).type is WSMsgType.TEXT:
                types.append(json.loads(message.data)["type"])
            await draining
        assert ("response.completed", aiohttp.WSCloseCode.GOING_AWAY) == (types[-1], message.data)


async def test_a_client_that_reads_slowly_holds_back_its_upstream_alone() -> None:
    sent = 0

    async def script(peer: Peer) -> None:
        nonlocal sent
        await peer.request()
        peer.write(CHUNKED)
        piece = b'data: {"choices":[{"delta":{"content":"%b"}}]}\n\n' % (b"x" * 60_000)
        for _ in range(400):
            peer.send(piece)
            await peer.writer.drain()
            sent += 1
        peer.send(STOP)
        peer.write(LAST_CHUNK)

    async with raw_upstream(script) as url, running(one("openai_chat", url)) as run:
        async with run.session.ws_connect(
            f"{run.url}/v1/responses", max_msg_size=1 << 28
        ) as socket:
            await socket.send_json(ASK)
            before = -1
            async with asyncio.timeout(10):
                while before != sent:  # it is held back once nothing moves any more
                    before = sent
                    await asyncio.sleep(0.1)
            assert sent < 400
            async with run.session.get(f"{run.url}/v1/models") as response:
                assert 200 == response.status
            last = ""
            async with asyncio.timeout(30):
                while last != "response.completed":
                    last = json.loads(await socket.receive_str())["type"]
            assert 400 == sent

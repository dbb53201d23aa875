"""A client that waits long for the first content gets its 200 and heartbeats, and no target is
committed to by that."""

import asyncio
from typing import Any

import pytest

from proxy.dialects.registry import CLIENTS
from tests.fuzz.bodies import parsed_by
from tests.raw_upstream import CHUNKED, LAST_CHUNK, Peer
from tests.relay.far import (
    ROLE,
    STOP,
    Deed,
    Far,
    Heard,
    delta,
    hangs_up,
    proxied,
    says,
    silent,
    status,
    until,
)
from tests.running import Running
from tests.samples import ASKED

SOON = {"streams": {"early_s": 0.05, "heartbeat_s": 0.05}}


def after(seconds: float, deed: Deed) -> Deed:
    """Silent for a while, and then this."""

    async def late(peer: Peer) -> None:
        await asyncio.sleep(seconds)
        await deed(peer)

    return late


async def asked(run: Running, **body: Any) -> tuple[Heard, bytes]:
    """What a native client heard, and its bytes."""
    asking = run.session.post(f"{run.url}/v1/stream", json={"model": "m", "prompt": "hi", **body})
    async with asking as response:
        said = await response.read()
        return Heard(response.status, response.headers, said.decode()), said


async def test_the_head_and_heartbeats_come_before_the_first_content() -> None:
    speak = asyncio.Event()

    async def waits(peer: Peer) -> None:
        await speak.wait()
        await says("Hello")(peer)

    far = Far(waits)
    async with (
        proxied(["far"], {"far": far}, **SOON) as run,
        run.session.post(f"{run.url}/v1/stream", json={"model": "m", "prompt": "hi"}) as response,
    ):
        assert (200, "text/event-stream") == (response.status, response.content_type)
        assert b": ping\n" == await response.content.readline()
        assert b": ping\n" == await response.content.readline()
        speak.set()
        heard = Heard(200, response.headers, (await response.read()).decode())
        assert ("Hello", None, "stream.start") == (heard.text, heard.kind, heard.types[0])


async def test_an_answer_in_time_is_given_as_ever() -> None:
    async with proxied(["far"], {"far": Far(says("Hello"))}, streams={"early_s": 5}) as run:
        heard, said = await asked(run)
    assert ("Hello", "far") == (heard.text, heard.headers["x-mainstem-upstream"])
    assert b": ping" not in said


async def test_with_0_a_client_waits_for_its_status() -> None:
    async with proxied(
        ["far"],
        {"far": Far(silent)},
        streams={"early_s": 0, "heartbeat_s": 0.05},
        timeouts={"first_event_s": 0.2},
    ) as run:
        heard, _ = await asked(run)
    assert (504, "first_event_timeout") == (heard.status, heard.kind)


@pytest.mark.parametrize("deed", [status(500), hangs_up])
async def test_another_target_is_asked_all_the_same(deed: Deed) -> None:
    fars = {"first": Far(after(0.15, deed)), "second": Far(says("Hello"))}
    async with proxied(["first", "second"], fars, **SOON) as run:
        heard, said = await asked(run)
        moved = 'mainstem_fallbacks_total{from_upstream="first",'
        assert 1 == await run.metric(moved)
    assert ("Hello", "second") == (heard.text, heard.events[0]["upstream"])
    assert said.startswith(b": ping\n")


async def test_a_retry_and_a_hedge_go_on_too() -> None:
    tries = Far(after(0.1, hangs_up), says("Hello"))
    retry = {"retries": 1, "backoff_s": 0.01, "budget": 1}
    async with proxied(["far"], {"far": tries}, retry=retry, **SOON) as run:
        assert "Hello" == (await asked(run))[0].text
    model = {"targets": ["slow", "quick"], "hedge_after_s": 0.15}
    async with proxied(model, {"slow": Far(silent), "quick": Far(says("Hi"))}, **SOON) as run:
        assert "Hi" == (await asked(run))[0].text


async def test_what_fails_in_the_end_is_one_error_in_the_stream() -> None:
    fars = {"first": Far(after(0.1, status(500))), "second": Far(status(429))}
    async with proxied(["first", "second"], fars, **SOON) as run:
        heard, _ = await asked(run)
        ended = 'mainstem_streams_total{client_dialect="native",model="m",outcome="rate_limited",'
        assert 1 == await run.metric(ended)
        assert 1 == await run.metric(
            'mainstem_requests_total{client_dialect="native",model="m",status="200"}'
        )
    assert (["stream.start", "stream.error"], "rate_limited") == (heard.types, heard.kind)
    assert ("second", "second") == (heard.events[0]["upstream"], heard.error["upstream"])


async def test_who_asks_for_a_document_waits_for_its_status() -> None:
    async with proxied(["far"], {"far": Far(after(0.15, status(429)))}, **SOON) as run:
        heard, _ = await asked(run, stream=False)
    assert (429, "rate_limited") == (heard.status, heard.kind)


async def test_a_client_that_leaves_takes_its_target_along() -> None:
    """Whatever on_disconnect says: nothing has been promised to it."""
    far = Far(silent)
    streams = {**SOON["streams"], "on_disconnect": "finish"}
    async with proxied(["far"], {"far": far}, streams=streams) as run:
        body = {"model": "m", "prompt": "hi"}
        async with run.session.post(f"{run.url}/v1/stream", json=body) as response:
            await response.content.readline()
            response.close()
        await until(lambda: far.left)
        gone = 'mainstem_streams_total{client_dialect="native",model="m",outcome="client_gone",'
        await until(lambda: run.metric(gone))
        assert 1 == await run.metric(
            'mainstem_requests_total{client_dialect="native",model="m",status="200"}'
        )


async def test_the_end_of_the_drain_is_told_in_the_stream() -> None:
    far = Far(silent)
    async with proxied(["far"], {"far": far}, server={"drain_s": 0.05}, **SOON) as run:
        body = {"model": "m", "prompt": "hi"}
        async with run.session.post(f"{run.url}/v1/stream", json=body) as response:
            await response.content.readline()
            await run.process.gateway.drain(0.05)
            heard = Heard(200, response.headers, (await response.read()).decode())
    assert (["stream.start", "stream.error"], "shutdown") == (heard.types, heard.kind)


async def streams_late(peer: Peer) -> None:
    """Its role at once, its content late: the role is no content."""
    peer.write(CHUNKED)
    peer.send(ROLE)
    await asyncio.sleep(0.15)
    peer.send(delta("Hello") + STOP)
    peer.write(LAST_CHUNK)


PATHS = {
    "native": "/v1/stream",
    "openai_chat": "/v1/chat/completions",
    "anthropic": "/v1/messages",
    "plain": "/data",
    "sider": "/api/v3/completion/text",
    "chatglm": "/data",
    "baidu_chat": "/aichat/api/conversation",
    "yiyan": "/eb/chat/conversation/v2",
    "dify": "/v1/chat-messages",
    "cohere": "/v2/chat",
    "ollama": "/api/chat",
    "ai_sdk": "/v1/ai-sdk",
    "ag_ui": "/v1/ag-ui",
    "openai_responses": "/v1/responses",
    "openai_completions": "/v1/completions",
    "gemini": "/v1beta/models/m:streamGenerateContent",
}


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("deed", [streams_late, after(0.15, status(500))])
async def test_every_dialect_waits_so(client: str, deed: Deed) -> None:
    """Where it has heartbeats, they come first; then the answer, or its one error."""
    async with (
        proxied(
            {"targets": ["far"]}, {"far": Far(deed)}, models={"*": [{"upstream": "far"}]}, **SOON
        ) as run,
        run.session.post(f"{run.url}{PATHS[client]}", json=ASKED[client].body) as response,
    ):
        said = await response.read()
    assert 200 == response.status
    assert said.startswith(CLIENTS[client].encoder(parsed_by(client)).heartbeat)
    assert (b"Hello" in said) is (deed is streams_late)
    assert (b"told to fail" in said) is (deed is not streams_late)

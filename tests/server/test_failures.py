"""What happens when an upstream fails: before commit a status or the next target, after it exactly
one in-band error."""

import asyncio
import contextlib
import json
from typing import Any

import pytest

from tests.raw_upstream import CHUNKED, LAST_CHUNK, Peer, raw_upstream
from tests.running import Running, one, running

ROLE = b'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}\n\n'
HELLO = b'data: {"choices":[{"index":0,"delta":{"content":"Hello"}}]}\n\n'
STOP = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
ASK = {"model": "m", "prompt": "hi"}


async def events_of(
    run: Running, body: dict[str, Any] = ASK, **headers: str
) -> list[dict[str, Any]]:
    """The native events of one streamed answer, read by splitting its text and nothing more."""
    async with run.session.post(f"{run.url}/v1/stream", json=body, headers=headers) as response:
        assert 200 == response.status, await response.text()
        text = await response.text()
    lines = [line for line in text.split("\n") if line.startswith("data: ")]
    return [json.loads(line[6:]) for line in lines]


async def refusal_of(run: Running, body: dict[str, Any] = ASK) -> tuple[int, dict[str, Any], Any]:
    async with run.session.post(f"{run.url}/v1/stream", json=body) as response:
        return response.status, (await response.json())["error"], response.headers


async def test_a_whole_stream_ends_in_one_stream_end() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        peer.write(CHUNKED)
        peer.send(ROLE + HELLO)
        peer.send(STOP)
        peer.write(LAST_CHUNK)

    async with raw_upstream(script) as url, running(one("openai_chat", url)) as run:
        events = await events_of(run)
        assert ["stream.start", "block.start", "text.delta", "block.end", "stream.end"] == [
            event["type"] for event in events
        ]
        assert {"reason": "stop", "raw": "stop"} == events[-1]["finish"]
        assert events[-1]["timing"]["first_event_ms"] <= events[-1]["timing"]["total_ms"]
        assert 1.0 == await run.metric(
            'mainstem_streams_total{client_dialect="native",model="*",outcome="completed",upstream="far"}'
        )


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        (b"", "upstream_truncated"),
        (ROLE, "upstream_truncated"),
        (b'data: {"error":{"message":"boom","type":"server_error"}}\n\n', "upstream_error"),
        (b"data: <garbage\n\n", "upstream_malformed"),
    ],
    ids=["empty 200", "role only", "error as first frame", "garbage"],
)
async def test_before_content_a_failure_is_a_status(sent: bytes, kind: str) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        peer.write(CHUNKED)
        if sent:
            peer.send(sent)
        peer.write(LAST_CHUNK)

    async with raw_upstream(script) as url, running(one("openai_chat", url)) as run:
        status, error, _ = await refusal_of(run)
        assert (502, kind, "far") == (status, error["kind"], error["upstream"])


async def test_after_content_a_failure_is_one_error_and_a_clean_end() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        peer.write(CHUNKED)
        peer.send(ROLE + HELLO)
        peer.write(LAST_CHUNK)

    async with raw_upstream(script) as url, running(one("openai_chat", url)) as run:
        events = await events_of(run)
        assert ["text.delta", "stream.error"] == [
            e["type"] for e in events if e["type"] in ("text.delta", "stream.error", "stream.end")
        ]
        assert "upstream_truncated" == events[-1]["error"]["kind"]
        assert 1.0 == await run.metric(
            'mainstem_streams_total{client_dialect="native",model="*",outcome="upstream_truncated"'
        )


async def test_a_reset_after_content_is_truncated_too() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        peer.write(CHUNKED)
        peer.send(HELLO)
        await asyncio.sleep(0.05)
        peer.reset()

    async with raw_upstream(script) as url, running(one("openai_chat", url)) as run:
        assert "upstream_truncated" == (await events_of(run))[-1]["error"]["kind"]


@pytest.mark.parametrize(
    ("timeouts", "begin", "kind", "status"),
    [
        ({"first_event_s": 0.15}, None, "first_event_timeout", 504),
        ({"first_event_s": 0.15}, b"", "first_event_timeout", 504),
        ({"idle_s": 0.15}, HELLO, "idle_timeout", 200),
        ({"total_s": 0.2}, HELLO, "total_timeout", 200),
    ],
)
async def test_each_wait_is_bounded(
    timeouts: dict[str, float], begin: bytes | None, kind: str, status: int
) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        if begin is not None:
            peer.write(CHUNKED)
            if begin:
                peer.send(begin)
        await peer.left()

    async with (
        raw_upstream(script) as url,
        running({**one("openai_chat", url), "timeouts": timeouts}) as run,
    ):
        if status == 200:
            assert kind == (await events_of(run))[-1]["error"]["kind"]
        else:
            got, error, _ = await refusal_of(run)
            assert (status, kind) == (got, error["kind"])


async def test_an_upstream_comment_resets_the_idle_timer_and_is_not_forwarded() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        peer.write(CHUNKED)
        peer.send(HELLO)
        for _ in range(5):
            await asyncio.sleep(0.25)
            peer.send(b": keep-alive\n\n")
        peer.send(STOP)
        peer.write(LAST_CHUNK)

    async with (
        raw_upstream(script) as url,
        running({**one("openai_chat", url), "timeouts": {"idle_s": 1}}) as run,
    ):
        assert "stream.end" == (await events_of(run))[-1]["type"]


async def test_a_silent_stream_gets_heartbeats_of_one_newline() -> None:
    go_on = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        peer.write(CHUNKED)
        peer.send(HELLO)
        await go_on.wait()
        peer.send(STOP)
        peer.write(LAST_CHUNK)

    async with (
        raw_upstream(script) as url,
        running({**one("openai_chat", url), "streams": {"heartbeat_s": 0.1}}) as run,
    ):
        async with run.session.post(f"{run.url}/v1/stream", json=ASK) as response:
            said = b""
            while said.count(b": ping\n") < 3:
                said += await response.content.readany()
            go_on.set()
            said += await response.read()
        assert b": ping\n\n" not in said
        assert said.count(b": ping\n") == await run.metric("mainstem_heartbeats_total")


async def test_the_next_target_is_tried_before_commit_and_counted() -> None:
    async def bad(peer: Peer) -> None:
        await peer.request()
        peer.write(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\n{}")

    async def good(peer: Peer) -> None:
        await peer.request()
        peer.write(CHUNKED)
        peer.send(HELLO + STOP)
        peer.write(LAST_CHUNK)

    async with raw_upstream(bad) as first, raw_upstream(good) as second:
        config = {
            "upstreams": {
                "a": {"dialect": "openai_chat", "base_url": first},
                "b": {"dialect": "openai_chat", "base_url": second},
            },
            "models": {"m": [{"upstream": "a"}, {"upstream": "b", "model": "other"}]},
        }
        async with running(config) as run:
            events = await events_of(run)
            assert ("b", "other") == (events[0]["upstream"], events[0]["upstream_model"])
            assert 1.0 == await run.metric(
                'mainstem_fallbacks_total{from_upstream="a",kind="overloaded",to_upstream="b"}'
            )
            assert 1.0 == await run.metric(
                'mainstem_upstream_attempts_total{result="overloaded",upstream="a"}'
            )
            assert 1.0 == await run.metric(
                'mainstem_upstream_attempts_total{result="ok",upstream="b"}'
            )


async def test_a_bad_request_is_not_tried_elsewhere_and_keeps_its_status() -> None:
    asked = 0

    async def bad(peer: Peer) -> None:
        nonlocal asked
        await peer.request()
        asked += 1
        body = b'{"error":{"message":"context too long","type":"invalid_request_error","code":"context_length_exceeded"}}'
        peer.write(
            b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
            % (len(body), body)
        )

    async with raw_upstream(bad) as url:
        config = one("openai_chat", url)
        config["models"] = {"*": [{"upstream": "far"}, {"upstream": "far"}]}
        async with running(config) as run:
            status, error, _ = await refusal_of(run)
            assert (400, "bad_request", "context_length_exceeded") == (
                status,
                error["kind"],
                error["code"],
            )
            assert "context too long" in error["message"]
            assert 1 == asked


async def test_an_upstreams_retry_after_is_passed_on() -> None:
    async def busy(peer: Peer) -> None:
        await peer.request()
        peer.write(b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n")

    async with raw_upstream(busy) as url, running(one("openai_chat", url)) as run:
        status, error, headers = await refusal_of(run)
        assert (429, "rate_limited", "7") == (status, error["kind"], headers["Retry-After"])


@pytest.mark.parametrize("content_type", ["text/html; charset=utf-8", "application/xhtml+xml"])
async def test_a_web_page_under_200_is_a_failure(content_type: str) -> None:
    async def page(peer: Peer) -> None:
        await peer.request()
        peer.write(
            f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Length: 13\r\n\r\n<html></html>".encode()
        )

    async with raw_upstream(page) as url, running(one("openai_chat", url)) as run:
        status, error, _ = await refusal_of(run)
        assert (502, "upstream_malformed") == (status, error["kind"])


async def test_a_json_error_under_200_is_a_failure() -> None:
    async def page(peer: Peer) -> None:
        await peer.request()
        body = b'{\n "error": {"message": "no balance", "code": 402}\n}'
        peer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
            % (len(body), body)
        )

    async with raw_upstream(page) as url, running(one("openai_chat", url)) as run:
        _, error, _ = await refusal_of(run)
        assert ("upstream_error", "far") == (error["kind"], error["upstream"])
        assert "no balance" in error["message"]


async def test_a_document_that_fails_late_is_a_status() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        peer.write(CHUNKED)
        peer.send(HELLO)
        peer.write(LAST_CHUNK)

    async with raw_upstream(script) as url, running(one("openai_chat", url)) as run:
        status, error, _ = await refusal_of(run, {**ASK, "stream": False})
        assert (502, "upstream_truncated") == (status, error["kind"])


async def test_an_answer_too_long_for_one_document_is_refused() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        peer.write(CHUNKED)
        for _ in range(200):
            peer.send(HELLO)
            await peer.writer.drain()
        await peer.left()

    config_limits = {"limits": {"max_answer_bytes": 2000}}
    async with (
        raw_upstream(script) as url,
        running({**one("openai_chat", url), **config_limits}) as run,
    ):
        status, error, _ = await refusal_of(run, {**ASK, "stream": False})
        assert (502, "upstream_error") == (status, error["kind"])
        assert "max_answer_bytes" in error["message"]


async def test_a_streamed_answer_too_long_for_an_encoder_that_keeps_it_ends_in_an_error() -> None:
    left = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        peer.write(CHUNKED)
        with contextlib.suppress(ConnectionError):
            while True:
                peer.send(HELLO * 50)
                await peer.writer.drain()
        left.set()

    limits = {"max_answer_bytes": 100_000, "write_buffer_bytes": 4096}
    async with (
        raw_upstream(script) as url,
        running({**one("openai_chat", url), "limits": limits}) as run,
    ):
        async with run.session.post(
            f"{run.url}/v1/responses", json={"model": "m", "input": "hi", "stream": True}
        ) as response:
            assert 200 == response.status
            events = [
                line for line in (await response.text()).split("\n") if line.startswith("event: ")
            ]
        assert ["event: error", "event: response.failed"] == events[-2:]
        assert "event: response.completed" not in events
        await asyncio.wait_for(left.wait(), 5)
        series = 'mainstem_streams_total{client_dialect="openai_responses",model="*",outcome="upstream_error",upstream="far"}'
        assert 1.0 == await run.metric(series)


async def test_endless_frames_without_content_are_bounded() -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        peer.write(CHUNKED)
        while True:
            peer.send(ROLE * 50)
            await peer.writer.drain()

    async with (
        raw_upstream(script) as url,
        running({**one("openai_chat", url), "limits": {"max_event_bytes": 20_000}}) as run,
    ):
        status, error, _ = await refusal_of(run)
        assert (502, "upstream_malformed") == (status, error["kind"])

"""An answer that breaks off goes on at the next target, where the model is configured so; and the
client is told."""

import asyncio
import json
from typing import Any

import pytest

from proxy.settings.sections import CONTINUE_PROMPT
from tests.raw_upstream import CHUNKED, LAST_CHUNK, Peer
from tests.relay.far import (
    ROLE,
    STOP,
    Far,
    Heard,
    ask,
    breaks_off_after,
    delta,
    hangs_up,
    proxied,
    says,
    silent,
    status,
    until,
)
from tests.running import Running

ON = {"targets": ["first", "second"], "continue_after_commit": True}


async def stalls(peer: Peer) -> None:
    peer.write(CHUNKED)
    peer.send(ROLE + delta("Hel"))
    await peer.left()


async def calls_a_tool(peer: Peer) -> None:
    peer.write(CHUNKED)
    call = {"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": "{"}}
    peer.send(
        b"data: %b\n\n"
        % json.dumps({"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]}).encode()
    )
    await asyncio.sleep(0.02)
    peer.reset()


def continued(heard: Heard) -> list[Any]:
    return [
        event["data"]["continued"]
        for event in heard.events
        if event["type"] == "vendor" and "continued" in event["data"]
    ]


async def test_the_next_target_is_told_the_text_so_far_and_goes_on_with_it() -> None:
    first, second = Far(breaks_off_after("Hel", "lo, ")), Far(says("world"))
    async with proxied(ON, {"first": first, "second": second}) as run:
        heard = await ask(run)
        assert 1 == await run.metric(
            'mainstem_streams_total{client_dialect="native",model="m",outcome="completed",upstream="second"}'
        )
        assert 1 == await run.metric(
            'mainstem_fallbacks_total{from_upstream="first",kind="upstream_truncated",to_upstream="second"}'
        )
        assert 0 == await run.metric('mainstem_streams_open{upstream="first"}')
        assert 0 == await run.metric('mainstem_streams_open{upstream="second"}')
    assert ("Hello, world", None) == (heard.text, heard.kind)
    said = [
        {
            "from_upstream": "first",
            "to_upstream": "second",
            "upstream_model": "m",
            "kind": "upstream_truncated",
        }
    ]
    assert said == continued(heard)
    assert ["Hello, ", CONTINUE_PROMPT] == [
        message["content"] for message in second.asked[0]["messages"][1:]
    ]


async def test_the_text_stays_one_block_and_the_stream_ends_once() -> None:
    async with proxied(
        ON, {"first": Far(breaks_off_after("Hel")), "second": Far(says("lo"))}
    ) as run:
        heard = await ask(run)
    kinds = [
        "stream.start",
        "block.start",
        "text.delta",
        "vendor",
        "text.delta",
        "block.end",
        "stream.end",
    ]
    assert kinds == heard.types
    assert [0] * 4 == [event["block"] for event in heard.events if "block" in event]


@pytest.mark.parametrize("how", ["openai_chat", "anthropic"])
async def test_clients_of_other_dialects_see_one_good_answer(how: str) -> None:
    path = {"openai_chat": "/v1/chat/completions", "anthropic": "/v1/messages"}[how]
    async with proxied(
        ON, {"first": Far(breaks_off_after("Hel")), "second": Far(says("lo"))}
    ) as run:
        body = {
            "model": "m",
            "max_tokens": 9,
            "stream": True,
            "messages": [{"role": "user", "content": "hi"}],
        }
        async with run.session.post(f"{run.url}{path}", json=body) as response:
            frames = [
                line[6:]
                for line in (await response.text()).split("\n")
                if line.startswith("data: ")
            ]
    if how == "openai_chat":
        assert "[DONE]" == frames.pop()
        chunks = [json.loads(frame) for frame in frames]
        assert "Hello" == "".join(
            chunk["choices"][0]["delta"].get("content") or ""
            for chunk in chunks
            if chunk["choices"]
        )
        assert not any("error" in chunk for chunk in chunks)
    else:
        events = [json.loads(frame) for frame in frames]
        assert "Hello" == "".join(
            event["delta"].get("text", "")
            for event in events
            if event["type"] == "content_block_delta"
        )
        assert ["message_delta", "message_stop"] == [event["type"] for event in events[-2:]]
        assert 1 == [event["type"] for event in events].count("content_block_start")


async def test_the_books_have_what_each_target_cost_and_the_client_the_sum() -> None:
    """Where a target did not count, the sum is unknown to the client."""
    prices = {"*": {"input_per_million": 1000, "output_per_million": 10_000}}

    def counts(asked: int, made: int) -> bytes:
        usage = {"prompt_tokens": asked, "completion_tokens": made}
        return b"data: %b\n\n" % json.dumps({"choices": [], "usage": usage}).encode()

    def first(*tail: bytes) -> Far:
        async def deed(peer: Peer) -> None:
            peer.write(CHUNKED)
            peer.send(ROLE + delta("Hel") + b"".join(tail))
            await asyncio.sleep(0.02)
            peer.write(LAST_CHUNK)

        return Far(deed)

    async def second(peer: Peer) -> None:
        peer.write(CHUNKED)
        peer.send(
            ROLE + delta("lo") + STOP.replace(b"data: [DONE]", counts(7, 3) + b"data: [DONE]")
        )
        peer.write(LAST_CHUNK)

    for tail, total in (((counts(5, 2),), 0.062), ((), None)):
        fars = {"first": first(*tail), "second": Far(second)}
        async with proxied(ON, fars, upstream={"prices": prices}) as run:
            heard = await ask(run)
            cost = heard.events[-1]["usage"]["cost"]
            assert (None if total is None else {"amount": total, "currency": "USD"}) == cost
            line = 'mainstem_cost_total{{model="m",upstream="{}"}}'
            assert [0.025 if tail else 0.0, 0.037] == [
                pytest.approx(await run.metric(line.format(name))) for name in fars
            ]


async def test_a_whole_document_goes_on_too() -> None:
    async with proxied(
        ON, {"first": Far(breaks_off_after("Hel")), "second": Far(says("lo"))}
    ) as run:
        body = {"model": "m", "prompt": "hi", "stream": False}
        async with run.session.post(f"{run.url}/v1/stream", json=body) as response:
            assert 200 == response.status
            assert "Hello" in json.dumps(await response.json())


async def test_a_stall_goes_on_too() -> None:
    async with proxied(
        ON, {"first": Far(stalls), "second": Far(says("lo"))}, timeouts={"idle_s": 0.1}
    ) as run:
        heard = await ask(run)
    assert ("Hello", ["idle_timeout"]) == (heard.text, [said["kind"] for said in continued(heard)])


async def test_it_may_break_off_more_than_once() -> None:
    fars = {"a": Far(breaks_off_after("1")), "b": Far(breaks_off_after("2")), "c": Far(says("3"))}
    async with proxied({**ON, "targets": ["a", "b", "c"]}, fars) as run:
        heard = await ask(run)
    assert ("123", ["a", "b"]) == (heard.text, [said["from_upstream"] for said in continued(heard)])
    assert "12" == fars["c"].asked[0]["messages"][1]["content"]


async def test_without_a_target_that_goes_on_it_fails_as_it_broke() -> None:
    for deed in (status(500), hangs_up, breaks_off_after()):
        async with proxied(ON, {"first": Far(breaks_off_after("Hel")), "second": Far(deed)}) as run:
            heard = await ask(run)
            assert ("Hel", "upstream_truncated", "first") == (
                heard.text,
                heard.kind,
                heard.error["upstream"],
            )  # type: ignore[index]
            assert ["stream.error"] == [kind for kind in heard.types if kind.startswith("stream.")][
                1:
            ]
            assert 1 == await run.metric(
                'mainstem_streams_total{client_dialect="native",model="m",outcome="upstream_truncated",'
            )


async def test_unless_configured_so_nothing_goes_on() -> None:
    second = Far(says("lo"))
    async with proxied(
        ["first", "second"], {"first": Far(breaks_off_after("Hel")), "second": second}
    ) as run:
        assert "upstream_truncated" == (await ask(run)).kind
    assert [] == second.asked


async def test_a_tool_call_cannot_be_gone_on_with() -> None:
    second = Far(says("lo"))
    async with proxied(ON, {"first": Far(calls_a_tool), "second": second}) as run:
        assert "upstream_truncated" == (await ask(run)).kind
    assert [] == second.asked


async def test_with_an_empty_prompt_the_text_stands_last() -> None:
    second = Far(says("lo"))
    streams = {"continue_prompt": ""}
    async with proxied(
        ON, {"first": Far(breaks_off_after("Hel")), "second": second}, streams=streams
    ) as run:
        await ask(run)
    assert {"role": "assistant", "content": "Hel"} == second.asked[0]["messages"][-1]


async def test_a_client_that_leaves_meanwhile_takes_the_next_target_along() -> None:
    second = Far(silent)
    async with proxied(ON, {"first": Far(breaks_off_after("Hel")), "second": second}) as run:
        asking = asyncio.create_task(ask(run))
        await until(lambda: second.asked)
        asking.cancel()
        await until(lambda: second.left)
        await _closed(run, "client_gone")


async def test_the_end_of_the_drain_ends_the_search_in_band() -> None:
    second = Far(silent)
    async with proxied(
        ON, {"first": Far(breaks_off_after("Hel")), "second": second}, server={"drain_s": 0.05}
    ) as run:
        asking = asyncio.create_task(ask(run))
        await until(lambda: second.asked)
        await run.process.gateway.drain(0.05)
        heard = await asking
    assert ("Hel", "shutdown", 1) == (heard.text, heard.kind, second.left)


async def test_a_client_is_kept_awake_meanwhile() -> None:
    second = Far(silent)
    config = {"streams": {"heartbeat_s": 0.05}, "timeouts": {"first_event_s": 0.5}}
    async with (
        proxied(ON, {"first": Far(breaks_off_after("Hel")), "second": second}, **config) as run,
        run.session.post(f"{run.url}/v1/stream", json={"model": "m", "prompt": "hi"}) as response,
    ):
        assert b": ping\n" in await response.read()


async def _closed(run: Running, outcome: str) -> None:
    await until(
        lambda: run.metric(
            f'mainstem_streams_total{{client_dialect="native",model="m",outcome="{outcome}",'
        )
    )
    assert 0 == await run.metric('mainstem_streams_open{upstream="first"}')
    assert 0 == await run.metric('mainstem_streams_open{upstream="second"}')


async def test_a_target_that_is_named_twice_goes_on_once() -> None:
    far = Far(breaks_off_after("a"))
    async with proxied(ON | {"targets": ["far", "far"]}, {"far": far}) as run:
        heard = await ask(run)
    assert (2, "aa", "upstream_truncated") == (len(far.asked), heard.text, heard.kind)

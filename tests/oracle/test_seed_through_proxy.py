"""The founding post's own systems, recorded, and the vendors that it shows, through the whole
proxy, over sockets on both sides.

What must come out was written down by hand, from the recordings' own text. The native client here
splits lines and parses JSON; the others are the vendors' SDKs.
"""

import asyncio
import itertools
import json
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Any, NamedTuple

import anthropic
import openai
import pytest

from tests.raw_upstream import CHUNKED, LAST_CHUNK, Peer, raw_upstream
from tests.running import Running, running
from tests.support import needs_recordings, seed_bytes


class Case(NamedTuple):
    """A recording, the upstream that it is played for, and what it says. `rewrites`: how often it
    takes text back."""

    file: str
    dialect: str
    text: str
    reasoning: str = ""
    raw: str | None = None
    rewrites: int = 0
    options: Mapping[str, Any] = MappingProxyType({})
    vendor: tuple[Any, ...] = ()


SAMPLE = "我是一条样例数据"
REPORT = (
    "根据您提供的数据,报告如下:\n\n1. 销售额同比增长12.5%。\n2. 截至2023年,样本为 1,024 条。完。"
)
QUOTA = {
    "total": 30,
    "remain": 17,
    "remain_period": "daily",
    "extra_quota": 0,
    "extra_total": 0,
    "chat_model": "gpt3.5",
}
SIDER_IDS = {"cid": "C00000000000", "req_message_id": "CM0000000REQ", "message_id": "CM0000000ANS"}
POST_IDS = {"cid": "C05ZS77O0R3", "req_message_id": "CM0B4U24Z8BM6", "message_id": "CM0A4UWNKAD6M"}
CREDIT = {
    "period": "daily",
    "reset_time": 0,
    "total": 30,
    "remain": 17,
    "used": 13,
    "extra_total": 0,
    "extra_quota": 0,
}
CASES = {
    "a": Case("a-minimal.body.sse", "plain", SAMPLE),
    "b": Case(
        "b-sider-shaped.body.sse",
        "sider",
        SAMPLE,
        raw=None,
        options={"text_in_msg": True},
        vendor=({**POST_IDS, **QUOTA},),
    ),
    "c1": Case(
        "c-chatglm1-report.body.bin",
        "chatglm",
        "今天天气不错，Python，适合出门！对吗？",
        rewrites=1,
    ),
    "c2": Case("c-chatglm2-report.body.bin", "chatglm", REPORT, rewrites=1),
    "d": Case(
        "d-chatglm2-openai-api.body.sse",
        "openai_chat",
        "你好，世界\n再见。",
        raw="stop",
        vendor=({"model": "chatglm2-6b"},),
    ),
    "d-ping": Case(
        "d-chatglm2-openai-api.with-ping.body.sse",
        "openai_chat",
        "你好，世界\n再见。",
        raw="stop",
        vendor=({"model": "chatglm2-6b"},),
    ),
    "baidu-2023": Case(
        "authored/baidu-2023-ok.sse",
        "baidu_chat",
        "你好，我是文心一言。",
        options={"generation": "2023"},
        vendor=(
            {"sessionId": "00000000-0000-4000-8000-000000000001", "qid": "9000000000000000001"},
        ),
    ),
    "baidu-2026": Case(
        "authored/baidu-2026-ok.sse",
        "baidu_chat",
        "你好，\n世界。",
        "先想一想，再回答。",
        "generate-complete",
        vendor=(
            {"sessionId": "9000000000000000001", "qid": "9000000000000000001"},
            {"component": "questionClosely", "data": {"list": ["继续？"]}},
        ),
    ),
    "sider-v1": Case(
        "authored/sider-v1-ok.sse", "sider", "你好，\n世界。", vendor=({**SIDER_IDS, **QUOTA},)
    ),
    "sider-chat": Case(
        "authored/sider-chat-v1-ok.sse",
        "sider",
        "你好，世界。",
        "想想",
        options={"generation": "chat"},
        vendor=(
            {
                "type": "credit_info",
                "model": "sider",
                "credit_info": {"type": "basic", "info": CREDIT},
            },
            {
                "type": "message_start",
                "model": "sider",
                "message_start": {
                    "cid": "C0",
                    "user_message_id": "U0",
                    "assistant_message_id": "A0",
                },
            },
        ),
    ),
    "yiyan": Case(
        "authored/yiyan-v2-ok.sse",
        "yiyan",
        "你好<br>世界",
        "想想",
        "is_end",
        vendor=({"sessionId": "s1", "parentChatId": "b1"},),
    ),
    "yiyan-br": Case(
        "authored/yiyan-v2-ok.sse",
        "yiyan",
        "你好\n世界",
        "想想",
        "is_end",
        options={"br": "newline"},
    ),
}


class Wrong(NamedTuple):
    """A recording of an error under status 200, before any content: the status, kind and code that
    a client gets instead of a stream."""

    file: str
    dialect: str
    status: int
    kind: str
    code: str
    says: str


ERRORS = {
    "baidu-1001": Wrong(
        "authored/baidu-2026-error-1001.sse",
        "baidu_chat",
        401,
        "upstream_error",
        "1001",
        "抱歉，出了点小问题",
    ),
    "baidu-1005": Wrong(
        "authored/baidu-2026-error-1005.sse",
        "baidu_chat",
        429,
        "rate_limited",
        "1005",
        "抱歉，出了点小问题",
    ),
    "sider-1101": Wrong(
        "authored/sider-error-in-stream-1101.sse",
        "sider",
        429,
        "rate_limited",
        "1101",
        "Your account has an active",
    ),
}
READS = {"a": "a-minimal", "b": "b-sider-shaped", "c2": "c-chatglm2-report"}
FASTER = 50  # the recordings' own pauses are divided by this
HOWS = ("whole", "bytes", "random 1", "random 2")


def pieces(data: bytes, how: str) -> list[bytes]:
    if how == "whole":
        return [data]
    if how == "bytes":
        return [data[at : at + 1] for at in range(len(data))]
    chance = random.Random(f"{how} {len(data)}")
    cuts = sorted(chance.sample(range(1, len(data)), 30))
    return [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]


Timed = list[tuple[float, bytes]]  # seconds to wait before it, and a piece


def played(name: str, how: str) -> Timed:
    if how == "reads":
        rows = [json.loads(line) for line in seed_bytes(f"{READS[name]}.reads.jsonl").splitlines()]
        times = [row["t_ms"] for row in rows]
        waits = [0, *(later - earlier for earlier, later in itertools.pairwise(times))]
        return [
            (wait / 1000 / FASTER, row["text"].encode())
            for wait, row in zip(waits, rows, strict=True)
        ]
    file = CASES[name].file if name in CASES else ERRORS[name].file
    return [(0, piece) for piece in pieces(seed_bytes(file), how)]


async def recorded(peer: Peer) -> None:
    """Plays the recording that the path names, in the way that it names. Each piece is read by
    itself."""
    while True:
        path = (await peer.request()).split(b" ", 2)[1].decode()
        _, name, how, _ = path.split("/", 3)
        steps = played(name, how.replace("-", " "))
        peer.write(CHUNKED)
        for wait, piece in steps:
            await asyncio.sleep(wait)
            # two turns of the loop: in the first the proxy's read is only made ready
            await asyncio.sleep(0)
            peer.send(piece)
        peer.write(LAST_CHUNK)


def config(url: str, names: Sequence[str], hows: Sequence[str]) -> dict[str, Any]:
    """A row each, asked for as `<name> <how>`."""
    upstreams, models = {}, {}
    for name in names:
        case = CASES.get(name) or ERRORS[name]
        options = case.options if isinstance(case, Case) else {}
        for how in hows:
            row = f"{name}.{how.replace(' ', '-')}"
            upstreams[row] = {
                "dialect": case.dialect,
                "base_url": f"{url}/{name}/{how.replace(' ', '-')}",
                "options": dict(options),
            }
            models[f"{name} {how}"] = [{"upstream": row, "model": "m"}]
    return {"upstreams": upstreams, "models": models}


@asynccontextmanager
async def playing(names: Sequence[str], hows: Sequence[str]) -> AsyncIterator[Running]:
    async with raw_upstream(recorded) as url, running(config(url, names, hows)) as run:
        yield run


async def native(run: Running, model: str) -> list[dict[str, Any]]:
    async with run.session.post(
        f"{run.url}/v1/stream", json={"model": model, "prompt": "你好"}
    ) as response:
        text = await response.text()
        assert 200 == response.status, text
    return [json.loads(line[6:]) for line in text.split("\n") if line.startswith("data: ")]


def said(events: list[dict[str, Any]], kind: str) -> str:
    """The text of the blocks of one kind, rewrites taken to heart."""
    texts = {
        event["block"]: ""
        for event in events
        if event["type"] == "block.start" and event["kind"] == kind
    }
    for event in events:
        if (
            event["type"] in ("text.delta", "reasoning.delta", "text.rewrite")
            and event["block"] in texts
        ):
            kept = texts[event["block"]][: event.get("keep")]
            texts[event["block"]] = kept + event["text"]
    return "".join(texts.values())


@needs_recordings
@pytest.mark.parametrize("how", HOWS)
async def test_a_native_client_gets_exactly_what_each_recording_says(how: str) -> None:
    async with playing(list(CASES), [how]) as run:
        for name, case in CASES.items():
            events = await native(run, f"{name} {how}")
            last = events[-1]
            assert ["stream.start"] == [event["type"] for event in events[:1]], name
            assert {"type": "stream.end", "finish": {"reason": "stop", "raw": case.raw}} == {
                key: last.get(key) for key in ("type", "finish")
            }, name
            assert 1 == sum(event["type"] in ("stream.end", "stream.error") for event in events), (
                name
            )
            assert (case.text, case.reasoning) == (
                said(events, "text"),
                said(events, "reasoning"),
            ), name
            assert case.rewrites == sum(event["type"] == "text.rewrite" for event in events), name
            if case.vendor:
                assert list(case.vendor) == [
                    event["data"] for event in events if event["type"] == "vendor"
                ], name
            assert {None} == set(last["usage"].values()), name


@needs_recordings
async def test_a_source_comes_with_the_text_that_it_is_a_source_of() -> None:
    async with playing(["baidu-2026"], ["whole"]) as run:
        events = await native(run, "baidu-2026 whole")
    (block,) = [
        event["block"]
        for event in events
        if event["type"] == "block.start" and event["kind"] == "text"
    ]
    sources = [event for event in events if event["type"] == "citation"]
    expected = {
        "block": block,
        "url": "https://example.test/a",
        "title": "标题",
        "text": "摘要",
        "start": None,
        "end": None,
    }
    assert [{"type": "citation", **expected}] == sources


@needs_recordings
@pytest.mark.parametrize("name", READS)
async def test_the_recorded_reads_arrive_one_by_one(name: str) -> None:
    """With the pauses of the recording, shortened: what is whole is passed on at once, and nothing
    is joined or held back."""
    arrivals: list[str] = []
    async with playing([name], ["reads"]) as run:
        body = {"model": f"{name} reads", "prompt": "你好"}
        async with run.session.post(f"{run.url}/v1/stream", json=body) as response:
            async for data, _ in response.content.iter_chunks():
                arrivals.append(data.decode())
    events = [
        json.loads(line[6:]) for line in "".join(arrivals).split("\n") if line.startswith("data: ")
    ]
    assert CASES[name].text == said(events, "text")
    deltas = [
        sum(line.startswith('data: {"type":"text.') for line in arrival.split("\n"))
        for arrival in arrivals
    ]
    assert {0, 1} >= set(deltas), "two pieces of the answer came in one write"


@needs_recordings
@pytest.mark.parametrize("how", HOWS)
async def test_the_openai_sdk_never_gets_garbled_text(how: str) -> None:
    async with (
        playing(list(CASES), [how]) as run,
        openai.AsyncOpenAI(base_url=f"{run.url}/v1", api_key="-", max_retries=0) as client,
    ):
        for name, case in CASES.items():
            messages: Any = [{"role": "user", "content": "你好"}]
            text, reasoning, finish = "", "", None
            stream = await client.chat.completions.create(
                model=f"{name} {how}", messages=messages, stream=True
            )
            async for chunk in stream:
                for choice in chunk.choices:
                    text += choice.delta.content or ""
                    reasoning += getattr(choice.delta, "reasoning_content", None) or ""
                    finish = choice.finish_reason or finish
            assert (case.text, case.reasoning, "stop") == (text, reasoning, finish), name


@needs_recordings
@pytest.mark.parametrize("how", HOWS)
async def test_the_anthropic_sdk_never_gets_garbled_text(how: str) -> None:
    async with (
        playing(list(CASES), [how]) as run,
        anthropic.AsyncAnthropic(base_url=run.url, api_key="-", max_retries=0) as client,
    ):
        for name, case in CASES.items():
            messages: Any = [{"role": "user", "content": "你好"}]
            async with client.messages.stream(
                model=f"{name} {how}", max_tokens=9, messages=messages
            ) as stream:
                text = "".join([piece async for piece in stream.text_stream])
                message = await stream.get_final_message()
            assert case.text == text, name
            assert case.text == "".join(
                block.text for block in message.content if block.type == "text"
            ), name
            assert case.reasoning == "".join(
                block.thinking for block in message.content if block.type == "thinking"
            ), name
            assert "end_turn" == message.stop_reason, name


@needs_recordings
async def test_one_document_says_the_same() -> None:
    async with playing(list(CASES), ["random 1"]) as run:
        async with (
            openai.AsyncOpenAI(base_url=f"{run.url}/v1", api_key="-", max_retries=0) as one,
            anthropic.AsyncAnthropic(base_url=run.url, api_key="-", max_retries=0) as other,
        ):
            for name, case in CASES.items():
                model = f"{name} random 1"
                async with run.session.post(
                    f"{run.url}/v1/stream", json={"model": model, "prompt": "你好", "stream": False}
                ) as response:
                    whole = await response.json()
                completion = await one.chat.completions.create(
                    model=model, messages=[{"role": "user", "content": "你好"}]
                )
                message = await other.messages.create(
                    model=model, max_tokens=9, messages=[{"role": "user", "content": "你好"}]
                )
                assert (case.text, case.reasoning) == (whole["text"], whole["reasoning"]), name
                assert case.text == completion.choices[0].message.content, name
                assert case.text == "".join(
                    block.text for block in message.content if block.type == "text"
                ), name


@needs_recordings
async def test_text_that_changes_far_back_ends_in_an_error_for_clients_that_cannot_take_it_back() -> (
    None
):
    """The recording's first snapshots, then one that changes what was said long ago: whatever was
    sent is a beginning of neither text."""
    snapshots = seed_bytes("c-chatglm2-report.body.bin").replace(b"}}{", b"}}\0{").split(b"\0")
    changed = snapshots[9].replace("根据您提供的数据".encode(), "据您所给的数据".encode())

    async def script(peer: Peer) -> None:
        while True:
            await peer.request()
            peer.write(CHUNKED)
            for snapshot in [*snapshots[:9], changed]:
                await asyncio.sleep(0.002)
                peer.send(snapshot)
            peer.write(LAST_CHUNK)

    row = {"upstreams": {"far": {"dialect": "chatglm"}}, "models": {"m": [{"upstream": "far"}]}}
    async with raw_upstream(script) as url:
        row["upstreams"]["far"]["base_url"] = url
        async with running(row) as run:
            events = await native(run, "m")
            assert "据您所给的数据,报告如下:\n\n1. 销售额" == said(events, "text")
            assert "stream.end" == events[-1]["type"]
            async with openai.AsyncOpenAI(
                base_url=f"{run.url}/v1", api_key="-", max_retries=0
            ) as client:
                stream = await client.chat.completions.create(
                    model="m", messages=[{"role": "user", "content": "x"}], stream=True
                )
                text = ""
                with pytest.raises(openai.APIError, match="cannot take text back"):  # noqa: PT012
                    async for chunk in stream:
                        text += chunk.choices[0].delta.content or ""
                        assert chunk.choices[0].finish_reason is None
                assert "根据您提供的数据,报告如下:\n\n1." == text
            async with anthropic.AsyncAnthropic(
                base_url=run.url, api_key="-", max_retries=0
            ) as other:
                with pytest.raises(anthropic.APIError, match="cannot take text back"):  # noqa: PT012
                    async with other.messages.stream(
                        model="m", max_tokens=9, messages=[{"role": "user", "content": "x"}]
                    ) as streamed:
                        async for _ in streamed:
                            pass


@needs_recordings
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("how", ["whole", "bytes"])
async def test_an_error_under_200_is_a_status_in_each_clients_shape(how: str, stream: bool) -> None:
    async with playing(list(ERRORS), [how]) as run:
        for name, wrong in ERRORS.items():
            chat = {
                "model": f"{name} {how}",
                "messages": [{"role": "user", "content": "你好"}],
                "max_tokens": 9,
                "stream": stream,
            }
            async with run.session.post(
                f"{run.url}/v1/stream",
                json={"model": f"{name} {how}", "prompt": "你好", "stream": stream},
            ) as response:
                error = (await response.json())["error"]
                assert (wrong.status, wrong.kind, wrong.code) == (
                    response.status,
                    error["kind"],
                    error["code"],
                ), name
                assert f"{name}.{how}" == error["upstream"], name
                assert wrong.says in error["message"], name
            for path in ("/v1/chat/completions", "/v1/messages"):
                async with run.session.post(f"{run.url}{path}", json=chat) as response:
                    error = (await response.json())["error"]
                    assert wrong.status == response.status, (name, path)
                    assert wrong.says in error["message"], (name, path)

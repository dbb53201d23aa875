"""An SDK of Dify's API, unmodified, as the client: whatever speaks upstream, it sees an app of
Dify's."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from dify_client import AsyncClient, _clientx, errors, models

from proxy.mock import texts
from tests.running import Running, running

UPSTREAMS = ["openai_chat", "anthropic", "native", "dify"]


@asynccontextmanager
async def client(
    dialect: str, scenario: str, fault: str = ""
) -> AsyncIterator[tuple[AsyncClient, Running]]:
    upstream = {
        "dialect": dialect,
        "mock": {"scenario": scenario, "tokens_per_s": 0, **({"fault": fault} if fault else {})},
    }
    async with running(
        {"upstreams": {"far": upstream}, "models": {"*": [{"upstream": "far", "model": "m"}]}}
    ) as run:
        yield AsyncClient(api_key="none", api_base=f"{run.url}/v1"), run


@pytest.fixture(autouse=True)
async def _own_connections(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """The SDK keeps one pool for the whole process, which would outlive this test's loop."""
    async with httpx.AsyncClient(trust_env=False) as pool:
        monkeypatch.setattr(_clientx, "_async_httpx_client", pool)
        yield


def asked(mode: str = "streaming", **more: Any) -> models.ChatRequest:
    return models.ChatRequest(query="Hi", response_mode=mode, user="u", **more)


@pytest.mark.parametrize("dialect", UPSTREAMS)
async def test_text_and_usage(dialect: str) -> None:
    async with client(dialect, "chinese") as (dify, _):
        events = [event async for event in await dify.achat_messages(asked())]
    assert texts.CHINESE == "".join(event.answer for event in events if event.event == "message")
    assert "message_end" == events[-1].event
    assert events[-1].metadata.usage.completion_tokens > 50


@pytest.mark.parametrize("dialect", UPSTREAMS)
async def test_one_document(dialect: str) -> None:
    async with client(dialect, "chinese") as (dify, _):
        answer = await dify.achat_messages(asked("blocking"))
    assert (texts.CHINESE, "chat") == (answer.answer, answer.mode)


@pytest.mark.parametrize("dialect", UPSTREAMS)
async def test_reasoning(dialect: str) -> None:
    """As chatflows send it, which this SDK hands on as it came."""
    async with client(dialect, "reasoning") as (dify, _):
        events = [event async for event in await dify.achat_messages(asked())]
    thoughts = [event.data for event in events if event.event == "reasoning_chunk"]
    assert (texts.REASONING, True) == (
        "".join(thought["reasoning"] for thought in thoughts),
        thoughts[-1]["is_final"],
    )


@pytest.mark.parametrize("dialect", ["native", "dify"])
async def test_text_taken_back(dialect: str) -> None:
    """It replaces all that was shown."""
    async with client(dialect, "rewrite") as (dify, _):
        events = [event async for event in await dify.achat_messages(asked())]
    shown = ""
    for event in events[:-1]:
        shown = event.answer if event.event == "message_replace" else shown + event.answer
    assert "截至2023年，样本为1024条。" == shown


async def test_a_conversation_and_an_image() -> None:
    """The conversation keeps the client's id; the image goes up."""
    image = models.File(type="image", transfer_method="remote_url", url="https://x/i.png")
    async with client("dify", "hello") as (dify, run):
        events = [
            event
            async for event in await dify.achat_messages(asked(conversation_id="c1", files=[image]))
        ]
        body = run.mock.account.newest(1)[0]["body"]
    assert "https://x/i.png" in str(body)
    assert {event.conversation_id for event in events} <= {"c1", events[0].conversation_id}


@pytest.mark.parametrize(
    ("status", "error", "code"),
    [
        (400, errors.DifyInvalidParam, "invalid_param"),
        (401, errors.DifyAPIError, "unauthorized"),
        (404, errors.DifyResourceNotFound, "not_found"),
        (429, errors.DifyAPIError, "too_many_requests"),
        (500, errors.DifyAPIError, "internal_server_error"),
    ],
)
@pytest.mark.parametrize("dialect", ["native", "dify"])
@pytest.mark.parametrize("mode", ["streaming", "blocking"])
async def test_its_own_exceptions(
    dialect: str, status: int, error: type[Exception], code: str, mode: str
) -> None:
    async with client(dialect, "hello", f"status:{status}") as (dify, _):
        with pytest.raises(error) as caught:  # noqa: PT012
            answer = await dify.achat_messages(asked(mode))
            [event async for event in answer]
    assert {500: 502}.get(status, status) == caught.value.status
    assert code == caught.value.code


@pytest.mark.parametrize("fault", ["close@4", "cut@4", "error@4"])
@pytest.mark.parametrize("dialect", UPSTREAMS)
async def test_a_broken_stream(dialect: str, fault: str) -> None:
    """Dify says so in an event, with the status that it would have had; there is no end beside
    it."""
    async with client(dialect, "hello", fault) as (dify, _):
        events = [event async for event in await dify.achat_messages(asked())]
    assert ["message", "error"] == sorted({str(event.event) for event in events}, reverse=True)
    assert ("error", True) == (events[-1].event, events[-1].status >= 400)

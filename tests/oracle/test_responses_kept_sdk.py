"""The openai SDK, unmodified, on answers that are kept: made in the background, asked for, read from
where it was, cancelled, deleted and gone on from, whatever speaks upstream."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import openai
import pytest
from openai.types.responses import Response

from tests.oracle.test_openai_responses_sdk import TOOL
from tests.relay.far import until
from tests.running import Running, running

UPSTREAMS = ["openai_responses", "openai_chat", "anthropic"]
SAID = "Hello! I am m, played by a mock, one token at a time. You said: "


@asynccontextmanager
async def client_of(
    dialect: str, scenario: str = "hello", tokens_per_s: float = 0, **config: Any
) -> AsyncIterator[tuple[openai.AsyncOpenAI, Running]]:
    mock = {"scenario": scenario, "tokens_per_s": tokens_per_s}
    upstreams = {"far": {"dialect": dialect, "mock": mock}}
    models = {"*": [{"upstream": "far"}]}
    kept = {"streams": {"resume": {}}, "upstreams": upstreams, "models": models, **config}
    async with (
        running(kept) as run,
        openai.AsyncOpenAI(base_url=f"{run.url}/v1", api_key="none", max_retries=0) as client,
    ):
        yield client, run


async def done(client: openai.AsyncOpenAI, response: Response) -> Response:
    while response.status in ("queued", "in_progress"):
        await asyncio.sleep(0.02)
        response = await client.responses.retrieve(response.id)
    return response


@pytest.mark.parametrize("dialect", UPSTREAMS)
async def test_an_answer_is_made_in_the_background(dialect: str) -> None:
    """It is begun at once, asked for until it is there, and has one generation."""
    async with client_of(dialect, tokens_per_s=100) as (client, run):
        begun = await client.responses.create(model="m", input="hi", background=True)
        assert ("queued", True, []) == (begun.status, begun.background, begun.output)
        response = await done(client, begun)
        assert ("completed", f"{SAID}hi") == (response.status, response.output_text)
        assert (begun.id, begun.created_at, True) == (
            response.id,
            response.created_at,
            response.background,
        )
        assert response.usage is not None
        (asked,) = run.mock.account.newest(9)
        assert "background" not in asked["body"]
        items = await client.responses.input_items.list(response.id)
        (item,) = items.data
        assert ("message", "hi") == (item.type, item.content[0].text)  # type: ignore[union-attr]


@pytest.mark.parametrize("dialect", UPSTREAMS)
async def test_a_stream_in_the_background_is_gone_on_with(dialect: str) -> None:
    """From behind the last event that was read: the rest, to the letter."""
    async with client_of(dialect, tokens_per_s=100) as (client, run):
        seen: list[Any] = []
        async with await client.responses.create(
            model="m", input="hi", background=True, stream=True
        ) as stream:
            async for event in stream:
                seen.append(event)
                if len(seen) == 9:
                    break
        name = seen[0].response.id
        async with await client.responses.retrieve(
            name, stream=True, starting_after=seen[-1].sequence_number
        ) as stream:
            seen += [event async for event in stream]
        assert list(range(len(seen))) == [event.sequence_number for event in seen]
        text = "".join(each.delta for each in seen if each.type == "response.output_text.delta")
        assert text == seen[-1].response.output_text == f"{SAID}hi"
        async with await client.responses.retrieve(name, stream=True) as stream:
            again = [event async for event in stream]
        assert [each.to_dict() for each in seen] == [each.to_dict() for each in again]
        assert again[-1].response == await client.responses.retrieve(name)  # type: ignore[union-attr]
        async with client.responses.stream(response_id=name, starting_after=5) as followed:
            assert 6 == (await anext(aiter(followed))).sequence_number
        assert 1 == len(run.mock.account.newest(9))


async def test_an_answer_is_cancelled() -> None:
    """The upstream is closed, readers are told, and what was said so far stays."""
    async with client_of("openai_responses", tokens_per_s=20) as (client, run):
        begun = await client.responses.create(model="m", input="hi", background=True)
        stream = await client.responses.retrieve(begun.id, stream=True)
        kinds: list[str] = []
        with pytest.raises(openai.APIError, match="cancelled"):  # noqa: PT012
            async for event in stream:
                kinds.append(event.type)
                if kinds.count("response.output_text.delta") == 2:
                    cancelled = await client.responses.cancel(begun.id)
        assert ("cancelled", None) == (cancelled.status, cancelled.error)
        assert 0 < len(cancelled.output_text) < len(SAID)
        assert cancelled == await client.responses.cancel(begun.id)
        assert cancelled == await client.responses.retrieve(begun.id)
        (asked,) = run.mock.account.newest(9)
        assert "client_gone" == asked["ended"]
        with pytest.raises(openai.BadRequestError, match="cancelled"):
            await client.responses.create(model="m", input="x", previous_response_id=begun.id)


async def test_an_answer_is_cancelled_before_it_began() -> None:
    """No upstream has said anything."""
    async with client_of("openai_chat", tokens_per_s=0.5) as (client, _):
        begun = await client.responses.create(model="m", input="hi", background=True)
        cancelled = await client.responses.cancel(begun.id)
        assert ("cancelled", begun.id, []) == (cancelled.status, cancelled.id, cancelled.output)


async def test_what_nobody_made_in_the_background_is_not_cancelled() -> None:
    """As the vendor has it."""
    async with client_of("openai_chat") as (client, _):
        response = await client.responses.create(model="m", input="hi")
        with pytest.raises(openai.BadRequestError, match="background"):
            await client.responses.cancel(response.id)


async def test_an_answer_that_failed_says_why() -> None:
    """Also where no target had one."""
    async with client_of("openai_chat", "error_503") as (client, _):
        response = await done(
            client, await client.responses.create(model="m", input="hi", background=True)
        )
        assert "failed" == response.status
        assert response.error is not None
        assert response.error.message


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("dialect", UPSTREAMS)
async def test_any_answer_is_asked_for_later(dialect: str, stream: bool) -> None:
    """And then deleted: it is nowhere any more."""
    async with client_of(dialect) as (client, _):
        if stream:
            async with client.responses.stream(model="m", input="hi") as events:
                response: Any = await events.get_final_response()
        else:
            response = await client.responses.create(model="m", input="hi")
        again = await client.responses.retrieve(response.id)
        assert (response.id, response.output_text, "completed", True) == (
            again.id,
            again.output_text,
            again.status,
            again.store,
        )
        assert [item.id for item in response.output] == [item.id for item in again.output]
        await client.responses.delete(response.id)
        for ask in (client.responses.retrieve, client.responses.delete, client.responses.cancel):
            with pytest.raises(openai.NotFoundError, match="not found"):
                await ask(response.id)


async def test_an_answer_that_ran_out_of_its_limit_is_incomplete() -> None:
    """Also where it was made in the background."""
    async with client_of("anthropic", "length") as (client, _):
        response = await done(
            client, await client.responses.create(model="m", input="hi", background=True)
        )
        assert response.incomplete_details is not None
        assert ("incomplete", "max_output_tokens") == (
            response.status,
            response.incomplete_details.reason,
        )


async def test_a_stream_in_the_background_is_queued_first() -> None:
    """The SDK's own reader of streams takes it up again behind any event."""
    async with client_of("openai_chat") as (client, _):
        async with client.responses.stream(model="m", input="hi", background=True) as stream:
            events = [event async for event in stream]
            final = await stream.get_final_response()
        kinds = ["response.created", "response.queued", "response.in_progress"]
        assert kinds == [event.type for event in events[:3]]
        assert (
            ["queued", "queued", "in_progress"]
            == [
                event.response.status  # type: ignore[union-attr]
                for event in events[:3]
            ]
        )
        for after in (0, 1, 2, 5):
            async with client.responses.stream(
                response_id=final.id, starting_after=after
            ) as followed:
                rest = [event.sequence_number async for event in followed]
                assert list(range(after + 1, len(events))) == rest
                assert final.output_text == (await followed.get_final_response()).output_text


async def test_what_is_not_to_be_stored_cannot_be_asked_for() -> None:
    """Nor made in the background, nor gone on from."""
    async with client_of("openai_chat") as (client, _):
        response = await client.responses.create(model="m", input="hi", store=False)
        assert response.store is False  # type: ignore[attr-defined]
        with pytest.raises(openai.NotFoundError):
            await client.responses.retrieve(response.id)
        with pytest.raises(openai.BadRequestError) as caught:
            await client.responses.create(model="m", input="x", previous_response_id=response.id)
        assert "previous_response_not_found" == caught.value.code
        with pytest.raises(openai.BadRequestError, match="store"):
            await client.responses.create(model="m", input="x", store=False, background=True)


@pytest.mark.parametrize("background", [False, True])
@pytest.mark.parametrize("dialect", UPSTREAMS)
async def test_a_conversation_is_gone_on_with(dialect: str, background: bool) -> None:
    """Three turns, each with what is new alone: the upstream has the whole conversation, or, where it
    keeps it itself, the id that it gave."""
    async with client_of(dialect) as (client, run):
        last: Response | None = None
        for word in ("one", "two", "three"):
            last = await client.responses.create(
                model="m",
                input=f"say {word}",
                previous_response_id=None if last is None else last.id,
                background=background,
            )
            last = await done(client, last)
            assert f"{SAID}say {word}" == last.output_text
        asked = json.dumps(run.mock.account.newest(1)[0]["body"])
        for word in ("one", "two", "three"):
            assert 1 + (word != "three") == asked.count(f"say {word}")
        items = (await client.responses.input_items.list(last.id, order="asc")).data  # type: ignore[union-attr]
        assert ["say one", f"{SAID}say one", "say two", f"{SAID}say two", "say three"] == [
            item.content[0].text  # type: ignore[union-attr]
            for item in items
        ]


@pytest.mark.parametrize("dialect", UPSTREAMS)
async def test_a_tool_s_result_alone_is_enough(dialect: str) -> None:
    """The call stands in the earlier answer."""
    async with client_of(dialect, "tool_then_answer") as (client, _):
        first = await client.responses.create(model="m", input="weather?", tools=[TOOL])
        (call,) = [item for item in first.output if item.type == "function_call"]
        second = await client.responses.create(
            model="m",
            input=[
                {"type": "function_call_output", "call_id": call.call_id, "output": "21 degrees"}
            ],
            previous_response_id=first.id,
            tools=[TOOL],
        )
        assert "21 degrees" in second.output_text
        assert first.id == second.previous_response_id


@pytest.mark.parametrize("dialect", UPSTREAMS)
async def test_an_item_of_an_answer_that_is_kept_may_be_named_alone(dialect: str) -> None:
    """Its call is told, wherever the request goes."""
    async with client_of(dialect, "tool_then_answer") as (client, _):
        first = await client.responses.create(model="m", input="weather?", tools=[TOOL])
        (call,) = [item for item in first.output if item.type == "function_call"]
        named: Any = [{"type": "item_reference", "id": item.id} for item in first.output]
        result: Any = {"type": "function_call_output", "call_id": call.call_id, "output": "21 C"}
        second = await client.responses.create(
            model="m", input=[{"role": "user", "content": "weather?"}, *named, result], tools=[TOOL]
        )
        assert "21 C" in second.output_text


async def test_what_is_unknown_is_not_found() -> None:
    """As the vendor says it."""
    async with client_of("openai_chat") as (client, _):
        for name in ("resp_" + "0" * 32, "resp_x", "x"):
            with pytest.raises(openai.NotFoundError, match="not found") as caught:
                await client.responses.retrieve(name)
            assert "invalid_request_error" == caught.value.type
        with pytest.raises(openai.BadRequestError, match="not found") as refused:
            await client.responses.create(
                model="m", input="x", previous_response_id="resp_" + "0" * 32
            )
        assert ("previous_response_not_found", "previous_response_id") == (
            refused.value.code,
            refused.value.param,
        )


async def test_an_answer_is_only_its_own_key_s() -> None:
    """For another one it does not exist."""
    keys = [
        {"name": name, "sha256": hashlib.sha256(name.encode()).hexdigest()}
        for name in ("ann", "bob")
    ]
    async with client_of("openai_responses", auth={"keys": keys}) as (client, run):
        ann, bob = (client.with_options(api_key=name) for name in ("ann", "bob"))
        response = await ann.responses.create(model="m", input="hi")
        for ask in (
            bob.responses.retrieve,
            bob.responses.delete,
            bob.responses.cancel,
            bob.responses.input_items.list,
        ):
            with pytest.raises(openai.NotFoundError, match="not found"):
                await ask(response.id)
        with pytest.raises(openai.BadRequestError, match="not found"):
            await bob.responses.create(model="m", input="x", previous_response_id=response.id)
        assert f"{SAID}hi" == (await ann.responses.retrieve(response.id)).output_text
        assert 1 == len(run.mock.account.newest(9))


@pytest.mark.parametrize("stream", [False, True])
async def test_where_streams_are_not_kept_background_is_refused(stream: bool) -> None:
    """By a sentence that names the setting."""
    async with client_of("openai_chat", streams={}) as (client, _):
        with pytest.raises(openai.BadRequestError, match=r"streams\.resume") as caught:
            await client.responses.create(model="m", input="hi", background=True, stream=stream)
        assert "background" == caught.value.param
        with pytest.raises(openai.NotFoundError, match=r"streams\.resume"):
            await client.responses.retrieve("resp_" + "0" * 32)


async def test_a_second_request_in_the_same_words_is_a_second_answer() -> None:
    """Though nobody reads the first."""
    async with client_of("openai_chat") as (client, run):
        names = {
            (await client.responses.create(model="m", input="hi", background=True)).id
            for _ in range(2)
        }
        assert 2 == len(names)
        await until(lambda: len(run.mock.account.newest(9)) == 2)

"""The same tool loops as in tests/conversations, but streamed: each answer is put together by the
vendor's own SDK, as a program that uses it would have it, and goes back in the next request.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from anthropic.lib.streaming._messages import accumulate_event
from anthropic.types import RawMessageStreamEvent
from openai import omit
from openai._models import construct_type_unchecked
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.lib.streaming.responses._responses import ResponseStreamState
from openai.types.chat import ChatCompletionChunk
from openai.types.responses import ResponseStreamEvent

from proxy.codec.base import Parsed
from proxy.dialects.registry import CLIENTS as HALVES
from proxy.events import BlockEnd, Citation
from tests.conversations import clients
from tests.conversations.talk import TURNS, assert_seen_again, events, sent
from tests.conversations.vendors import VENDORS, Vendor
from tests.dialects.openai_chat import emit
from tests.dialects.openai_chat.test_encode import MESSAGE, PROVED


def frames(client: str, vendor: Vendor, parsed: Parsed, turn: int) -> Iterator[Any]:
    """The data of each frame that the client gets."""
    encoder = HALVES[client].encoder(parsed)
    body = b"".join(encoder.encode(event) for event in events(vendor, turn))
    for line in body.split(b"\n"):
        data = line.removeprefix(b"data: ").strip()
        if line.startswith(b"data: ") and data != b"[DONE]":
            yield json.loads(data)


def openai_chat(data: Iterable[Any]) -> Any:
    state: ChatCompletionStreamState[None] = ChatCompletionStreamState()
    for each in data:
        state.handle_chunk(ChatCompletionChunk.construct(**each))
    return state.get_final_completion().to_dict()


def anthropic(data: Iterable[Any]) -> Any:
    message: Any = None
    buffers: dict[int, bytes] = {}
    for each in data:
        event: Any = construct_type_unchecked(value=each, type_=RawMessageStreamEvent)
        message = accumulate_event(event=event, current_snapshot=message, json_bufs=buffers)
    return message.to_dict()


def openai_responses(data: Iterable[Any]) -> Any:
    state: ResponseStreamState[None] = ResponseStreamState(input_tools=omit, text_format=omit)
    last: Any = None
    for each in data:
        event: Any = construct_type_unchecked(value=each, type_=ResponseStreamEvent)
        last = state.handle_event(event)[-1]
    return last.response.to_dict()


FOLDED: dict[str, Callable[[Iterable[Any]], Any]] = {
    "openai_chat": openai_chat,
    "anthropic": anthropic,
    "openai_responses": openai_responses,
}


@pytest.mark.parametrize("name", VENDORS)
@pytest.mark.parametrize("client", FOLDED)
def test_a_streamed_answer_goes_back_with_its_proofs(client: str, name: str) -> None:
    """Whatever the SDK made of the stream."""
    vendor = VENDORS[name]
    history = clients.first(client)
    for turn in range(1, TURNS + 1):
        parsed, call = sent(client, vendor, history)
        assert_seen_again(vendor, turn, call)
        document = FOLDED[client](frames(client, vendor, parsed, turn))
        history = clients.CLIENTS[client](history, document)


def test_openais_sdk_can_put_together_all_that_goes_on() -> None:
    """It merges lists by the index of their items, and fails on those that have none. (It knows no
    free text, so the call that has one is left out.)
    """
    sources = [Citation(2, url=f"https://a.example/{at}") for at in range(2)]
    begun = PROVED.index(BlockEnd(2))
    state: ChatCompletionStreamState[None] = ChatCompletionStreamState()
    plain = [event for event in PROVED if getattr(event, "block", None) != 4]
    body = emit.encoded([*plain[:begun], *sources, *plain[begun:]])
    for frame in body.decode().split("\n\n"):
        if frame.startswith("data: {"):
            state.handle_chunk(ChatCompletionChunk.construct(**json.loads(frame[6:])))
    message: Any = state.get_final_completion().choices[0].message.to_dict()
    assert MESSAGE["thinking_blocks"] == message["thinking_blocks"]
    assert MESSAGE["reasoning_details"] == message["reasoning_details"]
    cited = [said["url_citation"]["url"] for said in message["annotations"]]
    assert [source.url for source in sources] == cited
    [call] = message["tool_calls"]
    assert MESSAGE["tool_calls"][0]["extra_content"] == call["extra_content"]

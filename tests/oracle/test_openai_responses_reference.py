"""What the openai SDK's types say that a request and an answer of the Responses API hold: each
parameter arrives at a vendor of this dialect, and each item of such a vendor reaches a client of
this dialect with every documented key.
"""

import json
from typing import Any

import pytest
from openai.types.responses import Response, ResponseOutputItem
from openai.types.responses import response_create_params as params
from typing_extensions import get_type_hints

from tests.dialects.answers import folded
from tests.dialects.openai_responses import emit
from tests.dialects.openai_responses.frames import BEGUN, frame, new
from tests.dialects.openai_responses.test_encode import output, spoken
from tests.dialects.openai_responses.test_relay import relayed
from tests.fidelity.typed_dicts import samples
from tests.fidelity.typed_models import alternatives, sample
from tests.support import decode

HINTS = {
    **get_type_hints(params.ResponseCreateParamsBase),
    **get_type_hints(params.ResponseCreateParamsStreaming),
}
KEYS = sorted(HINTS.keys() - {"model", "stream"})
ITEMS = {model.__name__: model for model in alternatives(ResponseOutputItem)}
# What a client sent is told to it as it wrote it, and what ended the answer in our words.
OURS = {
    *("id", "object", "created_at", "completed_at", "model", "output", "status", "usage"),
    *("error", "incomplete_details", "instructions", "tools", "tool_choice", "metadata", "user"),
    *("text", "include", "parallel_tool_calls", "max_output_tokens", "previous_response_id"),
    *("conversation", "prompt", "max_tool_calls", "prompt_cache_key", "safety_identifier"),
    *("prompt_cache_retention", "prompt_cache_options", "top_logprobs"),
}


@pytest.mark.parametrize("key", KEYS)
def test_each_value_of_a_parameter_arrives(key: str) -> None:
    """With every key of the objects in it, in each of its alternatives."""
    values = list(samples(HINTS[key]))
    assert values
    for value in values:
        body = {"model": "asked", "input": "hi", key: value, "stream": True}
        call = relayed(body)
        assert {**body, "model": "theirs"} == json.loads(call.body)
        assert () == call.notes


def whole(name: str) -> dict[str, Any]:
    """The item, done, with values that can stand together."""
    item: dict[str, Any] = {**sample(ITEMS[name]), "id": "it_1"}
    # the vendor sends one with the text of a custom tool, too, though its types do not name it
    if "status" in item or item["type"] == "custom_tool_call":
        item["status"] = "completed"
    for part in item.get("content") or ():
        if part.get("type") == "output_text":
            part["logprobs"] = []  # they stand at the deltas of a text
    return item


@pytest.mark.parametrize("name", ITEMS)
@pytest.mark.parametrize("streamed", [True, False])
def test_every_documented_item_comes_through(name: str, streamed: bool) -> None:
    item = whole(name)
    ended = {"id": "resp_1", "object": "response", "status": "completed", "output": [item]}
    begun = {key: item[key] for key in ("id", "type", "call_id", "name") if key in item}
    body = (
        BEGUN
        + frame("response.output_item.added", output_index=0, item=begun)
        + frame("response.output_item.done", output_index=0, item=item)
        + frame("response.completed", response=ended)
        if streamed
        else json.dumps(ended).encode()
    )
    assert [item] == output(decode(new(), [body]))


def test_every_documented_key_of_a_response_comes_through() -> None:
    """But for the request's own settings, which a client is told as it wrote them."""
    said = {key: value for key, value in sample(Response).items() if key not in OURS}
    ended = {**said, "id": "resp_1", "object": "response", "status": "completed", "output": []}
    events = decode(new(), [BEGUN + frame("response.completed", response=ended)])
    last = spoken(events)[-1]["response"]
    assert said == {key: last.get(key) for key in said}
    assert last == json.loads(emit.CLIENT.whole(emit.parsed(), folded([emit.START, *events])).body)

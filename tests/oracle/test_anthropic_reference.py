"""Every documented parameter of a Messages request, as the anthropic SDK's types have them, arrives
at a vendor of the same dialect."""

import json
from typing import Any

import pytest
from anthropic import transform_schema
from anthropic.types import message_create_params as params
from anthropic.types.beta import message_create_params as beta
from typing_extensions import get_type_hints

from proxy.request import Message
from tests.dialects.anthropic.emit import ASK
from tests.dialects.anthropic.test_build import built
from tests.dialects.anthropic.test_relay import relayed
from tests.fidelity.typed_dicts import samples

HINTS = {
    **get_type_hints(beta.MessageCreateParamsBase),
    **get_type_hints(params.MessageCreateParamsBase),
}
# What routing decides, and a header.
KEYS = sorted(HINTS.keys() - {"model", "stream", "betas", "user_profile_id"})
_LEAST = {"max_tokens": 1, "top_k": 1, "temperature": 0.5, "top_p": 0.5}


@pytest.mark.parametrize("key", KEYS)
def test_each_value_of_a_parameter_arrives(key: str) -> None:
    """With every key of the objects in it, in each of its alternatives. What an upstream of any
    name takes, and no rule of a known model's.
    """
    values = list(samples(HINTS[key]))
    assert values
    for value in values:
        call = relayed("someones", **{key: value})
        expected = {**ASK, key: value, "model": "someones", "stream": True}
        assert expected == json.loads(call.body)
        assert () == call.notes


def test_betas_arrive_in_their_header() -> None:
    """The SDK sends them there."""
    assert "a-1,b-2" == relayed(headers={"anthropic-beta": "a-1,b-2"}).headers["anthropic-beta"]


def test_each_kind_of_block_arrives() -> None:
    """With every key that it may have, in the turns of each role."""
    turns = [turn for turn in samples(beta.BetaMessageParam) if isinstance(turn["content"], list)]
    assert {"user", "assistant"} <= {turn["role"] for turn in turns}
    for turn in turns:
        assert [turn] == json.loads(relayed("someones", messages=[turn]).body)["messages"]


def test_the_form_of_an_answer_is_as_the_sdk_would_send_it() -> None:
    """Whose objects are closed, and which keys are left."""
    inner = {"type": "object", "properties": {"n": {"type": "integer", "maximum": 9}}}
    schema = {
        "type": "object",
        "properties": {
            "list": {"type": "array", "items": inner},
            "name": {"type": "string", "maxLength": 3},
            "one": {"anyOf": [inner, {"type": "null"}]},
        },
        "required": ["name"],
    }
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}
    call = built(Message("user", "hi"), response_format=form)
    sent = json.loads(call.body)["output_config"]["format"]["schema"]
    assert _undescribed(transform_schema(schema)) == _undescribed(sent)


def _undescribed(value: Any) -> Any:
    """A schema without the words in it, which are ours."""
    if isinstance(value, list):
        return [_undescribed(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: _undescribed(inner) for key, inner in value.items() if key != "description"}

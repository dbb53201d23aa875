"""Every documented parameter of a chat completion, as the openai SDK's types have them, arrives at a
vendor of the same dialect."""

import json
from typing import Any

import pytest
from openai.types.chat import completion_create_params as params
from typing_extensions import get_type_hints

from tests.dialects.openai_chat.test_relay import sent
from tests.fidelity.typed_dicts import samples

HINTS = {
    **get_type_hints(params.CompletionCreateParamsBase),
    **get_type_hints(params.CompletionCreateParamsStreaming),
}
KEYS = sorted(HINTS.keys() - {"model", "stream"})
FIRST: dict[str, Any] = {"messages": [{"role": "user", "content": "hi"}]}


@pytest.mark.parametrize("key", KEYS)
def test_each_value_of_a_parameter_arrives(key: str) -> None:
    """With every key of the objects in it, in each of its alternatives."""
    values = list(samples(HINTS[key]))
    assert values
    for value in values:
        body = {"model": "m", **FIRST, key: value, "stream": True}
        call = sent(body)
        usage = {"include_usage": True}
        expected = {"stream_options": usage, **body}
        if key == "stream_options":
            expected["stream_options"] = {**value, **usage}
        assert expected == json.loads(call.body)
        assert () == call.notes

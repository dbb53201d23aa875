"""Numbers as texts and words as numbers, as the protobuf JSON mapping has them."""

import json
from typing import Any

import pytest

from proxy.codec.base import Parsed
from proxy.dialects.gemini import DIALECT
from proxy.errors import Refused
from proxy.request import Reasoning, ToolChoice
from tests.dialects.answers import posted
from tests.dialects.asking import ask

_TURN = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}


def _parsed(**said: Any) -> Parsed:
    assert DIALECT.client is not None
    path = {"model": "m", "method": "streamGenerateContent"}
    return DIALECT.client.parse_request(posted(json.dumps({**_TURN, **said}).encode(), path=path))


def test_numbers_may_be_written_as_texts():
    """So are 64-bit counts in the mapping, and any number may be."""
    thinking = {"thinkingBudget": "1024"}
    config = {
        "maxOutputTokens": "100",
        "temperature": "0.5",
        "topK": "40",
        "candidateCount": "2",
        "seed": 7.0,
        "thinkingConfig": thinking,
    }
    got = _parsed(generationConfig=config).request
    assert (100, 0.5, 40, 2, 7) == (got.max_tokens, got.temperature, got.top_k, got.n, got.seed)
    assert Reasoning(None, 1024) == got.reasoning


@pytest.mark.parametrize("said", ["many", "", "1" * 40, "1.5", "true"])
def test_a_text_that_is_no_count_is_refused(said: str):
    """With the field's name."""
    with pytest.raises(Refused) as caught:
        _parsed(generationConfig={"maxOutputTokens": said})
    assert "generationConfig.maxOutputTokens" == caught.value.failure.param


def test_words_may_be_written_as_their_numbers():
    """The mode of calling, and types in a schema."""
    schema = {"type": 6, "properties": {"a": {"type": 5, "items": {"type": 1}}, "b": {"type": 99}}}
    got = _parsed(
        tools=[{"functionDeclarations": [{"name": "f", "parameters": schema}]}],
        toolConfig={"functionCallingConfig": {"mode": 2, "allowedFunctionNames": ["f"]}},
    ).request
    assert ToolChoice("tool", "f") == got.tool_choice
    inner = {"a": {"type": "array", "items": {"type": "string"}}, "b": {"type": 99}}
    assert {"type": "object", "properties": inner} == got.tools[0].parameters


def test_a_mode_without_a_word_is_refused():
    """As the vendor does."""
    with pytest.raises(Refused) as caught:
        _parsed(toolConfig={"functionCallingConfig": {"mode": 99}})
    assert "toolConfig.functionCallingConfig.mode" == caught.value.failure.param


def test_the_vendor_itself_gets_them_as_they_were_written():
    """It reads them."""
    config = {"maxOutputTokens": "100", "temperature": "0.5"}
    sent = ask("gemini", {**_TURN, "generationConfig": config}, "gemini", "m")
    assert config == sent.body["generationConfig"]

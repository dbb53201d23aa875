"""What some vendors insist on in the order of messages, and in turns of the assistant: in a client's
own messages and in those that were built.
"""

import json
from typing import Any

import pytest

from proxy.codec.base import TargetConfig
from proxy.codec.relaying import built, without_original
from proxy.dialects.openai_chat import DIALECT
from proxy.settings.rules import RuleBook
from tests.dialects.openai_chat.test_relay import CALL, HI, RESULT
from tests.dialects.openai_chat.test_relay import sent as relayed
from tests.dialects.openai_chat.test_relay_rules import incoming

CALLED = {"role": "assistant", "content": "", "tool_calls": [CALL]}


def arrived(messages: list[dict[str, Any]], vendor: str, **options: Any) -> list[Any]:
    """The messages that go up, which are the same either way but for what says nothing."""
    own = json.loads(relayed({"model": "m", "messages": messages}, vendor, **options).body)
    assert DIALECT.client is not None
    assert DIALECT.upstream is not None
    parsed = DIALECT.client.parse_request(incoming(messages=messages))
    target = TargetConfig("up", "m", "k", options, RuleBook("openai_chat", vendor, {}).of("m"))
    anew = json.loads(built(DIALECT.upstream, without_original(parsed.request), target).body)
    assert [one["role"] for one in own["messages"]] == [one["role"] for one in anew["messages"]]
    return [own["messages"], anew["messages"]]


def test_mistral_gets_a_turn_between_a_result_and_the_user() -> None:
    """It refuses a user's turn straight behind a tool's."""
    for messages in arrived([*HI, CALLED, RESULT, *HI], "mistral"):
        assert ["user", "assistant", "tool", "assistant", "user"] == [
            message["role"] for message in messages
        ]
        assert messages[3]["content"]


def test_a_vendor_is_told_that_an_answer_was_begun() -> None:
    """Mistral refuses an assistant's turn at the end that does not say so; Kimi and Qwen go on from
    one that does.
    """
    for messages in arrived([*HI, {"role": "assistant", "content": "so"}, *HI], "mistral"):
        assert "prefix" not in messages[1]
    for vendor, key in (("mistral", "prefix"), ("moonshot", "partial"), ("qwen", "partial")):
        for messages in arrived([*HI, {"role": "assistant", "content": "so"}], vendor):
            assert {"role": "assistant", "content": "so", key: True} == messages[1]


@pytest.mark.parametrize("vendor", ["deepseek", "moonshot"])
def test_a_turn_with_calls_has_reasoning_where_the_vendor_insists(vendor: str) -> None:
    """Clients lose it; without the field the conversation is refused."""
    thought = {**CALLED, "reasoning_content": "hm"}
    for turn, kept in ((CALLED, " "), (thought, "hm")):
        options = {"send_reasoning": "reasoning_content"}
        for messages in arrived([*HI, turn, RESULT], vendor, **options):
            assert kept == messages[1]["reasoning_content"]


def test_marks_of_a_cache_do_not_go_to_who_refuses_them() -> None:
    mark = {"cache_control": {"type": "ephemeral"}}
    tool = {"type": "function", "function": {"name": "f"}, **mark}
    content = [{"type": "text", "text": "hi", **mark}]
    body = {"model": "m", "messages": [{"role": "user", "content": content}], "tools": [tool]}
    call = relayed(body, "openai")
    assert b"cache_control" not in call.body
    assert [("dropped", "cache")] == [(note.note, note.param) for note in call.notes]
    assert 2 == relayed(body, "openrouter").body.count(b"cache_control")

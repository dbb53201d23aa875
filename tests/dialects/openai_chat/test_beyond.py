"""What servers of open models, gateways and other vendors of this dialect have beside OpenAI's API:
those who know it get it, those who refuse it do not, and what has a counterpart is said by it.
"""

from typing import Any

import pytest

from proxy.errors import Refused
from tests.dialects.asking import HI, ask

_SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}
_BEYOND: dict[str, Any] = {
    "continue_final_message": True,
    "add_generation_prompt": False,
    "guided_regex": "a+",
    "guided_choice": ["a", "b"],
    "chat_template_kwargs": {"documents": []},
    "mm_processor_kwargs": {"fps": 1},
    "min_tokens": 3,
    "ignore_eos": True,
    "stop_token_ids": [1],
    "bad_words": ["x"],
    "top_k": 3,
    "min_p": 0.1,
    "repetition_penalty": 1.1,
    "truncate_prompt_tokens": 10,
    "priority": 1,
}


def _chat(**more: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [HI], **more}


@pytest.mark.parametrize("vendor", ["vllm", "together", "openrouter"])
def test_who_may_know_it_gets_it_as_it_was_written(vendor: str) -> None:
    sent = ask("openai_chat", _chat(**_BEYOND), vendor, "m")
    assert _BEYOND == {name: sent.body[name] for name in _BEYOND}
    assert set() == sent.notes


@pytest.mark.parametrize("vendor", ["openai", "azure", "groq", "gemini-openai"])
def test_who_refuses_it_does_not_and_each_is_noted(vendor: str) -> None:
    sent = ask("openai_chat", _chat(brand_new=1, **_BEYOND), vendor, "m")
    assert sent.body.keys().isdisjoint(_BEYOND)
    assert {("dropped", "refused")} == sent.notes
    assert 1 == sent.body["brand_new"]


@pytest.mark.parametrize(
    ("said", "effort"),
    [
        ({"thinking": {"type": "enabled", "budget_tokens": 20_000}}, "high"),
        ({"enable_thinking": True, "thinking_budget": 2000}, "low"),
        ({"reasoning": {"effort": "high"}}, "high"),
        ({"reasoning": {"effort": "high"}, "reasoning_effort": "low"}, "low"),
        ({"enable_thinking": False}, "none"),
    ],
)
def test_thinking_in_other_words_is_an_effort(said: dict[str, Any], effort: str) -> None:
    sent = ask("openai_chat", _chat(**said), "openai", "gpt-5.1").body
    assert effort == sent["reasoning_effort"]
    assert sent.keys().isdisjoint(said.keys() - {"reasoning_effort"})


@pytest.mark.parametrize(
    "said", [{"guided_json": _SCHEMA}, {"structured_outputs": {"json": _SCHEMA}}]
)
def test_a_schema_in_other_words_is_the_form_of_the_answer(said: dict[str, Any]) -> None:
    """At a vendor of another dialect, too; a form that is said goes before it."""
    form = {"type": "json_schema", "json_schema": {"name": "answer", "schema": _SCHEMA}}
    sent = ask("openai_chat", _chat(**said), "groq", "m")
    assert (form, set()) == (sent.body["response_format"], sent.notes)
    there = ask("openai_chat", _chat(**said), "gemini", "gemini-2.5-flash")
    assert _SCHEMA == there.body["generationConfig"]["responseJsonSchema"]
    own = {"type": "json_object"}
    both = ask("openai_chat", _chat(response_format=own, **said), "groq", "m")
    assert (own, {("dropped", "refused")}) == (both.body["response_format"], both.notes)
    assert said.items() <= ask("openai_chat", _chat(**said), "vllm", "m").body.items()


def test_counts_are_whole_and_minus_one_is_no_limit() -> None:
    """Languages with one kind of number write 100.0, LM Studio's guides max_tokens: -1."""
    sent = ask("openai_chat", _chat(max_tokens=100.0, n=1.0, seed=5), "lmstudio", "m").body
    assert ["100", "1", "5"] == [str(sent[name]) for name in ("max_tokens", "n", "seed")]
    for vendor, model in (("lmstudio", "m"), ("gemini", "gemini-2.5-flash")):
        unbounded = ask("openai_chat", _chat(max_tokens=-1), vendor, model).body
        assert "max" not in str(unbounded)


def test_half_a_token_and_fewer_than_none_are_refused() -> None:
    for said in (100.5, -2, 0, "many"):
        with pytest.raises(Refused) as refused:
            ask("openai_chat", _chat(max_tokens=said), "openai", "gpt-4o")
        assert "max_tokens" == refused.value.failure.param


def test_empty_stops_ask_for_nothing() -> None:
    sent = ask("openai_chat", _chat(stop=["", "a"]), "gemini", "gemini-2.5-flash")
    assert {"stopSequences": ["a"]} == sent.body["generationConfig"]


@pytest.mark.parametrize(
    ("vendor", "model", "key"),
    [
        ("anthropic", "claude-sonnet-4-5", "messages"),
        ("gemini", "gemini-2.5-flash", "contents"),
        ("bedrock", "amazon.nova-lite-v1:0", "messages"),
        ("openai-responses", "gpt-5", "input"),
    ],
)
def test_a_system_that_is_alone_is_the_user(vendor: str, model: str, key: str) -> None:
    """OpenAI takes such a conversation; others want a turn."""
    body = {"model": "m", "messages": [{"role": "system", "content": "Say hi."}]}
    sent = ask("openai_chat", body, vendor, model)
    (turn,) = sent.body[key]
    assert "user" == turn["role"]
    assert "Say hi." in str(turn)
    assert ("changed", "messages.system") in sent.notes
    assert body["messages"] == ask("openai_chat", body, "openai", "gpt-4o").body["messages"]

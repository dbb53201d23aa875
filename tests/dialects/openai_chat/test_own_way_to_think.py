"""An effort in OpenAI's word, of a client of this dialect, to vendors of it that have another."""

from typing import Any

import pytest

from tests.dialects.asking import HI, ask

_CHAT = {"model": "m", "messages": [HI]}


@pytest.mark.parametrize(
    ("vendor", "effort", "told"),
    [
        ("qwen", "high", {"enable_thinking": True}),
        ("qwen", "none", {"enable_thinking": False}),
        ("deepseek", "high", {"thinking": {"type": "enabled"}}),
        ("vllm", "none", {"chat_template_kwargs": {"enable_thinking": False}}),
        ("openrouter", "high", {}),
        ("openai", "high", {}),
    ],
)
def test_theirs_stands_beside_it(vendor: str, effort: str, told: dict[str, Any]) -> None:
    sent = ask("openai_chat", {**_CHAT, "reasoning_effort": effort}, vendor, "m")
    usage = {"stream_options": {"include_usage": True}}
    assert {**_CHAT, "reasoning_effort": effort, "stream": True, **usage, **told} == sent.body


@pytest.mark.parametrize(
    "own",
    [
        {"enable_thinking": False},
        {"thinking": {"type": "disabled"}},
        {"chat_template_kwargs": {"enable_thinking": False}},
    ],
)
def test_what_the_client_says_in_their_words_is_left_as_it_is(own: dict[str, Any]) -> None:
    sent = ask("openai_chat", {**_CHAT, "reasoning_effort": "high", **own}, "qwen", "m")
    assert own == {name: sent.body[name] for name in sent.body.keys() & {"enable_thinking", *own}}


@pytest.mark.parametrize(
    ("more", "thinking", "effort"),
    [({}, "adaptive", None), ({"reasoning_effort": "low"}, "adaptive", "low")],
)
def test_thinking_that_is_for_claude_to_measure(
    more: dict[str, Any], thinking: str, effort: str | None
) -> None:
    """As gateways before Claude take it."""
    asked = {**_CHAT, "thinking": {"type": "adaptive"}, **more}
    sent = ask("openai_chat", asked, "anthropic", "claude-opus-4-7")
    assert (thinking, effort) == (
        sent.body["thinking"]["type"],
        sent.body.get("output_config", {}).get("effort"),
    )

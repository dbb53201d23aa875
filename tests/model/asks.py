"""What the model is asked: each dialect that its server speaks, and a call of a tool."""

from typing import Any, NamedTuple

MODEL = "gemma-3-270m"
_TOKENS = 40
_STORY = "Tell me about a river."


class Ask(NamedTuple):
    """A request, and the upstream that it goes to, whose dialect is the client's."""

    title: str
    dialect: str
    path: str
    body: dict[str, Any]


def _call(city: str, number: int) -> dict[str, Any]:
    function = {"name": "get_weather", "arguments": f'{{"city": "{city}"}}'}
    return {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": f"call_{number}", "type": "function", "function": function}],
    }


def _turn(city: str, weather: str, number: int) -> list[dict[str, Any]]:
    """A question, the call and what the tool gave: a small model goes on in kind."""
    return [
        {"role": "user", "content": f"What is the weather in {city}?"},
        _call(city, number),
        {"role": "tool", "tool_call_id": f"call_{number}", "content": weather},
    ]


_TOOL = {
    "name": "get_weather",
    "description": "The weather of a city",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
}
_TURNS = [*_turn("Rome", "Sunny, 21 degrees", 1), *_turn("Oslo", "Snow, -3 degrees", 2)]
_STEADY = {"model": MODEL, "stream": True, "temperature": 0}

ASKS = (
    Ask(
        "text",
        "openai_chat",
        "/v1/chat/completions",
        {**_STEADY, "max_tokens": _TOKENS, "messages": [{"role": "user", "content": _STORY}]},
    ),
    Ask(
        "Chinese text",
        "openai_chat",
        "/v1/chat/completions",
        {
            **_STEADY,
            "max_tokens": _TOKENS,
            "messages": [{"role": "user", "content": "请讲一个关于河流的故事。"}],
        },
    ),
    Ask(
        "calls of a tool",
        "openai_chat",
        "/v1/chat/completions",
        {
            **_STEADY,
            "max_tokens": _TOKENS,
            "tools": [{"type": "function", "function": _TOOL}],
            "messages": [*_TURNS, {"role": "user", "content": "What is the weather in Paris?"}],
        },
    ),
    Ask(
        "text",
        "openai_completions",
        "/v1/completions",
        {**_STEADY, "max_tokens": _TOKENS, "prompt": "The river"},
    ),
    Ask(
        "text",
        "anthropic",
        "/v1/messages",
        {**_STEADY, "max_tokens": _TOKENS, "messages": [{"role": "user", "content": _STORY}]},
    ),
    Ask(
        "text",
        "openai_responses",
        "/v1/responses",
        {**_STEADY, "max_output_tokens": _TOKENS, "input": _STORY},
    ),
)

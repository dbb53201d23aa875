"""What this dialect sends and is sent, for the tests that hold for every dialect."""

from typing import Any

from tests.dialects.sample import (
    INPUT_TOKENS,
    OUTPUT_TOKENS,
    PAD,
    WORDS,
    Asked,
    Endless,
    Sample,
    call,
    choice,
    data,
)

IDS = {"id": "a1", "created": 1, "model": "m"}

OPENAI_USAGE = {
    "prompt_tokens": INPUT_TOKENS,
    "completion_tokens": OUTPUT_TOKENS,
    "total_tokens": 18,
}

OPENAI_ERROR = {"error": {"message": WORDS, "type": "server_error", "param": None, "code": None}}


def chat_chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    return {
        **IDS,
        "object": "chat.completion.chunk",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }


SAMPLE = Sample(
    opening=data(chat_chunk({"role": "assistant", "content": ""})),
    say=lambda _, text: data(chat_chunk({"content": text})),
    ending=data(chat_chunk({}, "stop"))
    + data({**IDS, "choices": [], "usage": OPENAI_USAGE})
    + data("[DONE]"),
    error=data(OPENAI_ERROR),
    error_body=OPENAI_ERROR,
    begins=True,
)

ENDLESS: dict[str, Endless] = {
    "no choices": lambda n: data({"id": f"{n}", "choices": []}),
    "models": lambda n: data({"model": f"m{n}", "choices": []}),
    "choices": lambda n: choice({"content": "a"}, n),
    "large choices": lambda n: choice({"content": "a"}, 10**30 + n),
    "choices with extras": lambda n: choice({}, n, logprobs={"content": [n]}),
    "choices that finish": lambda n: choice({"content": "a"}, n, finish_reason=f"stop{n}"),
    "calls": lambda n: call(n, f"c{n}", "f", "{}"),
    "calls in one place": lambda n: call(0, f"c{n}", "f", "{}"),
    "calls left open": lambda n: call(n, f"c{n}", "f", "{"),
    "calls without a name": lambda n: call(n, f"c{n}", None, PAD),
    "arguments": lambda n: call(0, "c", "f", PAD),
    "arguments without a name": lambda n: call(0, "c", None, PAD),
    "arguments to and fro": lambda n: (
        choice({"content": "t"}) if n % 2 else call(0, "c", "f", '"}')
    ),
    "sources": lambda n: choice(
        {"annotations": [{"type": "url_citation", "url_citation": {"url": f"http://{n}/{PAD}"}}]}
    ),
    "extras": lambda n: data({"choices": [], "system_fingerprint": f"f{n}"}),
    "usage": lambda n: data({"choices": [], "usage": {"prompt_tokens": n, f"k{n}": 1}}),
    "turns": lambda n: choice({"reasoning_content": PAD} if n % 2 else {"content": PAD}),
    "old calls": lambda n: choice({"function_call": {"name": f"f{n}", "arguments": "{}"}}),
}

ASKED = Asked(
    "/v1/chat/completions",
    {
        "temperature": 0.5,
        "top_p": 0.9,
        "seed": 7,
        "user": "u",
        "metadata": {"k": "v"},
        "max_completion_tokens": 5,
        "parallel_tool_calls": False,
        "frequency_penalty": 0.1,
        "logit_bias": {"50256": -100},
        "stream": True,
        "model": "m",
        "messages": [
            {"role": "system", "content": "s"},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "a"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
                ],
            },
            {
                "role": "assistant",
                "tool_calls": [
                    {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
                ],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "r"},
        ],
        "tools": [
            {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
        ],
        "tool_choice": {"type": "function", "function": {"name": "f"}},
        "stream_options": {"include_usage": True},
        "stop": ["x"],
        "n": 2,
        "reasoning_effort": "low",
        "response_format": {"type": "json_object"},
    },
    said=lambda values: "".join(
        choice["delta"].get("content") or ""
        for value in values
        for choice in value.get("choices", ())
        if choice["index"] == 0
    ),
)

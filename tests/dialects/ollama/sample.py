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
    dumped,
    json_of,
    once,
)


def ollama_line(text: str, **more: Any) -> bytes:
    line = {
        "model": "m",
        "created_at": "2026-01-01T00:00:00Z",
        "message": {"role": "assistant", "content": text},
        "done": False,
    }
    return dumped(line | more) + b"\n"


SAMPLE = Sample(
    say=lambda _, text: ollama_line(text),
    ending=ollama_line(
        "", done=True, done_reason="stop", prompt_eval_count=INPUT_TOKENS, eval_count=OUTPUT_TOKENS
    ),
    error=dumped({"error": WORDS}) + b"\n",
    error_body={"error": WORDS},
    content_type="application/x-ndjson",
    comment=b"\n",
)


def _line(**more: Any) -> bytes:
    return json_of({"done": False, **more}) + b"\n"


ENDLESS: dict[str, Endless] = {
    "text": lambda n: _line(message={"content": PAD}),
    "responses": lambda n: _line(response=PAD),
    "turns": lambda n: _line(message={"content" if n % 2 else "thinking": "a"}),
    "calls": lambda n: _line(
        message={"tool_calls": [{"function": {"name": f"f{n}", "arguments": {}}}]}
    ),
    "calls left open": lambda n: _line(
        message={"tool_calls": [{"function": {"name": f"f{n}", "arguments": n}}]}
    ),
    "images": lambda n: _line(message={"images": [PAD]}, logprobs=[n]),
    "blank lines": lambda n: b"\n" * 100,
    "a line": once(b'{"message":{"content":"', lambda n: b"x" * 100),
}

ASKED = Asked(
    "/api/chat",
    {
        "model": "m",
        "messages": [
            {"role": "system", "content": "s"},
            {"role": "user", "content": "a", "images": ["AA=="]},
            {
                "role": "assistant",
                "content": "",
                "thinking": "t",
                "tool_calls": [{"function": {"name": "f", "arguments": {}}}],
            },
            {"role": "tool", "tool_name": "f", "content": "r"},
        ],
        "tools": [
            {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
        ],
        "think": True,
        "format": "json",
        "options": {"seed": 1, "stop": ["x"], "num_predict": 5},
    },
)

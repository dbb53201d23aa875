"""What this dialect sends and is sent, for the tests that hold for every dialect."""

from tests.dialects.sample import (
    INPUT_TOKENS,
    OUTPUT_TOKENS,
    PAD,
    WORDS,
    Asked,
    Endless,
    Sample,
    data,
    once,
)

NO_USAGE = {
    "input_tokens": None,
    "output_tokens": None,
    "cached_input_tokens": None,
    "reasoning_tokens": None,
}

NATIVE_START = {
    "type": "stream.start",
    "stream": "far",
    "model": "m",
    "upstream": "u",
    "upstream_model": "m",
    "created": 1,
    "notes": [],
}

NATIVE_END = {
    "type": "stream.end",
    "finish": {"reason": "stop", "raw": "stop"},
    "timing": {"first_event_ms": 1.0, "total_ms": 2.0},
    "usage": NO_USAGE | {"input_tokens": INPUT_TOKENS, "output_tokens": OUTPUT_TOKENS},
}

NATIVE_ERROR = {
    "kind": "upstream_error",
    "message": WORDS,
    "retryable": True,
    "status": 502,
    "upstream": "theirs",
}

SAMPLE = Sample(
    opening=data(NATIVE_START),
    starts=data({"type": "block.start", "block": 0, "kind": "text"}),
    say=lambda _, text: data({"type": "text.delta", "block": 0, "text": text}),
    ending=data({"type": "block.end", "block": 0}) + data(NATIVE_END),
    error=data({"type": "stream.error", "error": NATIVE_ERROR, "usage": NO_USAGE}),
    error_body={"error": {"kind": "upstream_error", "message": WORDS}},
)

ENDLESS: dict[str, Endless] = {
    "blocks": lambda n: data({"type": "block.start", "block": n, "kind": "text"}),
    "blocks that end": lambda n: (
        data({"type": "block.start", "block": n, "kind": "text"})
        + data({"type": "block.end", "block": n})
    ),
    "calls": lambda n: data(
        {
            "type": "block.start",
            "block": n,
            "kind": "tool_call",
            "tool": {"id": "a", "name": "b"},
        }
    ),
    "vendor": lambda n: data({"type": "vendor", "dialect": "x", "data": {f"k{n}": 1}}),
    "usage": lambda n: data({"type": "usage", "input_tokens": n}),
    "text": once(
        data({"type": "block.start", "block": 0, "kind": "text"}),
        lambda n: data({"type": "text.delta", "block": 0, "text": PAD}),
    ),
}

ASKED = Asked(
    "/v1/stream",
    {
        "temperature": 0.5,
        "top_p": 0.9,
        "seed": 7,
        "user": "u",
        "metadata": {"k": "v"},
        "system": "s",
        "response_format": {"type": "json_object"},
        "on_loss": "note",
        "stream": True,
        "model": "m",
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "a"},
                    {"type": "image_url", "url": "https://a.example/b.png"},
                ],
            },
            {
                "role": "assistant",
                "content": [{"type": "tool_call", "id": "c1", "name": "f", "arguments": "{}"}],
            },
            {"role": "tool", "content": [{"type": "tool_result", "id": "c1", "content": "r"}]},
        ],
        "tools": [{"name": "f", "parameters": {"type": "object"}}],
        "tool_choice": {"mode": "tool", "name": "f"},
        "reasoning": {"effort": "low"},
        "vendor": {"k": 1},
        "stop": ["x"],
        "max_tokens": 5,
    },
)

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
    named,
    typed,
)

COHERE_TEXT = {
    "type": "content-start",
    "index": 0,
    "delta": {"message": {"content": {"type": "text", "text": ""}}},
}


def cohere_end(**delta: Any) -> bytes:
    tokens = {"input_tokens": INPUT_TOKENS, "output_tokens": OUTPUT_TOKENS}
    return named(
        {
            "type": "message-end",
            "delta": {"usage": {"billed_units": tokens, "tokens": tokens}, **delta},
        }
    )


SAMPLE = Sample(
    opening=named(
        {
            "type": "message-start",
            "id": "a1",
            "delta": {"message": {"role": "assistant", "content": []}},
        }
    ),
    starts=named(COHERE_TEXT),
    say=lambda _, text: named(
        {"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": text}}}}
    ),
    ending=named({"type": "content-end", "index": 0}) + cohere_end(finish_reason="COMPLETE"),
    error=named({"type": "message-end", "delta": {"finish_reason": "ERROR", "error": WORDS}}),
    error_body={"id": "e1", "message": WORDS},
)


def _cohere(kind: str, index: int | None = 0, **message: Any) -> bytes:
    return typed(kind, index=index, delta={"message": message})


ENDLESS: dict[str, Endless] = {
    "text": lambda n: _cohere("content-delta", content={"text": PAD}),
    "contents": lambda n: _cohere("content-start", n, content={"type": "text", "text": "a"}),
    "plans": lambda n: _cohere("tool-plan-delta", tool_plan=PAD),
    "calls": lambda n: _cohere(
        "tool-call-start",
        n,
        tool_calls={"id": f"c{n}", "function": {"name": "f", "arguments": "{"}},
    ),
    "calls without a number": lambda n: _cohere(
        "tool-call-start", None, tool_calls={"id": f"c{n}", "function": {"name": "f"}}
    ),
    "arguments": lambda n: _cohere(
        "tool-call-delta", 0, tool_calls={"function": {"arguments": PAD}}
    ),
    "arguments everywhere": lambda n: _cohere(
        "tool-call-delta", n, tool_calls={"function": {"arguments": PAD}}
    ),
    "citations": lambda n: _cohere(
        "citation-start",
        n,
        citations={"start": n, "end": n + 1, "text": PAD, "sources": [{"id": f"s{n}"}]},
    ),
    "turns": lambda n: _cohere("content-delta", content={"text" if n % 2 else "thinking": "a"}),
    "starts": lambda n: typed("message-start", id=PAD * n),
}

ASKED = Asked(
    "/v2/chat",
    {
        "temperature": 0.5,
        "p": 0.9,
        "k": 5,
        "seed": 7,
        "max_tokens": 5,
        "documents": [{"id": "d", "data": {"text": "t"}}],
        "model": "m",
        "stream": True,
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
                "tool_plan": "p",
                "tool_calls": [
                    {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
                ],
            },
            {
                "role": "tool",
                "tool_call_id": "c1",
                "content": [{"type": "document", "document": {"data": "r"}}],
            },
        ],
        "tools": [
            {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
        ],
        "tool_choice": "REQUIRED",
        "thinking": {"type": "enabled", "token_budget": 100},
        "response_format": {"type": "json_object"},
        "stop_sequences": ["x"],
    },
)

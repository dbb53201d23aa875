"""What this dialect sends and is sent, for the tests that hold for every dialect."""

from typing import Any

from tests.dialects.openai_chat.sample import OPENAI_ERROR
from tests.dialects.sample import (
    INPUT_TOKENS,
    OUTPUT_TOKENS,
    PAD,
    TEXT,
    WORDS,
    Asked,
    Endless,
    Sample,
    named,
    once,
    typed,
)

RESPONSE = {
    "id": "r1",
    "object": "response",
    "created_at": 1,
    "model": "m",
    "status": "in_progress",
    "output": [],
}

MESSAGE = {
    "id": "m1",
    "type": "message",
    "role": "assistant",
    "status": "in_progress",
    "content": [],
}

PART = {"output_index": 0, "content_index": 0, "item_id": "m1"}

SAMPLE = Sample(
    opening=named({"type": "response.created", "response": RESPONSE})
    + named({"type": "response.in_progress", "response": RESPONSE}),
    starts=named({"type": "response.output_item.added", "output_index": 0, "item": MESSAGE})
    + named(
        {
            "type": "response.content_part.added",
            **PART,
            "part": {"type": "output_text", "text": "", "annotations": []},
        }
    ),
    say=lambda _, text: named({"type": "response.output_text.delta", **PART, "delta": text}),
    ending=named({"type": "response.output_text.done", **PART, "text": TEXT})
    + named(
        {
            "type": "response.completed",
            "response": {
                **RESPONSE,
                "status": "completed",
                "usage": {
                    "input_tokens": INPUT_TOKENS,
                    "output_tokens": OUTPUT_TOKENS,
                    "total_tokens": 18,
                },
            },
        }
    ),
    error=named(
        {
            "type": "response.failed",
            "response": {
                **RESPONSE,
                "status": "failed",
                "error": {"code": "server_error", "message": WORDS},
            },
        }
    ),
    error_body=OPENAI_ERROR,
)


def _item(kind: str, at: int, **item: Any) -> bytes:
    return typed(f"response.output_item.{kind}", output_index=at, item=item)


def _delta(kind: str, at: int, text: str = "a", **more: Any) -> bytes:
    return typed(f"response.{kind}.delta", output_index=at, content_index=0, delta=text, **more)


ENDLESS: dict[str, Endless] = {
    "text": lambda n: _delta("output_text", 0, PAD),
    "text everywhere": lambda n: _delta("output_text", n),
    "parts": lambda n: typed(
        "response.output_text.delta", output_index=0, content_index=n, delta="a"
    ),
    "refusals": lambda n: _delta("refusal", n % 2, PAD),
    "log-probs": lambda n: _delta("output_text", 0, logprobs=[{"token": f"t{n}"}]),
    "reasoning": lambda n: typed(
        "response.reasoning_summary_text.delta", output_index=0, summary_index=n, delta=PAD
    ),
    "reasoning everywhere": lambda n: _delta("reasoning_text", n),
    "arguments without a name": lambda n: _delta("function_call_arguments", 0, PAD),
    "arguments everywhere": lambda n: _delta("function_call_arguments", n, PAD),
    "calls": lambda n: _item("added", n, type="function_call", call_id=f"c{n}", name="f"),
    "calls that are done": lambda n: _item(
        "done", n, type="function_call", call_id=f"c{n}", name="f", arguments="{}"
    ),
    "calls in one place": lambda n: _item(
        "added" if n % 2 else "done", 0, type="function_call", call_id=f"c{n}", name="f"
    ),
    "messages that are done": lambda n: _item("done", n, type="message", content=[]),
    "reasoning that is done": lambda n: _item(
        "done", n, type="reasoning", summary=[], encrypted_content=PAD
    ),
    "messages again": lambda n: _item(
        "done" if n % 2 else "added",
        0,
        type="message",
        content=[{"type": "output_text", "text": "a"}],
    ),
    "words of items": lambda n: _item("added", n, type="message", phase=f"p{n}"),
    "searches": lambda n: _item("added", n, type="web_search_call", id=f"w{n}"),
    "sources": lambda n: typed(
        "response.output_text.annotation.added",
        output_index=0,
        content_index=0,
        annotation={"type": "url_citation", "url": f"u{n}"},
    ),
    "created": lambda n: typed("response.created", response={"id": PAD * n}),
    "a document": once(b'{"object":"response","x":"', lambda n: b"x" * 100),
}

ASKED = Asked(
    "/v1/responses",
    {
        "temperature": 0.5,
        "top_p": 0.9,
        "metadata": {"k": "v"},
        "parallel_tool_calls": True,
        "store": False,
        "include": ["reasoning.encrypted_content"],
        "model": "m",
        "instructions": "s",
        "input": [
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "a"},
                    {"type": "input_image", "image_url": "data:image/png;base64,AA=="},
                ],
            },
            {
                "type": "reasoning",
                "id": "r1",
                "summary": [{"type": "summary_text", "text": "t"}],
                "encrypted_content": "e",
            },
            {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": "r"},
        ],
        "tools": [
            {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": True}
        ],
        "tool_choice": {"type": "function", "name": "f"},
        "reasoning": {"effort": "low", "summary": "auto"},
        "text": {"format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}}},
        "max_output_tokens": 5,
        "stream": True,
    },
)

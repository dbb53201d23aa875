"""What this dialect sends and is sent, for the tests that hold for every dialect."""

from typing import Any

from tests.dialects.sample import (
    INPUT_TOKENS,
    OUTPUT_TOKENS,
    PAD,
    TEXT,
    WORDS,
    Endless,
    Sample,
    data,
    json_of,
)


def coze_message(text: str, state: str) -> bytes:
    message = {
        "id": "m1",
        "conversation_id": "c1",
        "role": "assistant",
        "type": "answer",
        "content": text,
        "content_type": "text",
    }
    return data(message, f"conversation.message.{state}")


def coze_chat(state: str, **more: Any) -> bytes:
    return data(
        {
            "id": "a1",
            "conversation_id": "c1",
            "status": state,
            "last_error": {"code": 0, "msg": ""},
            **more,
        },
        f"conversation.chat.{state}",
    )


COZE_ERROR = {"code": 5000, "msg": WORDS}

SAMPLE = Sample(
    opening=coze_chat("created") + coze_chat("in_progress"),
    say=lambda _, text: coze_message(text, "delta"),
    ending=coze_message(TEXT, "completed")
    + coze_chat(
        "completed",
        usage={"input_count": INPUT_TOKENS, "output_count": OUTPUT_TOKENS, "token_count": 18},
    )
    + data('"[DONE]"', "done"),
    error=coze_chat("failed", last_error=COZE_ERROR),
    error_body=COZE_ERROR,
    begins=True,
)


def _event(event: str, value: Any) -> bytes:
    return b"event:%b\ndata:%b\n\n" % (
        event.encode(),
        value if isinstance(value, bytes) else json_of(value),
    )


ENDLESS: dict[str, Endless] = {
    "text": lambda n: _event(
        "conversation.message.delta", {"id": "m", "type": "answer", "content": PAD}
    ),
    "messages": lambda n: _event(
        "conversation.message.delta", {"id": f"m{n}{PAD}", "type": "answer", "content": "a"}
    ),
    "whole messages": lambda n: _event(
        "conversation.message.completed", {"id": f"m{n}", "type": "answer", "content": PAD}
    ),
    "turns": lambda n: _event(
        "conversation.message.delta",
        {"type": "answer", "content" if n % 2 else "reasoning_content": "a"},
    ),
    "calls": lambda n: _event(
        "conversation.chat.requires_action",
        {
            "status": f"s{n}",
            "required_action": {
                "submit_tool_outputs": {
                    "tool_calls": [{"id": f"c{n}", "function": {"name": "f", "arguments": "{"}}]
                    * (n % 5)
                }
            },
        },
    ),
    "chats": lambda n: _event(
        "conversation.chat.completed",
        {"id": f"c{n}", "status": f"{PAD}{n}", "usage": {"input_count": n}},
    ),
    "cards": lambda n: _event(
        "conversation.message.delta", {"type": "verbose", "content": PAD, f"k{n}": 1}
    ),
    "steps": lambda n: _event(
        "Message", {"content": PAD, "content_type": "text", "node_title": f"n{n}"}
    ),
    "unknown events": lambda n: _event(f"new{n}", {f"k{n}": 1}),
    "interrupts": lambda n: _event("Interrupt", {"n": n}),
}

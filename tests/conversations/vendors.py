"""Vendors that think and call a tool, turn after turn, each in its own bytes: what they give in an
answer they must see again in the next request, as they gave it.

    VENDORS[name].answer(turn)   the bytes of an answer that thinks, and calls the tool
    VENDORS[name].proofs(turn)   the texts of that answer which must come back in every later request
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from proxy.codec.rules import Rules
from proxy.settings.rules import RuleBook
from proxy.settings.vendors import catalogue
from tests import aws_frames

CITY = "Ulaanbaatar"


class Vendor(NamedTuple):
    """`upstream` is the dialect that it speaks, `row` its name among the vendors of
    config/vendors.yaml, which says what it does otherwise than others of that dialect.
    """

    upstream: str
    answer: Callable[[int], bytes]
    proofs: Callable[[int], Sequence[str]]
    row: str

    @property
    def options(self) -> Mapping[str, Any]:
        """What an upstream has of its vendor's row."""
        return catalogue().vendors[self.row].options

    def rules(self, model: str) -> Rules:
        """What it takes."""
        return RuleBook(self.upstream, self.row, {}).of(model)


def _sse(*events: dict[str, Any], named: bool = False) -> bytes:
    return b"".join(
        (b"event: %b\n" % event["type"].encode() if named else b"")
        + b"data: %b\n\n" % json.dumps(event).encode()
        for event in events
    )


def _arguments() -> str:
    return json.dumps({"city": CITY})


def _anthropic(turn: int) -> bytes:
    def block(index: int, start: dict[str, Any], *deltas: dict[str, Any]) -> list[dict[str, Any]]:
        return [
            {"type": "content_block_start", "index": index, "content_block": start},
            *({"type": "content_block_delta", "index": index, "delta": each} for each in deltas),
            {"type": "content_block_stop", "index": index},
        ]

    message = {
        "id": f"msg_{turn}",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 3, "output_tokens": 1},
    }
    return _sse(
        {"type": "message_start", "message": message},
        *block(
            0,
            {"type": "thinking", "thinking": "", "signature": ""},
            {"type": "thinking_delta", "thinking": f"Thought {turn}."},
            {"type": "signature_delta", "signature": f"SIG{turn}=="},
        ),
        *block(1, {"type": "redacted_thinking", "data": f"RED{turn}=="}),
        *block(
            2,
            {"type": "tool_use", "id": f"toolu_{turn}", "name": "weather", "input": {}},
            {"type": "input_json_delta", "partial_json": _arguments()},
        ),
        {
            "type": "message_delta",
            "delta": {"stop_reason": "tool_use", "stop_sequence": None},
            "usage": {"output_tokens": 9},
        },
        {"type": "message_stop"},
        named=True,
    )


def _gemini(turn: int) -> bytes:
    call = {
        "functionCall": {"name": "weather", "args": {"city": CITY}},
        "thoughtSignature": f"R2Vt{turn}w==",
    }
    thought = {"text": f"Thought {turn}.", "thought": True}

    def chunk(*parts: dict[str, Any], **more: Any) -> dict[str, Any]:
        content = {"role": "model", "parts": list(parts)}
        return {"candidates": [{"index": 0, "content": content, **more}]}

    return _sse(chunk(thought), chunk(call, finishReason="STOP"))


def _responses(turn: int) -> bytes:
    reasoning = {
        "type": "reasoning",
        "id": f"rs_{turn}",
        "summary": [{"type": "summary_text", "text": f"Thought {turn}."}],
        "encrypted_content": f"ENC{turn}==",
    }
    call = {
        "type": "function_call",
        "id": f"fc_{turn}",
        "call_id": f"call_{turn}",
        "name": "weather",
        "arguments": _arguments(),
        "status": "completed",
    }
    response = {"id": f"resp_{turn}", "object": "response", "created_at": 1, "model": "m"}
    events: list[dict[str, Any]] = [
        {
            "type": "response.created",
            "response": {**response, "status": "in_progress", "output": []},
        },
        {
            "type": "response.output_item.added",
            "output_index": 0,
            "item": {"type": "reasoning", "id": f"rs_{turn}", "summary": []},
        },
        {
            "type": "response.reasoning_summary_text.delta",
            "item_id": f"rs_{turn}",
            "output_index": 0,
            "summary_index": 0,
            "delta": f"Thought {turn}.",
        },
        {"type": "response.output_item.done", "output_index": 0, "item": reasoning},
        {
            "type": "response.output_item.added",
            "output_index": 1,
            "item": {**call, "arguments": "", "status": "in_progress"},
        },
        {
            "type": "response.function_call_arguments.delta",
            "item_id": f"fc_{turn}",
            "output_index": 1,
            "delta": _arguments(),
        },
        {"type": "response.output_item.done", "output_index": 1, "item": call},
        {
            "type": "response.completed",
            "response": {
                **response,
                "status": "completed",
                "output": [reasoning, call],
                "usage": {"input_tokens": 3, "output_tokens": 9, "total_tokens": 12},
            },
        },
    ]
    return _sse(*(each | {"sequence_number": at} for at, each in enumerate(events)), named=True)


def _chat(turn: int, **delta: Any) -> bytes:
    call = {
        "index": 0,
        "id": f"call_{turn}",
        "type": "function",
        "function": {"name": "weather", "arguments": _arguments()},
        **delta.pop("call", {}),
    }

    def chunk(said: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": said, "finish_reason": finish}
        return {
            "id": "c",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": "m",
            "choices": [choice],
        }

    return (
        _sse(
            chunk({"role": "assistant", "content": "", **delta}),
            chunk({"tool_calls": [call]}),
            chunk({}, "tool_calls"),
        )
        + b"data: [DONE]\n\n"
    )


def _openrouter(turn: int) -> bytes:
    details = [
        {
            "type": "reasoning.text",
            "text": f"Thought {turn}.",
            "signature": f"ORS{turn}==",
            "format": "anthropic-claude-v1",
            "index": 0,
        },
        {
            "type": "reasoning.encrypted",
            "data": f"ORE{turn}==",
            "format": "google-gemini-v1",
            "id": f"call_{turn}",
            "index": 1,
        },
    ]
    return _chat(turn, reasoning=f"Thought {turn}.", reasoning_details=details)


def _gemini_chat(turn: int) -> bytes:
    """Gemini's OpenAI endpoint."""
    return _chat(turn, call={"extra_content": {"google": {"thought_signature": f"GOS{turn}w=="}}})


def _bedrock(turn: int) -> bytes:
    def event(kind: str, **payload: Any) -> bytes:
        return aws_frames.event(kind, payload)

    tool = {"toolUse": {"toolUseId": f"tooluse_{turn}", "name": "weather"}}
    return b"".join(
        (
            event("messageStart", role="assistant"),
            event(
                "contentBlockDelta",
                contentBlockIndex=0,
                delta={"reasoningContent": {"text": f"Thought {turn}."}},
            ),
            event(
                "contentBlockDelta",
                contentBlockIndex=0,
                delta={"reasoningContent": {"signature": f"BED{turn}=="}},
            ),
            event("contentBlockStop", contentBlockIndex=0),
            event("contentBlockStart", contentBlockIndex=1, start=tool),
            event(
                "contentBlockDelta",
                contentBlockIndex=1,
                delta={"toolUse": {"input": _arguments()}},
            ),
            event("contentBlockStop", contentBlockIndex=1),
            event("messageStop", stopReason="tool_use"),
            event("metadata", usage={"inputTokens": 3, "outputTokens": 9, "totalTokens": 12}),
        )
    )


VENDORS: dict[str, Vendor] = {
    "anthropic": Vendor(
        "anthropic", _anthropic, lambda n: (f"SIG{n}==", f"RED{n}=="), row="anthropic"
    ),
    "gemini": Vendor("gemini", _gemini, lambda n: (f"R2Vt{n}w==",), row="gemini"),
    "openai_responses": Vendor(
        "openai_responses", _responses, lambda n: (f"ENC{n}==",), row="openai-responses"
    ),
    "openrouter": Vendor(
        "openai_chat", _openrouter, lambda n: (f"ORS{n}==", f"ORE{n}=="), row="openrouter"
    ),
    "gemini_chat": Vendor(
        "openai_chat", _gemini_chat, lambda n: (f"GOS{n}w==",), row="gemini-openai"
    ),
    "deepseek": Vendor(
        "openai_chat",
        lambda n: _chat(n, reasoning_content=f"Thought {n}."),
        lambda n: (f"Thought {n}.",),
        row="deepseek",
    ),
    "bedrock_converse": Vendor(
        "bedrock_converse", _bedrock, lambda n: (f"BED{n}==",), row="bedrock"
    ),
}

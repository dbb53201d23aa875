"""What the fuzz tests share: good requests of every dialect, pieces of garbage, and a reader of what encoders write that is not ours."""

import json
from functools import cache
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from openai._streaming import SSEDecoder

from proxy.dialects.base import Encoder, Incoming, Parsed
from proxy.dialects.registry import CLIENTS
from proxy.dialects.settle import Settler
from proxy.errors import Refused
from proxy.events import StreamStart

# From fixed seeds, so that a run is the same as the last one; and in no hurry, as a loaded machine must not fail a test.
steady = settings(derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
START = StreamStart("s1", "asked 模型", "up", "theirs", 1_700_000_000)

# What clients send, good requests all; and where the path or the query says something.
CHAT = {"model": "m", "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "你好"}]}
OTHERS: list[Any] = [
    CHAT,
    {"model": "m", "input": "你好"},
    {"model": "m", "prompt": "你好"},
    {"contents": [{"role": "user", "parts": [{"text": "你好"}]}]},
    {"query": "你好", "inputs": {}, "user": "u", "response_mode": "streaming"},
]
BODIES: dict[str, Any] = {
    "native": {
        "model": "m",
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "image_url", "url": "https://a.example/b.png"}]},
            {"role": "assistant", "content": [{"type": "tool_call", "id": "c1", "name": "f", "arguments": "{}"}]},
            {"role": "tool", "content": [{"type": "tool_result", "id": "c1", "content": "r"}]},
        ],
        "tools": [{"name": "f", "parameters": {"type": "object"}}],
        "tool_choice": {"mode": "tool", "name": "f"},
        "reasoning": {"effort": "low"},
        "vendor": {"k": 1},
        "stop": ["x"],
        "max_tokens": 5,
    },
    "openai_chat": {
        "model": "m",
        "messages": [
            {"role": "system", "content": "s"},
            {
                "role": "user",
                "content": [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}],
            },
            {"role": "assistant", "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "c1", "content": "r"},
        ],
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
        "tool_choice": {"type": "function", "function": {"name": "f"}},
        "stream_options": {"include_usage": True},
        "stop": ["x"],
        "n": 2,
        "reasoning_effort": "low",
        "response_format": {"type": "json_object"},
    },
    "anthropic": {
        "model": "m",
        "max_tokens": 2000,
        "system": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}],
        "messages": [
            {"role": "user", "content": [{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA=="}}]},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "t", "signature": "s"},
                    {"type": "tool_use", "id": "c1", "name": "f", "input": {}},
                ],
            },
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": [{"type": "text", "text": "r"}]}]},
        ],
        "tools": [{"name": "f", "input_schema": {"type": "object"}}],
        "tool_choice": {"type": "any", "disable_parallel_tool_use": True},
        "thinking": {"type": "enabled", "budget_tokens": 1024},
    },
    "openai_responses": {
        "model": "m",
        "instructions": "s",
        "input": [
            {
                "role": "user",
                "content": [{"type": "input_text", "text": "a"}, {"type": "input_image", "image_url": "data:image/png;base64,AA=="}],
            },
            {"type": "reasoning", "id": "r1", "summary": [{"type": "summary_text", "text": "t"}], "encrypted_content": "e"},
            {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": "r"},
        ],
        "tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": True}],
        "tool_choice": {"type": "function", "name": "f"},
        "reasoning": {"effort": "low", "summary": "auto"},
        "text": {"format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}}},
        "max_output_tokens": 5,
        "stream": True,
    },
    "openai_completions": {
        "model": "m",
        "prompt": ["你好"],
        "suffix": "x",
        "stop": ["x"],
        "n": 2,
        "logprobs": 1,
        "stream": True,
        "stream_options": {"include_usage": True},
    },
    "gemini": {
        "systemInstruction": {"parts": [{"text": "s"}]},
        "contents": [
            {"role": "user", "parts": [{"text": "a"}, {"inlineData": {"mimeType": "image/png", "data": "AA=="}}]},
            {
                "role": "model",
                "parts": [
                    {"text": "t", "thought": True},
                    {"functionCall": {"id": "c1", "name": "f", "args": {}}, "thoughtSignature": "c2ln"},
                ],
            },
            {"role": "user", "parts": [{"functionResponse": {"id": "c1", "name": "f", "response": {"output": "r"}}}]},
        ],
        "tools": [{"functionDeclarations": [{"name": "f", "parameters": {"type": "OBJECT", "properties": {"p": {"type": "STRING"}}}}]}],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}},
        "generationConfig": {
            "maxOutputTokens": 5,
            "stopSequences": ["x"],
            "seed": 1,
            "responseMimeType": "application/json",
            "thinkingConfig": {"includeThoughts": True, "thinkingBudget": 100},
        },
    },
    "cohere": {
        "model": "m",
        "stream": True,
        "messages": [
            {"role": "system", "content": "s"},
            {
                "role": "user",
                "content": [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}],
            },
            {
                "role": "assistant",
                "tool_plan": "p",
                "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
            },
            {"role": "tool", "tool_call_id": "c1", "content": [{"type": "document", "document": {"data": "r"}}]},
        ],
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
        "tool_choice": "REQUIRED",
        "thinking": {"type": "enabled", "token_budget": 100},
        "response_format": {"type": "json_object"},
        "stop_sequences": ["x"],
    },
    "ollama": {
        "model": "m",
        "messages": [
            {"role": "system", "content": "s"},
            {"role": "user", "content": "a", "images": ["AA=="]},
            {"role": "assistant", "content": "", "thinking": "t", "tool_calls": [{"function": {"name": "f", "arguments": {}}}]},
            {"role": "tool", "tool_name": "f", "content": "r"},
        ],
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
        "think": True,
        "format": "json",
        "options": {"seed": 1, "stop": ["x"], "num_predict": 5},
    },
    "dify": {"query": "你好", "inputs": {"a": "b"}, "user": "u", "response_mode": "streaming", "conversation_id": "", "files": []},
    "ai_sdk": {
        "id": "c",
        "model": "m",
        "trigger": "submit-message",
        "messages": [
            {"id": "1", "role": "system", "parts": [{"type": "text", "text": "s"}]},
            {
                "id": "2",
                "role": "user",
                "parts": [
                    {"type": "text", "text": "a"},
                    {"type": "file", "mediaType": "image/png", "url": "data:image/png;base64,AA=="},
                ],
            },
            {
                "id": "3",
                "role": "assistant",
                "parts": [
                    {"type": "reasoning", "text": "t"},
                    {"type": "tool-f", "toolCallId": "c1", "state": "output-available", "input": {}, "output": "r"},
                ],
            },
        ],
    },
    "plain": {"prompt": "你好", "system": "s"},
    "sider": {
        "prompt": "你好",
        "stream": True,
        "app_name": "a",
        "cid": "",
        "model": "m",
        "from": "ask",
        "multi_content": [{"type": "text", "text": "a"}],
    },
    "chatglm": {"query": "你好", "history": [["a", "b"]], "data": [1]},
    "baidu_chat": {
        "message": {
            "query": [
                {"type": "TEXT", "data": {"text": {"query": "你好"}}},
                {"type": "IMAGE", "data": {"image": {"url": "https://a.example/b"}}},
            ],
            "searchInfo": {"usedModel": {"modelName": "m", "modelFunction": {"thinkMode": "1"}}},
        }
    },
    "yiyan": {"text": "你好", "model": "m", "sessionId": ""},
}


def incoming(body: bytes) -> Incoming:
    path = {"model": "m", "version": "v1beta", "method": "streamGenerateContent", "form": "chat"}
    return Incoming("POST", path, {}, {"content-type": "application/json"}, body)


@cache
def good_body(name: str) -> Any:
    """A good request of this dialect. One without a row above gets the first that it takes."""
    for body in [BODIES[name]] if name in BODIES else OTHERS:
        try:
            CLIENTS[name].parse_request(incoming(json.dumps(body).encode()))
        except Refused:
            continue
        return body
    return CHAT


@cache
def parsed_by(name: str) -> Parsed | None:
    """A good request of this dialect, parsed."""
    try:
        return CLIENTS[name].parse_request(incoming(json.dumps(good_body(name)).encode()))
    except Refused:
        return None


def encoder_of(name: str) -> Encoder | None:
    """As the server makes it for an upstream that may take text back."""
    parsed = parsed_by(name)
    if parsed is None:
        return None
    encoder = CLIENTS[name].encoder(parsed)
    return encoder if CLIENTS[name].rewrites else Settler(encoder)


PIECES = [
    *(
        b'"',
        b"{",
        b"}",
        b"[",
        b"]",
        b"\\",
        b"\n",
        b"\n\n",
        b"\r",
        b"\r\n\r\n",
        b"\0",
        b"\xff",
        b"\xed\xa0\x80",
        b"\xef\xbb\xbf",
        b"\xf0\x9f",
    ),
    *(b"null", b"-1", b"1e999", b"9" * 400, b"NaN", b"true", b'""', b"\\ud800", b"[" * 3000, b'{"a":' * 3000, b":", b": ping\n\n"),
    *(
        b"data: [DONE]\n\n",
        b"data:",
        b"event: error\n",
        b"event: ping\n",
        b"id: 1\0\n",
        b'"error":{"message":1},',
        b"<html>",
        b"retry: 1\n",
    ),
]
# What is done, where (a share of the body), over how many bytes, and with what.
MUTATION = st.tuples(
    st.sampled_from(["flip", "delete", "duplicate", "splice", "insert", "truncate"]),
    st.floats(0, 1),
    st.sampled_from([1, 2, 9, 60, 700]),
    st.sampled_from(PIECES),
)


def frames(data: bytes) -> list[Any]:
    return list(SSEDecoder().iter_bytes(iter([data])))


def readable(name: str, encoder: Encoder, data: bytes) -> list[Any]:
    """The JSON values of what was written, as an independent reader finds them; for plain text the texts."""
    if name == "chatglm":
        values, text = [], data.decode()
        while text:
            value, end = json.JSONDecoder().raw_decode(text)
            values.append(value)
            text = text[end:]
        return values
    if not encoder.content_type.startswith("text/event-stream"):
        return [json.loads(line) for line in data.split(b"\n") if line.strip()] if "ndjson" in encoder.content_type else []
    found = frames(data)
    if name == "plain":
        return [frame.data for frame in found]
    values = [json.loads(frame.data) for frame in found if frame.data != "[DONE]" and frame.event not in ("done", "ping")]
    if name == "anthropic":
        assert [value["type"] for value in values] == [frame.event for frame in found]
    return values

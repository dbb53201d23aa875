"""Good requests of every client dialect."""

import json
from functools import cache
from typing import Any

from proxy.codec.base import Incoming, Parsed
from proxy.dialects.registry import CLIENTS

BODIES: dict[str, Any] = {
    "native": {
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
    "openai_chat": {
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
    "anthropic": {
        "temperature": 1,
        "top_k": 5,
        "stop_sequences": ["x"],
        "metadata": {"user_id": "u"},
        "stream": True,
        "model": "m",
        "max_tokens": 2000,
        "system": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}],
        "messages": [
            {
                "role": "user",
                "content": [
                    {
                        "type": "image",
                        "source": {"type": "base64", "media_type": "image/png", "data": "AA=="},
                    }
                ],
            },
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "t", "signature": "s"},
                    {"type": "tool_use", "id": "c1", "name": "f", "input": {}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {
                        "type": "tool_result",
                        "tool_use_id": "c1",
                        "content": [{"type": "text", "text": "r"}],
                    }
                ],
            },
        ],
        "tools": [{"name": "f", "input_schema": {"type": "object"}}],
        "tool_choice": {"type": "any", "disable_parallel_tool_use": True},
        "thinking": {"type": "enabled", "budget_tokens": 1024},
    },
    "openai_responses": {
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
    "openai_completions": {
        "temperature": 0.5,
        "top_p": 0.9,
        "seed": 7,
        "max_tokens": 5,
        "user": "u",
        "echo": False,
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
        "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
        "systemInstruction": {"parts": [{"text": "s"}]},
        "contents": [
            {
                "role": "user",
                "parts": [{"text": "a"}, {"inlineData": {"mimeType": "image/png", "data": "AA=="}}],
            },
            {
                "role": "model",
                "parts": [
                    {"text": "t", "thought": True},
                    {
                        "functionCall": {"id": "c1", "name": "f", "args": {}},
                        "thoughtSignature": "c2ln",
                    },
                ],
            },
            {
                "role": "user",
                "parts": [
                    {"functionResponse": {"id": "c1", "name": "f", "response": {"output": "r"}}}
                ],
            },
        ],
        "tools": [
            {
                "functionDeclarations": [
                    {
                        "name": "f",
                        "parameters": {"type": "OBJECT", "properties": {"p": {"type": "STRING"}}},
                    }
                ]
            }
        ],
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
    "ollama": {
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
    "dify": {
        "query": "你好",
        "inputs": {"a": "b"},
        "user": "u",
        "response_mode": "streaming",
        "conversation_id": "",
        "files": [],
    },
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
                    {
                        "type": "tool-f",
                        "toolCallId": "c1",
                        "state": "output-available",
                        "input": {},
                        "output": "r",
                    },
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
def parsed_by(name: str) -> Parsed:
    """The good request of this dialect, parsed."""
    return CLIENTS[name].parse_request(incoming(json.dumps(BODIES[name]).encode()))

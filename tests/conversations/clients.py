"""Client programs, as they treat an answer: they keep the message that they got, whatever is in it,
run the tool that it calls, and send all of it with the result in their next request.

    CLIENTS[name](history, document) -> the next history

`history` is what the dialect calls its messages; `document` is the whole answer, as its SDK would
have it (`stream: false`, or folded from a stream). A program copies fields that it does not know: so
do the SDKs' types, which keep extra fields.
"""

import json
from collections.abc import Callable
from typing import Any

RESULT = "It is cold."
SCHEMA: dict[str, Any] = {"type": "object", "properties": {"city": {"type": "string"}}}
History = list[dict[str, Any]]


def openai_chat(history: History, document: dict[str, Any]) -> History:
    message = document["choices"][0]["message"]
    results = [
        {"role": "tool", "tool_call_id": call["id"], "content": RESULT}
        for call in message["tool_calls"]
    ]
    return [*history, message, *results]


def anthropic(history: History, document: dict[str, Any]) -> History:
    results = [
        {"type": "tool_result", "tool_use_id": block["id"], "content": RESULT}
        for block in document["content"]
        if block["type"] == "tool_use"
    ]
    return [
        *history,
        {"role": "assistant", "content": document["content"]},
        {"role": "user", "content": results},
    ]


def openai_responses(history: History, document: dict[str, Any]) -> History:
    results = [
        {"type": "function_call_output", "call_id": item["call_id"], "output": RESULT}
        for item in document["output"]
        if item["type"] == "function_call"
    ]
    return [*history, *document["output"], *results]


def gemini(history: History, document: dict[str, Any]) -> History:
    content = document["candidates"][0]["content"]
    results = [
        {
            "functionResponse": {
                **({"id": part["functionCall"]["id"]} if "id" in part["functionCall"] else {}),
                "name": part["functionCall"]["name"],
                "response": {"result": RESULT},
            }
        }
        for part in content["parts"]
        if "functionCall" in part
    ]
    return [*history, content, {"role": "user", "parts": results}]


def cohere(history: History, document: dict[str, Any]) -> History:
    message = document["message"]
    results = [
        {"role": "tool", "tool_call_id": call["id"], "content": RESULT}
        for call in message["tool_calls"]
    ]
    kept = {key: value for key, value in message.items() if value is not None}
    return [*history, kept, *results]


def ollama(history: History, document: dict[str, Any]) -> History:
    message = document["message"]
    results = [
        {"role": "tool", "tool_name": call["function"]["name"], "content": RESULT}
        for call in message["tool_calls"]
    ]
    return [*history, message, *results]


def native(history: History, document: dict[str, Any]) -> History:
    parts: list[dict[str, Any]] = []
    results: list[dict[str, Any]] = []
    for block in document["blocks"]:
        proof = {
            name: block[name]
            for name in ("signature", "format", "redacted", "id")
            if block.get(name) is not None
        }
        if block["kind"] == "reasoning":
            parts.append({"type": "reasoning", "text": block["text"], **proof})
        elif block["kind"] == "text" and block["text"]:
            parts.append({"type": "text", "text": block["text"]})
        elif block["kind"] == "tool_call":
            tool = block["tool"]
            parts.append({"type": "tool_call", **tool, "arguments": block["text"], **proof})
            results.append({"type": "tool_result", "id": tool["id"], "content": RESULT})
    return [
        *history,
        {"role": "assistant", "content": parts},
        {"role": "tool", "content": results},
    ]


def first(client: str) -> History:
    """A history with the first question."""
    if client == "gemini":
        return [{"role": "user", "parts": [{"text": "How is it there?"}]}]
    return [{"role": "user", "content": "How is it there?"}]


def request(client: str, history: History) -> dict[str, Any]:
    """The body of the next request, with the one tool."""
    tool = {"name": "weather", "description": "Weather.", "parameters": SCHEMA}
    match client:
        case "gemini":
            return {
                "contents": history,
                "tools": [{"functionDeclarations": [tool]}],
                "generationConfig": {"thinkingConfig": {"includeThoughts": True}},
            }
        case "openai_responses":
            return {
                "model": "m",
                "input": history,
                "tools": [{"type": "function", **tool}],
                "include": ["reasoning.encrypted_content"],
                "store": False,
                "stream": False,
            }
        case "anthropic":
            return {
                "model": "m",
                "max_tokens": 20_000,
                "messages": history,
                "thinking": {"type": "enabled", "budget_tokens": 2000},
                "tools": [{"name": "weather", "description": "Weather.", "input_schema": SCHEMA}],
            }
        case "native":
            return {
                "model": "m",
                "messages": history,
                "tools": [tool],
                "reasoning": {"effort": "high"},
                "stream": False,
            }
        case _:
            return {
                "model": "m",
                "messages": history,
                "tools": [{"type": "function", "function": tool}],
                "stream": False,
            }


CLIENTS: dict[str, Callable[[History, dict[str, Any]], History]] = {
    "openai_chat": openai_chat,
    "anthropic": anthropic,
    "openai_responses": openai_responses,
    "gemini": gemini,
    "cohere": cohere,
    "ollama": ollama,
    "native": native,
}


def parsed(data: bytes) -> dict[str, Any]:
    """A whole answer."""
    document: dict[str, Any] = json.loads(data)
    return document

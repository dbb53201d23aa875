"""A whole answer as one `chat.completion` document."""

from typing import Any

import msgspec

from proxy.codec.base import Reply
from proxy.codec.fold import WholeAnswer
from proxy.codec.openai.usage import usage_object
from proxy.dialects.openai_chat.shapes import annotation, extras, finish_word, other_finish


def openai_whole(answer: WholeAnswer) -> Reply:
    """The answer as OpenAI's SDKs read it."""
    return Reply(200, msgspec.json.encode(document(answer)))


def document(answer: WholeAnswer) -> dict[str, Any]:
    """What a vendor of this dialect said beside goes where its own clients look for it."""
    start = answer.start
    assert start is not None
    chunk: dict[str, Any] = {}
    usage: dict[str, Any] = {}
    beside: dict[int, dict[str, Any]] = {}
    for event in answer.vendor:
        said = extras(event)
        chunk.update(said.chunk)
        usage.update(said.usage)
        for choice in said.choices:
            beside.setdefault(choice["index"], {}).update(_settled(choice))
    numbers = sorted({0, *(block.choice for block in answer.blocks.values())})
    usage_said = usage_object(answer.usage, usage)
    return {
        **chunk,
        "id": f"chatcmpl-{start.stream}",
        "object": "chat.completion",
        "created": start.created,
        "model": start.model,
        "choices": [_choice(answer, number, beside.get(number, {})) for number in numbers],
        **({} if usage_said is None else {"usage": usage_said}),
    }


def _settled(choice: dict[str, Any]) -> dict[str, Any]:
    """Of a choice in the stream, what also holds for the whole: not its delta, nor the log-probs of
    one piece.
    """
    return {
        name: value for name, value in choice.items() if name not in ("index", "delta", "logprobs")
    }


def _choice(answer: WholeAnswer, number: int, beside: dict[str, Any]) -> dict[str, Any]:
    message = _message(answer, number)
    own = beside.pop("finish_reason", None)
    word = (
        finish_word(answer.finish)
        if own is None
        else other_finish(own, called="tool_calls" in message)
    )
    return {**beside, "index": number, "message": message, "logprobs": None, "finish_reason": word}


def _message(answer: WholeAnswer, number: int) -> dict[str, Any]:
    """The text of a vendor of this dialect that ended in a refusal is the refusal."""
    text = answer.text(number)
    refused = answer.finish.reason == "refusal" and answer.finish.raw == "stop"
    calls = [
        {
            "id": block.tool.id,
            "type": "function",
            "function": {"name": block.tool.name, "arguments": block.text or "{}"},
        }
        for block in answer.tool_calls(number)
        if block.tool is not None
    ]
    message: dict[str, Any] = {
        "role": "assistant",
        "content": None if refused or (calls and not text) else text,
        "refusal": text if refused else None,
    }
    reasoning = answer.reasoning(number)
    if reasoning:
        message["reasoning_content"] = reasoning
    if calls:
        message["tool_calls"] = calls
    cited = [
        citation
        for block in answer.blocks.values()
        if block.choice == number
        for citation in block.citations
    ]
    annotations = [said for citation in cited if (said := annotation(citation)) is not None]
    if annotations:
        message["annotations"] = annotations
    return message

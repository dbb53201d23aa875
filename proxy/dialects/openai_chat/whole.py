"""A whole answer as one `chat.completion` document."""

from collections.abc import Collection
from typing import Any

import msgspec

from proxy.codec.base import Reply
from proxy.codec.fold import WholeAnswer
from proxy.codec.openai.usage import usage_object
from proxy.dialects.openai_chat.shapes import extras, finish_word, other_finish
from proxy.dialects.openai_chat.whole_message import joined, message_of


def openai_whole(answer: WholeAnswer, custom: Collection[str]) -> Reply:
    """The answer as OpenAI's SDKs read it. `custom`: see `document`."""
    return Reply(200, msgspec.json.encode(document(answer, custom)))


def document(answer: WholeAnswer, custom: Collection[str] = ()) -> dict[str, Any]:
    """`custom` are the client's tools that take free text: calls of others are functions, as it
    knows no other calls. What a vendor of this dialect said beside goes where its own clients look
    for it.
    """
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
            _merge(beside.setdefault(choice["index"], {}), choice)
    numbers = sorted({0, *(block.choice for block in answer.blocks.values())})
    usage_said = usage_object(answer.usage, usage)
    return {
        **chunk,
        "id": f"chatcmpl-{start.stream}",
        "object": "chat.completion",
        "created": start.created,
        "model": start.model,
        "choices": [_choice(answer, number, beside.get(number, {}), custom) for number in numbers],
        **({} if usage_said is None else {"usage": usage_said}),
    }


def _merge(said: dict[str, Any], choice: dict[str, Any]) -> None:
    """Put what one chunk said of a choice to what the others said: lists and log-probs go on, and
    what a delta held is in `delta`.
    """
    for name, value in choice.items():
        if name == "delta" and isinstance(value, dict):
            said["delta"] = joined(said.get("delta", {}), value)  # never the event's own
        elif name == "logprobs":
            said[name] = joined(said.get(name), value)
        elif name != "index":
            said[name] = value


def _choice(
    answer: WholeAnswer, number: int, beside: dict[str, Any], custom: Collection[str]
) -> dict[str, Any]:
    own = beside.pop("finish_reason", None)
    message = message_of(answer, number, beside.pop("delta", {}), custom)
    word = (
        finish_word(answer.finish)
        if own is None
        else other_finish(own, called="tool_calls" in message)
    )
    return {
        "logprobs": None,
        **beside,
        "index": number,
        "message": message,
        "finish_reason": word,
    }

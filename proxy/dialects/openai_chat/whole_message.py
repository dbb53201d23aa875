"""The message of one choice of a whole answer."""

from collections.abc import Collection
from typing import Any

from proxy.codec.custom_tools import text_of
from proxy.codec.fold import Block, WholeAnswer
from proxy.dialects.openai_chat.shapes import PARTS, annotation, call_proof, image, reasoning_proofs

# Texts that name a thing: they are said again, and do not go on.
_NAMES = ("id", "type", "format", "role")
_LISTS = ("annotations", "images", "reasoning_details")


def message_of(
    answer: WholeAnswer, number: int, beside: dict[str, Any], custom: Collection[str]
) -> dict[str, Any]:
    """The message. `custom` are the client's tools that take free text. `beside` is what a vendor
    of this dialect said in its deltas beyond our schema: it stands where the vendor has it.
    """
    blocks = [block for block in answer.blocks.values() if block.choice == number]
    texts = [block for block in blocks if block.kind == "text"]
    text = "".join(block.text for block in texts if not block.refusal)
    refusal = "".join(block.text for block in texts if block.refusal)
    calls = [_call(block, custom) for block in answer.tool_calls(number)]
    message: dict[str, Any] = {
        "role": "assistant",
        "content": None if not text and (refusal or calls) else text,
        "refusal": refusal or None,
    }
    reasoning = answer.reasoning(number)
    if reasoning:
        message["reasoning_content"] = reasoning
    _prove(message, blocks)
    if calls:
        message["tool_calls"] = calls
    cited = [source for block in blocks for source in block.citations]
    sources = [said for source in cited if (said := annotation(source)) is not None]
    pictures = [event for event in answer.images if (event.choice or 0) == number]
    own: dict[str, list[Any]] = {
        "annotations": sources,
        "images": [image(event, at) for at, event in enumerate(pictures)],
        "reasoning_details": message.pop("reasoning_details", []),
    }
    for name in _LISTS:
        listed = [*own[name], *_list(beside.pop(name, None))]
        if listed:
            message[name] = listed
    parts = _list(beside.pop("content", None))
    if parts:  # Mistral's parts that are neither text nor thinking
        message[PARTS] = parts
    return {**beside, **message}


def _call(block: Block, custom: Collection[str]) -> dict[str, Any]:
    assert block.tool is not None
    said: dict[str, Any] = {"id": block.tool.id}
    if block.tool.custom is True and block.tool.name in custom:
        said |= {
            "type": "custom",
            "custom": {"name": block.tool.name, "input": text_of(block.text)},
        }
    else:
        function = {"name": block.tool.name, "arguments": block.text or "{}"}
        said |= {"type": "function", "function": function}
    return said if block.proof is None else {**said, **call_proof(block.proof)}


def _prove(message: dict[str, Any], blocks: list[Block]) -> None:
    """What a vendor must see again of the reasoning."""
    details: list[dict[str, Any]] = []
    thoughts: list[dict[str, Any]] = []
    for block in blocks:
        if block.kind == "reasoning" and block.proof is not None:
            said = reasoning_proofs(block.proof, block.text, len(details))
            details += said.details
            thoughts += said.blocks
    more = {"reasoning_details": details, "thinking_blocks": thoughts}
    message.update({name: listed for name, listed in more.items() if listed})


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def joined(before: Any, more: Any) -> Any:
    """Two pieces of one thing in a stream: lists and texts go on, objects field by field, and of
    anything else the last one counts.
    """
    if isinstance(before, dict) and isinstance(more, dict):
        return {
            **before,
            **{
                name: value if name in _NAMES else joined(before.get(name), value)
                for name, value in more.items()
            },
        }
    if isinstance(before, list) and isinstance(more, list):
        return before + more
    if isinstance(before, str) and isinstance(more, str):
        return before + more
    return before if more is None else more

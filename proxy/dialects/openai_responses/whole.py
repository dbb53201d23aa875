"""A whole answer as one response object."""

from typing import Any

import msgspec

from proxy.codec.base import Parsed, Reply
from proxy.codec.fold import Block, WholeAnswer
from proxy.dialects.openai_responses import shapes
from proxy.dialects.openai_responses.wire import ITEM_DONE


def whole(parsed: Parsed, answer: WholeAnswer) -> Reply:
    """See `ClientHalf.whole`. Of several choices the first is given."""
    start = answer.start
    assert start is not None
    said = [shapes.extras(event) for event in answer.vendor]
    beside: dict[str, Any] = {}
    usage: dict[str, Any] = {}
    for extra in said:
        beside.update(extra.response or {})
        usage.update(extra.usage or {})
    response = {
        **beside,
        **shapes.response_object(start, parsed.options.repeated, "completed"),
        **shapes.ending(answer.finish),
        "output": _output(answer, said, start.stream),
        "usage": shapes.usage_object(answer.usage, usage),
    }
    return Reply(200, msgspec.json.encode(response))


def _output(answer: WholeAnswer, said: list[shapes.Extras], stream: str) -> list[dict[str, Any]]:
    """The items in their order, the vendor's own between them where they stood, and with each what
    the vendor said of it.
    """
    output: list[dict[str, Any]] = []
    before: dict[str, dict[str, Any]] = {}
    placed = list(zip(answer.vendor_at, said, strict=True))
    for number, block in enumerate([*answer.blocks.values(), None]):
        for at, extra in placed:
            if at == number:
                _place(output, before, extra)
        if block is not None and block.choice == 0:
            item = _item(block, answer, f"{stream}_{len(output)}")
            output.append({**before.pop(item["type"], {}), **item})
    return output


def _place(
    output: list[dict[str, Any]], before: dict[str, dict[str, Any]], extra: shapes.Extras
) -> None:
    newest = output[-1] if output else {}
    if extra.item is not None and extra.begins:
        before[extra.item["type"]] = extra.item
    elif extra.item is not None and newest.get("type") == extra.item["type"]:
        newest.update({**extra.item, **newest})
    elif extra.opaque is not None:
        if extra.opaque["type"] == ITEM_DONE and isinstance(extra.opaque.get("item"), dict):
            output.append(extra.opaque["item"])
    elif newest.get("type") == "message" and newest["content"][0]["type"] == "output_text":
        newest["content"][0]["logprobs"] += extra.logprobs or []
        newest["content"][0]["annotations"] += [extra.annotation] if extra.annotation else []


def _item(block: Block, answer: WholeAnswer, number: str) -> dict[str, Any]:
    if block.kind == "reasoning":
        return shapes.reasoning_item(f"rs_{number}", block.text, block.signature, "completed")
    if block.kind == "tool_call":
        assert block.tool is not None
        return shapes.call_item(f"fc_{number}", block.tool, block.text or "{}", "completed")
    annotations = [
        said for citation in block.citations if (said := shapes.annotation(citation)) is not None
    ]
    refused = shapes.refused_in_full(answer.finish)
    part = (
        {"type": "refusal", "refusal": block.text}
        if refused
        else shapes.text_part(block.text, annotations, [])
    )
    return shapes.message_item(f"msg_{number}", part, "completed")

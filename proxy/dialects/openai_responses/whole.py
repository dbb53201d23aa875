"""A whole answer as one response object."""

from collections.abc import Mapping
from typing import Any

import msgspec

from proxy.codec.base import Parsed, Reply
from proxy.codec.custom_tools import text_of
from proxy.codec.fold import Block, WholeAnswer
from proxy.dialects.openai_responses import shapes
from proxy.dialects.openai_responses.parse_tools import Named
from proxy.dialects.openai_responses.sealed import sealed
from proxy.dialects.openai_responses.wire import IMAGE_ITEM, ITEM_DONE
from proxy.events import Tool

_PREFIXES = {"message": "msg", "reasoning": "rs", "function_call": "fc", "custom_tool_call": "ctc"}


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
    theirs = beside.pop("id", None)
    in_force = shapes.in_force(kept=parsed.options.kept is not None)
    response = {
        **beside,
        **shapes.response_object(start, parsed.options.repeated, "completed", theirs),
        **{key: value for key, value in beside.items() if key in in_force},
        **shapes.ending(answer.finish),
        "output": _Output(answer, said, parsed.options.named).items(),
        "usage": shapes.usage_object(answer.usage, usage),
    }
    return Reply(200, msgspec.json.encode(response))


class _Output:
    """The items in their order, the vendor's own between them where they stood, and with each what
    the vendor said of it.
    """

    def __init__(
        self, answer: WholeAnswer, said: list[shapes.Extras], named: Mapping[str, Named]
    ) -> None:
        assert answer.start is not None
        self._answer = answer
        self._stream = answer.start.stream
        self._placed = list(zip(answer.vendor_at, said, strict=True))
        self._named = named
        self._output: list[dict[str, Any]] = []
        self._before: dict[str, dict[str, Any]] = {}
        self._images = [image for image in answer.images if not image.choice]

    def items(self) -> list[dict[str, Any]]:
        placed = iter([*self._placed, (-1, shapes.Extras())])
        at, extra = next(placed)
        for number, block in enumerate([*self._answer.blocks.values(), None]):
            while at == number:
                self._place(extra)
                at, extra = next(placed)
            if block is not None and block.choice == 0:
                self._add(block)
        for image in self._images:
            self._output.append(shapes.image_item(image.url, self._id("ig")))
        return self._output

    def _id(self, prefix: str) -> str:
        return f"{prefix}_{self._stream}_{len(self._output)}"

    def _add(self, block: Block) -> None:
        kind = _type(block)
        beside = self._before.pop(kind, {})
        given = beside.pop("id", None)
        item_id = given if isinstance(given, str) else self._id(_PREFIXES[kind])
        proof = None if block.proof is None else block.proof
        if block.tool is None:
            encrypted = None if proof is None else sealed(proof)
            if block.kind == "reasoning":
                item = shapes.reasoning_item(item_id, block.text, encrypted, "completed", beside)
                self._output.append(item)
            else:
                self._output.append({**beside, **_message(block, item_id)})
            return
        place = self._named.get(block.tool.name)
        tool = block.tool if place is None else Tool(block.tool.id, place.name)
        if place is not None:
            beside["namespace"] = place.namespace
        shape = (
            shapes.custom_item(item_id, tool, text_of(block.text), "completed")
            if kind == "custom_tool_call"
            else shapes.call_item(item_id, tool, block.text or "{}", "completed")
        )
        self._output.append({**beside, **shape})
        encrypted = None if proof is None else sealed(proof, tool.id)
        if encrypted is not None:
            self._output.append(shapes.reasoning_item(self._id("rs"), "", encrypted, "completed"))

    def _place(self, extra: shapes.Extras) -> None:
        newest = self._output[-1] if self._output else {}
        if extra.item is not None and extra.begins:
            self._before.setdefault(extra.item["type"], {}).update(extra.item)
        elif extra.item is not None and newest.get("type") == extra.item["type"]:
            own = {} if newest["type"] == "reasoning" else newest
            newest.update({**extra.item, **own})
        elif extra.opaque is not None:
            self._pass_on(extra.opaque)
        elif newest.get("type") == "message" and newest["content"][0]["type"] == "output_text":
            newest["content"][0]["logprobs"] += extra.logprobs or []
            newest["content"][0]["annotations"] += [extra.annotation] if extra.annotation else []

    def _pass_on(self, event: dict[str, Any]) -> None:
        item = event.get("item")
        if event["type"] != ITEM_DONE or not isinstance(item, dict):
            return
        self._before.pop(str(item.get("type")), None)
        if item.get("type") == IMAGE_ITEM and "result" not in item and self._images:
            item = {**item, "result": shapes.image_item(self._images.pop(0).url, "")["result"]}
        self._output.append(item)


def _type(block: Block) -> str:
    if block.tool is not None:
        return "custom_tool_call" if block.tool.custom is True else "function_call"
    return "reasoning" if block.kind == "reasoning" else "message"


def _message(block: Block, item_id: str) -> dict[str, Any]:
    annotations = [
        said for citation in block.citations if (said := shapes.annotation(citation)) is not None
    ]
    part = (
        shapes.refusal_part(block.text)
        if block.refusal
        else shapes.text_part(block.text, annotations, [])
    )
    return shapes.message_item(item_id, part, "completed")

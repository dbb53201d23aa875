"""Items as the vendor gives them whole: at their beginning, at their end, and in the list of a
response. What they say beyond their block, and items that are no block, become `vendor` events.
"""

from typing import Any, TypeGuard

import msgspec

from proxy.codec.json_depth import shallow
from proxy.codec.media import data_url
from proxy.dialects.openai_responses import wire
from proxy.dialects.openai_responses.items import Items
from proxy.dialects.openai_responses.own_tools import OwnTools
from proxy.dialects.openai_responses.wire import NAME
from proxy.events import Event, Image, Vendor

_MAX_TOLD = 256  # items of which it is remembered what was said


class WholeItems:
    """The whole items of one answer. `items` are its blocks; the calls of `own_tools` are none."""

    def __init__(self, items: Items, own_tools: OwnTools) -> None:
        self._items = items
        self._own_tools = own_tools
        self._told: dict[int, int] = {}  # open item -> hash of what was said of it beyond its block

    def tell(self, at: int, item: dict[str, Any], out: list[Event]) -> None:
        """What an item says beyond its block (`phase`, `namespace`, `format`): once, and again when
        it has changed. Its id stands with what is told before the block begins.
        """
        begun = self._items.begun(at, wire.KINDS[item["type"]])
        extras = {
            key: value
            for key, value in item.items()
            if key not in wire.ITEM_KEYS and value not in (None, "", [], {})
        }
        if item["type"] == "reasoning":
            extras |= _both(item)
        said = hash(msgspec.json.encode(shallow(extras)))
        known = self._told.get(at)
        if known == said or (begun and not extras):
            return
        name = item.get("id")
        if known is None and not begun and isinstance(name, str) and name:
            extras = {"id": name, **extras}
        if not extras:
            return
        if len(self._told) >= _MAX_TOLD:
            self._told.clear()
        self._told[at] = said
        kind = wire.ITEM_DONE if begun else wire.ITEM_ADDED
        told = {"type": kind, "output_index": at, "item": {"type": item["type"], **extras}}
        out.append(Vendor(NAME, shallow(told)))

    def end(self, at: int, item: dict[str, Any], out: list[Event]) -> None:
        """An item that is done. One that says nothing has no block; its id is told alone."""
        self.tell(at, item, out)
        self._told.pop(at, None)
        item = shallow(item)
        if not self._items.end(out, at, item) and item.get("id"):
            said = {"type": wire.ITEM_DONE, "output_index": at, "item": item, wire.ALONE: True}
            out.append(Vendor(NAME, said))

    def picture(self, at: int, item: dict[str, Any], out: list[Event]) -> None:
        """A picture, and then what else its item says."""
        result, form = item.get("result"), item.get("output_format")
        rest = {key: value for key, value in item.items() if key != "result"}
        if isinstance(result, str) and result:
            kind = form if isinstance(form, str) and form.isalnum() else "png"
            out.append(Image(data_url(f"image/{kind}", result)))
        said = {"type": wire.ITEM_DONE, "output_index": at, "item": rest}
        out.append(Vendor(NAME, shallow(said)))

    def listed(self, response: dict[str, Any], out: list[Event], *, document: bool) -> None:
        """The items of a response of which no event told. In a stream the opaque ones have been
        told of.
        """
        output = response.get("output")
        for at, item in enumerate(output if isinstance(output, list) else ()):
            if is_block(item) and not self._own_tools.calls(item):
                self.end(at, item, out)
            elif document and isinstance(item, dict) and item.get("type") == wire.IMAGE_ITEM:
                begun = {"type": wire.ITEM_ADDED, "output_index": at}
                out.append(Vendor(NAME, {**begun, "item": {"type": wire.IMAGE_ITEM}}))
                self.picture(at, item, out)
            elif document:
                out.append(
                    Vendor(
                        NAME, shallow({"type": wire.ITEM_DONE, "output_index": at, "item": item})
                    )
                )


def is_block(item: Any) -> TypeGuard[dict[str, Any]]:
    """Whether an item is one that has a place among our blocks."""
    return (
        isinstance(item, dict) and isinstance(item.get("type"), str) and item["type"] in wire.KINDS
    )


def _both(item: dict[str, Any]) -> dict[str, Any]:
    """What of a reasoning is not in its block: a summary of several parts, as the block is one
    text, and the raw text beside a summary.
    """
    summary, content = item.get("summary"), item.get("content")
    several = isinstance(summary, list) and (len(summary) > 1 or (summary and content))
    return {
        **({"summary": summary} if several else {}),
        **({"content": content} if summary and content else {}),
    }

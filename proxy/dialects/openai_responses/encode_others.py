"""Items of a streamed answer that are no blocks: what a vendor of this dialect said of its own
tools, which goes through with our numbers, and pictures.
"""

from typing import Any

from proxy.dialects.openai_responses import shapes
from proxy.dialects.openai_responses.encode_items import Event
from proxy.dialects.openai_responses.wire import IMAGE_ITEM, ITEM_ADDED, ITEM_DONE
from proxy.events import Image


class OtherItems:
    """`output` is that of the answer, in which every item has its place; None for an item that is
    not done.
    """

    def __init__(self, output: list[dict[str, Any] | None]) -> None:
        self._output = output
        self._ours: dict[int, int] = {}  # the vendor's index of an item -> our own
        self._pictures: set[int] = set()  # our indexes of pictures that are being made
        self._picture: str | None = None  # the vendor says the rest of its item next

    def passed_on(self, event: Event) -> list[Event]:
        """An event of the vendor's. One that begins in the middle is begun with what it is when it
        is done.
        """
        at, kind, item = event["output_index"], event["type"], event.get("item")
        first: list[Event] = []
        if at not in self._ours:
            if not isinstance(item, dict):
                return []
            self._ours[at] = len(self._output)
            self._output.append(None)
            if kind != ITEM_ADDED:
                first = [{"type": ITEM_ADDED, "output_index": self._ours[at], "item": item}]
            if item.get("type") == IMAGE_ITEM:
                self._pictures.add(self._ours[at])
        ours = self._ours[at]
        if kind == ITEM_DONE and isinstance(item, dict):
            if ours in self._pictures:
                self._pictures.discard(ours)
                item = {**item, "result": item.get("result", self._picture)}
                self._picture = None
            self._output[ours] = item
            event = {**event, "item": item}
        return [*first, {**event, "output_index": ours}]

    def picture(self, event: Image, stream: str) -> list[Event]:
        """A picture is an item as the vendor's own image tool gives it, or belongs to one that is
        open.
        """
        item = shapes.image_item(event.url, f"ig_{stream}_{len(self._output)}")
        if self._pictures:
            self._picture = item["result"]
            return []
        index = len(self._output)
        self._output.append(item)
        place = {"output_index": index, "item_id": item["id"]}
        begun = {**item, "status": "in_progress", "result": None}
        return [
            {"type": ITEM_ADDED, "output_index": index, "item": begun},
            {"type": "response.image_generation_call.completed", **place},
            {"type": ITEM_DONE, "output_index": index, "item": item},
        ]

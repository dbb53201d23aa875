"""The items of a streamed answer: the events that begin one, carry its text and say it whole when
it is done.
"""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import msgspec

from proxy.codec.custom_tools import ArgumentsToText
from proxy.codec.event_name import event_name
from proxy.dialects.openai_responses import shapes, wire
from proxy.events import Tool

_json = msgspec.json.Encoder().encode
_GAP = "\0"  # stands for the text in an event that is built beforehand; no JSON text holds one
Event = dict[str, Any]


def event_frame(number: int, event: Event) -> bytes:
    """The frame of an event, which has its type in it and gets its number here. The type may be a
    vendor's own word.
    """
    name = event_name(event["type"]).encode()
    return b'event: %b\ndata: {"sequence_number":%d,%b\n\n' % (name, number, _json(event)[1:])


class OutItem(ABC):
    """One item. `pieces` are the deltas so far; `beside` is what a vendor of this dialect said of
    the item beside its text, its id among it.
    """

    type: ClassVar[str]
    prefix: ClassVar[str]  # of its id
    delta_type: ClassVar[str]
    nothing: ClassVar[str] = ""  # the text of an item that has none, if it must have one
    # of a call of a tool that takes free text: from the arguments
    to_text: ArgumentsToText | None = None

    def __init__(self, stream: str, index: int, tool: Tool | None, beside: dict[str, Any]) -> None:
        self.index = index
        self.tool = tool
        self.pieces: list[str] = []
        self.id = str(beside.pop("id", None) or f"{self.prefix}_{stream}_{index}")
        self.beside = beside
        before, _, after = _json({**self._place(), "delta": _GAP}).partition(_json(_GAP))
        self._head = b'event: %b\ndata: {"sequence_number":' % self.delta_type.encode()
        self._before = b',"type":"%b",%b' % (self.delta_type.encode(), before[1:])
        self._after = after + b"\n\n"

    def delta(self, number: int, text: str) -> bytes:
        """The frame of a piece of text."""
        self.pieces.append(text)
        return b"%b%d%b%b%b" % (self._head, number, self._before, _json(text), self._after)

    def begun(self) -> list[Event]:
        """The events that begin the item."""
        return [
            {
                "type": wire.ITEM_ADDED,
                "output_index": self.index,
                "item": self._item("in_progress", "", None),
            }
        ]

    def first(self) -> list[Event]:
        """The events before the first delta."""
        return []

    def done(self, proof: str | None) -> list[Event]:
        """The events that end the item; the last one holds it whole."""
        text = "".join(self.pieces)
        item = self._item("completed", text, proof)
        return [
            *self._text_done(text),
            {"type": wire.ITEM_DONE, "output_index": self.index, "item": item},
        ]

    def so_far(self, status: str) -> dict[str, Any]:
        """The item, which is not done."""
        return self._item(status, "".join(self.pieces), None)

    # text alone has sources
    def annotated(self, _said: dict[str, Any]) -> list[Event]:
        """The event of a source."""
        return []

    def _place(self) -> dict[str, Any]:
        """What every event of the item says of its place."""
        return {"item_id": self.id, "output_index": self.index}

    @abstractmethod
    def _text_done(self, text: str) -> list[Event]:
        """The events that end the item's text."""

    @abstractmethod
    def _item(self, status: str, text: str, proof: str | None) -> dict[str, Any]:
        """The item as it is now."""


class _Message(OutItem):
    """A message of one part."""

    type = "message"
    prefix = "msg"

    def begun(self) -> list[Event]:
        added = {"type": "response.content_part.added", **self._place(), "part": self._part("")}
        return [*super().begun(), added]

    def _place(self) -> dict[str, Any]:
        return {**super()._place(), "content_index": 0}

    def _text_done(self, text: str) -> list[Event]:
        whole = {"type": "response.content_part.done", **self._place(), "part": self._part(text)}
        return [self._said(text), whole]

    @abstractmethod
    def _part(self, text: str) -> dict[str, Any]:
        """The part with this text."""

    @abstractmethod
    def _said(self, text: str) -> Event:
        """The event that says the text whole."""

    # a text has no proof
    def _item(self, status: str, text: str, _proof: str | None) -> dict[str, Any]:
        part = self._part(text) if text or status == "completed" else None
        return {**self.beside, **shapes.message_item(self.id, part, status)}


class Text(_Message):
    """What the model says."""

    delta_type = wire.TEXT_DELTA

    def __init__(self, stream: str, index: int, tool: Tool | None, beside: dict[str, Any]) -> None:
        super().__init__(stream, index, tool, beside)
        self.logprobs: list[Any] = []  # of the next delta
        self._all_logprobs: list[Any] = []
        self._annotations: list[dict[str, Any]] = []
        self._after = b',"logprobs":[]' + self._after

    def delta(self, number: int, text: str) -> bytes:
        if not self.logprobs:
            return super().delta(number, text)
        logprobs, self.logprobs = self.logprobs, []
        self._all_logprobs += logprobs
        self.pieces.append(text)
        return event_frame(
            number, {"type": self.delta_type, **self._place(), "delta": text, "logprobs": logprobs}
        )

    def begun(self) -> list[Event]:
        self._annotations, self._all_logprobs = [], []
        return super().begun()

    def annotated(self, said: dict[str, Any]) -> list[Event]:
        self._annotations.append(said)
        return [
            {
                "type": wire.ANNOTATION,
                **self._place(),
                "annotation_index": len(self._annotations) - 1,
                "annotation": said,
            }
        ]

    def _said(self, text: str) -> Event:
        return {
            "type": "response.output_text.done",
            **self._place(),
            "text": text,
            "logprobs": self._all_logprobs,
        }

    def _part(self, text: str) -> dict[str, Any]:
        return shapes.text_part(text, self._annotations, self._all_logprobs)


class Refusal(_Message):
    """What the model says when it will not answer."""

    delta_type = wire.REFUSAL_DELTA

    def _said(self, text: str) -> Event:
        return {"type": "response.refusal.done", **self._place(), "refusal": text}

    def _part(self, text: str) -> dict[str, Any]:
        return shapes.refusal_part(text)


class Reasoning(OutItem):
    """Reasoning, as a summary of one part, or of none where there is no text to it."""

    type = "reasoning"
    prefix = "rs"
    delta_type = wire.SUMMARY_DELTA

    def first(self) -> list[Event]:
        return [
            {"type": "response.reasoning_summary_part.added", **self._place(), "part": _summary("")}
        ]

    def _place(self) -> dict[str, Any]:
        return {**super()._place(), "summary_index": 0}

    def _text_done(self, text: str) -> list[Event]:
        if not self.pieces:
            return []
        return [
            {"type": "response.reasoning_summary_text.done", **self._place(), "text": text},
            {
                "type": "response.reasoning_summary_part.done",
                **self._place(),
                "part": _summary(text),
            },
        ]

    def _item(self, status: str, text: str, proof: str | None) -> dict[str, Any]:
        return shapes.reasoning_item(self.id, text, proof, status, self.beside)


class RawReasoning(Reasoning):
    """Reasoning as the model thought it, from a vendor of this dialect that tells it so."""

    delta_type = wire.REASONING_DELTA

    def first(self) -> list[Event]:
        added = {"type": "response.content_part.added", **self._place()}
        return [{**added, "part": shapes.raw_part("")}]

    def _place(self) -> dict[str, Any]:
        return {"item_id": self.id, "output_index": self.index, "content_index": 0}

    def _text_done(self, text: str) -> list[Event]:
        if not self.pieces:
            return []
        whole = {"type": "response.content_part.done", **self._place()}
        return [
            {"type": "response.reasoning_text.done", **self._place(), "text": text},
            {**whole, "part": shapes.raw_part(text)},
        ]


class Call(OutItem):
    """A function call. Clients parse its arguments as JSON, always."""

    type = "function_call"
    prefix = "fc"
    delta_type = wire.ARGUMENTS_DELTA
    nothing = "{}"

    def _text_done(self, text: str) -> list[Event]:
        assert self.tool is not None
        return [
            {
                "type": "response.function_call_arguments.done",
                **self._place(),
                "name": self.tool.name,
                "arguments": text,
            }
        ]

    # a call's proof stands behind it
    def _item(self, status: str, text: str, _proof: str | None) -> dict[str, Any]:
        assert self.tool is not None
        return {**self.beside, **shapes.call_item(self.id, self.tool, text, status)}


class CustomCall(OutItem):
    """A call of a tool that takes free text."""

    type = "custom_tool_call"
    prefix = "ctc"
    delta_type = wire.CUSTOM_DELTA

    def __init__(self, stream: str, index: int, tool: Tool | None, beside: dict[str, Any]) -> None:
        super().__init__(stream, index, tool, beside)
        self.to_text = ArgumentsToText()

    def _text_done(self, text: str) -> list[Event]:
        return [{"type": "response.custom_tool_call_input.done", **self._place(), "input": text}]

    # a call's proof stands behind it
    def _item(self, status: str, text: str, _proof: str | None) -> dict[str, Any]:
        assert self.tool is not None
        return {**self.beside, **shapes.custom_item(self.id, self.tool, text, status)}


def _summary(text: str) -> dict[str, Any]:
    return {"type": "summary_text", "text": text}

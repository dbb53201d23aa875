"""Events to the events of a Responses stream, in the vendor's order.

`response.created`, `response.in_progress`; for each block an item (`output_item.added`, its parts,
deltas, each with its `done`, and `output_item.done`); then `response.completed` or
`response.incomplete` with the whole answer. A failed stream ends in `error` and `response.failed`.
Every event counts one further in `sequence_number`, and items may overlap, as our blocks may: each
has its `output_index`. An event of which there are many is built once per block, with gaps for its
number and its text.

The vendor says everything again when it is done, so the text of an answer is kept until its end. Of
several choices the first is sent. What this form has no place for: citations without an address,
and `vendor` events of other dialects. Those of this dialect go through: events of the vendor's own
tools as they are, with our numbers, and what was said of an item, a text or the response in its own
place.
"""

from typing import Any

from msgspec import UNSET

from proxy.codec.base import Encoder, Parsed
from proxy.codec.openai.render_error import error_object
from proxy.dialects.openai_responses import shapes
from proxy.dialects.openai_responses.encode_items import Call, OutItem, Reasoning, Text, event_frame
from proxy.dialects.openai_responses.wire import ITEM_ADDED, ITEM_DONE
from proxy.events import (
    BlockEnd,
    BlockStart,
    Citation,
    Event,
    ReasoningDelta,
    StreamEnd,
    StreamError,
    StreamStart,
    TextDelta,
    ToolCallDelta,
    Vendor,
)

_KINDS: dict[str, type[OutItem]] = {"text": Text, "reasoning": Reasoning, "tool_call": Call}


def encoder(parsed: Parsed) -> Encoder:
    """See `ClientHalf.encoder`."""
    return ResponsesEncoder(parsed.options.repeated)


class ResponsesEncoder(Encoder):
    """One streamed answer. `repeated` are the request's own settings, which the vendor says again
    in every response.
    """

    gathers = frozenset({TextDelta, ReasoningDelta, ToolCallDelta, Citation, Vendor})

    def __init__(self, repeated: dict[str, Any]) -> None:
        self._repeated = repeated
        self._response: dict[str, Any] = {}
        self._number = 0
        self._stream = ""
        self._live: dict[int, OutItem] = {}  # block -> its item
        self._last: dict[str, OutItem] = {}  # type of item -> the newest one
        self._output: list[dict[str, Any] | None] = []  # None for an item that is not done
        # the vendor's index of an item that is none of ours -> our own
        self._opaque: dict[int, int] = {}
        # type of item -> what the next one says beside its block
        self._before: dict[str, dict[str, Any]] = {}
        self._usage: dict[str, Any] = {}

    def encode(self, event: Event) -> bytes:
        if type(event) is TextDelta or type(event) is ReasoningDelta:
            item = self._live.get(event.block)
            return b"" if item is None else self._delta(item, event.text)
        if type(event) is ToolCallDelta:
            item = self._live.get(event.block)
            return b"" if item is None else self._delta(item, event.arguments)
        match event:
            case StreamStart():
                return self._start(event)
            case BlockStart():
                return b"" if event.choice else self._begin(event)
            case BlockEnd(block):
                item = self._live.pop(block, None)
                return (
                    b""
                    if item is None
                    else self._done(item, None if event.signature is UNSET else event.signature)
                )
            case Citation(block):
                item, said = self._live.get(block), shapes.annotation(event)
                return b"" if item is None or said is None else self._send(item.annotated(said))
            case Vendor():
                return self._vendor(shapes.extras(event))
            case StreamEnd():
                return self._end(event)
            case StreamError():
                return self._fail(event)
        # Usage waits for the end. A text.rewrite never comes here: `rewrites` is false, so a filter
        # before this encoder holds text back.
        return b""

    def _start(self, event: StreamStart) -> bytes:
        self._stream = event.stream
        self._response = shapes.response_object(event, self._repeated, "in_progress")
        return self._send(
            [
                {"type": kind, "response": self._response}
                for kind in ("response.created", "response.in_progress")
            ]
        )

    def _begin(self, event: BlockStart) -> bytes:
        index = len(self._output)
        self._output.append(None)
        item = _KINDS[event.kind](self._stream, index, None if event.tool is UNSET else event.tool)
        item.beside = self._before.pop(item.type, {})
        self._live[event.block] = self._last[item.type] = item
        return self._send(item.begun())

    def _delta(self, item: OutItem, text: str) -> bytes:
        first = b"" if item.pieces else self._send(item.first())
        number = self._number
        self._number = number + 1
        return first + item.delta(number, text)

    def _done(self, item: OutItem, signature: str | None) -> bytes:
        rest = self._delta(item, item.nothing) if item.nothing and not item.pieces else b""
        events = item.done(signature)
        self._output[item.index] = events[-1]["item"]
        return rest + self._send(events)

    def _vendor(self, said: shapes.Extras) -> bytes:
        if said.item is not None:
            self._say_beside(said.item, begins=said.begins)
        elif said.response is not None:
            self._response.update(
                {key: value for key, value in said.response.items() if key not in self._response}
            )
            self._usage.update(said.usage or {})
        elif said.opaque is not None:
            return self._pass_on(said.opaque)
        elif isinstance(text := self._last.get("message"), Text):
            text.logprobs = said.logprobs or []
            if said.annotation is not None and self._output[text.index] is None:
                return self._send(text.annotated(said.annotation))
        return b""

    def _say_beside(self, item: dict[str, Any], *, begins: bool) -> None:
        kind = item["type"]
        target = (
            self._before.setdefault(kind, {})
            if begins
            else self._last[kind].beside
            if kind in self._last
            else {}
        )
        target.update({key: value for key, value in item.items() if key != "type"})

    def _pass_on(self, event: dict[str, Any]) -> bytes:
        """An event of an item that is none of ours. One that begins in the middle is begun with
        what it is when it is done.
        """
        at, kind, item = event["output_index"], event["type"], event.get("item")
        first: list[dict[str, Any]] = []
        if at not in self._opaque:
            if not isinstance(item, dict):
                return b""
            self._opaque[at] = len(self._output)
            self._output.append(None)
            if kind != ITEM_ADDED:
                first = [{"type": ITEM_ADDED, "output_index": self._opaque[at], "item": item}]
        if kind == ITEM_DONE and isinstance(item, dict):
            self._output[self._opaque[at]] = item
        return self._send([*first, {**event, "output_index": self._opaque[at]}])

    def _end(self, event: StreamEnd) -> bytes:
        ending = shapes.ending(event.finish)
        usage = shapes.usage_object(event.usage, self._usage)
        response = {**self._response, **ending, "output": self._finished(), "usage": usage}
        return self._send([{"type": f"response.{ending['status']}", "response": response}])

    def _fail(self, event: StreamError) -> bytes:
        """The error is said three times, as clients look for it in three places: the `openai` SDK
        in `error`, readers of the specification beside the type, and the rest in the response.
        """
        error = error_object(event.error)
        beside = {name: error[name] for name in ("code", "message", "param")}
        code = error["code"] or error["type"]
        usage = shapes.usage_object(event.usage, self._usage)
        failed = {
            "status": "failed",
            "error": {"code": code, "message": error["message"]},
            "output": self._finished(),
            "usage": usage,
        }
        return self._send(
            [
                {"type": "error", **beside, "error": error},
                {"type": "response.failed", "response": {**self._response, **failed}},
            ]
        )

    def _finished(self) -> list[dict[str, Any]]:
        return [item for item in self._output if item is not None]

    def _send(self, events: list[dict[str, Any]]) -> bytes:
        frames = [event_frame(self._number + at, event) for at, event in enumerate(events)]
        self._number += len(frames)
        return b"".join(frames)

"""Events to the events of a Responses stream, in the vendor's order.

`response.created`, for an answer in the background `response.queued`, `response.in_progress`; for
each block an item (`output_item.added`, its parts,
deltas, each with its `done`, and `output_item.done`); then `response.completed` or
`response.incomplete` with the whole answer. A failed stream ends in `error` and `response.failed`.
Every event counts one further in `sequence_number`, and items may overlap, as our blocks may: each
has its `output_index`. An event of which there are many is built once per block, with gaps for its
number and its text.

The vendor says everything again when it is done, so the text of an answer is kept until its end. Of
several choices the first is sent. A picture is an item as the vendor's image tool gives it; what a
vendor must see again with a call stands in a reasoning item behind it. What this form has no place
for: citations without an address,
and `vendor` events of other dialects. Those of this dialect go through: events of the vendor's own
tools as they are, with our numbers, and what was said of an item, a text or the response in its own
place.
"""

from typing import Any

from msgspec import UNSET

from proxy.codec.base import Encoder, Parsed
from proxy.codec.openai.render_error import error_object
from proxy.dialects.openai_responses import shapes
from proxy.dialects.openai_responses.encode_items import (
    Call,
    CustomCall,
    OutItem,
    RawReasoning,
    Reasoning,
    Refusal,
    Text,
    event_frame,
)
from proxy.dialects.openai_responses.encode_others import OtherItems
from proxy.dialects.openai_responses.parse import Options
from proxy.dialects.openai_responses.sealed import sealed
from proxy.events import (
    BlockEnd,
    BlockStart,
    Citation,
    Event,
    Image,
    ReasoningDelta,
    StreamEnd,
    StreamError,
    StreamStart,
    TextDelta,
    Tool,
    ToolCallDelta,
    Vendor,
)

_KINDS: dict[str, type[OutItem]] = {"text": Text, "reasoning": Reasoning, "tool_call": Call}


def encoder(parsed: Parsed) -> Encoder:
    """See `ClientHalf.encoder`."""
    return ResponsesEncoder(parsed.options)


class ResponsesEncoder(Encoder):
    """One streamed answer."""

    gathers = frozenset({TextDelta, ReasoningDelta, ToolCallDelta, Citation, Image, Vendor})
    folds = False  # clients count its events

    def __init__(self, options: Options) -> None:
        self._repeated = options.repeated
        self._named = options.named
        self._kept = options.kept
        self._in_force = shapes.in_force(kept=options.kept is not None)
        self._start: StreamStart | None = None  # until it is told
        self._response: dict[str, Any] = {}
        self._number = 0
        self._stream = ""
        self._live: dict[int, OutItem] = {}  # block -> its item
        self._last: dict[str, OutItem] = {}  # type of item -> the newest one
        self._output: list[dict[str, Any] | None] = []  # None for an item that is not done
        self._others = OtherItems(self._output)
        # type of item -> what the next one says beside its block
        self._before: dict[str, dict[str, Any]] = {}
        self._usage: dict[str, Any] = {}
        self._ended: dict[str, Any] | None = None  # the response of its last event
        self.theirs: str | None = None  # the vendor's id of the answer, and
        self.stored = False  # whether it keeps it

    def response(self, *, ended: bool) -> dict[str, Any]:
        """The answer so far, after its first event. `ended`: what is not done never will be."""
        if self._start is not None:
            return shapes.response_object(self._start, self._repeated, "in_progress")
        response = dict(self._ended or self._response)
        open_ones = {item.index: item for item in self._live.values()}
        status = "incomplete" if ended else "in_progress"
        output = [
            open_ones[at].so_far(status) if item is None and at in open_ones else item
            for at, item in enumerate(self._output)
        ]
        response["output"] = [item for item in output if item is not None]
        return response

    def encode(self, event: Event) -> bytes:
        if type(event) is TextDelta or type(event) is ReasoningDelta:
            item = self._live.get(event.block)
            return b"" if item is None else self._delta(item, event.text)
        if type(event) is ToolCallDelta:
            item = self._live.get(event.block)
            return b"" if item is None else self._arguments(item, event.arguments)
        if type(event) is StreamStart:
            self._start, self._stream = event, event.stream
            return b""
        if self._start is None:
            return self._rare(event)
        # The first event may say the vendor's id of the answer, which the opening has.
        said = shapes.extras(event).response if isinstance(event, Vendor) else None
        start, self._start = self._start, None
        return self._opening(start, (said or {}).get("id")) + self._rare(event)

    def _rare(self, event: Event) -> bytes:
        match event:
            case BlockStart():
                return b"" if event.choice else self._begin(event)
            case BlockEnd(block):
                item = self._live.pop(block, None)
                return b"" if item is None else self._done(item, event)
            case Citation(block):
                item, said = self._live.get(block), shapes.annotation(event)
                return b"" if item is None or said is None else self._send(item.annotated(said))
            case Image():
                return (
                    b"" if event.choice else self._send(self._others.picture(event, self._stream))
                )
            case Vendor():
                return self._vendor(shapes.extras(event))
            case StreamEnd():
                return self._end(event)
            case StreamError():
                return self._fail(event)
        # Usage waits for the end. A text.rewrite never comes here: `rewrites` is false, so a filter
        # before this encoder holds text back.
        return b""

    def _opening(self, start: StreamStart, theirs: Any) -> bytes:
        self.theirs = theirs if isinstance(theirs, str) and theirs else None
        background = self._kept is not None and self._kept.background
        if background:  # its client has had the id without it
            theirs = None
        self._response = shapes.response_object(start, self._repeated, "in_progress", theirs)
        opening = [("response.created", "in_progress"), ("response.in_progress", "in_progress")]
        if background:
            opening[:1] = [("response.created", "queued"), ("response.queued", "queued")]
        return self._send(
            [
                {"type": kind, "response": {**self._response, "status": status}}
                for kind, status in opening
            ]
        )

    def _begin(self, event: BlockStart) -> bytes:
        kind, tool = _KINDS[event.kind], None if event.tool is UNSET else event.tool
        if event.refusal is True:
            kind = Refusal
        elif tool is not None and tool.custom is True:
            kind = CustomCall
        beside = self._before.pop(kind.type, {})
        if kind is Reasoning and beside.get("content") == []:
            kind = RawReasoning
        place = None if tool is None else self._named.get(tool.name)
        if tool is not None and place is not None:
            tool = Tool(tool.id, place.name, tool.custom)
            beside["namespace"] = place.namespace
        item = kind(self._stream, len(self._output), tool, beside)
        self._output.append(None)
        self._live[event.block] = self._last[item.type] = item
        return self._send(item.begun())

    def _arguments(self, item: OutItem, piece: str) -> bytes:
        text = piece if item.to_text is None else item.to_text.feed(piece)
        return self._delta(item, text) if text else b""

    def _delta(self, item: OutItem, text: str) -> bytes:
        first = b"" if item.pieces else self._send(item.first())
        number = self._number
        self._number = number + 1
        return first + item.delta(number, text)

    def _done(self, item: OutItem, end: BlockEnd) -> bytes:
        rest = "" if item.to_text is None else item.to_text.close()
        rest = rest or ("" if item.pieces else item.nothing)
        said = self._delta(item, rest) if rest else b""
        call = None if item.tool is None else item.tool.id
        proof = sealed(end, call)
        events = item.done(proof if call is None else None)
        self._output[item.index] = events[-1]["item"]
        said += self._send(events)
        if call is None or proof is None:
            return said
        behind = Reasoning(self._stream, len(self._output), None, {})
        events = [*behind.begun(), *behind.done(proof)]
        self._output.append(events[-1]["item"])
        return said + self._send(events)

    def _vendor(self, said: shapes.Extras) -> bytes:
        if said.item is not None:
            self._say_beside(said.item, begins=said.begins)
        elif said.response is not None:
            self._response.update(
                {
                    key: value
                    for key, value in said.response.items()
                    if key in self._in_force or key not in self._response
                }
            )
            self.stored = said.response.get("store") is True
            self._usage.update(said.usage or {})
        elif said.opaque is not None:
            item = said.opaque.get("item")
            if isinstance(item, dict):
                self._before.pop(str(item.get("type")), None)
            return self._send(self._others.passed_on(said.opaque))
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

    def _end(self, event: StreamEnd) -> bytes:
        ending = shapes.ending(event.finish)
        usage = shapes.usage_object(event.usage, self._usage)
        response = {**self._response, **ending, "output": self._finished(), "usage": usage}
        self._ended = response
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
        self._ended = {**self._response, **failed}
        return self._send(
            [
                {"type": "error", **beside, "error": error},
                {"type": "response.failed", "response": self._ended},
            ]
        )

    def _finished(self) -> list[dict[str, Any]]:
        return [item for item in self._output if item is not None]

    def _send(self, events: list[dict[str, Any]]) -> bytes:
        frames = [event_frame(self._number + at, event) for at, event in enumerate(events)]
        self._number += len(frames)
        return b"".join(frames)

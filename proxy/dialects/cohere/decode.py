"""The vendor's bytes to events.

    message-start (content | tool-plan-delta* | call)* message-end
    content = content-start content-delta* content-end      call = tool-call-start tool-call-delta*
                                                            tool-call-end

with citation-start and citation-end between the deltas of a text, and `[DONE]` after the end. The
answer is complete with message-end; before it `[DONE]`, or the end of the body, is a cut. A tool
plan is reasoning: a `vendor` event behind its block's start says that it is a plan, for clients of
this dialect. So do citations, whole, and frames of a type that is not known.
Events of API v1 are read too (`older`).
"""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import msgspec

from proxy.codec.cut_characters import RejoiningSSEDecoder
from proxy.codec.finishes import Finishes, plain
from proxy.codec.json_depth import too_deep
from proxy.codec.lenient_json import NotJSONError, loads, several
from proxy.codec.tool_calls import made_id
from proxy.dialects.cohere.cite import citations, is_of_text
from proxy.dialects.cohere.errors import in_band, parse_error
from proxy.dialects.cohere.older import OlderStream, older_answer
from proxy.dialects.cohere.usage import read_usage, usage_extras
from proxy.dialects.cohere.wire import (
    ABSENT,
    BROKEN,
    FINISH,
    NAME,
    Call,
    Content,
    Delta,
    Event,
    Message,
)
from proxy.errors import Failure, failure
from proxy.events import NO_USAGE, Tool, Usage, UsageEvent, Vendor
from proxy.events import Event as Ours
from proxy.framing.sse_frame import Frame

_EVENT = msgspec.json.Decoder(Event)
_ANY = msgspec.json.Decoder()
_FINISHES = Finishes(FINISH)
_BROKEN = frozenset(map(plain, BROKEN))
_DONE = b"[DONE]"
_CUT = "The upstream ended its answer before it said that it was complete."
_PLAN = {"type": "tool-plan-delta"}
# Nothing in these is news: blocks open with their first piece and close when the answer turns to
# something else.
_QUIET = frozenset({"message-start", "content-end", "tool-call-end", "citation-end"})


class CohereDecoder(RejoiningSSEDecoder):
    """One answer. See `Decoder`."""

    documents: ClassVar[bool] = True

    def __init__(self, max_event_bytes: int) -> None:
        super().__init__(max_event_bytes)
        self._usage = NO_USAGE
        self._id = ""
        self._calls = 0
        self._planning = False  # the open reasoning block is a plan
        self._stream_of_v1 = OlderStream()

    @property
    def usage(self) -> Usage:
        return self._usage

    @property
    def answer_id(self) -> str:
        return self._id

    def _take(self, frame: Frame, out: list[Ours]) -> None:
        data = frame.data
        if data == _DONE:
            self._fail(out, failure("upstream_truncated", _CUT))
        elif data and not data.isspace():
            event = self._read(_EVENT, data, out)
            if event is not None:
                self._event(event, frame, out)

    def _event(self, event: Event, frame: Frame, out: list[Ours]) -> None:
        delta = event.delta
        message = delta.message if delta is not None else None
        match event.type:
            case "content-delta":
                self._content(event, message, out)
            case "content-start":
                # two texts in a row are two blocks: citations count from the start of their own
                self._blocks.end_choice(out, 0)
                self._planning = False
                self._content(event, message, out)
            case "tool-plan-delta":
                if message is not None and message.tool_plan:
                    self._plan(message.tool_plan, out)
            case "tool-call-start" | "tool-call-delta":
                if message is not None and isinstance(message.tool_calls, Call):
                    self._call(event, message.tool_calls, out)
            case "citation-start":
                if message is not None and isinstance(message.citations, dict):
                    self._cite(message.citations, out)
            case "message-end":
                self._end(delta or Delta(), out)
            case None if event.event_type:
                self._older(frame.data, out)
            case None if event.message:
                self._fail(out, in_band(event.message, None))
            case kind if kind not in _QUIET:
                self._opaque(frame.data, out)
            case _:
                self._id = event.id or self._id

    def _content(self, event: Event, message: Message | None, out: list[Ours]) -> None:
        content = message.content if message is not None else None
        if isinstance(content, Content):
            self._part(content, out)
        elif content:
            for part in _parts(content):
                self._part(part, out)
        if event.logprobs is not ABSENT and event.logprobs != b"null":
            said = self._read(_ANY, bytes(event.logprobs), out)
            if said and not too_deep(said):
                out.append(
                    Vendor(NAME, {"type": "content-delta", "index": event.index, "logprobs": said})
                )

    def _part(self, content: Content, out: list[Ours]) -> None:
        if content.text:
            self._planning = False
            self._blocks.text(out, content.text)
        if content.thinking:
            if self._planning:
                self._blocks.end_reasoning(out)
                self._planning = False
            self._blocks.reasoning(out, content.thinking)

    def _plan(self, text: str, out: list[Ours]) -> None:
        if not self._planning:
            self._blocks.end_reasoning(out)
            self._blocks.reasoning(out, "")  # opens the block
            out.append(Vendor(NAME, _PLAN))
            self._planning = True
        self._blocks.reasoning(out, text)

    def _call(self, event: Event, call: Call, out: list[Ours]) -> None:
        function = call.function
        said = function.arguments if function is not None else None
        arguments = msgspec.json.encode(said).decode() if isinstance(said, dict) else said or ""
        key = (
            self._calls - 1
            if event.index is None and event.type == "tool-call-delta"
            else event.index
        )
        if key is None or event.type == "tool-call-start" or not self._blocks.has_call(key):
            key = self._calls if key is None else key
            tool = Tool(
                call.id or made_id(self._id, self._calls),
                (function.name or "") if function is not None else "",
            )
            self._blocks.open_call(out, key, tool)
            self._calls += 1
            self._planning = False
        if not self._blocks.arguments(out, key, arguments):
            # The call was complete and something else has begun since: what comes now is no part of
            # it.
            late = {"message": {"tool_calls": {"function": {"arguments": arguments}}}}
            out.append(
                Vendor(NAME, {"type": "tool-call-delta", "index": event.index, "delta": late})
            )

    def _cite(self, said: dict[str, Any], out: list[Ours]) -> None:
        if too_deep(said):
            return
        block = self._blocks.open_text(out) if is_of_text(said) else None
        out.append(
            Vendor(NAME, {"type": "citation-start", "delta": {"message": {"citations": said}}})
        )
        if block is not None:
            self._planning = False
            out += citations(said, block)

    def _end(self, delta: Delta, out: list[Ours]) -> None:
        said = delta.usage or {}
        usage = read_usage(said)
        if usage != NO_USAGE:
            self._usage = usage
            out.append(UsageEvent(*msgspec.structs.astuple(usage)))
        raw = delta.finish_reason
        if delta.error or (raw and (plain(raw) in _BROKEN or _FINISHES.broken(raw) is not None)):
            self._fail(
                out,
                in_band(
                    delta.error
                    or f"The upstream broke off its answer: its finish reason is {raw}.",
                    delta.error_type,
                ),
            )
            return
        extras = usage_extras(said)
        if extras and not too_deep(extras):
            out.append(Vendor(NAME, {"type": "message-end", "delta": {"usage": extras}}))
        called = self._blocks.saw_tool_call
        self._finish(out, _FINISHES.reason(raw or "COMPLETE", called=called), raw)

    def _older(self, data: bytes, out: list[Ours]) -> None:
        """An event of API v1."""
        said = self._read(_ANY, data, out)
        if said is None or too_deep(said):
            return
        events = self._stream_of_v1.events(said)
        if events is None:
            out.append(Vendor(NAME, said))
            return
        for event in events:
            self._take(Frame("message", msgspec.json.encode(event), ""), out)

    def _opaque(self, data: bytes, out: list[Ours]) -> None:
        """A frame of a type that is not known: kept, not understood."""
        said = self._read(_ANY, data, out)
        if said and not self.done and not too_deep(said):
            out.append(Vendor(NAME, said))

    def _whole(self, body: bytes, out: list[Ours]) -> bool:
        try:
            said = loads(body)
        except NotJSONError:
            return self._lines(several(body) or [], out)
        match said:
            case {"message": dict(message)}:
                for event in _events_of(said, message):
                    self._take(Frame("message", msgspec.json.encode(event), ""), out)
                return True
            case {"generation_id": str(), "text": str()}:
                for event in older_answer(said):
                    self._older(msgspec.json.encode(event), out)
                return True
        return False

    def _lines(self, events: list[Any], out: list[Ours]) -> bool:
        """Events of API v1 in bare lines, which is its form where no event stream is asked for.
        False: they are none, or not all.
        """
        for event in events:
            if "event_type" in event and not self.done:
                self._older(msgspec.json.encode(event), out)
        return self.done

    def _not_a_stream(self, body: bytes) -> Failure:
        return parse_error(200, {}, body) or super()._not_a_stream(body)


def _parts(said: str | list[Any]) -> Iterator[Content]:
    """Content that is text, or a list of parts."""
    for part in [said] if isinstance(said, str) else said:
        match part:
            case str(text) | {"text": str(text)}:
                yield Content(text=text)
            case {"thinking": str(thought)}:
                yield Content(thinking=thought)


def _events_of(said: Mapping[str, Any], message: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """An answer that was not streamed as the events of one that is."""

    def event(kind: str, index: int = 0, **news: Any) -> dict[str, Any]:
        return {"type": kind, "index": index, "delta": {"message": news}}

    yield {"type": "message-start", "id": said.get("id")}
    yield event("tool-plan-delta", tool_plan=message.get("tool_plan"))
    content = message.get("content")
    for part in content if isinstance(content, list) else [content]:
        yield event("content-start", content=part)
    for index, call in enumerate(_listed(message, "tool_calls")):
        yield event("tool-call-start", index, tool_calls=call)
    for citation in _listed(message, "citations"):
        yield event("citation-start", citations=citation)
    ends = {key: said.get(key) for key in ("finish_reason", "usage")}
    yield {"type": "message-end", "delta": ends}


def _listed(message: Mapping[str, Any], name: str) -> list[Any]:
    found = message.get(name)
    return found if isinstance(found, list) else []

"""Dify's events to ours.

The whole answer is one text block, open to the end: a moderator's `message_replace` takes all of it
back, and agents of the newer kind close with one `message` that repeats it. Reasoning blocks may
therefore overlap it.

Dify runs its tools itself, so `agent_thought` is no call for the client: it goes on as a vendor
event, as do workflow nodes, files and speech. Speech follows `message_end`, and a chatflow's
`workflow_finished` may, so the answer is complete when the body has ended.
"""

from io import StringIO
from typing import Any, ClassVar

import msgspec

from proxy.codec.counts import count
from proxy.codec.cumulative import change
from proxy.codec.cut_characters import RejoiningSSEDecoder
from proxy.codec.json_depth import shallow
from proxy.codec.lenient_json import NotJSONError, loads
from proxy.dialects.dify.errors import event_failure, parse_error
from proxy.dialects.dify.wire import IDS, NAME, Chunk, Metadata, NodeData
from proxy.errors import Failure, failure
from proxy.events import (
    NO_USAGE,
    BlockEnd,
    BlockStart,
    Citation,
    Event,
    FinishReason,
    ReasoningDelta,
    TextDelta,
    Usage,
    UsageEvent,
    Vendor,
)
from proxy.framing.sse_frame import Frame

_CHUNK = msgspec.json.Decoder(Chunk)
_DATA = msgspec.json.Decoder(NodeData)
_ANY = msgspec.json.Decoder(Any)
_FAILED = ("failed", "exception")


class DifyDecoder(RejoiningSSEDecoder):
    """Holds the text so far, as far as `max_event_bytes`: a longer one can grow, but no more be
    compared with a repetition.
    """

    documents: ClassVar[bool] = True

    def __init__(self, max_event_bytes: int) -> None:
        super().__init__(max_event_bytes)
        self._next = 0
        self._text: int | None = None  # the text block
        self._reasoning: int | None = None  # the open reasoning block
        self._said = StringIO()
        self._room = max_event_bytes
        self._by_agent = False
        self._withdrawn = False
        self._complete = ""  # the event that completed the answer
        self._told: dict[str, str] = {}
        self._usage = NO_USAGE

    @property
    def usage(self) -> Usage:
        return self._usage

    def _take(self, frame: Frame, out: list[Event]) -> None:
        if not frame.data or frame.event == "ping":
            return
        chunk = self._read(_CHUNK, frame.data, out)
        if chunk is None:
            return
        self._ids(chunk, out)
        match chunk.event:
            case "message" if self._by_agent:
                self._replace(chunk.answer or "", out)
            case "message" | "agent_message":
                self._by_agent = chunk.event == "agent_message"
                self._say(chunk.answer or "", out)
            case "message_replace":
                self._withdrawn = True
                self._replace(chunk.answer or "", out)
            case "text_chunk" | "text_replace" | "reasoning_chunk" | "workflow_finished":
                self._data(chunk, frame, out)
            case "message_end":
                self._message_end(chunk.metadata, frame, out)
            case "error":
                self._problem(frame, out)
            case "ping":
                pass
            case _:
                self._vendor(frame, out)

    def _problem(self, frame: Frame, out: list[Event]) -> None:
        said = self._read(_ANY, frame.data, out)
        if not self.done:
            self._fail(out, event_failure(said))

    def _ids(self, chunk: Chunk, out: list[Event]) -> None:
        """The stream's ids, once, and again when a later event knows more."""
        new = {
            name: value
            for name in IDS
            if (value := getattr(chunk, name)) and name not in self._told
        }
        if new:
            self._told |= new
            out.append(Vendor(NAME, dict(self._told)))

    def _data(self, chunk: Chunk, frame: Frame, out: list[Event]) -> None:
        data = self._read(_DATA, bytes(chunk.data), out)
        if data is None:
            return
        match chunk.event:
            case "text_chunk":
                self._say(data.text or "", out)
            case "text_replace":
                self._replace(data.text or "", out)
            case "reasoning_chunk":
                self._reason(data, out)
            case _:
                self._workflow_finished(data, frame, out)

    def _say(self, text: str, out: list[Event]) -> None:
        self._end_reasoning(out)
        if not text:
            return
        out.append(TextDelta(self._open(out), text))
        self._keep(text)

    def _replace(self, text: str, out: list[Event]) -> None:
        """The text is this, whatever was said before."""
        if self._room < 0:
            self._malformed(out, "a repetition of an answer that is too long to be compared")
            return
        event = change(self._open(out), self._said.getvalue(), text)
        if event is not None:
            out.append(event)
        self._said = StringIO()
        self._said.write(text)

    def _keep(self, text: str) -> None:
        self._room -= len(text)
        if self._room < 0:
            self._said = StringIO()
        else:
            self._said.write(text)

    def _open(self, out: list[Event]) -> int:
        if self._text is None:
            self._text = self._number()
            out.append(BlockStart(self._text, "text"))
        return self._text

    def _reason(self, data: NodeData, out: list[Event]) -> None:
        if data.reasoning:
            if self._reasoning is None:
                self._reasoning = self._number()
                out.append(BlockStart(self._reasoning, "reasoning"))
            out.append(ReasoningDelta(self._reasoning, data.reasoning))
        if data.is_final:
            self._end_reasoning(out)

    def _end_reasoning(self, out: list[Event]) -> None:
        if self._reasoning is not None:
            out.append(BlockEnd(self._reasoning))
            self._reasoning = None

    def _number(self) -> int:
        self._next += 1
        return self._next - 1

    def _message_end(self, metadata: Metadata | None, frame: Frame, out: list[Event]) -> None:
        self._vendor(frame, out)  # its prices, and what else the knowledge base said of its sources
        if self.done:
            return
        self._complete = "message_end"
        if metadata is None:
            return
        for source in metadata.retriever_resources or ():
            out.append(Citation(self._open(out), source.url, source.document_name, source.content))
        counts = metadata.usage
        if counts is not None:
            self._usage = Usage(count(counts.prompt_tokens), count(counts.completion_tokens))
            out.append(UsageEvent(self._usage.input_tokens, self._usage.output_tokens))

    def _workflow_finished(self, data: NodeData, frame: Frame, out: list[Event]) -> None:
        if data.status in _FAILED:
            self._fail(
                out,
                failure(
                    "upstream_error",
                    (data.error or "Dify's workflow failed without saying why.")[:300],
                    code=data.status,
                ),
            )
            return
        self._vendor(frame, out)
        if self.done:
            return
        self._complete = self._complete or "workflow_finished"
        if self._text is None and (text := _output(data.outputs)):
            self._say(text, out)

    def _vendor(self, frame: Frame, out: list[Event]) -> None:
        said = self._read(_ANY, frame.data, out)
        if said is not None:
            out.append(Vendor(NAME, shallow(said)))

    def _ended(self, out: list[Event]) -> None:
        if not self._complete:
            super()._ended(out)
            return
        self._end_reasoning(out)
        if self._text is not None:
            out.append(BlockEnd(self._text))
        reason: FinishReason = "content_filter" if self._withdrawn else "stop"
        self._finish(out, reason, self._complete)

    def _fail(self, out: list[Event], why: Failure) -> None:
        """What cannot be read behind the end spoils nothing that was said before it."""
        if self._complete and why.kind in ("upstream_malformed", "upstream_truncated"):
            self._ended(out)
        else:
            super()._fail(out, why)

    def _whole(self, body: bytes, out: list[Event]) -> bool:
        """An answer in the mode `blocking`, of an app that chats or of one that is a workflow."""
        try:
            said = loads(body)
        except NotJSONError:
            return False
        match said:
            case {"answer": str(text), **rest}:
                ends = {**rest, "event": "message_end"}
                events = [{**rest, "event": "message", "answer": text}, ends]
            case {"workflow_run_id": str(), "data": dict()}:
                events = [{**said, "event": "workflow_finished"}]
            case _:
                return False
        for event in events:
            self._take(Frame("message", msgspec.json.encode(event), ""), out)
        if not self.done:
            self._ended(out)
        return True

    def _not_a_stream(self, body: bytes) -> Failure:
        return parse_error(200, {}, body) or super()._not_a_stream(body)


def _output(outputs: Any) -> str:
    """The text of a workflow that streamed none: its one text, or the one under a usual name."""
    texts = (
        {name: value for name, value in outputs.items() if isinstance(value, str)}
        if isinstance(outputs, dict)
        else {}
    )
    named = next(
        (texts[name] for name in ("answer", "text", "output", "result") if name in texts), ""
    )
    return named or (next(iter(texts.values())) if len(texts) == 1 else "")

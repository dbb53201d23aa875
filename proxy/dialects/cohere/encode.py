"""Events to the frames of a chat stream of API v2.

A delta's frame is built once per block, with a gap where the text goes. Reasoning is `thinking`
content, or the tool plan that it was. A failed stream ends in a message-end with `ERROR` and the
message, as the vendor's does, but without `[DONE]`.

What another vendor must see again (a signature, encrypted reasoning) has no place in this form: it
stands in `reasoning_details` of the message, a key of ours in OpenRouter's form, which
`parse_turns` reads back. The vendor's SDKs keep keys that they do not know. In a stream it comes
with the message-end.

What this form has no place for: further choices, and `vendor` events of other dialects.
"""

from typing import Any

import msgspec
from msgspec import UNSET

from proxy.codec.base import Encoder, Parsed
from proxy.codec.event_name import event_name
from proxy.codec.reasoning_details import DetailsOfStream
from proxy.dialects.cohere.shapes import (
    citation_object,
    finish_word,
    first_choice,
    is_plan,
    own_citation,
    own_frame,
    own_usage,
)
from proxy.dialects.cohere.usage import usage_object
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

_json = msgspec.json.Encoder().encode
_DONE = b"data: [DONE]\n\n"
_NO_CONTENT = {
    "role": "assistant",
    "content": [],
    "tool_plan": "",
    "tool_calls": [],
    "citations": [],
}


class _Block(msgspec.Struct, gc=False):
    """An open block: all that stands before and after a delta's text, and what ends it (b"" for
    what has no end).
    """

    index: int
    before: bytes
    after: bytes
    end: bytes
    said: bool = False


def encoder(_parsed: Parsed) -> Encoder:
    """See `ClientHalf.encoder`. Every client gets the same form."""
    return CohereEncoder()


class CohereEncoder(Encoder):
    """One streamed answer."""

    # to be said again with its proof
    gathers = frozenset({ReasoningDelta})

    def __init__(self) -> None:
        self._blocks: dict[int, _Block] = {}
        # a block of reasoning that has begun, not yet known to be a plan or thinking
        self._thinking: int | None = None
        self._contents = 0
        self._calls = 0
        self._citations = 0
        self._own_citations = False
        self._usage: dict[str, Any] = {}
        self._proofs = DetailsOfStream()
        self._details: list[dict[str, Any]] = []

    def encode(self, event: Event) -> bytes:
        if isinstance(event, TextDelta):
            return self._delta(event.block, event.text)
        if isinstance(event, ReasoningDelta):
            self._proofs.add(event.block, event.text)
            return self._delta(event.block, event.text)
        if isinstance(event, ToolCallDelta):
            return self._delta(event.block, event.arguments)
        match event:
            case StreamStart():
                return _frame("message-start", id=event.stream, delta={"message": _NO_CONTENT})
            case BlockStart():
                return self._start(event) if first_choice(event.choice) else b""
            case BlockEnd():
                self._details += self._proofs.end(event.block, event)
                return self._end_block(event.block)
            case Citation():
                return self._citation(event)
            case Vendor():
                return self._vendor(event)
            case StreamEnd():
                usage = usage_object(event.usage, self._usage)
                delta = {"finish_reason": finish_word(event.finish), "usage": usage}
                if self._details:
                    delta["message"] = {"reasoning_details": self._details}
                return _frame("message-end", delta=delta) + _DONE
            case StreamError():
                return _frame("message-end", delta=_failed(event))
        # Usage waits for the end. A text.rewrite never comes here: `rewrites` is false, so a filter
        # before this encoder holds text back.
        return b""

    def _delta(self, number: int, text: str) -> bytes:
        block = self._blocks.get(number)
        if block is None:
            if number != self._thinking:
                return b""  # another choice's
            return self._think(number) + self._delta(number, text)
        block.said = True
        return b"%b%b%b" % (block.before, _json(text), block.after)

    def _start(self, event: BlockStart) -> bytes:
        self._proofs.begin(event.block, event.kind, event.tool or None)
        if event.kind == "reasoning":
            self._thinking = event.block
            return b""
        if event.kind == "text":
            return self._open_content(event.block, "text")
        assert event.tool is not UNSET
        index = self._calls
        self._calls += 1
        delta = {"message": {"tool_calls": {"function": {"arguments": "\0"}}}}
        end = _frame("tool-call-end", index=index)
        self._blocks[event.block] = _gapped(
            index, end, _frame("tool-call-delta", index=index, delta=delta)
        )
        call = {
            "id": event.tool.id,
            "type": "function",
            "function": {"name": event.tool.name, "arguments": ""},
        }
        return _frame("tool-call-start", index=index, delta={"message": {"tool_calls": call}})

    def _think(self, number: int) -> bytes:
        self._thinking = None
        return self._open_content(number, "thinking")

    def _open_content(self, number: int, kind: str) -> bytes:
        index = self._contents
        self._contents += 1
        delta = _frame("content-delta", index=index, delta={"message": {"content": {kind: "\0"}}})
        self._blocks[number] = _gapped(index, _frame("content-end", index=index), delta)
        return _frame(
            "content-start", index=index, delta={"message": {"content": {"type": kind, kind: ""}}}
        )

    def _end_block(self, number: int) -> bytes:
        if number == self._thinking:  # it said nothing
            self._thinking = None
        block = self._blocks.pop(number, None)
        if block is None:
            return b""
        if not block.said and block.end.startswith(b"event: tool-call-end"):
            # clients parse the arguments as JSON, always
            return block.before + b'"{}"' + block.after + block.end
        return block.end

    def _citation(self, event: Citation) -> bytes:
        block = self._blocks.get(event.block)
        if block is None or self._own_citations:
            return b""
        return self._cite(citation_object(event, block.index))

    def _cite(self, said: dict[str, Any]) -> bytes:
        index = self._citations
        self._citations += 1
        return _frame(
            "citation-start", index=index, delta={"message": {"citations": said}}
        ) + _frame("citation-end", index=index)

    def _vendor(self, event: Vendor) -> bytes:
        if is_plan(event) and self._thinking is not None:
            plan = _frame("tool-plan-delta", delta={"message": {"tool_plan": "\0"}})
            self._blocks[self._thinking] = _gapped(0, b"", plan)
            self._thinking = None
        elif (said := own_citation(event)) is not None:
            self._own_citations = True
            return self._cite(said)
        elif (usage := own_usage(event)) is not None:
            self._usage = usage
        elif (frame := own_frame(event)) is not None:
            return _frame(**frame)
        return b""


def _failed(event: StreamError) -> dict[str, Any]:
    code = {} if event.error.code is UNSET else {"error_type": event.error.code}
    return {
        "finish_reason": "ERROR",
        "usage": usage_object(event.usage, {}),
        "error": event.error.message,
        **code,
    }


def _frame(type: str, **fields: Any) -> bytes:  # noqa: A002 - the vendor's own word
    data = _json({"type": type, **fields})
    return b"event: %b\ndata: %b\n\n" % (event_name(type).encode(), data)


def _gapped(index: int, end: bytes, delta: bytes) -> _Block:
    """A block whose delta's frame was built with a NUL for its text, which JSON always writes as an
    escape.
    """
    before, _, after = delta.partition(_json("\0"))
    return _Block(index, before, after, end)

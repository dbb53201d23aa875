"""Events to the frames of a Messages stream, in the vendor's order: one block after the other, each
stopped before the next starts.

Two things differ from our events and are bridged here. Our blocks may overlap: events of a block
that begins while another is open wait until that one stops. And `message_start` holds usage that
most vendors tell only at the end: it goes out with the first block, with the counts known by then,
and 0 for those unknown, because the vendor's SDKs insist on integers; `message_delta` has the final
ones.
"""

from typing import Any

import msgspec
from msgspec import UNSET

from proxy.codec.base import Encoder, Parsed
from proxy.dialects.anthropic import usage as counts
from proxy.dialects.anthropic import wire
from proxy.dialects.anthropic.errors import error_object
from proxy.dialects.anthropic.wire import NAME
from proxy.events import (
    NO_USAGE,
    BlockEnd,
    BlockStart,
    Citation,
    Event,
    Finish,
    ReasoningDelta,
    StreamEnd,
    StreamError,
    StreamStart,
    TextDelta,
    ToolCallDelta,
    Usage,
    UsageEvent,
    Vendor,
)

# Beyond this much waiting text the blocks are sent interleaved, each with its own index, which the
# vendor's SDKs accept.
MAX_HELD_BYTES = 1 << 20
_EVENT_BYTES = 64  # what a waiting event costs beside its text
_json = msgspec.json.Encoder().encode
_DELTA_TYPES = {
    "text": ("text_delta", "text"),
    "reasoning": ("thinking_delta", "thinking"),
    "tool_call": ("input_json_delta", "partial_json"),
}


def stop_reason(finish: Finish) -> str:
    """The vendor's word: its own where it was one of these, else the one for our reason."""
    if finish.raw in wire.FINISH and wire.FINISH[finish.raw] == finish.reason:
        return finish.raw
    return wire.STOP_REASON[finish.reason]


def citation_object(citation: Citation) -> dict[str, Any] | None:
    """The vendor's form of a source. Only one of its five can be formed, and only for a source with
    an address.
    """
    if citation.url is None:
        return None
    found = {"type": "web_search_result_location", "url": citation.url, "title": citation.title}
    return {**found, "cited_text": citation.text or "", "encrypted_index": ""}


def message_head(start: StreamStart | None) -> dict[str, Any]:
    """The fields that a message begins with."""
    return {
        "id": f"msg_{start.stream if start else ''}",
        "type": "message",
        "role": "assistant",
        "model": start.model if start else "",
    }


def stop_extras(event: Vendor) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """What the vendor itself said with its stop reason, and counted beside: for answers that come
    from this dialect.
    """
    data = event.data
    if event.dialect != NAME or not isinstance(data, dict) or data.get("type") != "message_delta":
        return None
    delta, more = data.get("delta"), data.get("usage")
    return (delta if isinstance(delta, dict) else {}, more if isinstance(more, dict) else {})


def opaque_block(event: Vendor) -> dict[str, Any] | None:
    """The content block that a vendor event of this dialect holds whole, if it is one."""
    data = event.data
    if event.dialect != NAME or not isinstance(data, dict):
        return None
    kind = data.get("type")
    return data if isinstance(kind, str) and wire.is_opaque_block(kind) else None


def encoder(_parsed: Parsed) -> Encoder:
    """See `ClientHalf.encoder`. Every client gets the same form."""
    return AnthropicEncoder()


class AnthropicEncoder(Encoder):
    """One answer. Of an answer with several choices only the first is sent."""

    heartbeat = b'event: ping\ndata: {"type": "ping"}\n\n'

    def __init__(self) -> None:
        self._start: StreamStart | None = None
        self._usage: Usage | UsageEvent = NO_USAGE
        self._extras: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
        self._begun = False
        self._next = 0
        # open block -> its index and all that stands before a delta's text
        self._live: dict[int, tuple[int, bytes]] = {}
        # blocks that have begun behind an open one, in order
        self._waiting: dict[int, list[Event]] = {}
        self._held = 0
        self._opaque = 0  # counts down: numbers for blocks that came whole, none of which is ours

    def encode(self, event: Event) -> bytes:
        if type(event) is TextDelta:
            live = self._live.get(event.block)
            return (
                b"%b%b}}\n\n" % (live[1], _json(event.text))
                if live
                else self._wait(event.block, event, len(event.text))
            )
        match event:
            case ReasoningDelta(block, text):
                live = self._live.get(block)
                return (
                    b"%b%b}}\n\n" % (live[1], _json(text))
                    if live
                    else self._wait(block, event, len(text))
                )
            case ToolCallDelta(block, piece):
                live = self._live.get(block)
                return (
                    b"%b%b}}\n\n" % (live[1], _json(piece))
                    if live
                    else self._wait(block, event, len(piece))
                )
            case BlockStart(block):
                return b"" if event.choice else self._offer(block, event)
            case BlockEnd(block):
                return self._stop(event) if block in self._live else self._wait(block, event, 0)
            case Citation(block):
                live = self._live.get(block)
                return (
                    self._citation(live[0], event)
                    if live
                    else self._wait(block, event, len(_json(event)))
                )
            case StreamStart():
                self._start = event
            case UsageEvent():
                self._usage = event
            case Vendor():
                return self._vendor(event)
            case StreamEnd():
                return self._end(event)
            case StreamError(error):
                return _frame("error", error_object(error))
            case _:
                # text.rewrite: this dialect cannot take text back, and says so (`rewrites` of its
                # client half)
                pass
        return b""

    def _offer(self, block: int, event: BlockStart | Vendor) -> bytes:
        """Start a block, or let it wait."""
        if not self._live:
            return self._message_start() + (
                self._block_start(event)
                if isinstance(event, BlockStart)
                else self._whole_block(event)
            )
        self._waiting[block] = [event]
        return self._wait(
            block, None, _EVENT_BYTES if isinstance(event, BlockStart) else len(_json(event.data))
        )

    def _wait(self, block: int, event: Event | None, size: int) -> bytes:
        """Keep an event of a waiting block. Events of a block that is not sent (another choice's)
        end here.
        """
        waiting = self._waiting.get(block)
        if waiting is None:
            return b""
        if event is not None:
            waiting.append(event)
        self._held += size + _EVENT_BYTES
        return self._release() if self._held > MAX_HELD_BYTES else b""

    def _release(self) -> bytes:
        """Too much is waiting: start every waiting block now."""
        waiting, self._waiting, self._held = self._waiting, {}, 0
        return b"".join(self._replay(events) for events in waiting.values())

    def _stop(self, event: BlockEnd) -> bytes:
        index, _ = self._live.pop(event.block)
        out = _stop_frames(index, event)
        while self._waiting and not self._live:
            events = self._waiting.pop(next(iter(self._waiting)))
            out += self._replay(events)
        if not self._waiting:
            self._held = 0
        return out

    def _replay(self, events: list[Event]) -> bytes:
        out: list[bytes] = []
        for event in events:
            match event:
                case BlockStart():
                    out.append(self._block_start(event))
                case Vendor():
                    out.append(self._whole_block(event))
                case BlockEnd(block):
                    out.append(_stop_frames(self._live.pop(block)[0], event))
                case _:
                    out.append(self.encode(event))
        return b"".join(out)

    def _message_start(self) -> bytes:
        if self._begun:
            return b""
        self._begun = True
        known = Usage(*msgspec.structs.astuple(self._usage))
        usage = {"input_tokens": 0, **counts.on_wire(known, {})}
        message = {
            **message_head(self._start),
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": usage,
        }
        return _frame("message_start", {"type": "message_start", "message": message})

    def _block_start(self, event: BlockStart) -> bytes:
        content: dict[str, Any]
        if event.kind == "tool_call":
            tool = event.tool
            assert tool is not UNSET
            content = {"type": "tool_use", "id": tool.id, "name": tool.name, "input": {}}
        elif event.kind == "reasoning":
            content = {"type": "thinking", "thinking": "", "signature": ""}
        else:
            content = {"type": "text", "text": ""}
        index = self._number()
        kind, key = _DELTA_TYPES[event.kind]
        prefix = _delta_prefix(index, kind, key)
        self._live[event.block] = (index, prefix)
        return _block_start_frame(index, content)

    def _whole_block(self, event: Vendor) -> bytes:
        """A block that came whole. The arguments of the vendor's own tools are streamed, so they go
        as a delta.
        """
        content, index, delta = event.data, self._number(), b""
        if content["type"].endswith("_tool_use"):
            delta = (
                _delta_prefix(index, "input_json_delta", "partial_json")
                + _json(_json(content.get("input", {})).decode())
                + b"}}\n\n"
            )
            content = {**content, "input": {}}
        return _block_start_frame(index, content) + delta + _stop_frames(index, None)

    def _vendor(self, event: Vendor) -> bytes:
        if opaque_block(event) is not None:
            self._opaque -= 1
            return self._offer(self._opaque, event)
        self._extras = stop_extras(event) or self._extras
        return b""

    @staticmethod
    def _citation(index: int, event: Citation) -> bytes:
        found = citation_object(event)
        if found is None:
            return b""
        return _frame(
            "content_block_delta",
            _indexed(
                "content_block_delta", index, delta={"type": "citations_delta", "citation": found}
            ),
        )

    def _end(self, event: StreamEnd) -> bytes:
        delta, more = self._extras
        context = {key: delta[key] for key in ("context_management",) if key in delta}
        said = {key: value for key, value in delta.items() if key not in context}
        stop = {"stop_reason": stop_reason(event.finish), "stop_sequence": None, **said}
        final = {
            "type": "message_delta",
            "delta": stop,
            "usage": counts.on_wire(event.usage, more),
            **context,
        }
        return (
            self._message_start()
            + _frame("message_delta", final)
            + _frame("message_stop", {"type": "message_stop"})
        )

    def _number(self) -> int:
        self._next += 1
        return self._next - 1


def _frame(name: str, value: dict[str, Any]) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (name.encode(), _json(value))


def _indexed(name: str, index: int, **more: Any) -> dict[str, Any]:
    return {"type": name, "index": index, **more}


def _block_start_frame(index: int, content: dict[str, Any]) -> bytes:
    return _frame(
        "content_block_start", _indexed("content_block_start", index, content_block=content)
    )


def _delta_prefix(index: int, kind: str, key: str) -> bytes:
    head = f'{{"type":"content_block_delta","index":{index},"delta":{{"type":"{kind}","{key}":'
    return b"event: content_block_delta\ndata: %b" % head.encode()


def _stop_frames(index: int, event: BlockEnd | None) -> bytes:
    """A block's end, and before it the signature of its reasoning."""
    out = b""
    if event is not None and event.signature is not UNSET:
        out = (
            _delta_prefix(index, "signature_delta", "signature")
            + _json(event.signature)
            + b"}}\n\n"
        )
    return out + _frame("content_block_stop", _indexed("content_block_stop", index))

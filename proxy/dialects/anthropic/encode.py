"""Events to the frames of a Messages stream, in the vendor's order: one block after the other, each
stopped before the next starts.

Two things differ from our events and are bridged here. Our blocks may overlap: events of a block
that begins while another is open wait until that one stops. And `message_start` holds usage that
most vendors tell only at the end: it goes out with the first block, with the counts known by then,
and 0 for those unknown, because the vendor's SDKs insist on integers; `message_delta` has the final
ones.

What has no block of its own here is in `carriers`. What an answer of this very dialect held beyond
our events comes as Vendor events (`wire` names them) and goes out in its place.
"""

from typing import Any

from msgspec import UNSET

from proxy.codec.base import Encoder, Parsed
from proxy.codec.event_name import event_name
from proxy.dialects.anthropic import carriers, wire
from proxy.dialects.anthropic.errors import error_object
from proxy.dialects.anthropic.frames import (
    block_content,
    block_start,
    block_stop,
    citation_delta,
    delta_prefix,
    frame,
    message_end,
    message_start,
    to_json,
    whole_block,
)
from proxy.dialects.anthropic.shapes import (
    citation_object,
    kind_of,
    opaque_block,
    stop_extras,
)
from proxy.dialects.anthropic.wire import NAME
from proxy.events import (
    NO_USAGE,
    BlockEnd,
    BlockKind,
    BlockStart,
    Citation,
    Event,
    Image,
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
_DELTA_TYPES = {
    "text": ("text_delta", "text"),
    "reasoning": ("thinking_delta", "thinking"),
    "tool_call": ("input_json_delta", "partial_json"),
}


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
        self._start_counts: dict[str, Any] = {}  # the vendor's own, for message_start
        self._begun = False
        self._next = 0
        # open block -> its index, all that stands before a delta's text, and its kind
        self._live: dict[int, tuple[int, bytes, BlockKind]] = {}
        # blocks that have begun behind an open one, in order
        self._waiting: dict[int, list[Event]] = {}
        self._held = 0
        self._opaque = 0  # counts down: numbers for blocks that came whole, none of which is ours
        # The beginning of reasoning waits for its first piece: until then it may turn out to be
        # encrypted as a whole.
        self._unsaid: dict[int, bytes] = {}
        self._calls: dict[int, str] = {}  # open calls, and their ids
        self._extras_of: dict[int, dict[str, Any]] = {}  # what else a block begins with
        self._cited: int | None = None  # the block whose next source was given as it was
        self._refused = False

    def encode(self, event: Event) -> bytes:
        if type(event) is TextDelta:
            live = self._live.get(event.block)
            return (
                b"%b%b}}\n\n" % (live[1], to_json(event.text))
                if live
                else self._wait(event.block, event, len(event.text))
            )
        match event:
            case ReasoningDelta(block, text):
                live = self._live.get(block)
                if not live:
                    return self._wait(block, event, len(text))
                begin = self._unsaid.pop(block, b"") if self._unsaid else b""
                return b"%b%b%b}}\n\n" % (begin, live[1], to_json(text))
            case ToolCallDelta(block, piece):
                live = self._live.get(block)
                return (
                    b"%b%b}}\n\n" % (live[1], to_json(piece))
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
                    else self._wait(block, event, len(to_json(event)))
                )
            case Image():
                return b"" if event.choice else self._offer_whole(carriers.image(event))
            case StreamStart():
                self._start = event
            case UsageEvent():
                self._usage = event
            case Vendor():
                return self._vendor(event)
            case StreamEnd():
                return self._end(event)
            case StreamError(error):
                return frame("error", error_object(error))
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
                else whole_block(self._number(), event.data)
            )
        self._waiting[block] = [event]
        return self._wait(
            block, None, _EVENT_BYTES if isinstance(event, BlockStart) else len(to_json(event.data))
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
        index, _, kind = self._live.pop(event.block)
        out = self._stop_frames(index, kind, event)
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
                case Vendor() if opaque_block(event) is not None:
                    out.append(whole_block(self._number(), event.data))
                case BlockEnd(block):
                    index, _, kind = self._live.pop(block)
                    out.append(self._stop_frames(index, kind, event))
                case _:
                    out.append(self.encode(event))
        return b"".join(out)

    def _message_start(self) -> bytes:
        if self._begun:
            return b""
        self._begun = True
        return message_start(self._start, self._usage, self._start_counts)

    def _block_start(self, event: BlockStart) -> bytes:
        content = block_content(event)
        if event.kind == "tool_call":
            self._calls[event.block] = content["id"]
        self._refused |= event.refusal is True
        content.update(self._extras_of.pop(event.block, {}))
        index = self._number()
        kind, key = _DELTA_TYPES[event.kind]
        prefix = delta_prefix(index, kind, key)
        self._live[event.block] = (index, prefix, event.kind)
        begin = block_start(index, content)
        if event.kind == "reasoning":
            self._unsaid[event.block] = begin
            return b""
        return begin

    def _offer_whole(self, content: dict[str, Any]) -> bytes:
        self._opaque -= 1
        return self._offer(self._opaque, Vendor(NAME, content))

    def _vendor(self, event: Vendor) -> bytes:
        """What this dialect's own vendor said beyond our events."""
        data = event.data
        match kind_of(event):
            case "":
                return b""
            case wire.MESSAGE_START:
                self._start_counts = data["usage"]
            case wire.MESSAGE_DELTA:
                self._extras = stop_extras(event) or self._extras
            case wire.BLOCK_EXTRAS:
                self._extras_of[data["block"]] = data["more"]
            case wire.CITATION:
                live = self._live.get(data["block"])
                if live is None:
                    return self._wait(data["block"], event, len(to_json(data)))
                self._cited = data["block"]
                return citation_delta(live[0], data["citation"])
            case wire.UNKNOWN_DELTA:
                if len(self._live) == 1:
                    ((index, _, _),) = self._live.values()
                    return frame(wire.UNKNOWN_DELTA, {**data, "index": index})
            case wire.UNKNOWN_FRAME:
                return self._unknown_frame(data["frame"])
            case _:
                return self._offer_whole(data)
        return b""

    def _unknown_frame(self, said: dict[str, Any]) -> bytes:
        """One of a kind that we do not know, by its own name."""
        kind = said.get("type")
        if not isinstance(kind, str):
            return b""
        return self._message_start() + frame(event_name(kind), said)

    def _citation(self, index: int, event: Citation) -> bytes:
        if self._cited == event.block:  # it went out as the vendor gave it
            self._cited = None
            return b""
        found = citation_object(event)
        return b"" if found is None else citation_delta(index, found)

    def _stop_frames(self, index: int, kind: BlockKind, event: BlockEnd) -> bytes:
        """A block's end, with the proof that its vendor wants to see again."""
        begin = self._unsaid.pop(event.block, b"")
        call = self._calls.pop(event.block, None)
        if event.signature is UNSET:
            return begin + block_stop(index)
        if kind != "reasoning":
            proof = carriers.behind(event, call)
            return block_stop(index) + whole_block(self._number(), proof)
        if begin and event.redacted is True:
            return block_start(index, carriers.redacted(event)) + block_stop(index)
        signed = to_json(carriers.signature(event))
        prefix = delta_prefix(index, "signature_delta", "signature")
        return b"%b%b%b}}\n\n%b" % (begin, prefix, signed, block_stop(index))

    def _end(self, event: StreamEnd) -> bytes:
        delta, more = self._extras
        end = message_end(event, delta, more, refused=self._refused)
        return self._message_start() + end

    def _number(self) -> int:
        self._next += 1
        return self._next - 1

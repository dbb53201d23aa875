"""Another Mainstem's stream back to events. Its frames are events already, so decoding is checking
that they keep the grammar.

Its `stream.start` is not passed on, as this side's relay makes its own; the notes in it become a
vendor event. An event that would break the grammar (a delta of a block that is not open, a number
used twice) is the upstream's fault and ends the answer.
"""

from typing import Any

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from proxy.codec.counts import count
from proxy.codec.cut_characters import RejoiningSSEDecoder
from proxy.codec.failures import read_error
from proxy.codec.framed import CUT
from proxy.codec.json_depth import shallow
from proxy.dialects.native.errors import in_band
from proxy.dialects.native.wire import NAME
from proxy.errors import Failure, failure
from proxy.events import (
    NO_USAGE,
    BlockEnd,
    BlockStart,
    Citation,
    Cost,
    Event,
    Image,
    ReasoningDelta,
    StreamEnd,
    StreamStart,
    TextDelta,
    TextRewrite,
    ToolCallDelta,
    Usage,
    UsageEvent,
    Vendor,
)
from proxy.framing.sse_frame import Frame

# All events but stream.error, which is read leniently: an error must not get lost because its form
# is not ours.
_Readable = (
    StreamStart
    | BlockStart
    | TextDelta
    | TextRewrite
    | ReasoningDelta
    | ToolCallDelta
    | BlockEnd
    | Image
    | Citation
    | UsageEvent
    | Vendor
    | StreamEnd
)
_DECODER: msgspec.json.Decoder[Any] = msgspec.json.Decoder(_Readable)
_KNOWN = tuple(struct.__struct_config__.tag for struct in _Readable.__args__)
_BAD_JSON = (msgspec.DecodeError, RecursionError)
# Blocks open at once: a real answer has a few. More is an upstream that never closes any.
_MAX_OPEN = 1024
_MOST_MONEY = 1e9  # that one answer may cost; more is garbage


class NativeDecoder(RejoiningSSEDecoder):
    """One answer. See `Decoder`."""

    def __init__(self, max_event_bytes: int) -> None:
        super().__init__(max_event_bytes)
        self._usage = NO_USAGE
        self._open: dict[int, str] = {}  # block -> its kind
        # open text block -> length of its text, which a rewrite must not exceed
        self._chars: dict[int, int] = {}
        self._last = -1  # the highest block number used: the far side counts upwards

    @property
    def usage(self) -> Usage:
        return self._usage

    def _take(self, frame: Frame, out: list[Event]) -> None:
        if not frame.data:
            return
        try:
            event = self._decoded(_DECODER, frame.data)
        except (ValueError, RecursionError):
            self._odd(frame.text, out)
        else:
            self._event(event, out)

    def _event(self, event: _Readable, out: list[Event]) -> None:
        match event:
            case TextDelta(block, text) if self._open.get(block) == "text":
                if text:
                    self._chars[block] += len(text)
                    out.append(event)
            case ReasoningDelta(block, text) if self._open.get(block) == "reasoning":
                if text:
                    out.append(event)
            case ToolCallDelta(block, piece) if self._open.get(block) == "tool_call":
                if piece:
                    out.append(event)
            case TextRewrite(block, keep, text) if 0 <= keep <= self._chars.get(block, -1):
                if text or keep < self._chars[block]:
                    self._chars[block] = keep + len(text)
                    out.append(event)
            case BlockStart(block, kind) if self._may_start(event):
                self._open[block], self._last = kind, block
                if kind == "text":
                    self._chars[block] = 0
                out.append(event)
            case BlockEnd(block) if block in self._open:
                del self._open[block]
                self._chars.pop(block, None)
                out.append(event)
            case Image(url) if url and not (event.choice is not UNSET and event.choice < 0):
                out.append(event)
            case Citation(block) if self._open.get(block) == "text":
                out.append(event if _is_span(event) else replace(event, start=None, end=None))
            case UsageEvent():
                self._count(event)
                out.append(UsageEvent(*msgspec.structs.astuple(self._usage)))
            case Vendor(dialect, said) if dialect:
                shallow(said)
                out.append(event)
            case StreamStart():
                if event.notes:
                    out.append(Vendor(NAME, {"notes": msgspec.to_builtins(event.notes)}))
            case StreamEnd(finish, usage):
                out.extend(BlockEnd(block) for block in self._open)
                self._count(usage)
                self.done = True
                out.append(StreamEnd(finish, self._usage))
            case _:
                self._malformed(out, f"a {event.__struct_config__.tag} that cannot stand there")

    def _may_start(self, event: BlockStart) -> bool:
        if event.block <= self._last or len(self._open) >= _MAX_OPEN:
            return False
        if event.choice is not UNSET and event.choice < 0:
            return False
        if event.kind == "tool_call":
            return event.tool is not UNSET and bool(event.tool.id)
        return event.tool is UNSET and (event.refusal is UNSET or event.kind == "text")

    def _count(self, usage: Usage | UsageEvent) -> None:
        *counts, cost = msgspec.structs.astuple(usage)
        checked: list[Any] = [*map(count, counts), cost if _is_money(cost) else None]
        self._usage = Usage(*checked)

    def _odd(self, text: str, out: list[Event]) -> None:
        """A frame that is no event of this version: an error, an event that is newer than we are,
        or no JSON.
        """
        try:
            value = msgspec.json.decode(text)
        except _BAD_JSON as error:
            if self._closing:
                self._fail(out, failure("upstream_truncated", CUT))
            else:
                self._malformed(out, str(error))
            return
        if not isinstance(value, dict):
            self._malformed(out, "a frame that is not a JSON object")
        elif value.get("type") == "stream.error" or "type" not in value:
            self._error(value, out)
        elif value["type"] not in _KNOWN:
            out.append(Vendor(NAME, shallow(value)))
        else:
            self._malformed(out, f"a {value['type']} that lacks what it must have")

    def _error(self, value: dict[str, Any], out: list[Event]) -> None:
        try:
            usage = msgspec.convert(value.get("usage"), Usage)
        except msgspec.ValidationError:
            usage = NO_USAGE  # the error matters more than its counts
        if usage != NO_USAGE:
            self._count(usage)
        self._fail(out, in_band(value.get("error")))

    def _not_a_stream(self, body: bytes) -> Failure:
        """A problem under 200, or what has no place here."""
        document = read_error(body).document
        if document and document.get("error") is not None:
            return in_band(document["error"])
        return super()._not_a_stream(body)


def _is_money(cost: Cost | None) -> bool:
    if cost is None or not 0 <= cost.amount <= _MOST_MONEY:
        return False
    code = cost.currency
    return len(code) == 3 and code.isascii() and code.isalpha() and code.isupper()


def _is_span(citation: Citation) -> bool:
    start, end = citation.start or 0, citation.end
    return start >= 0 and (end is None or end >= start)

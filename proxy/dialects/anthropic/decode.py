"""The vendor's bytes to events.

    message_start
    (content_block_start content_block_delta* content_block_stop)*
    message_delta message_stop                                        with pings anywhere

What is accepted beyond the reference, because clones and proxies send it: no `message_stop` after a
`message_delta` that gave a stop reason (the message was complete; without a stop reason it is
`upstream_truncated`); deltas without a block's start, blocks without a stop; a whole message or an
error as one bare JSON body under 200; `data: [DONE]` at the end; a second `message_start`.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from proxy.codec.base import Decoder
from proxy.codec.cut_characters import Rejoining
from proxy.codec.finishes import Finishes
from proxy.codec.json_depth import shallow
from proxy.codec.lenient_json import NotJSONError, loads
from proxy.codec.openai.finish_reasons import FINISH_REASONS
from proxy.codec.tolerant import MisfitError, tolerant
from proxy.dialects.anthropic import wire
from proxy.dialects.anthropic.content_blocks import ContentBlocks
from proxy.dialects.anthropic.errors import in_band, quoted
from proxy.dialects.anthropic.odd_frames import completed, is_known, is_unknown_delta
from proxy.dialects.anthropic.summary import Summary
from proxy.dialects.anthropic.wire import NAME
from proxy.errors import Failure, failure
from proxy.events import Event, Finish, StreamEnd, StreamError, Usage, Vendor
from proxy.framing import FramingError
from proxy.framing.sse import SSEParser
from proxy.framing.sse_frame import Frame

_decode = msgspec.json.Decoder(wire.Frame).decode
_FRAME: Any = wire.Frame
# Clones say why they stopped in OpenAI's words, too.
_FINISHES = Finishes({**FINISH_REASONS, **wire.FINISH})
_BlockDelta = wire.BlockDelta
# Content nested so deeply that it could just be read may be too deep to be written again.
_UNREADABLE = (FramingError, RecursionError)


class AnthropicDecoder(Rejoining[Frame], Decoder):
    """One answer. See `Decoder`."""

    _begun = False
    _id = ""
    _closing = False  # the body has ended: what cannot be read now was cut, not garbled

    def __init__(self, max_event_bytes: int) -> None:
        self._parser = SSEParser(max_event_bytes, lossless=True, documents=True)
        self._blocks = ContentBlocks(max_event_bytes)
        self._summary = Summary()

    @property
    def usage(self) -> Usage:
        return self._summary.usage

    @property
    def answer_id(self) -> str:
        return self._id

    def feed(self, data: bytes) -> list[Event]:
        out: list[Event] = []
        if self.done:
            return out
        try:
            frames = self._parser.feed(data)
            if self._kept is None:
                self._each(frames, out)
            else:
                self._rejoin(frames, out)
            # after the last good frame: the upstream may say no more
            if self._parser.fault is not None and not self.done:
                raise self._parser.fault.again()
        except _UNREADABLE as error:
            self._fail(out, _malformed(f"The upstream's answer cannot be read: {error}."))
        return out

    def close(self) -> list[Event]:
        out: list[Event] = []
        if self.done:
            return out
        self._closing = True
        try:
            self._rejoin(self._parser.close(), out)
            self._give_up(out)
            self._close(out)
        except _UNREADABLE as error:
            self._fail(out, _malformed(f"The upstream's answer cannot be read: {error}."))
        return out

    def _close(self, out: list[Event]) -> None:
        if not self.done and self._parser.stray:
            self._bare(self._parser.stray, out)
        if self.done:
            return
        if self._summary.stop is not None:
            self._end(out)
        else:
            self._fail(out, self._cut())

    def _each(self, frames: Iterable[Frame], out: list[Event]) -> None:
        left = iter(frames)
        for frame in left:
            try:
                message = _decode(frame.data)
            except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
                if self._keep_cut(frame):
                    self._rejoin(left, out)
                    return
                self._odd(frame, out)
            else:
                if type(message) is _BlockDelta:
                    self._blocks.delta(message.index, message.delta, out)
                    self._begun = True
                    continue
                if type(message) is not wire.Ping:
                    self._take(message, out)
                    self._begun = True
            if self.done:
                return

    def _take(self, message: wire.Frame, out: list[Event]) -> None:
        match message:
            case wire.BlockStart(content, index):
                self._blocks.start(index, content, out)
            case wire.BlockStop(index):
                self._blocks.stop(index, out)
            case wire.MessageStart(content):
                self._message(content or {}, out)
            case wire.MessageDelta():
                self._summary.delta(message, out)
            case wire.MessageStop() | wire.Ping():  # a ping never gets here
                self._message_stop(out)
            case wire.BlockDelta(delta, index):  # one whose UTF-8 had to be mended
                self._blocks.delta(index, delta, out)

    def _message(self, message: dict[str, Any], out: list[Event]) -> None:
        """A message begins; a whole answer, and an answer that goes on in another, holds content
        already.

        A second beginning in one body comes from splicing proxies. What was said before it has
        reached the client and stands; a tool call that was cut by it stays incomplete; content that
        the second one repeats is not said twice.
        """
        if self._begun:
            self._blocks.stop_all(out)
        content, name = message.get("content"), message.get("id")
        if isinstance(name, str):
            self._id = name
        if not self._begun and isinstance(content, list):
            for index, block in enumerate(content):
                if isinstance(block, dict):
                    self._blocks.start(index, block, out)
                    self._blocks.stop(index, out)
        self._summary.stopped(message)
        self._summary.count(message.get("usage"), out)
        more = self._summary.counted_beside
        if more and not self._begun:
            out.append(Vendor(NAME, shallow({"type": wire.MESSAGE_START, "usage": more})))

    def _message_stop(self, out: list[Event]) -> None:
        """The terminator. Only where a program at the vendor's has called a tool is the end of the
        body waited for, which follows at once: such a run goes on in further messages, and a body
        that holds several of them is one answer.
        """
        if self._blocks.programmatic and self._summary.stop == "tool_use":
            self._blocks.stop_all(out)
            return
        self._end(out)

    def _end(self, out: list[Event]) -> None:
        self._blocks.stop_all(out)
        broken = _FINISHES.broken(self._summary.stop or "")
        if broken is not None:
            self._fail(out, broken)
            return
        self._summary.tell(out)
        # clones say end_turn after a call that waits for its result
        reason = _FINISHES.reason(self._summary.stop or "", called=self._blocks.called)
        self.done = True
        out.append(StreamEnd(Finish(reason, self._summary.stop), self._summary.usage))

    def _odd(self, frame: Frame, out: list[Event]) -> None:
        """A frame that is none of the reference: an error, a kind that we do not know, or no JSON
        at all.
        """
        text = frame.text
        if not text.strip() or frame.event == "ping":
            return
        if text == "[DONE]" and self._summary.stop is not None:
            self._end(out)
            return
        try:
            value = loads(frame.data)
        except NotJSONError as error:
            if frame.event == "error":
                self._fail(out, in_band(text))
            else:
                self._fail(
                    out,
                    self._cut()
                    if self._closing
                    else _malformed(f"The upstream sent a frame that is not JSON: {error}."),
                )
            return
        if isinstance(value, dict):
            self._unknown(completed(value, frame.event), out)
        else:
            self._fail(out, _malformed("The upstream sent a frame that is not a JSON object."))

    def _unknown(self, value: dict[str, Any], out: list[Event]) -> None:
        kind = value.get("type")
        if value.get("error") is not None or kind == "error":
            self._fail(out, in_band(value.get("error")))
        elif kind == "message":
            self._message(value, out)
            self._end(out)
        elif is_unknown_delta(value):
            if not self._blocks.unknown_delta(value.get("index", 0), value["delta"]):
                out.append(Vendor(NAME, shallow(value)))
        elif not is_known(value):
            out.append(Vendor(NAME, shallow({"type": wire.UNKNOWN_FRAME, "frame": value})))
        else:
            self._known(value, out)

    def _known(self, value: dict[str, Any], out: list[Event]) -> None:
        """A frame of the reference that did not decode: its UTF-8 was broken, or a field of it has
        a wrong type, which costs that field.
        """
        try:
            self._take(tolerant(value, _FRAME), out)
        except MisfitError as error:  # pragma: no cover - every field has a default
            self._fail(out, _malformed(f"The upstream sent a frame of a wrong shape: {error}."))
        else:
            self._begun = True

    def _bare(self, stray: bytes, out: list[Event]) -> None:
        """What came outside of all frames: a message or an error as one JSON body, or a page that
        has no place here.
        """
        try:
            value = loads(stray)
        except NotJSONError:
            value = None
        if isinstance(value, dict) and (
            value.get("error") is not None or (value.get("type") == "message" and not self._begun)
        ):
            self._unknown(value, out)
        elif not self._begun:
            self._fail(
                out,
                _malformed(
                    f"The upstream sent no events but text that begins with {quoted(stray)}"
                ),
            )

    def _cut(self) -> Failure:
        said = "in the middle of its answer" if self._begun else "before it said anything"
        return failure("upstream_truncated", f"The upstream ended {said}.")

    def _fail(self, out: list[Event], why: Failure) -> None:
        self.done = True
        out.append(StreamError(why, self._summary.usage))


def _malformed(message: str) -> Failure:
    return failure("upstream_malformed", message)

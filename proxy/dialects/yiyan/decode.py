"""Yiyan's events to ours. `is_end` of a `message` is the end; a body that ends without it was cut.

The last message repeats the whole text. It is compared with what came in pieces and, if they
differ, it holds: a `text.rewrite`.
"""

from collections.abc import Mapping
from io import StringIO
from typing import Any

import msgspec

from proxy.codec.cumulative import change
from proxy.codec.cut_characters import RejoiningSSEDecoder
from proxy.dialects.yiyan.errors import code_failure, parse_error
from proxy.dialects.yiyan.wire import Major, MessagePacket, Thought
from proxy.errors import Failure
from proxy.events import Event, Vendor
from proxy.framing.sse_frame import Frame

_MAJOR = msgspec.json.Decoder(Major)
_MESSAGE = msgspec.json.Decoder(MessagePacket)
_THOUGHT = msgspec.json.Decoder(Thought)
_BREAK = "<br>"


class YiyanDecoder(RejoiningSSEDecoder):
    """Option `br: newline` reads `<br>`, which the vendor sends for a line feed, as one; by default
    it stays, as code may hold it too.
    """

    def __init__(self, max_event_bytes: int, options: Mapping[str, Any]) -> None:
        super().__init__(max_event_bytes)
        self._breaks = options.get("br") == "newline"
        self._half_break = ""  # the beginning of a "<br>" at the end of a delta
        # What was said, to compare with the whole text, which one event must be able to hold: None
        # once it is longer, or in several blocks.
        self._said: StringIO | None = StringIO()
        self._said_chars = 0
        self._most_chars = max_event_bytes
        self._block: int | None = None
        self._text_closed = False  # by thoughts that came after it: it cannot be changed any more

    def _take(self, frame: Frame, out: list[Event]) -> None:
        match frame.event:
            case "message":
                self._message(frame.data, out)
            case "thought":
                self._thought(frame.data, out)
            case "major":
                self._major(frame.data, out)
            case _:
                pass  # state, ping: they say nothing

    def _message(self, data: bytes, out: list[Event]) -> None:
        packet = self._read(_MESSAGE, data, out)
        if packet is None:
            return
        if packet.code != 0:
            self._fail(out, code_failure(packet.code, packet.msg))
            return
        if packet.data is None:
            return
        end = packet.data.is_end in (1, "1")  # True is 1 too
        self._say(self._line_feeds(packet.data.content or "", last=end), out)
        if end:
            self._check(packet.data.tokens_all, out)
            self._finish(out, "stop", "is_end")

    def _thought(self, data: bytes, out: list[Event]) -> None:
        thought = self._read(_THOUGHT, data, out)
        if thought is None:
            return
        if thought.thoughts:
            self._text_closed = self._block is not None
            self._blocks.reasoning(out, thought.thoughts)
        if thought.is_end in (1, "1"):
            self._blocks.end_reasoning(out)

    def _major(self, data: bytes, out: list[Event]) -> None:
        major = self._read(_MAJOR, data, out)
        if major is None:
            return
        if major.code != 0:
            self._fail(out, code_failure(major.code, major.msg))
        elif major.data is not None:
            out.append(Vendor("yiyan", major.data.ids))

    def _say(self, text: str, out: list[Event]) -> None:
        if not text:
            return
        block = self._blocks.text(out, text)
        self._said_chars += len(text)
        if self._said_chars > self._most_chars or self._block not in (None, block):
            self._said = None
        if self._said is not None:
            self._said.write(text)
        self._block, self._text_closed = block, False

    def _check(self, whole: str | None, out: list[Event]) -> None:
        if not whole or self._said is None:
            return
        if self._breaks:
            whole = whole.replace(_BREAK, "\n")
        said = self._said.getvalue()
        if whole == said:
            return
        if self._text_closed:
            out.append(Vendor("yiyan", {"tokens_all": whole}))
            return
        event = change(self._blocks.open_text(out), said, whole)
        if event is not None:
            out.append(event)

    def _line_feeds(self, text: str, *, last: bool) -> str:
        """The text with line feeds for `<br>`, which may be cut between two deltas."""
        if not self._breaks:
            return text
        text = (self._half_break + text).replace(_BREAK, "\n")
        self._half_break = ""
        if not last:
            half = next((size for size in (3, 2, 1) if text.endswith(_BREAK[:size])), 0)
            if half:
                text, self._half_break = text[:-half], text[-half:]
        return text

    def _not_a_stream(self, body: bytes) -> Failure:
        return parse_error(200, {}, body) or super()._not_a_stream(body)

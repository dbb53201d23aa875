"""Events to snapshots: each write is one complete JSON object with the whole text so far, and there
is nothing else in the body.

That is what a page needs that parses every network read as one JSON text: no SSE framing, no
heartbeat, no terminator. Such a page is safe only while an object is under 4 KB, beyond which a
buffering proxy in front may cut it. The bytes sent grow with the square of the answer's length;
that is the dialect's nature. The escaped text is kept, so a delta costs its own escaping and one
copy.
"""

import datetime as dt
from collections.abc import Sequence

import msgspec

from proxy.codec.base import SSE, Encoder, Parsed, Reply
from proxy.codec.fold import WholeAnswer
from proxy.codec.growing import GrowingText
from proxy.codec.text_only import TextOnlyEncoder
from proxy.dialects.chatglm.wire import TIME_FORMAT
from proxy.errors import Failure
from proxy.events import Event, StreamEnd, StreamError, StreamStart, TextDelta, TextRewrite

_json = msgspec.json.encode


def printed_time(created: int) -> str:
    """Unix seconds as the server prints a time; ours is in UTC."""
    return dt.datetime.fromtimestamp(created, dt.UTC).strftime(TIME_FORMAT)


def encoder(_parsed: Parsed) -> Encoder:
    """See `ClientHalf.encoder`. Every client gets the same form."""
    return ChatGLMEncoder()


def whole(parsed: Parsed, answer: WholeAnswer) -> Reply:
    """See `ClientHalf.whole`."""
    text = answer.text()
    document = {
        "response": text,
        "history": [*parsed.options.history, (parsed.options.query, text)],
        "status": 200,
        "time": printed_time(answer.start.created if answer.start is not None else 0),
    }
    return Reply(200, msgspec.json.encode(document))


def render_error(why: Failure) -> Reply:
    """See `ClientHalf.render_error`. The framework's form: 422 and the place for a field, else
    `{"detail": "..."}` with the status.
    """
    if why.kind == "bad_request" and isinstance(why.param, str):
        row = {
            "type": "value_error",
            "loc": ["body", *why.param.split(".")],
            "msg": why.message,
        }
        return Reply(422, msgspec.json.encode({"detail": [row]}))
    return Reply(why.status, msgspec.json.encode({"detail": why.message}))


class ChatGLMEncoder(TextOnlyEncoder):
    """An error is one more snapshot, with an `error` beside the `body` that a page reads without
    looking.
    """

    content_type = SSE  # what the server says, though the body is none
    heartbeat = b""
    # its pages parse each network read as one JSON text; closer writes were seen to arrive as one,
    # on a busy machine also those that were 25 ms apart
    min_gap_s = 0.05
    gathers = frozenset({TextDelta, TextRewrite})

    def __init__(self) -> None:
        super().__init__()
        self._head = self._headed(0)
        self._texts: dict[int, GrowingText] = {}  # by block, in their order
        # the whole text as the inside of a JSON string, and what is new since: None after a change
        # that was not at its end
        self._escaped = bytearray()
        self._new: list[str] | None = []
        self._spoken = False
        self._later = False  # more events are at hand, and so a newer snapshot

    def encode_all(self, events: Sequence[Event]) -> bytes:
        """Only the newest snapshot is made: it says all that those before it say, and two in one
        write are no JSON text to the page.
        """
        if not events:
            return b""
        before, self._spoken, self._later = self._spoken, False, True
        for event in events[:-1]:
            self.encode(event)
        self._later = False
        changed, self._spoken = self._spoken, self._spoken or before
        return self.encode(events[-1]) or (self._snapshot() if changed else b"")

    def joined(self, frames: Sequence[bytes]) -> bytes:
        """Likewise."""
        return next((frame for frame in reversed(frames) if frame), b"")

    def _start(self, event: StreamStart) -> bytes:
        self._head = self._headed(event.created)
        return b""

    def _text(self, block: int, text: str) -> bytes:
        said = self._said(block)
        said.add(text)
        if self._new is not None:
            self._new.append(text)
        return self._snapshot()

    def _rewrite(self, block: int, keep: int, text: str) -> bytes:
        said = self._said(block)
        said.rewrite(keep, text)
        self._new = None
        return self._snapshot()

    # the end of the body is the end of the answer
    def _end(self, _event: StreamEnd) -> bytes:
        return b"" if self._spoken else self._snapshot()

    def _error(self, event: StreamError) -> bytes:
        return self._snapshot(_error_field(event.error))

    def _said(self, block: int) -> GrowingText:
        said = self._texts.get(block)
        if said is None:
            said = self._texts[block] = GrowingText()
        elif block != next(reversed(self._texts)):
            self._new = None
        return said

    def _snapshot(self, before_body: bytes = b"") -> bytes:
        self._spoken = True
        if self._later:
            return b""
        if self._new is None:
            self._escaped.clear()
            self._new = list(map(str, self._texts.values()))
        self._escaped += _json("".join(self._new))[1:-1]
        self._new.clear()
        return b"".join((self._head, before_body, b'"body": {"content": "', self._escaped, b'"}}'))

    @staticmethod
    def _headed(created: int) -> bytes:
        return b'{"id": 1, "time": "%b", ' % printed_time(created).encode()


def _error_field(why: Failure) -> bytes:
    return b'"error": %b, ' % _json({"kind": why.kind, "message": why.message})

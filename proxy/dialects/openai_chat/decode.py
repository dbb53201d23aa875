"""An upstream's bytes to events.

One frame in, usually one event out. The terminator is `[DONE]`; several vendors have none
(Perplexity, Writer), so a clean end of the body after a finish reason ends the answer as well. The
end is given only there, as usage comes after the finish reason. A body that is one JSON document,
no stream, is read at its end; one with a chunk on each line, without events, line by line. Some
servers write several documents into one event: each is read as a chunk. Chunks may be of the
server's own API (see `native_forms`).

The upstream's option for answers, with its default:

    no_finish_reason   true for a vendor that never says why its answer ends (Snowflake, Spark):
                       `[DONE]` alone is a good end then, if anything was said. Of others it is one
                       if the answer was counted, once, as vendors count what is complete; without
                       a finish reason and a count an answer is cut
"""

from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

import msgspec

from proxy.codec.base import Decoder
from proxy.codec.cut_characters import Rejoining
from proxy.codec.json_depth import shallow
from proxy.codec.lenient_json import NotJSONError, loads
from proxy.codec.openai.errors import in_band, vendor_error
from proxy.codec.openai.finish_reasons import finish_reason
from proxy.dialects.openai_chat.body import Body, framed
from proxy.dialects.openai_chat.choices import Choices
from proxy.dialects.openai_chat.counted import Counted
from proxy.dialects.openai_chat.odd import (
    CHUNK,
    DONE,
    AnswerError,
    documents,
    error_event,
    malformed,
    misunderstood,
    no_choices,
    tolerated,
)
from proxy.dialects.openai_chat.wire import NAME, QUIET, Chunk, Delta
from proxy.errors import failure
from proxy.events import (
    NO_USAGE,
    BlockStart,
    Event,
    Finish,
    StreamEnd,
    StreamError,
    TextDelta,
    Usage,
    Vendor,
)
from proxy.framing import FramingError
from proxy.framing.sse import SSEParser
from proxy.framing.sse_frame import Frame

_decode = CHUNK.decode
# Events that only keep the connection alive.
_PINGS = frozenset({"ping", "heartbeat", "keep-alive", "keepalive"})
# What a part of a chunk that is read by itself may raise.
_MISUNDERSTOOD = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, NotJSONError)

_NOTHING = "The upstream ended its answer without having said anything."
_NO_FINISH = "The upstream ended its answer without saying why, so it may be cut."


class ChatDecoder(Rejoining[Frame], Decoder):
    """One answer of `/chat/completions`. `options` are the upstream's."""

    # the last chunk, without its text, if it said a text and nothing else, and the text's block
    _plain: Chunk | None = None
    _block = 0
    _id: Any = None
    _native = False  # the chunks are those of the server's own API

    def __init__(self, max_event_bytes: int, options: Mapping[str, Any] | None = None) -> None:
        self._no_finish_reason = bool(options and options.get("no_finish_reason"))
        self._parser = SSEParser(max_event_bytes, lossless=True)
        self._body = Body(max_event_bytes)
        self._choices = Choices(max_event_bytes)
        self._counted = Counted()
        self._rest = Chunk()  # what stood beside the choices in the last chunk

    @property
    def usage(self) -> Usage:
        return self._counted.usage

    @property
    def answer_id(self) -> str:
        return self._id if isinstance(self._id, str) else ""

    def feed(self, data: bytes) -> list[Event]:
        out: list[Event] = []
        if self.done:
            return out
        try:
            body = self._body
            if body.document is not None:
                data = body.keep(data)
            lines = body.lines
            frames = self._parser.feed(data) if lines is None else framed(lines, data)
            if self._kept is None:
                self._each(frames, out)
            else:
                self._rejoin(frames, out)
            # after the last good frame: the upstream may say no more
            if self._parser.fault is not None and not self.done:
                raise self._parser.fault.again()
        except (AnswerError, FramingError) as error:
            self._fail(out, error)
        return out

    def close(self) -> list[Event]:
        out: list[Event] = []
        if self.done:
            return out
        try:
            lines = self._body.lines
            self._last_frames(out, self._parser.close() if lines is None else framed(lines, b"\n"))
            self._give_up(out)
            if self.done:
                return out
            self._read_document(out)
            if not self._choices.beside.all_finished:
                self._broken_off()
            self._end(out)
        except (AnswerError, FramingError) as error:
            self._fail(out, error)
        return out

    # Frames.

    def _each(self, frames: Iterable[Frame], out: list[Event]) -> None:
        left = iter(frames)
        for event, data, _ in left:
            if event != "message":
                if event == "error":
                    error_event(data)
                if event in _PINGS:
                    continue
            try:
                chunk = _decode(data)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                self._plain = None
                if self._keep_cut(Frame(event, data, "")):
                    self._rejoin(left, out)
                    return
                self._odd_frame(out, data, named="" if event == "message" else event)
                if self.done:
                    return
                continue
            choices = chunk.choices
            delta = choices[0].delta if choices else None
            if delta is not None and (text := delta.content):
                delta.content = None
                if chunk == self._plain and type(text) is str:  # compared in C
                    out.append(TextDelta(self._block, text))
                    continue
                delta.content = text
                self._text_chunk(out, chunk, delta, data)
            else:
                self._whole_chunk(out, chunk, data)

    def _text_chunk(self, out: list[Event], chunk: Chunk, delta: Delta, data: bytes) -> None:
        """One whose first choice, which this delta is of, says a text."""
        choices, name, before = chunk.choices, chunk.id, len(out)
        self._whole_chunk(out, chunk, data)
        if delta.content is None and chunk is not self._rest:
            match out[before:]:
                case [TextDelta(block)] | [BlockStart(), TextDelta(block)]:
                    # so the next one says a text and nothing else, if it is like it in all else
                    chunk.choices, chunk.id = choices, name
                    self._plain, self._block = chunk, block

    def _whole_chunk(self, out: list[Event], chunk: Chunk, data: bytes) -> None:
        self._plain = None
        try:
            self._chunk(out, chunk, data)
        except _MISUNDERSTOOD as error:
            raise misunderstood(error, data) from error

    def _odd_frame(self, out: list[Event], data: bytes, *, named: str) -> None:
        """A frame that is the terminator, or no strict JSON, or not of our types, or holds several
        documents. A list in a named event is an aside (FastGPT tells what its nodes did so).
        """
        word = data.strip().strip(b'"')
        for document in () if word in (b"", DONE) else documents(data):
            if named and isinstance(document, list) and vendor_error(document) is None:
                out.append(Vendor(NAME, shallow({named: document})))
                continue
            said = msgspec.json.encode(document)
            try:
                self._chunk(out, tolerated(document, data), said)
            except _MISUNDERSTOOD as error:
                raise misunderstood(error, said) from error
            if self.done:
                return
        if word.endswith(DONE):
            self._done(out)

    def _last_frames(self, out: list[Event], frames: Iterable[Frame]) -> None:
        """A frame that lacked its blank line. If it cannot be read, the body was cut in the middle
        of it.
        """
        try:
            self._rejoin(frames, out)
        except AnswerError as error:
            if error.why.kind == "upstream_malformed":
                self._broken_off()
            raise

    def _chunk(self, out: list[Event], chunk: Chunk, data: bytes) -> None:
        choices, self._id = chunk.choices, chunk.id
        chunk.choices = chunk.id = None
        if chunk != (before := self._rest):  # compared in C
            self._rest = chunk
            self._beside(out, chunk, before, data)
        if choices is None:
            native = no_choices(data)
            if native is not None and (self._native or not self._choices.said):
                # its end has no finish reason (Cloudflare)
                self._native = self._no_finish_reason = True
                self._chunk(out, native, data)
            return
        taking = self._choices
        for choice in choices:
            broken = taking.take(out, choice, self._id)
            if broken is not None:
                raise AnswerError(in_band(broken))
        if (beside := taking.beside).usage is not None:
            self._counted.read(out, beside.usage)
            beside.usage = None

    def _beside(self, out: list[Event], chunk: Chunk, before: Chunk, data: bytes) -> None:
        """Usage, an error, and the vendor's extras: only those that differ from what was said
        before. `before` is the last chunk.
        """
        usage, base = chunk.usage, chunk.base_resp
        self._counted.read(out, usage)
        if chunk.error not in QUIET or chunk.code not in QUIET:
            found = vendor_error(loads(data))
            if found is not None:
                raise AnswerError(in_band(found))
        if base not in QUIET and (found := vendor_error({"base_resp": loads(base)})) is not None:
            raise AnswerError(in_band(found))
        told = self._choices.beside.extras.of_chunk(chunk, before)
        if told:
            out.append(Vendor(NAME, shallow(told)))
        groq = told.get("x_groq")
        if usage in QUIET and isinstance(groq, dict) and isinstance(groq.get("usage"), dict):
            self._counted.take(out, groq["usage"])

    # The end.

    def _read_document(self, out: list[Event]) -> None:
        document = self._body.whole_answer(self._parser.stray, answered=self._choices.said)
        if document:
            self._each((Frame("message", document, ""),), out)

    def _done(self, out: list[Event]) -> None:
        self._read_document(out)
        if self._choices.beside.finish is None:
            if not self._choices.said and self._counted.usage is NO_USAGE:
                raise AnswerError(failure("upstream_malformed", _NOTHING))
            counted = self._choices.said and self._counted.times == 1
            if not self._no_finish_reason and not counted:
                raise AnswerError(failure("upstream_truncated", _NO_FINISH))
        self._end(out)

    def _end(self, out: list[Event]) -> None:
        choices = self._choices
        choices.end(out, self._id)
        if self._counted.extras:
            out.append(Vendor(NAME, {"usage": self._counted.extras}))
        raw = choices.beside.finish
        reason = finish_reason(raw, called=choices.blocks.saw_tool_call, refused=choices.refused)
        out.append(StreamEnd(Finish(reason, raw), self._counted.usage))
        self.done = True

    def _broken_off(self) -> NoReturn:
        """The body ended, but not the answer."""
        stray = self._parser.stray
        if stray and not self._body.document and not self._choices.said:
            raise AnswerError(malformed("The upstream sent text that is no event stream", stray))
        raise AnswerError(
            failure("upstream_truncated", "The upstream ended its answer before it was complete.")
        )

    def _fail(self, out: list[Event], error: AnswerError | FramingError) -> None:
        if isinstance(error, AnswerError):
            why = error.why
        else:
            why = failure("upstream_malformed", f"The upstream's stream cannot be read: {error}.")
        out.append(StreamError(why, self._counted.usage))
        self.done = True

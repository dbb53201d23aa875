"""What decoders have in common whose vendors send JSON or text in frames: the frames are cut, taken
one by one, and end exactly once.

A subclass says what one frame means (`_take`) and what a clean end of the body means (`_ended`).
"""

from abc import abstractmethod
from typing import ClassVar, Generic, Protocol, TypeVar

import msgspec

from proxy.codec.base import Decoder
from proxy.codec.blocks import Blocks
from proxy.codec.failures import not_a_stream
from proxy.codec.lenient_json import loads
from proxy.codec.tolerant import MisfitError, tolerant
from proxy.errors import Failure, failure
from proxy.events import NO_USAGE, Event, Finish, FinishReason, StreamEnd, StreamError, Usage
from proxy.framing import FramingError
from proxy.framing.sse import SSEParser
from proxy.framing.sse_frame import Frame

F = TypeVar("F")
T = TypeVar("T")
_CONTROLS = frozenset(bytes([code]) for code in range(0x20)) - {b"\t", b"\n", b"\r"}

_FIELDS = (b"data", b"event", b"id", b"retry")  # a body cut inside the first of these was a stream
CUT = "The answer ended before the upstream said that it was complete."


def decoded(decoder: msgspec.json.Decoder[T], data: bytes) -> T:
    """A frame's JSON. One damaged letter, or one field of a wrong type, is no reason to lose an
    answer: a byte that no UTF-8 has becomes U+FFFD, as the standard of event streams has it (HTML
    9.2.5), a number that JSON has not becomes null, and a wrong field is left out (`tolerant`).
    Raises ValueError and RecursionError.
    """
    try:
        return decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        value = loads(data)
        try:
            return tolerant(value, decoder.type)
        except MisfitError:
            raise error from None


def _is_binary(data: bytes) -> bool:
    """Whether bytes begin as no text does, such as compressed ones: they are not the beginning of
    JSON that was cut.
    """
    return data[:1] in _CONTROLS


class _Splitter(Protocol[F]):
    @property
    def fault(self) -> FramingError | None: ...
    def feed(self, chunk: bytes) -> list[F]: ...


class FramedDecoder(Decoder, Generic[F]):
    """Bytes to frames to events. After `_finish` or `_fail` nothing more is taken."""

    def __init__(self, splitter: _Splitter[F], max_event_bytes: int) -> None:
        self._splitter = splitter
        self._blocks = Blocks(max_event_bytes)
        self._closing = False  # the body has ended: what cannot be read now was cut, not garbled

    def feed(self, data: bytes) -> list[Event]:
        out: list[Event] = []
        if not self.done:
            try:
                self._take_all(self._splitter.feed(data), out)
                # after the last good frame: the upstream may say no more
                if self._splitter.fault is not None and not self.done:
                    raise self._splitter.fault.again()
            except FramingError as fault:
                self._malformed(out, str(fault))
        return out

    def close(self) -> list[Event]:
        out: list[Event] = []
        if not self.done:
            self._closing = True
            try:
                self._take_last(self._rest(), out)
                if not self.done:
                    self._ended(out)
            except FramingError as fault:
                self._malformed(out, str(fault))
        return out

    @property
    def usage(self) -> Usage:
        """None of these vendors counts tokens."""
        return NO_USAGE

    @abstractmethod
    def _take(self, frame: F, out: list[Event]) -> None:
        """One frame's events. May raise FramingError, and nothing else."""

    @abstractmethod
    def _rest(self) -> list[F]:
        """The frames that the end of the body completes. May raise FramingError."""

    def _ended(self, out: list[Event]) -> None:
        """The body ended cleanly and no frame said that the answer is complete."""
        self._fail(out, failure("upstream_truncated", CUT))

    def _take_all(self, frames: list[F], out: list[Event]) -> None:
        for frame in frames:
            self._take(frame, out)
            if self.done:
                break

    def _take_last(self, frames: list[F], out: list[Event]) -> None:
        """The events of the frames that the end of the body completes."""
        self._take_all(frames, out)

    def _read(self, decoder: msgspec.json.Decoder[T], data: bytes, out: list[Event]) -> T | None:
        """The frame's JSON; None, after failing, if it is not what it should be."""
        try:
            return self._decoded(decoder, data)
        except (ValueError, RecursionError) as error:  # msgspec's own errors are ValueErrors
            if self._closing and not _is_binary(data):
                self._fail(out, failure("upstream_truncated", CUT))
            else:
                self._malformed(out, str(error))
        return None

    def _decoded(self, decoder: msgspec.json.Decoder[T], data: bytes) -> T:
        """A frame's JSON. Raises as `decoded` does."""
        return decoded(decoder, data)

    def _finish(self, out: list[Event], reason: FinishReason, raw: str | None = None) -> None:
        self._blocks.end_all(out)
        out.append(StreamEnd(Finish(reason, raw), self.usage))
        self.done = True

    def _fail(self, out: list[Event], why: Failure) -> None:
        out.append(StreamError(why, self.usage))
        self.done = True

    def _malformed(self, out: list[Event], why: str) -> None:
        self._fail(
            out,
            failure(
                "upstream_malformed",
                f"The upstream sent something that cannot be read: {why[:300]}",
            ),
        )


class SSEDecoder(FramedDecoder[Frame]):
    """The same for server-sent events. A body that is none at all (JSON, HTML) is told apart from
    one that was cut.
    """

    documents: ClassVar[bool] = False  # each event holds one JSON document

    def __init__(self, max_event_bytes: int) -> None:
        self._parser = SSEParser(max_event_bytes, lossless=True, documents=self.documents)
        self._framed = False  # an event has come
        super().__init__(self._parser, max_event_bytes)

    def _take_all(self, frames: list[Frame], out: list[Event]) -> None:
        if frames:
            self._framed = True
            super()._take_all(frames, out)

    def _rest(self) -> list[Frame]:
        return self._parser.close()

    def _ended(self, out: list[Event]) -> None:
        stray = b"" if self._framed else self._parser.stray
        if not stray.strip() or any(name.startswith(stray) for name in _FIELDS):
            super()._ended(out)
        elif not self._whole(stray, out):
            self._fail(out, self._not_a_stream(stray))

    # a subclass may know such answers
    def _whole(self, body: bytes, out: list[Event]) -> bool:  # noqa: ARG002
        """A body that holds no event, taken if it is one document with the whole answer, as servers
        and what stands before them give where they do not stream. False: it is none.
        """
        return False

    def _not_a_stream(self, body: bytes) -> Failure:
        """Why a body under status 200 holds no event."""
        return not_a_stream(body)

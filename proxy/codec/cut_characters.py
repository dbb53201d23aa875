"""Characters that are cut in two by the pieces that a text comes in: half a surrogate pair at the
end of one string and the other half at the beginning of the next event's (JavaScript cuts texts
so), or the bytes of a character in UTF-8.

JSON allows neither, so this is looked for only in events that could not be read. The event with the
first half waits for the next one: if that begins with the rest, the first half goes over to it, and
both can be read. A half that is alone becomes U+FFFD.
"""

import re
from abc import abstractmethod
from collections.abc import Iterable
from typing import Generic, TypeVar, cast

import msgspec

from proxy.codec.framed import FramedDecoder, SSEDecoder, decoded
from proxy.events import Event
from proxy.framing.sse_frame import Frame

F = TypeVar("F", bound=Frame | bytes)
T = TypeVar("T")

_FIRST_HALF = re.compile(
    rb"(?:(?<!\\)(?:\\\\)*(\\u[dD][89abAB][0-9a-fA-F]{2})"
    rb'|([\xc2-\xdf]|[\xe0-\xef][\x80-\xbf]?|[\xf0-\xf4][\x80-\xbf]{0,2}))(?=")'
)
_BEGINNINGS = (b"{", b"[")
_SECOND_HALF = re.compile(rb'[:,\[]\s*"(?:(\\u[dD][c-fC-F][0-9a-fA-F]{2})|([\x80-\xbf]{1,3}))')


def is_cut(data: bytes) -> bool:
    """Whether a string in this JSON text ends within a character. What does not begin as an object
    or a list is none, whatever bytes it has.
    """
    return data.lstrip()[:1] in _BEGINNINGS and _FIRST_HALF.search(data) is not None


def rejoined(data: bytes, later: bytes) -> tuple[bytes, bytes] | None:
    """Two JSON texts with the character that is cut between them in the second one; None: the
    second one does not begin with the rest.
    """
    first, second = _FIRST_HALF.search(data), _SECOND_HALF.search(later)
    if first is None or second is None:
        return None
    kind = first.lastindex
    if kind is None or kind != second.lastindex:
        return None
    half, at = first[kind], second.start(kind)
    if kind != 1 and not _is_character(half, second[kind]):
        return None
    return data[: first.start(kind)] + data[first.end() :], later[:at] + half + later[at:]


def _is_character(half: bytes, rest: bytes) -> bool:
    """Whether bytes and the beginning of others are one character."""
    for size in range(1, len(rest) + 1):
        try:
            (half + rest[:size]).decode()
        except UnicodeDecodeError:
            continue
        return True
    return False


def _data(frame: Frame | bytes) -> bytes:
    return frame if isinstance(frame, bytes) else frame.data


def _with(frame: F, data: bytes) -> F:
    return cast("F", data if isinstance(frame, bytes) else frame._replace(data=data))


class Rejoining(Generic[F]):
    """What a decoder does about them. `_each` reads frames; it calls `_keep_cut` with one that it
    cannot read, and where that is kept `_rejoin` with those behind it.
    """

    done: bool
    _kept: F | None = None  # it waits for the next one
    _alone = False  # what is read now has no rest

    @abstractmethod
    def _each(self, frames: Iterable[F], out: list[Event]) -> None:
        """The events of frames, up to the end of the answer."""

    def _keep_cut(self, frame: F) -> bool:
        """Whether a frame that cannot be read is cut, and so waits for the next one."""
        if not self._is_cut(_data(frame)):
            return False
        self._kept = frame
        return True

    def _is_cut(self, data: bytes) -> bool:
        return not self._alone and is_cut(data)

    def _rejoin(self, later: Iterable[F], out: list[Event]) -> None:
        """Read frames of which the first may begin with the rest of the one that waits."""
        for frame in later:
            kept, read = self._kept, frame
            if kept is not None and (pair := rejoined(_data(kept), _data(frame))) is not None:
                self._kept, read = _with(kept, pair[0]), _with(frame, pair[1])
            self._give_up(out)
            if not self.done:
                self._each((read,), out)
            if self.done:
                return

    def _give_up(self, out: list[Event]) -> None:
        """Read the frame that waits, if one does, as it is: it has its rest, or there is none."""
        if self._kept is not None:
            kept, self._kept, self._alone = self._kept, None, True
            self._each((kept,), out)
            self._alone = False


class _CutError(Exception):
    """A frame ends within a character."""


class RejoiningDecoder(Rejoining[F], FramedDecoder[F]):
    """The same for decoders that take frame by frame. `_take` leaves a frame that is cut by an
    exception, and is called with it again: until then it does nothing that cannot be done twice.
    """

    def _take_all(self, frames: list[F], out: list[Event]) -> None:
        if self._kept is not None:
            self._rejoin(frames, out)
            return
        for frame in frames:
            try:
                self._take(frame, out)
            except _CutError:
                self._kept = frame
                at = next(at for at, each in enumerate(frames) if each is frame)
                self._rejoin(frames[at + 1 :], out)
                return
            if self.done:
                return

    def _each(self, frames: Iterable[F], out: list[Event]) -> None:
        self._take_all(list(frames), out)

    def _take_last(self, frames: list[F], out: list[Event]) -> None:
        self._take_all(frames, out)
        if not self.done:
            self._give_up(out)

    def _wait(self, data: bytes) -> None:
        """Leave `_take` if a frame that cannot be read is cut."""
        if self._is_cut(data):
            raise _CutError

    def _decoded(self, decoder: msgspec.json.Decoder[T], data: bytes) -> T:
        try:
            return decoder.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError):
            self._wait(data)
        return decoded(decoder, data)


class RejoiningSSEDecoder(RejoiningDecoder[Frame], SSEDecoder):
    """The same for server-sent events."""

    def _take_all(self, frames: list[Frame], out: list[Event]) -> None:
        if frames:
            self._framed = True
            super()._take_all(frames, out)

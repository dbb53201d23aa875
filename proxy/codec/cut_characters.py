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
from typing import ClassVar

from proxy.codec.framed import SSEDecoder
from proxy.events import Event
from proxy.framing.sse_frame import Frame

_FIRST_HALF = re.compile(
    rb"(?:(?<!\\)(?:\\\\)*(\\u[dD][89abAB][0-9a-fA-F]{2})"
    rb'|([\xc2-\xdf]|[\xe0-\xef][\x80-\xbf]?|[\xf0-\xf4][\x80-\xbf]{0,2}))(?=")'
)
_SECOND_HALF = re.compile(rb'[:,\[]\s*"(?:(\\u[dD][c-fC-F][0-9a-fA-F]{2})|([\x80-\xbf]{1,3}))')


def is_cut(data: bytes) -> bool:
    """Whether a string in this JSON text ends within a character."""
    return _FIRST_HALF.search(data) is not None


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


class Rejoining:
    """What a decoder of server-sent events does about them. `_each` reads frames; it calls `_keep`
    with one that it cannot read, and where that is kept `_rejoin` with those behind it.
    """

    done: bool
    _kept: Frame | None = None  # it waits for the next one
    _alone = False  # what is read now has no rest

    @abstractmethod
    def _each(self, frames: Iterable[Frame], out: list[Event]) -> None:
        """The events of frames, up to the end of the answer."""

    def _keep(self, frame: Frame) -> bool:
        """Whether a frame that cannot be read is cut, and so waits for the next one."""
        if self._alone or not is_cut(frame.data):
            return False
        self._kept = frame
        return True

    def _rejoin(self, later: Iterable[Frame], out: list[Event]) -> None:
        """Read frames of which the first may begin with the rest of the one that waits."""
        for frame in later:
            kept, read = self._kept, frame
            if kept is not None and (pair := rejoined(kept.data, frame.data)) is not None:
                self._kept, read = kept._replace(data=pair[0]), frame._replace(data=pair[1])
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


class RejoiningDecoder(Rejoining, SSEDecoder):
    """The same for decoders that take frame by frame: `_take` calls `_wait` with a frame that it
    cannot read, before anything else, and `_ended_whole` says what the end of the body means.
    """

    documents: ClassVar[bool] = True

    def _take_all(self, frames: list[Frame], out: list[Event]) -> None:
        if self._kept is not None:
            self._rejoin(frames, out)
        elif frames:
            self._framed = True
            self._each(frames, out)

    def _each(self, frames: Iterable[Frame], out: list[Event]) -> None:
        left = iter(frames)
        try:
            for frame in left:
                self._take(frame, out)
                if self.done:
                    break
        except _CutError:
            self._rejoin(left, out)

    def _wait(self, frame: Frame) -> None:
        """Leave `_take` if a frame is cut: it will be taken again."""
        if self._keep(frame):
            raise _CutError

    def _ended(self, out: list[Event]) -> None:
        self._give_up(out)
        if not self.done:
            self._ended_whole(out)

    def _ended_whole(self, out: list[Event]) -> None:
        super()._ended(out)

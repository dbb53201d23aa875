"""What comes on a connection of an answer's body, handed on to whoever takes it: made plain, and a
part in each turn of the loop.
"""

import asyncio
from abc import abstractmethod
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Literal

from proxy.framing.inflate import Inflater
from proxy.upstream.body import Body
from proxy.upstream.writing import Writing

# How an answer's body ended. cut: before it was complete · malformed: it breaks the rules of HTTP ·
# coding: it is not in the coding that its head names
End = Literal["complete", "cut", "malformed", "coding"]

# How much of one upstream is worked on before everybody else has had a turn: the dearest bytes of
# this number take some 10 ms, and the system would hand over 8 MB at once.
TURN_BYTES = 32_768
# How much of a body is held for whoever will take it, before the socket is read no more.
_HELD_BYTES = 65_536


class Handing(Writing):
    """One connection's. `take` says who gets the body, `let` that nobody does any more."""

    __slots__ = (
        "_body",
        "_end",
        "_held",
        "_inflater",
        "_later",
        "_on_data",
        "_on_end",
        "_rest",
        "_slices",
        "_stopped",
        "_straight",
    )

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self._body: Body | None = None
        self._end: End | None = None
        self._held = b""  # of the body, while nobody takes it
        self._inflater: Inflater | None = None
        self._slices: Iterator[bytes] | None = None  # plain data, not all of which are handed on
        self._on_data: Callable[[bytes], None] | None = None
        self._on_end: Callable[[End], None] | None = None
        self._straight: Callable[[bytes], None] | None = None  # `_on_data`, while it is between
        self._stopped = False  # by whoever takes
        self._rest = b""  # of a read, for later turns; meanwhile nothing more is read
        self._later: asyncio.Handle | None = None

    @abstractmethod
    def _parse(self, data: bytes) -> None:
        """Read these bytes of the answer."""

    def take(self, on_data: Callable[[bytes], None], on_end: Callable[[End], None]) -> None:
        """From now on call `on_data` with all data of the body and, once, `on_end`. What has come
        is handed over before this returns.
        """
        self._on_data, self._on_end = on_data, on_end
        held, self._held = self._held, b""
        if held:
            self._hand(held)
            if len(held) > _HELD_BYTES:
                self._read(True)
        if self._end is None:
            self._mark()
        else:
            self._tell()

    def let(self) -> None:
        """Nobody takes anything."""
        self._on_data = self._on_end = self._straight = self._slices = None

    @property
    def has_all(self) -> bool:
        """Whether all of the body has come, and been handed on."""
        return self._end == "complete" and self._inflater is None and not self._held

    def stop(self, stopped: bool) -> None:
        """Hand on nothing more, or go on."""
        if self._stopped == stopped:
            return
        self._stopped = stopped
        self._read(not stopped)
        if not stopped and (self._rest or self._slices is not None):
            self._go_on_later()

    # The data of a body.

    def _hand(self, data: bytes) -> None:
        """On to whoever takes it, made plain."""
        if self._on_data is None:
            self._held += data
            if len(self._held) > _HELD_BYTES:
                self._read(False)
        elif self._inflater is None:
            self._on_data(data)
        else:
            more = self._inflater.slices(data)
            self._slices = more if self._slices is None else chain(self._slices, more)
            self._inflate()

    def _inflate(self) -> None:
        """A turn's part of what is compressed: some bytes of that stand for a thousand times as
        many.
        """
        given = 0
        while self._slices is not None and self._on_data is not None and not self._stopped:
            if given >= TURN_BYTES:
                self._read(False)
                self._go_on_later()
                return
            try:
                piece = next(self._slices, b"")
            except ValueError:
                self._slices = None
                self._finish("coding")
                return
            if piece:
                given += len(piece)
                self._on_data(piece)
            else:
                self._slices = None

    def _finish(self, end: End) -> None:
        if self._end is None:
            self._end, self._straight = end, None
            self._tell()

    def _tell(self) -> None:
        """Whoever takes the body that it has ended, once all of it is handed on."""
        end, on_end = self._end, self._on_end
        if end is None or on_end is None or self._held or self._slices is not None:
            return
        if end == "complete" and self._inflater is not None:
            try:
                self._inflater.end()
            except ValueError:
                end = self._end = "coding"
        self.let()
        on_end(end)

    def _mark(self) -> None:
        """Whether a whole chunk may be handed on as it is."""
        body = self._body
        ready = body is not None and body.between and not self._rest
        self._straight = self._on_data if ready and self._inflater is None else None

    # One part after the other.

    def _put_off(self, data: bytes) -> None:
        self._rest += data
        self._straight = None
        self._read(False)
        self._go_on_later()

    def _go_on_later(self) -> None:
        if self._later is None:
            self._later = self._loop.call_soon(self._go_on)

    def _go_on(self) -> None:
        """Everybody else has had a turn: the next part."""
        self._later = None
        if self._stopped:
            return
        self._inflate()
        self._tell()
        if self._rest and self._slices is None and self.transport is not None:
            part, self._rest = self._rest[:TURN_BYTES], self._rest[TURN_BYTES:]
            self._parse(part)
        if self._rest and not self._stopped and self.transport is not None:
            self._go_on_later()
        else:
            self._read(True)

    def _read(self, more: bool) -> None:
        """Read the socket from now on, or do not. There are four reasons not to."""
        transport = self.transport
        if transport is None or transport.is_closing():
            return
        if not more:
            transport.pause_reading()
        elif not (self._stopped or self._rest or self._slices or len(self._held) > _HELD_BYTES):
            transport.resume_reading()

"""What one stream is made of, for the page that shows it: the upstream's bytes as they were read,
the events that they held, and the client's bytes for each event.

Only for a client that asks to see its own stream (`proxy/server/playground.py`). A stream that
nobody looks at has none of this, and pays nothing for it.
"""

from collections import deque
from collections.abc import Callable, Sequence
from time import monotonic
from typing import NamedTuple

import msgspec

from proxy.codec.base import SSE_COMMENT, Decoder, Encoder, OuterDecoder
from proxy.events import TERMINAL, Event, StreamStart

# Of a chunk, or of the bytes for one event, so much is shown; its size is told all the same.
SHOWN_BYTES = 16_384
# Of all chunks of one stream, the newest of so many bytes are kept for a client that reads slowly,
# or comes back.
KEPT_BYTES = 262_144
# What a chunk takes in memory beside its bytes.
_CHUNK_BYTES = 200
# Events whose chunk is remembered. A client that comes back for older ones sees them unlinked.
_LINKED_EVENTS = 4096
_encode = msgspec.json.Encoder().encode


class Chunk(NamedTuple):
    """One read. `at` is in milliseconds since the client asked; `raw` may be cut."""

    number: int
    at: float
    upstream: str
    size: int
    raw: bytes


class Pieces:
    """The newest chunks of one stream, and which event came of which."""

    __slots__ = ("_began", "_bytes", "_chunks", "_links", "_next")

    def __init__(self) -> None:
        self._began = monotonic()
        self._bytes = 0
        self._chunks: deque[Chunk] = deque()
        self._links: dict[int, tuple[Event, int]] = {}  # by the event's identity
        self._next = 0

    @property
    def last(self) -> int:
        """The number of the newest chunk, -1 when there is none."""
        return self._next - 1

    def now(self) -> float:
        """Milliseconds since the client asked."""
        return round((monotonic() - self._began) * 1000, 2)

    def read(self, upstream: str, size: int, raw: bytes) -> int:
        """An upstream sent this. Gives the chunk's number."""
        chunk = Chunk(self._next, self.now(), upstream, size, raw)
        self._next += 1
        self._chunks.append(chunk)
        self._bytes += len(raw) + _CHUNK_BYTES
        while self._bytes > KEPT_BYTES:
            self._bytes -= len(self._chunks.popleft().raw) + _CHUNK_BYTES
        return chunk.number

    def link(self, events: Sequence[Event], number: int) -> None:
        """These events came of this chunk."""
        for event in events:
            self._links[id(event)] = event, number
        while len(self._links) > _LINKED_EVENTS:
            del self._links[next(iter(self._links))]

    def source(self, event: Event) -> int | None:
        """The number of the chunk that the event came of; None: of none, or it is not known."""
        found = self._links.get(id(event))
        if found is not None and found[0] is event:
            return found[1]
        # the end is told its times on the way, and so is another one than the decoder gave
        return self.last if isinstance(event, TERMINAL) and self._next else None

    def since(self, number: int) -> list[Chunk]:
        """The chunks from this number on that are still kept."""
        wanted = min(self._next - number, len(self._chunks))
        return [self._chunks[at] for at in range(-wanted, 0)]


class NotingDecoder(OuterDecoder):
    """A decoder that notes what it reads. `veil` hides an upstream's secrets in a text."""

    def __init__(
        self, inner: Decoder, pieces: Pieces, upstream: str, veil: Callable[[str], str]
    ) -> None:
        super().__init__(inner)
        self._pieces = pieces
        self._upstream = upstream
        self._veil = veil

    def feed(self, data: bytes) -> list[Event]:
        """See `Decoder`."""
        # one character a byte, so that the veil sees any bytes and changes only what it hides
        shown = self._veil(data[:SHOWN_BYTES].decode("latin-1")).encode("latin-1", "replace")
        number = self._pieces.read(self._upstream, len(data), shown)
        return self._noted(self._inner.feed(data), number)

    def close(self) -> list[Event]:
        """See `Decoder`."""
        return self._noted(self._inner.close(), self._pieces.last)

    def _noted(self, events: list[Event], number: int) -> list[Event]:
        self.done = self._inner.done
        if number >= 0:
            self._pieces.link(events, number)
        return events


class MicroscopeEncoder(Encoder):
    """Gives, for each event, one frame that shows it: the chunks read since the frame before, the
    event, and what another encoder makes of it.

        {"at": 12.5, "chunks": [{"number": 3, "at": 12.1, "upstream": "a", "size": 60, "raw": ...}],
         "source": 3, "id": "<stream>:4", "event": {...}, "size": 40, "out": ...}

    `raw` and `out` are in base64, and cut where `size` says more. `failed`: see `Settler`.
    """

    heartbeat = SSE_COMMENT

    def __init__(self, inner: Encoder, pieces: Pieces) -> None:
        self._inner = inner
        self._pieces = pieces
        self._chunk = 0  # the next one to show
        self._stream = ""
        self._number = 0
        self._step = 1
        self.gathers = inner.gathers
        self.headers = {"x-mainstem-microscope": inner.content_type}

    @property
    def failed(self) -> bool:
        """Whether the inner encoder could not say all that there was."""
        return bool(getattr(self._inner, "failed", False))

    def seek(self, stream: str, number: int, step: int = 1) -> bool:
        """See `Encoder.seek`. A dialect without numbers begins anew."""
        if not self._inner.seek(stream, number, step):
            return False
        self._stream, self._number, self._step = stream, number, step
        return True

    def encode(self, event: Event) -> bytes:
        """See `Encoder`."""
        if type(event) is StreamStart:
            self._stream = event.stream
        out = self._inner.encode(event)
        chunks = self._pieces.since(self._chunk)
        self._chunk = self._pieces.last + 1
        number, self._number = self._number, self._number + self._step
        shown = {
            "at": self._pieces.now(),
            "chunks": [chunk._asdict() for chunk in chunks],
            "source": self._pieces.source(event),
            "id": f"{self._stream}:{number}",
            "event": event,
            "size": len(out),
            "out": out[:SHOWN_BYTES],
        }
        return b"data: %b\n\n" % _encode(shown)

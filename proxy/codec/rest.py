"""An answer without the frames that its client has: for one that comes back, in a dialect whose
encoder must see an answer from its start on.
"""

from collections.abc import Iterable, Sequence

from proxy.codec.base import Encoder
from proxy.events import TERMINAL, Event

_END = b"\n\n"
_DONE = b"data: [DONE]\n\n"  # says nothing, and clients do not count it


class Rest(Encoder):
    """Wraps the encoder of server-sent events of a client that has the first `frames`.

    The end is left out only if the client has just that: one that says it has more than there is
    gets it once more, and so knows that there is an end.
    """

    folds = False

    def __init__(self, inner: Encoder, frames: int) -> None:
        self._inner = inner
        self._left = frames
        self.content_type = inner.content_type
        self.heartbeat = inner.heartbeat
        self.headers = inner.headers
        self.min_gap_s = inner.min_gap_s
        self.gathers = inner.gathers

    def encode(self, event: Event) -> bytes:
        out = self._inner.encode(event)
        if not self._left or not out:
            return out
        count = out.count(_END)
        if count <= self._left:
            self._left -= count
            return out if self._left and isinstance(event, TERMINAL) else b""
        at = 0
        for _ in range(self._left):
            at = out.index(_END, at) + len(_END)
        self._left = 0
        return out[at:]

    def joined(self, frames: Sequence[bytes]) -> bytes:
        return self._inner.joined(frames)


def frames_of(encoder: Encoder, events: Iterable[Event]) -> int:
    """How many frames a fresh encoder makes of these events."""
    return sum(_frames(encoder.encode(event)) for event in events)


def _frames(out: bytes) -> int:
    return out.count(_END) - out.endswith(_DONE)

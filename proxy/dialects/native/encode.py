"""Events to native frames. The events are the schema, so a frame is an event as JSON and its
number.
"""

from collections.abc import Sequence
from itertools import count, repeat

import msgspec

from proxy.codec.base import Encoder, Parsed
from proxy.events import Event, StreamStart

_json = msgspec.json.Encoder().encode
_FRAME = b"data: %b%b%d\n\n"  # an event as JSON, the id's line up to the number, the number


def encoder(_parsed: Parsed) -> Encoder:
    """See `ClientHalf.encoder`. Every client gets the same form."""
    return NativeEncoder()


class NativeEncoder(Encoder):
    """One answer. Each frame is `data: <event>` and then `id: <stream>:<seq>`, counted from 0.

    The id stands last because fetch-event-source takes it as soon as its line is read: before the
    data it would mark an event as seen whose data might never arrive. The heartbeat is a comment
    with one newline, for the same client's sake.
    """

    __slots__ = ("_id", "_seq", "_step")

    def __init__(self) -> None:
        self._seq = 0
        self._step = 1
        self._id = b"\nid: :"

    def seek(self, stream: str, number: int, step: int = 1) -> bool:
        """See `Encoder.seek`."""
        self._id = b"\nid: %b:" % stream.encode()
        self._seq, self._step = number, step
        return True

    def encode(self, event: Event) -> bytes:
        if type(event) is StreamStart:
            self._begin(event)
        seq = self._seq
        self._seq = seq + self._step
        return _FRAME % (_json(event), self._id, seq)

    def encode_all(self, events: Sequence[Event]) -> bytes:
        # as `encode` does with each; a stream's beginning is the first of all
        if events and type(events[0]) is StreamStart:
            self._begin(events[0])
        seq, step = self._seq, self._step
        self._seq = seq + step * len(events)
        # in C, for all of them at once
        said = zip(map(_json, events), repeat(self._id), count(seq, step), strict=False)
        return b"".join(map(_FRAME.__mod__, said))

    def _begin(self, start: StreamStart) -> None:
        self._id = b"\nid: %b:" % start.stream.encode()

"""How much of a WebSocket's messages has come."""

import pytest

from proxy.server.messages import Coming
from tests.hostile.test_websocket_frames import AGAIN, PING, TEXT, frame

SENT = (
    frame(TEXT, b"short")
    + frame(TEXT)
    + frame(TEXT, b"a", last=False)
    + frame(PING, b"between")
    + frame(AGAIN, b"b" * 300, last=False)
    + frame(AGAIN, last=False)
    + frame(AGAIN, b"c" * 70_000)
    + b"\x81\x08unmasked"
    + frame(TEXT, b"the next one", last=False)
)


@pytest.mark.parametrize("step", [1, 7, 4096, len(SENT)])
def test_what_waits_is_what_has_come_and_is_not_taken(step: int) -> None:
    coming = Coming()
    ends = sum(coming.feed(SENT[at : at + step]) for at in range(0, len(SENT), step))
    assert {1: 4, 7: 4}.get(step, ends) == ends
    waits = []
    for _ in range(4):
        waits.append(coming.waiting)
        coming.take()
    assert [70_326, 70_321, 70_321, 20] == waits
    assert (12, True) == (coming.waiting, coming.broken_off)
    assert (True, False) == (coming.feed(frame(AGAIN)), coming.broken_off)

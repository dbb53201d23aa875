"""How long whoever ends a body waits for its client: until it has taken most of it."""

from collections.abc import Sequence

import pytest

from proxy.relay.sink import emptied


class Client:
    """What it has not taken, at first and after each wait."""

    def __init__(self, unsent: Sequence[int]) -> None:
        self._unsent = list(unsent)
        self.waits = 0

    def write(self, data: bytes) -> None:
        raise AssertionError(data)

    def unsent(self) -> int:
        return self._unsent[0]

    async def drained(self) -> None:
        self.waits += 1
        if len(self._unsent) > 1:
            del self._unsent[0]


@pytest.mark.parametrize(
    ("unsent", "waits"),
    [([0], 0), ([100], 1), ([101, 0], 1), ([101, 100], 2), ([500, 300, 50], 3), ([40], 1)],
)
async def test_nobody_is_waited_for_again_and_again(unsent: Sequence[int], waits: int) -> None:
    """A client that takes nothing of a small rest would else cost all of a processor."""
    client = Client(unsent)
    await emptied(client, 100, client.drained)
    assert waits == client.waits

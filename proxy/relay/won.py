"""What a client's request brings to an upstream beside what it asks, and what asking one gives."""

from collections.abc import Mapping
from typing import NamedTuple

from proxy.errors import Failure, Refused
from proxy.events import Note
from proxy.relay.dear import Dear
from proxy.relay.generation import Generation
from proxy.relay.microscope import Pieces
from proxy.relay.slots import Slots
from proxy.routing import Target


class Envelope(NamedTuple):
    """What of the client's own request may matter to an upstream. `mock_headers` go only to
    upstreams that are played here; `credential` is the key that it sent; `headers` are its headers,
    names in lower case. `size` is that of its body, in bytes. `pieces` notes what its stream is
    made of, for a client that asked to see it. `trace` are headers that tell an upstream which
    trace it is part of. `dear`: it is read and built elsewhere.
    """

    mock_headers: Mapping[str, str] = {}
    credential: str | None = None
    headers: Mapping[str, str] = {}
    size: int = 0
    pieces: Pieces | None = None
    trace: Mapping[str, str] = {}
    dear: Dear | None = None


class Won(NamedTuple):
    """The target that answers. `rewrites`: its vendor may take text back. Its place in `slots` must
    be left at the end.
    """

    generation: Generation
    target: Target
    notes: list[Note]
    rewrites: bool
    slots: Slots
    returned: Mapping[str, str]  # headers of its answer that go to the client

    def drop(self) -> None:
        """It is not wanted after all."""
        self.generation.close()
        self.slots.leave()


class NotSentError(Refused):
    """Nothing was sent: the upstream has no free slot, or its circuit is open. `result` is the word
    for it in metrics.
    """

    def __init__(self, why: Failure, result: str) -> None:
        super().__init__(why)
        self.result = result

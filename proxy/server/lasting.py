"""A stream that clients may leave and come back to, whichever process generates it."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from time import monotonic
from typing import Any, Literal, NamedTuple

from proxy.codec.base import Encoder, Parsed
from proxy.codec.halves import ClientHalf
from proxy.codec.settle import settling
from proxy.errors import Failure, Refused
from proxy.events import Note, StreamEnd
from proxy.relay.kept_log import KeptLog
from proxy.relay.microscope import MicroscopeEncoder, Pieces
from proxy.request import ChatRequest

# A client whose connection broke with the last bytes in it comes back within so long.
MISSED_S = 30.0
State = Literal["queued", "in_progress", "completed", "failed", "cancelled"]


class Head(NamedTuple):
    """What the head of an answer says of the target that gives it."""

    upstream: str
    notes: Sequence[Note]
    returned: Mapping[str, str]


class Origin(NamedTuple):
    """What is known of a stream from its beginning. `owner` says whose it is: nobody else may know
    of it. `model` is as the client asked, `label` as metrics have it; `chat` is the client's own
    name for it; `created` is in unix seconds. `options` are those of the request, for encoders of
    its dialect. `rewrites`: its text may be taken back.
    """

    id: str
    owner: str
    half: ClientHalf
    options: Any
    chat: str
    model: str
    label: str
    created: int
    rewrites: bool


class Lasting(ABC):
    """One stream; `log` has its events."""

    def __init__(self, origin: Origin, log: KeptLog, request: bytes) -> None:
        """`request` is a digest of what was asked and who asked."""
        self.id = origin.id
        self.owner = origin.owner
        self.half = origin.half
        self.options = origin.options
        self.origin = origin
        self.request = request
        self.log = log
        # when somebody was last sent all of it, by the monotonic clock, and on which connection
        self.told_at: float | None = None
        self._told_on: asyncio.Transport | None = None
        self.read_bytes = 0  # that somebody was sent
        self.pieces: Pieces | None = None  # noted here, where its client asked to see them
        self.head: Head | None = None  # which may go
        self.refused: Refused | None = None  # there is no answer
        # who waits until either is known, and what is to be called then if it has a head
        self._waiting: list[tuple[asyncio.Future[None], Callable[[], None] | None]] = []
        self._attended = 0

    @property
    def decided(self) -> bool:
        """Whether its head may go, or it is sure that there is no answer."""
        return self.head is not None or self.refused is not None

    @property
    def attended(self) -> int:
        """How many clients of this process read it now, or wait to."""
        return self._attended

    @property
    def state(self) -> State:
        end = self.log.end
        if end is None:
            return "in_progress" if self.log.begun else "queued"
        if isinstance(end, StreamEnd):
            return "completed"
        return "cancelled" if end.error.kind == "cancelled" else "failed"

    def encoder(
        self,
        half: ClientHalf,
        options: Any,
        begun: Encoder | None = None,
        *,
        looks: bool = False,
    ) -> Encoder:
        """For a client that reads it in this dialect. `begun`: one that has been made already.
        `looks`: it is shown the pieces, of which there may be none.
        """
        asked = ChatRequest(model=self.origin.model, messages=[])
        encoder = begun or half.encoder(Parsed(asked, options))
        encoder = settling(encoder, half, rewrites=self.origin.rewrites)
        return MicroscopeEncoder(encoder, self.pieces or Pieces()) if looks else encoder

    def commit(self, head: Head) -> None:
        """Its head may go, and this is what it says."""
        self.head = head
        for known, opens in self._waiting:
            if not known.done():
                if opens is not None:
                    opens()
                known.set_result(None)
        self._waiting.clear()

    def refuse(self, why: Refused) -> None:
        """It has no answer."""
        # without where it was raised, which would hold what was asked for as long as this is kept
        self.refused = Refused(why.failure, why.returned)
        for known, _ in self._waiting:
            if not known.done():
                known.set_result(None)
        self._waiting.clear()

    async def answered(self, opens: Callable[[], None] | None = None) -> Head:
        """Its head, once that may go. Raises Refused. `opens` is called in that very moment, if
        that is still to come and somebody waits here for it; it must not raise.
        """
        if not self.decided:
            known = asyncio.get_running_loop().create_future()
            self._waiting.append((known, opens))
            await known
        if self.refused is not None:
            raise Refused(self.refused.failure, self.refused.returned)
        assert self.head is not None
        return self.head

    def attend(self) -> None:
        """Somebody reads it, or waits to; `leave` must follow."""
        self._attended += 1

    def leave(self) -> None:
        """Somebody who attended it does no more."""
        self._attended -= 1

    def told(self, transport: asyncio.Transport | None) -> None:
        """Somebody was sent all of it on this connection."""
        self.told_at, self._told_on = monotonic(), transport

    def lost(self) -> bool:
        """Whether the connection is closed on which all of it was sent last."""
        return self._told_on is None or self._told_on.is_closing()

    def missed(self) -> bool:
        """Whether it has ended, and whoever read it may not have the end yet: nobody was sent it,
        or the connection broke just then. Who cancelled it knows.
        """
        if self.log.end is None or self.state == "cancelled":
            return False
        return self.told_at is None or (self.lost() and monotonic() - self.told_at < MISSED_S)

    @abstractmethod
    async def cancel(self, why: Failure) -> None:
        """End it; returns when that is certain. Whoever reads it is told why. Raises Refused where
        whoever generates it cannot be told.
        """

"""What a store of streams does for one process, and the store that does nothing: where there is
one process, its own memory is enough.
"""

from typing import Protocol

from proxy.errors import Failure
from proxy.server.lasting import Lasting


class Generated(Protocol):
    """A stream that this process generates, as a store sees it."""

    def stop(self, why: Failure) -> None:
        """End it now; whoever reads it is told why."""

    def drop(self) -> None:
        """It cannot be found any more."""


class Store(Protocol):
    """Life: `start` -> `keep` and `forget` for each stream, questions at any time -> `close`.

    What cannot be reached is told by an answer (no, none) or by Refused, never by waiting: every
    call is bounded in time.
    """

    async def start(self) -> None:
        """Called once, before anything else. It does not fail where the store is away."""

    async def close(self) -> None:
        """Nothing more is kept. What had ended is kept still."""

    def keep(self, run: Lasting, generated: Generated, request: bytes, key: bytes) -> None:
        """Other processes can find this stream, by its id, by its client's own name for it and by
        the digests of what was asked and of its Idempotency-Key (b"" for none); those that read it
        get all of its log.
        """

    async def kept(self, run: Lasting) -> None:
        """Returns when other processes can find it, or cannot for now."""

    def forget(self, run: Lasting) -> None:
        """It is not kept any more."""

    async def drop(self, run: Lasting) -> None:
        """The same of one that another process generates. Raises Refused where that cannot be done
        for now.
        """

    async def find(self, stream: str, owner: str) -> Lasting | None:
        """The stream of this owner and id, which another process generates. Raises Refused where it
        cannot be told whether there is one.
        """

    async def named(self, dialect: str, owner: str, name: str) -> str | None:
        """The id of the newest stream that this owner's clients of a dialect call so, here or
        elsewhere.
        """

    async def asked(self, digest: bytes, *, just_now: bool = False) -> str | None:
        """The id of the newest stream that a request of this digest, or with a key of it, began,
        here or elsewhere; `just_now`: also where the store may not have been told yet.
        """

    async def read_elsewhere(self, run: Lasting) -> bool | None:
        """Whether a client of another process reads it now; None: that cannot be told."""


class Nowhere:
    """See `Store`: no other process is told of a stream, and none has any."""

    async def start(self) -> None:
        """See `Store`."""

    async def close(self) -> None:
        """See `Store`."""

    def keep(self, run: Lasting, generated: Generated, request: bytes, key: bytes) -> None:
        """See `Store`."""

    async def kept(self, run: Lasting) -> None:
        """See `Store`."""

    def forget(self, run: Lasting) -> None:
        """See `Store`."""

    async def drop(self, run: Lasting) -> None:
        """See `Store`."""

    async def find(self, stream: str, owner: str) -> Lasting | None:  # noqa: ARG002  there is none
        """See `Store`."""
        return None

    async def named(self, dialect: str, owner: str, name: str) -> str | None:  # noqa: ARG002  likewise
        """See `Store`."""
        return None

    async def asked(self, digest: bytes, *, just_now: bool = False) -> str | None:  # noqa: ARG002  likewise
        """See `Store`."""
        return None

    async def read_elsewhere(self, run: Lasting) -> bool | None:  # noqa: ARG002  likewise
        """See `Store`."""
        return False

"""The streams that clients may come back to: those of this process and, by a store, those of
others.
"""

import asyncio
from collections.abc import Callable

from proxy.codec.halves import ClientHalf
from proxy.codec.resuming import seen
from proxy.errors import Failure
from proxy.events import StreamError
from proxy.observe.metrics import Metrics
from proxy.observe.record import StreamRecord
from proxy.relay.attempts import Attempts
from proxy.relay.kept_log import KeptLog
from proxy.server.gateway import Gateway
from proxy.server.intake import Asked
from proxy.server.lasting import Lasting
from proxy.server.repeats import Again, Repeats, check_same
from proxy.server.run import Run
from proxy.server.stores.base import Store
from proxy.settings.resume import Resume


class Runs:
    """One process's runs, by their ids: those that go on, and those that have ended and may still
    be read. What is not found here may be another process's, in `store`.
    """

    def __init__(self, gateway: Gateway, metrics: Metrics, store: Store) -> None:
        self._gateway = gateway
        self.store = store
        self.metrics = metrics
        self._by_id: dict[str, Run] = {}
        self._ended: dict[str, asyncio.TimerHandle] = {}  # the oldest first
        self._repeats = Repeats()
        # by dialect, owner and the client's own name for it: the newest
        self._by_chat: dict[tuple[str, str, str], Run] = {}
        self._bytes = 0

    @property
    def rules(self) -> Resume | None:
        """How runs are kept; None: there are none."""
        return self._gateway.state.plan.streams.resume

    def start(
        self,
        attempts: Attempts,
        asked: Asked,
        half: ClientHalf,
        *,
        record: StreamRecord,
        owner: str,
        kept_bytes: int,
    ) -> Run:
        """A new run. Its options hold `kept_bytes` of the request."""
        rules = self.rules or Resume()
        run = Run(
            self._gateway,
            attempts,
            asked,
            half,
            record=record,
            owner=owner,
            log=KeptLog(rules.max_bytes_per_stream, self._weigh),
            kept_bytes=kept_bytes,
            keeper=self,
        )
        self._by_id[run.id] = run
        self._repeats.add(run)
        if run.origin.chat:
            self._by_chat[half.name, owner, run.origin.chat] = run
        if kept_bytes:
            self._weigh(kept_bytes)
        run.begin(asked.parsed)
        # what is done from here on costs the client no time: the upstream has been asked
        self.store.keep(run, _Generated(run, self.drop_own), asked.digest, asked.key)
        return run

    async def committed(self, run: Lasting, opens: Callable[[], None] | None = None) -> None:
        """Returns when its head may go. One with a key can be found by other processes then; for
        one without, `opens` is called as `answered` says. Raises Refused.
        """
        if isinstance(run, Run) and run.key:
            await run.answered()
            await self.store.kept(run)
        else:
            await run.answered(opens)

    async def find(self, stream: str, owner: str) -> Lasting | None:
        """The stream with this id, if it is this owner's. Raises Refused where that cannot be told
        for now.
        """
        run = self._by_id.get(stream)
        if run is None:
            return await self.store.find(stream, owner)
        return run if run.owner == owner else None

    def holds(self, stream: str) -> bool:
        """Whether this process has a stream of this id, whosever it is."""
        return stream in self._by_id

    async def drop(self, run: Lasting) -> None:
        """It cannot be found any more, from now on. Who reads it reads on. Raises Refused as `find`
        does.
        """
        if self.holds(run.id):
            self._forget(run.id)
        else:
            await self.store.drop(run)

    async def named(self, half: ClientHalf, name: str, owner: str) -> Lasting | None:
        """The stream that this owner's clients of a dialect call so, or that has this id. Raises
        Refused as `find` does.
        """
        newest = await self.store.named(half.name, owner, name)
        if newest is not None and (found := await self.find(newest, owner)) is not None:
            return found
        return self._by_chat.get((half.name, owner, name)) or await self.find(name, owner)

    async def resumed(self, last_seen: str, owner: str) -> tuple[Lasting, int] | None:
        """For a client that comes back with the id of the last frame that it has seen,
        `<stream>:<number>`: the stream, and the number of the event that comes next. None: there
        is nothing more to send. Raises Refused as `find` does.
        """
        had = seen(last_seen)
        run = None if had is None else await self.find(had[0], owner)
        if had is None or run is None:
            self.metrics.resumed("unknown")
            return None
        following = had[1] + 1
        if following > run.log.last and run.log.end is not None:
            self.metrics.resumed("ended")
            return None
        # It may have seen more than is known here, but of what is generated elsewhere alone: all of
        # that is stored later, or never if its process dies.
        if following > run.log.next and isinstance(run, Run):
            self.metrics.resumed("unknown")
            return None
        self.metrics.resumed("attached" if following >= run.log.first else "snapshot")
        return run, following

    async def repeated(
        self, request: bytes, key: bytes, owner: str, again: Again
    ) -> Lasting | None:
        """The stream that a request goes on with, here or elsewhere. Raises Refused as
        `Repeats.same`.
        """
        run: Lasting | None = self._repeats.same(request, key, again)
        if run is None and (key or again == "yes"):
            run = await self.elsewhere(request, key, owner)
            # meanwhile the same request may have begun one here
            run = run or self._repeats.same(request, key, again)
        if run is not None:
            self.metrics.resumed("attached")
        return run

    async def elsewhere(self, request: bytes, key: bytes, owner: str) -> Lasting | None:
        """The same of another process, for a request that has a key or says that it is a retry.
        Where that cannot be told for now, there is none.
        """
        # one with a key is told to the store at once
        newest = await self.store.asked(key or request, just_now=not key)
        if newest is None or newest in self._by_id:
            return None
        found = await self.store.find(newest, owner)
        if found is None or isinstance(found.log.end, StreamError):
            return None
        check_same(found.request, request)
        return None if found.log.end is not None and not key else found

    # What a run says: see `Keeper`.

    def was_told(self, run: Run) -> None:
        self._repeats.told(run)

    def has_ended(self, run: Run) -> None:
        if not self.holds(run.id):
            return
        run.log.weigh()
        if isinstance(run.log.end, StreamError):  # whoever asks for the same again gets a new one
            self._repeats.told(run)
        rules, loop = self.rules or Resume(), asyncio.get_running_loop()
        self._ended[run.id] = loop.call_later(rules.keep_s, self._forget, run.id)

    async def read_elsewhere(self, run: Lasting) -> bool | None:
        return await self.store.read_elsewhere(run)

    def _weigh(self, more_bytes: int) -> None:
        self._bytes += more_bytes
        self.metrics.kept(more_bytes)
        if more_bytes > 0 and self._ended:
            most = (self.rules or Resume()).max_bytes
            while self._bytes > most and self._ended:
                self._forget(next(iter(self._ended)))

    def drop_own(self, run: Run) -> None:
        """The same of one of this process."""
        if self.holds(run.id):
            self._forget(run.id)

    def _forget(self, stream: str) -> None:
        """It cannot be found any more. Who reads it reads on."""
        ending = self._ended.pop(stream, None)
        if ending is not None:
            ending.cancel()
        run = self._by_id.pop(stream)
        self._repeats.forget(run)
        chat = (run.half.name, run.owner, run.origin.chat)
        if self._by_chat.get(chat) is run:
            del self._by_chat[chat]
        self.store.forget(run)
        run.log.forget()
        self._weigh(-run.kept_bytes)


class _Generated:
    """See `Generated`."""

    def __init__(self, run: Run, drop: Callable[[Run], None]) -> None:
        self._run = run
        self._drop = drop

    def stop(self, why: Failure) -> None:
        self._run.stop(why)

    def drop(self) -> None:
        self._drop(self._run)

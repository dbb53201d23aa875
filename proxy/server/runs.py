"""The streams that clients may come back to: those of this process and, by a store, those of
others.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from time import monotonic
from typing import Literal

from proxy.codec.base import Parsed
from proxy.codec.halves import ClientHalf
from proxy.errors import Failure, Refused, failure
from proxy.events import StreamError
from proxy.observe.metrics import Metrics
from proxy.observe.record import StreamRecord
from proxy.relay.attempts import Attempts
from proxy.relay.kept_log import KeptLog
from proxy.relay.microscope import Pieces
from proxy.server.gateway import Gateway
from proxy.server.lasting import Lasting
from proxy.server.run import Run
from proxy.server.stores.base import Store
from proxy.settings.resume import Resume
from proxy.settings.sections import OnDisconnect

# A client that is gone after so little of an answer has most likely lost it, not stopped it.
_LITTLE_BYTES = 4096
# of a number of an event: no stream has so many
_DIGITS = 12
# An SDK that lost an answer asks again within seconds: the longest wait of those made by Stainless
# is 8 s.
_RETRIED_S = 30.0
# A browser's EventSource comes back 3 to 5 s after its connection broke. Who reloads a page later
# wants a new answer.
_RECONNECTED_S = 10.0
_OTHER_REQUEST = (
    "This Idempotency-Key came with another request before, and it stands for that one: send a new "
    "key with a new request."
)
# What a request says of whether it is one that was sent before. `maybe`: its client repeats by
# itself, but asks anew in the same words too; `yes`: it is a retry, as it says.
Again = Literal["no", "maybe", "yes"]


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
        self._by_request: dict[bytes, list[Run]] = defaultdict(list)  # the newest last
        self._by_key: dict[bytes, Run] = {}
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
        parsed: Parsed,
        half: ClientHalf,
        *,
        record: StreamRecord,
        owner: str,
        wish: OnDisconnect | None,
        request: bytes,
        key: bytes,
        kept_bytes: int,
        pieces: Pieces | None,
    ) -> Run:
        """A new run. `request` is the digest of what was asked and who asked, `key` that of the
        Idempotency-Key and who sent it, b"" for none; its options hold `kept_bytes` of the request;
        `pieces` are noted where its client asked to see them.
        """
        rules = self.rules or Resume()
        run = Run(
            self._gateway,
            attempts,
            parsed,
            half,
            record=record,
            owner=owner,
            log=KeptLog(rules.max_bytes_per_stream, self._weigh),
            wish=wish,
            request=request,
            key=key,
            kept_bytes=kept_bytes,
            pieces=pieces,
            ended=self._has_ended,
            read_elsewhere=self.store.read_elsewhere,
        )
        self._by_id[run.id] = run
        self._by_request[request].append(run)
        if key:
            self._by_key[key] = run
        if run.origin.chat:
            self._by_chat[half.name, owner, run.origin.chat] = run
        self._weigh(kept_bytes)
        self.store.keep(run, _Generated(run, self.drop_own), request, key)
        return run

    async def committed(self, run: Lasting) -> None:
        """Returns when its head may go. One with a key can be found by other processes then."""
        await asyncio.shield(run.committed)
        if isinstance(run, Run) and run.key:
            await self.store.kept(run)

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
        stream, _, number = last_seen.rpartition(":")
        run = await self.find(stream, owner)
        if run is None or not (number.isascii() and number.isdigit() and len(number) < _DIGITS):
            self.metrics.resumed("unknown")
            return None
        following = int(number) + 1
        if int(number) == run.log.last and run.log.end is not None:
            self.metrics.resumed("ended")
            return None
        # It may have seen more than is known here: of a process that died before all was stored.
        self.metrics.resumed("attached" if following >= run.log.first else "snapshot")
        return run, following

    def same(self, request: bytes, key: bytes, again: Again) -> Run | None:
        """The run that a request goes on with: one of the very same request that its client has
        lost. What has failed is not gone on with: its client was told, and tries once more.

        An Idempotency-Key names the request, so the run may also be one that somebody reads, or has
        had all of. Raises Refused where it came with another request. Without one: see `_lost`.
        """
        if not key:
            lost = (run for run in self._by_request.get(request, ()) if _lost(run, again))
            run = next(lost, None)
        else:
            run = self._by_key.get(key)
            if run is not None and run.request != request:
                raise Refused(failure("bad_request", _OTHER_REQUEST, status=422))
        if run is None or isinstance(run.log.end, StreamError):
            return None
        self.metrics.resumed("attached")
        return run

    async def repeated(
        self, request: bytes, key: bytes, owner: str, again: Again
    ) -> Lasting | None:
        """The stream that a request goes on with, here or elsewhere. Raises Refused as `same`."""
        run: Lasting | None = self.same(request, key, again)
        if run is None and (key or again == "yes"):
            run = await self.elsewhere(request, key, owner)
            # meanwhile the same request may have begun one here
            run = run or self.same(request, key, again)
        return run

    async def elsewhere(self, request: bytes, key: bytes, owner: str) -> Lasting | None:
        """The same of another process, for a request that has a key or says that it is a retry.
        Where that cannot be told for now, there is none.
        """
        newest = await self.store.asked(key or request)
        if newest is None or newest in self._by_id:
            return None
        found = await self.store.find(newest, owner)
        if found is None or isinstance(found.log.end, StreamError):
            return None
        if found.request != request:
            raise Refused(failure("bad_request", _OTHER_REQUEST, status=422))
        if found.log.end is not None and not key:
            return None
        self.metrics.resumed("attached")
        return found

    def _has_ended(self, run: Run) -> None:
        if not self.holds(run.id):
            return
        rules, loop = self.rules or Resume(), asyncio.get_running_loop()
        self._ended[run.id] = loop.call_later(rules.keep_s, self._forget, run.id)

    def _weigh(self, more_bytes: int) -> None:
        self._bytes += more_bytes
        self.metrics.kept(more_bytes)
        rules = self.rules or Resume()
        if more_bytes <= 0:
            return
        while self._bytes > rules.max_bytes and self._ended:
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
        self._by_request[run.request].remove(run)
        if not self._by_request[run.request]:
            del self._by_request[run.request]
        if self._by_key.get(run.key) is run:
            del self._by_key[run.key]
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


def _lost(run: Run, again: Again) -> bool:
    """Whether a request in the same words may be taken for a repetition of this run's: nobody
    attends it, and nobody has had all of it.

    Who does not say that it repeats itself must have heard hardly anything: who stops an answer in
    its midst and asks once more wants another one. To a retry, and to an EventSource that comes
    back, it may have been sent whole: if the connection broke then, it was lost on the way.
    """
    if run.attended or isinstance(run.log.end, StreamError):
        return False
    if run.told_at is not None:
        patience_s = {"yes": _RETRIED_S, "maybe": _RECONNECTED_S, "no": 0.0}[again]
        return run.lost() and monotonic() - run.told_at < patience_s
    return again != "no" or run.read_bytes < _LITTLE_BYTES

"""What one process writes: the events of the streams that it generates.

A chunk of a stream costs no more than a mark. One task takes what the marked logs have gained and
sends it in one pipeline. What is not sent yet lies in the logs alone, which are bounded: so nothing
is lost when Redis is away or forgets everything, as what it has not is sent again.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from time import monotonic
from typing import TYPE_CHECKING

from proxy.server.lasting import Lasting
from proxy.server.stores import layout
from proxy.server.stores.base import Generated
from proxy.server.stores.batch import Batch
from proxy.server.stores.link import Away, Link, is_misplaced
from proxy.server.stores.stored import Stored
from proxy.settings.resume import Resume

if TYPE_CHECKING:
    from redis.asyncio.client import Pipeline

_GATHER_S = 0.2  # in which chunks of a stream come together: a write costs as much as some chunks
# The same for a stream that begins or ends: those that do so together are written together, and
# hardly any first content comes behind a write. Others look again `_LATE_S` later (see `shared`).
_SOON_S = 0.03
_MOST_AT_ONCE = 200  # streams
_WITHIN_S = 3.0
_AGAIN_S = 0.5  # after which an absent Redis is tried once more
# What Redis says of an entry whose number is not above the last one's: the stream has ended there.
_CLOSED = "equal or smaller"


class Writer:
    """One process's. Life: `begin` -> `run`, and `keep` and `forget` at any time -> `finish`."""

    def __init__(self, link: Link, process: str, rules: Callable[[], Resume]) -> None:
        self._link = link
        self._process = process
        self._rules = rules
        self.streams: dict[str, Stored] = {}
        self._marked: list[Stored] = []
        self._forgotten: list[str] = []  # keys
        self._wanted = asyncio.Event()
        self._hurry = asyncio.Event()
        self._soon: asyncio.TimerHandle | None = None
        link.lost = self._wanted.set

    def keep(self, run: Lasting, generated: Generated, digests: Sequence[bytes]) -> None:
        """See `Store.keep`. `digests`: by which requests find it."""
        stored = self.streams[run.id] = Stored(run, generated, digests, self._mark, self._hasten)
        run.log.copy_to(stored)
        stored.mark()
        self._hasten()  # a client may come back at once, elsewhere
        if len(digests) > 1:  # it has a key, by which it is to be found before its head goes
            self._hurry.set()

    async def kept(self, run: Lasting, seconds: float) -> None:
        """Returns when others can find it, or after so long."""
        stored = self.streams.get(run.id)
        if stored is None or self._link.since is None:
            return
        self._hurry.set()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await stored.known.wait()

    def forget(self, run: Lasting) -> None:
        """See `Store.forget`."""
        stored = self.streams.pop(run.id, None)
        if stored is None:
            return
        # or they would keep each other, with all that was said, until the garbage is collected
        run.log.unfollow(stored)
        if self._link.since is not None:
            self._forgotten += stored.keys
            self._wanted.set()

    async def begin(self) -> None:
        """Look for Redis for the first time."""
        with suppress(Away):
            await self._find_again()

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            await self._something()
            try:
                await self._write()
            except Away:
                self._forgotten.clear()
                await asyncio.sleep(_AGAIN_S)

    async def finish(self, seconds: float) -> None:
        """Write what is left, if that takes no longer."""
        with suppress(Away, TimeoutError):
            async with asyncio.timeout(seconds):
                await self._write()

    def life_ms(self, *, whole: bool) -> int:
        """How long Redis keeps a stream unless it is told again. `whole`: it has ended."""
        rules = self._rules()
        return _ms(rules.keep_s if whole else 2 * max(rules.keep_s, rules.lease_s))

    def renewals(self, most: int) -> Iterator[Stored]:
        """Streams whose life in Redis must be made longer now: half of it is over."""
        now = monotonic()
        due = (each for each in self.streams.values() if each.announced and now >= each.renew_at)
        for stored in islice(due, most):
            if not stored.whole():
                stored.renew_at = now + self.life_ms(whole=False) / 2000
                yield stored

    def lives(self, pipe: "Pipeline | Batch", stored: Stored, life_ms: int) -> None:
        """All that Redis has of it lives so much longer."""
        origin = stored.run.origin
        keys = stored.keys
        pointers = map(layout.asked, stored.digests)
        for key in (keys.log, keys.about, keys.past, *pointers):
            pipe.pexpire(key, life_ms)
        if origin.chat:
            pipe.pexpire(layout.chat(origin.half.name, origin.owner, origin.chat), life_ms)

    def _hasten(self) -> None:
        if self._soon is None:
            loop = asyncio.get_running_loop()
            self._soon = loop.call_later(_SOON_S, self._hurry.set)

    def _mark(self, stored: Stored) -> None:
        self._marked.append(stored)
        self._wanted.set()

    async def _something(self) -> None:
        """Returns when there is something to write, or soon where Redis is away."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_AGAIN_S if self._link.since is None else None):
                await self._wanted.wait()
        with suppress(TimeoutError):
            async with asyncio.timeout(_GATHER_S):
                await self._hurry.wait()
        if self._soon is not None:
            self._soon.cancel()
            self._soon = None
        self._wanted.clear()
        self._hurry.clear()

    async def _write(self) -> None:
        """All that is marked. Raises Away."""
        if self._link.since is None:
            await self._find_again()
        while self._marked or self._forgotten:
            some, self._marked = self._marked[:_MOST_AT_ONCE], self._marked[_MOST_AT_ONCE:]
            gone, self._forgotten = self._forgotten, []
            await self._send([each for each in some if each.run.id in self.streams], gone)

    async def _send(self, some: Sequence[Stored], gone: Sequence[str]) -> None:
        pipe = Batch()
        if gone:
            pipe.unlink(*gone)
        # of each stream: the number behind what is sent, and where in the answers its entry's is
        sent: list[tuple[Stored, int, int | None]] = []
        life_ms = self.life_ms(whole=False)
        for stored in some:
            stored.marked = False
            if not stored.closed:
                sent.append((stored, *self._add(pipe, stored, life_ms)))
        async with self._link.within("write", _WITHIN_S):
            answers = await self._link.send(pipe)
            for answer in answers:
                _check(answer)
        for stored, number, place in sent:
            answer = b"" if place is None else answers[place]
            if answer is None:
                stored.renew()
                continue
            stored.closed = isinstance(answer, Exception)
            stored.number, stored.announced = number, True
            stored.known.set()
            if not stored.closed and number < stored.run.log.next:
                stored.mark()

    def _add(self, pipe: Batch, stored: Stored, life_ms: int) -> tuple[int, int | None]:
        """What is to be sent of one stream. Gives the number behind it, and the place of its
        entry's answer.
        """
        log, number = stored.run.log, stored.number
        keys = stored.keys
        # what it says of its head comes with the commit
        begins = not stored.announced or stored.headed != (stored.run.head is not None)
        if begins:
            self._introduce(pipe, stored, life_ms)
        # where Redis has nothing any more of what it had, it says so, and gets all of it again
        on_top = ("NOMKSTREAM",) if number else ()
        if log.first > stored.folded:
            self._fold(pipe, stored, life_ms)
            number = max(number, log.first)
        events, _ = log.since(number) or ((), 0)
        place = None
        if events:
            place = len(pipe)
            pipe.execute_command("XADD", keys.log, *on_top, *layout.entry(number, events))
            number += len(events)
        if whole := stored.whole(number):
            life_ms = self.life_ms(whole=True)
        if whole:
            self.lives(pipe, stored, life_ms)
        elif begins:  # the others have it already
            pipe.pexpire(keys.log, life_ms)
        return number, place

    def _fold(self, pipe: Batch, stored: Stored, life_ms: int) -> None:
        """What its log has folded is no longer there event by event in Redis either. All of this is
        done or nothing: a Redis that is full would still trim.
        """
        log, keys = stored.run.log, stored.keys
        pipe.execute_command("MULTI")
        pipe.set(keys.past, layout.past_of(log), px=life_ms)
        pipe.xtrim(keys.log, minid=f"{log.first + 1}-0")
        pipe.execute_command("EXEC")
        stored.folded = log.first

    def _introduce(self, pipe: Batch, stored: Stored, life_ms: int) -> None:
        run, origin = stored.run, stored.run.origin
        stored.renew_at, stored.headed = monotonic() + life_ms / 2000, run.head is not None
        pipe.set(stored.keys.about, layout.about(run, self._process), px=life_ms)
        for digest in stored.digests:
            pipe.set(layout.asked(digest), run.id, px=life_ms)
        if origin.chat:
            pipe.set(layout.chat(origin.half.name, origin.owner, origin.chat), run.id, px=life_ms)

    async def _find_again(self) -> None:
        """Redis answers again, perhaps: see what it still has. Raises Away."""
        rules = self._rules()
        await self._link.reach(layout.alive(self._process), _WITHIN_S)
        async with self._link.within("write", _WITHIN_S):
            # first, so that nobody takes this process for dead
            await self._link.redis.set(
                layout.alive(self._process), b"", px=_ms(rules.lease_s * layout.LEASED)
            )
        streams = list(self.streams.values())
        for at in range(0, len(streams), _MOST_AT_ONCE):
            some = streams[at : at + _MOST_AT_ONCE]
            pipe = self._link.redis.pipeline(transaction=False)
            for stored in some:
                pipe.xrevrange(stored.keys.log, count=1)
            async with self._link.within("write", _WITHIN_S):
                answers = await pipe.execute(raise_on_error=False)
                for stored, answer in zip(some, answers, strict=True):
                    _check(answer)
                    self._look(stored, answer)
        self._link.found()

    def _look(self, stored: Stored, last: Sequence[tuple[bytes, object]] | Exception) -> None:
        """`last` is the last entry of its log in Redis, if there is any."""
        whole, number = stored.whole(), stored.number
        stored.renew()
        if isinstance(last, Exception):
            stored.closed = True
            return
        if not last:
            return
        stored.number = number
        if last[0][0] == layout.LAST.encode():
            stored.closed = not whole
        else:
            stored.number = int(last[0][0].partition(b"-")[0])


def _check(answer: object) -> None:
    """Raises an error that is not of one stream alone."""
    if isinstance(answer, Exception) and not (is_misplaced(answer) or _CLOSED in str(answer)):
        raise answer


def _ms(seconds: float) -> int:
    return max(1, int(seconds * 1000))

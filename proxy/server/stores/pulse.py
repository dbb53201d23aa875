"""Signs of life in Redis: that this process lives, that its clients read other processes' streams;
and what becomes of streams whose process gives none any more.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from time import monotonic

from proxy.server.stores import layout
from proxy.server.stores.copy import Copy, lost
from proxy.server.stores.link import Away, Link
from proxy.server.stores.writer import Writer
from proxy.settings.resume import Resume

_WITHIN_S = 2.0
_MOST_RENEWED = 500  # streams at a time
# Of a lease: how long a copy waits for Redis, after which its readers are told.
_PATIENCE = 4
# After which a sign of life that was missed is looked for again: whoever lives has renewed it.
_LOOKED_AGAIN = 1.2 * layout.RENEWED
_IDLE_BEATS = 3  # for which a copy is kept that nobody reads


class Pulse:
    """One process's."""

    def __init__(
        self,
        link: Link,
        process: str,
        *,
        rules: Callable[[], Resume],
        writer: Writer,
        copies: dict[str, Copy],
    ) -> None:
        self._link = link
        self._process = process
        self._rules = rules
        self._writer = writer
        self._copies = copies
        self._soon = asyncio.Event()
        self._missed: dict[str, float] = {}  # processes without a sign of life, since when

    def hasten(self) -> None:
        """A client has begun to read another process's stream: that process must know."""
        self._soon.set()

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            with suppress(Away):
                if self._link.since is None:
                    self._lose_patience()
                else:
                    await self._beat()
            hastened = await self._rest()
            if not hastened:
                for copy in self._copies.values():
                    copy.idle = 0 if copy.attended else copy.idle + 1
                self.sweep(_IDLE_BEATS)

    async def _rest(self) -> bool:
        self._soon.clear()
        try:
            async with asyncio.timeout(self._rules().lease_s * layout.RENEWED):
                await self._soon.wait()
        except TimeoutError:
            return False
        return True

    async def _beat(self) -> None:
        lease_s = self._rules().lease_s
        pipe = self._link.redis.pipeline(transaction=False)
        pipe.set(layout.alive(self._process), b"", px=int(lease_s * layout.LEASED * 1000))
        for stored in self._writer.renewals(_MOST_RENEWED):
            self._writer.lives(pipe, stored, self._writer.life_ms(whole=False))
        for copy in self._copies.values():
            if copy.attended:
                pipe.set(layout.keys_of(copy.id).read, b"", px=int(lease_s * 1000))
        going_on = [copy for copy in self._copies.values() if copy.log.end is None]
        processes = sorted({copy.process for copy in going_on})
        for process in processes:
            pipe.exists(layout.alive(process))
        async with self._link.within("write", _WITHIN_S):
            answers = await pipe.execute()
        since, now = self._link.since, monotonic()
        if since is None or now - since < lease_s:
            return  # whoever lives may not have been able to say so
        alive = dict(zip(processes, answers[len(answers) - len(processes) :], strict=True))
        missed = self._missed
        self._missed = {each: missed.get(each, now) for each in processes if not alive[each]}
        latest = now - _LOOKED_AGAIN * lease_s
        dead = {each for each, missed_at in self._missed.items() if missed_at <= latest}
        await self._bury([copy for copy in going_on if copy.process in dead])

    async def _bury(self, dead: list[Copy]) -> None:
        """Write the end of streams whose process is dead, so that everybody sees the same one. The
        process itself, if it lives after all, can write no more of them.
        """
        if not dead:
            return
        pipe = self._link.redis.pipeline(transaction=False)
        for copy in dead:
            keys = layout.keys_of(copy.id)
            pipe.execute_command("XADD", keys.log, *layout.entry(copy.log.next, [lost()]))
            for key in (keys.log, keys.about, keys.past):
                pipe.pexpire(key, self._writer.life_ms(whole=True))
        async with self._link.within("write", _WITHIN_S):
            # one that has an end already takes no other
            await pipe.execute(raise_on_error=False)

    def _lose_patience(self) -> None:
        away_s = monotonic() - self._link.away_since
        if away_s > _PATIENCE * self._rules().lease_s:
            for copy in self._copies.values():
                copy.lose(monotonic())

    def sweep(self, most_idle: int = 0) -> None:
        """Drop the copies that nobody has read for so many beats."""
        for stream, copy in list(self._copies.items()):
            if not copy.attended and copy.idle >= most_idle:
                del self._copies[stream]
                copy.log.forget()

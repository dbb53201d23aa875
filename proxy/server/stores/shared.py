"""A store that processes share: Redis or Valkey. See `layout` for what lies there."""

import asyncio
import secrets
from collections.abc import Callable
from contextlib import suppress

from pydantic import SecretStr

from proxy.errors import Failure, Refused, failure
from proxy.observe.metrics import Metrics
from proxy.relay.kept_log import KeptLog
from proxy.server.lasting import Lasting
from proxy.server.stores import layout
from proxy.server.stores.base import Generated
from proxy.server.stores.copy import Copy
from proxy.server.stores.link import Away, Link, MisplacedError
from proxy.server.stores.loading import load
from proxy.server.stores.pulse import Pulse
from proxy.server.stores.tail import Tail
from proxy.server.stores.writer import Writer
from proxy.settings.resume import Resume

_ASK_S = 0.5
_KNOWN_S = 0.5
# By which what is known of a stream may be written later than its client knows it: see `writer`.
_LATE_S = 0.06
_FINISH_S = 2.0
_FULL = (
    "Of other processes' streams as many are read here as may be (streams.resume.max_bytes); try "
    "again soon."
)
_AWAY = "Where streams are kept cannot be reached for now; try again soon."


class Shared:
    """See `Store`: of one process."""

    def __init__(self, store: SecretStr, rules: Callable[[], Resume], metrics: Metrics) -> None:
        self._process = secrets.token_hex(8)
        self._rules = rules
        self._metrics = metrics
        self._link = Link(store, metrics)
        self._writer = Writer(self._link, self._process, rules)
        self._tail = Tail(self._link, self._process, self._stop)
        self._pulse = Pulse(
            self._link,
            self._process,
            rules=rules,
            writer=self._writer,
            copies=self._tail.copies,
        )
        self._tasks: list[asyncio.Task[None]] = []
        self._bytes = 0  # that copies take

    async def start(self) -> None:
        await self._writer.begin()
        if self._link.since is not None:
            await self._link.advise()
        works = (self._writer.run(), self._tail.run(), self._pulse.run())
        self._tasks = [asyncio.create_task(work) for work in works]

    async def close(self) -> None:
        await self._writer.finish(_FINISH_S)
        for task in self._tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await self._link.close()

    def keep(self, run: Lasting, generated: Generated, request: bytes, key: bytes) -> None:
        self._writer.keep(run, generated, (request, key) if key else (request,))

    async def kept(self, run: Lasting) -> None:
        await self._writer.kept(run, _KNOWN_S)

    def forget(self, run: Lasting) -> None:
        self._writer.forget(run)

    async def drop(self, run: Lasting) -> None:
        copy = self._tail.copies.pop(run.id, None)
        if copy is None:  # it is forgotten already
            return
        copy.log.forget()
        try:
            async with self._link.within("ask", _ASK_S):
                await self._link.redis.delete(*layout.keys_of(copy.id))
            await self._tail.tell(copy.process, layout.Wish(copy.id), _ASK_S)
        except Away:
            raise Refused(failure("overloaded", _AWAY, retry_after_s=1)) from None

    async def find(self, stream: str, owner: str) -> Lasting | None:
        if not layout.is_stream(stream):
            return None
        copy = self._tail.copies.get(stream)
        if copy is not None and copy.owner != owner:
            return None
        away = self._link.since is None
        if copy is not None and (copy.log.end is None or copy.attended or away):
            return copy
        if copy is not None:  # whether it is kept still, only the store knows
            del self._tail.copies[stream]
            copy.log.forget()
        if away:
            raise Refused(failure("overloaded", _AWAY, retry_after_s=1))
        try:
            found = await self._load(stream, owner)
            if found is None:  # it may have begun a moment ago
                await asyncio.sleep(_LATE_S)
                found = await self._load(stream, owner)
        except Away:
            raise Refused(failure("overloaded", _AWAY, retry_after_s=1)) from None
        except ValueError:  # of another version
            return None
        else:
            return found

    async def named(self, dialect: str, owner: str, name: str) -> str | None:
        return await self._pointed_late(layout.chat(dialect, owner, name))

    async def asked(self, digest: bytes, *, just_now: bool = False) -> str | None:
        key = layout.asked(digest)
        return await (self._pointed_late(key) if just_now else self._pointed(key))

    async def read_elsewhere(self, run: Lasting) -> bool | None:
        if self._link.since is None:
            return None
        try:
            async with self._link.within("ask", _ASK_S):
                return bool(await self._link.redis.exists(layout.keys_of(run.id).read))
        except Away:
            return None

    async def _pointed_late(self, key: str) -> str | None:
        """The same of what may have begun a moment ago."""
        found = await self._pointed(key)
        if found is None and self._link.since is not None:
            await asyncio.sleep(_LATE_S)
            found = await self._pointed(key)
        return found

    async def _pointed(self, key: str) -> str | None:
        if self._link.since is None:
            return None
        try:
            async with self._link.within("ask", _ASK_S):
                found = await self._link.redis.get(key)
        except (Away, MisplacedError):
            return None
        return found.decode("ascii", "replace") if isinstance(found, bytes) else None

    async def _load(self, stream: str, owner: str) -> Copy | None:
        """All that the stream has said so far; the rest comes by the tail. Raises Away, and
        ValueError for what another version wrote.
        """
        async with self._link.within("ask", _ASK_S):
            said = await self._link.redis.get(layout.keys_of(stream).about)
        known = None if said is None else layout.read_about(said)
        if known is None or known.owner != layout.owned_by(owner):
            return None
        if known.process == self._process:  # it was forgotten here a moment ago
            return None
        self._make_room()
        log = KeptLog(self._rules().max_bytes_per_stream, self._weigh)
        copy = Copy(
            layout.origin_of(stream, owner, known),
            log,
            head=layout.head_of(known),
            process=known.process,
            request=bytes.fromhex(known.request),
            attended=self._pulse.hasten,
            ask=self._ask_to_stop,
        )
        try:
            await load(self._link, copy)
        except BaseException:
            log.forget()
            raise
        other = self._tail.copies.setdefault(stream, copy)
        if other is not copy:  # it was loaded twice at the same time
            log.forget()
        elif log.end is None:
            await self._tail.tell(self._process, layout.Wish(), _ASK_S)
        return other if other.owner == owner else None

    def _make_room(self) -> None:
        """Raises Refused where the copies that are read take all that they may."""
        if self._bytes > self._rules().max_bytes:
            self._pulse.sweep()
        if self._bytes > self._rules().max_bytes:
            raise Refused(failure("overloaded", _FULL, retry_after_s=1))

    def _weigh(self, more_bytes: int) -> None:
        self._bytes += more_bytes
        self._metrics.kept(more_bytes)

    async def _ask_to_stop(self, copy: Copy, why: Failure) -> None:
        """Raises Refused."""
        try:
            await self._tail.tell(copy.process, layout.Wish(copy.id, why), _ASK_S)
        except Away:
            raise Refused(failure("overloaded", _AWAY, retry_after_s=1)) from None

    def _stop(self, stream: str, why: Failure | None) -> None:
        stored = self._writer.streams.get(stream)
        if stored is not None and why is not None:
            stored.generated.stop(why)
        elif stored is not None:
            stored.generated.drop()

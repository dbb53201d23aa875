"""What one process reads: the rest of other processes' streams that its clients read, and what
other processes want of it. One blocked question at a time asks for all of it.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from time import monotonic
from typing import Any

import structlog

from proxy.errors import Failure
from proxy.server.redis_answers import ODD
from proxy.server.stores import layout
from proxy.server.stores.copy import Copy
from proxy.server.stores.link import Away, Link, MisplacedError
from proxy.server.stores.loading import load

_BLOCK_S = 1.0
_WITHIN_S = 3.0  # beyond the block
_AGAIN_S = 0.5
_GATHER_S = 0.02  # in which what many streams have more of comes together
_MOST_ENTRIES = 50  # of each stream at a time
_INBOX_S = 60
_MOST_WISHES = 1000
_RIGHT = (b"stream", b"none")  # what may stand where one is read

Entries = Sequence[tuple[str, dict[bytes, bytes]]]


class Tail:
    """One process's. `copies` are other processes' streams, by their ids."""

    def __init__(
        self, link: Link, process: str, stop: Callable[[str, Failure | None], None]
    ) -> None:
        """`stop` ends a stream of this process, or, without a reason, drops it."""
        self.copies: dict[str, Copy] = {}
        self._link = link
        self._process = process
        self._stop = stop
        self._inbox = layout.inbox(process)
        self._seen = "0-0"  # of the inbox
        self._log = structlog.get_logger("mainstem")

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            try:
                await self._read()
            except Away:
                await asyncio.sleep(_AGAIN_S)
            else:
                await asyncio.sleep(_GATHER_S)

    async def tell(self, process: str, wish: layout.Wish, seconds: float) -> None:
        """Another process, or this one, to make it look up. Raises Away, also where something else
        stands in place of its inbox, which it takes away itself.
        """
        key, pipe = layout.inbox(process), self._link.redis.pipeline(transaction=False)
        pipe.xadd(key, layout.wish_of(wish), maxlen=_MOST_WISHES, approximate=True)
        pipe.expire(key, _INBOX_S)
        try:
            async with self._link.within("ask", seconds):
                await pipe.execute()
        except MisplacedError:
            raise Away from None

    async def _read(self) -> None:
        """What there is more of, now or soon. Raises Away."""
        asked = {self._inbox: self._seen}
        of_key: dict[bytes, Copy] = {}
        for copy in self.copies.values():
            if copy.log.end is None:
                log = layout.keys_of(copy.id).log
                asked[log], of_key[log.encode()] = f"{copy.log.next}-0", copy
        try:
            async with self._link.within("read", _BLOCK_S + _WITHIN_S):
                answers: Any = await self._link.redis.xread(
                    asked,  # type: ignore[arg-type]  # it is invariant
                    count=_MOST_ENTRIES,
                    block=int(_BLOCK_S * 1000),
                )
                gained: dict[bytes, Entries] = {
                    key: [(number.decode(), fields) for number, fields in entries]
                    for key, entries in answers or ()
                }
        except MisplacedError:
            await self._sort_out(of_key)
            return
        for key, entries in gained.items():
            if key in of_key:
                await self._gain(of_key[key], entries)
            else:
                self._heed(entries)

    async def _sort_out(self, of_key: dict[bytes, Copy]) -> None:
        """What stands in one key's place spoils the question for all: its stream is lost, an inbox
        begins anew. Raises Away.
        """
        pipe = self._link.redis.pipeline(transaction=False)
        pipe.type(self._inbox)
        for key in of_key:
            pipe.type(key)
        async with self._link.within("ask", _WITHIN_S):
            of_inbox, *kinds = await pipe.execute()
            if of_inbox not in _RIGHT:
                await self._link.redis.unlink(self._inbox)
        for copy, kind in zip(of_key.values(), kinds, strict=True):
            if kind not in _RIGHT:
                self._cannot_be_read()
                copy.lose(monotonic())

    async def _gain(self, copy: Copy, entries: Entries) -> None:
        """What cannot be read, or has events in an order in which no stream has them, costs this
        stream and no other one that is read here. Raises Away.
        """
        try:
            for _, fields in entries:
                if not copy.gain(layout.read_entry(fields), monotonic()):
                    await load(self._link, copy)
                    return
        except Away:
            raise
        except Exception:  # noqa: BLE001  whatever stands there, the others go on
            self._cannot_be_read()
            with suppress(Exception):  # what reads it may be broken by what it was given
                copy.lose(monotonic())

    def _heed(self, entries: Entries) -> None:
        for number, fields in entries:
            self._seen = number
            try:
                wish = layout.read_wish(fields)
            except ODD:
                self._cannot_be_read()
            else:
                if wish.stream:
                    self._stop(wish.stream, wish.why)

    def _cannot_be_read(self) -> None:
        """It is of another version, or damaged."""
        self._log.warning("the store of streams holds what cannot be read")

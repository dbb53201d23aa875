"""One client's bytes: from its reader to its connection. Between a log, which calls it with events,
and the task that serves the request, which sleeps until something rare happens: a client that is
slow, the end.
"""

import asyncio
import math
from time import monotonic

from proxy.codec.base import Encoder
from proxy.errors import failure
from proxy.events import Event
from proxy.observe.record import StreamRecord
from proxy.relay.generation import Generation
from proxy.relay.log import Log
from proxy.relay.reader import Reader, waits_until
from proxy.relay.sink import Sink, emptied
from proxy.settings.limits import Limits
from proxy.settings.sections import Streams


class Delivery:
    """What a client gets of one log. Life: `opening` -> `relay`, once for each generation that
    writes into the log -> `left`, if the client leaves before that is over.
    """

    __slots__ = ("_log", "_most_unsent_bytes", "_reader", "_record", "_sink", "_streams", "_wake")

    def __init__(
        self, log: Log, encoder: Encoder, record: StreamRecord, streams: Streams, limits: Limits
    ) -> None:
        self._log = log
        self._record = record
        self._streams = streams
        self._most_unsent_bytes = limits.write_buffer_bytes
        self._reader = Reader(
            encoder,
            monotonic(),
            heartbeat_s=streams.heartbeat_s,
            most_unsent_bytes=limits.write_buffer_bytes,
            most_gathered_bytes=limits.max_answer_bytes,
        )
        self._sink: Sink | None = None
        self._wake: asyncio.Future[None] | None = None

    def opening(self) -> bytes:
        """The first bytes, which the caller sends after the head of the response. What comes until
        `relay` follows is held.
        """
        log, reader = self._log, self._reader
        events, size = log.unread()
        out = reader.take(events, size)
        log.full, log.refusal = reader.refusal is not None, reader.refusal
        return out

    async def relay(self, generation: Generation, sink: Sink | None) -> None:
        """Pass on all that this generation writes. Returns when its last frame has been handed to
        the sink. `sink` None: the encoder keeps everything.

        Raises ConnectionError when the client has left, or was cut because it takes nothing; `left`
        must follow.
        """
        if self._sink is None:
            self._sink = sink
            self._log.follow(self, monotonic())
        generation.heed()
        while not self._log.over:
            if self._reader.full:
                await self._drain(generation)
            else:
                self._wake = asyncio.get_running_loop().create_future()
                await self._wake
        if self._sink is not None:
            await emptied(self._sink, self._most_unsent_bytes, lambda: self._drain(generation))
        if self._log.end is not None:
            self._log.leave()

    def left(self, generation: Generation, *, gave_up: bool = False) -> bool:
        """The client reads no more. True: the generation goes on alone, by on_disconnect; False: it
        is closed.
        """
        now = monotonic()
        until = now if gave_up else waits_until(self._streams, now)
        self._log.leave(until)
        if self._log.over or until <= now:
            said = "The client left before the answer was complete."
            generation.abandon(failure("client_gone", said))
            generation.close()
            return False
        generation.heed()
        return True

    def beat(self) -> None:
        """A heartbeat, while another target is looked for."""
        self._beat(monotonic())

    # What the log calls, within the event loop's read callback.

    def take(self, events: list[Event], now: float, size: int) -> None:
        """See `Follower`."""
        reader, sink = self._reader, self._sink
        out = reader.take(events, size)
        if out and sink is not None:
            sink.write(out)
            reader.wrote(now, sink.unsent())
            self._record.relayed(len(out), monotonic() - now)
        if reader.full or reader.refusal is not None:
            self._log.full, self._log.refusal = True, reader.refusal
            self._rouse()

    def stop(self) -> None:
        """See `Follower`."""
        self._rouse()

    def due(self) -> float:
        """See `Follower`."""
        return math.inf if self._sink is None else self._reader.due()

    def tick(self, now: float) -> None:
        """See `Follower`."""
        if now >= self.due():
            self._beat(now)

    def _beat(self, now: float) -> None:
        if self._sink is not None and (sign := self._reader.beat(now)):
            self._sink.write(sign)
            self._record.heartbeats += 1

    def unsent(self) -> int:
        """See `Follower`."""
        return 0 if self._sink is None else self._sink.unsent()

    async def _drain(self, generation: Generation) -> None:
        assert self._sink is not None
        await self._sink.drained()
        self._reader.drained()
        self._log.full = False
        generation.heed()

    def _rouse(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

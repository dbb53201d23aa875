"""Whatever a source, its successors, readers, their lines and time do to a kept stream, in whatever
order: each reader has an ordered run of it without a gap, and exactly one end.

A client is what its bytes make of it, also where some of them were lost with its line: it knows the
ids of the frames that came whole, and comes back behind the last one.
"""

import asyncio
import contextlib
import json
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from proxy.codec.base import Parsed
from proxy.dialects.registry import CLIENTS
from proxy.errors import failure
from proxy.events import (
    BlockEnd,
    BlockStart,
    Event,
    Finish,
    StreamEnd,
    StreamError,
    TextDelta,
    Vendor,
)
from proxy.observe.record import StreamRecord
from proxy.relay.kept_log import KeptLog
from proxy.relay.log import Writes
from proxy.relay.said import Said
from proxy.relay.splice import spliced
from proxy.relay.watching import Watching
from proxy.request import ChatRequest
from proxy.settings.limits import Limits
from proxy.settings.sections import Streams
from tests.properties import examples
from tests.relay.parts import START, Taking

ASKED = Parsed(ChatRequest(model="m", messages=[]))
LIMITS = Limits(write_buffer_bytes=200)
MOST_WORDS = 60  # before it may end by itself
TURNS = 8  # of the loop, so that everything that can happen has
BROKE_OFF = failure("upstream_truncated", "It broke off.")
ON = Vendor("native", {"continued": True})


class Line:
    """A client's connection. One that stands still takes nothing until it goes on."""

    def __init__(self) -> None:
        self.sent = bytearray()
        self.still = False
        self._goes_on: asyncio.Future[None] | None = None

    def write(self, data: bytes) -> None:
        self.sent += data

    def unsent(self) -> int:
        return len(self.sent) if self.still else 0

    async def drained(self) -> None:
        if self.still:
            self._goes_on = asyncio.get_running_loop().create_future()
            await self._goes_on

    def go_on(self) -> None:
        self.still = False
        if self._goes_on is not None and not self._goes_on.done():
            self._goes_on.set_result(None)


class Client:
    """What came, over all its connections. `had` is what it makes of the frames: the text of each
    block; a `stream.start` begins anew."""

    def __init__(self) -> None:
        self.frames: list[tuple[int, dict[str, Any]]] = []
        self.line: Line | None = None
        self.reading: asyncio.Task[None] | None = None

    @property
    def next(self) -> int:
        """The number of the event behind the last that it has."""
        return self.frames[-1][0] + 1 if self.frames else 0

    @property
    def ends(self) -> list[dict[str, Any]]:
        return [said for _, said in self.frames if said["type"] in ("stream.end", "stream.error")]

    def hang_up(self, lost_bytes: int) -> None:
        """Its line is over; the last bytes on it never came."""
        assert self.line is not None
        if self.reading is not None:
            self.reading.cancel()
        sent = bytes(self.line.sent)
        for frame in sent[: max(0, len(sent) - lost_bytes)].split(b"\n\n")[:-1]:
            data, id_ = frame.split(b"\n")
            number = int(id_.rpartition(b":")[2])
            self.frames.append((number, json.loads(data.removeprefix(b"data: "))))
        self.line = self.reading = None


def texts(events: list[dict[str, Any]]) -> dict[int, str]:
    """What a client makes of events: the text of each block."""
    found: dict[int, str] = {}
    for event in events:
        if event["type"] == "stream.start":
            found = {}
        elif event["type"] == "block.start":
            found[event["block"]] = ""
        elif event["type"] == "text.delta":
            found[event["block"]] += event["text"]
    return found


class KeptStream(RuleBasedStateMachine):
    """One stream with up to four clients."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.clients: list[Client] = []
        self.forgotten = False
        self.words = 0
        self.block: int | None = None  # of the source that speaks, open
        self.begun = 0  # blocks of that source

    @initialize(most_bytes=st.sampled_from([3000, 9000, 1_000_000]), goes_on=st.booleans())
    def begin(self, most_bytes: int, goes_on: bool) -> None:
        self.goes_on = goes_on
        self.log = KeptLog(most_bytes, lambda more_bytes: None)
        self.writes: Writes = self.log
        self.truth = Taking()
        self.log.follow(self.truth, 0.0)
        self.log.begin(START, Said(10_000) if goes_on else None)

    # The source.

    @precondition(lambda self: not self.log.over)
    @rule(count=st.integers(1, 30))
    def say(self, count: int) -> None:
        events: list[Event] = []
        if self.block is None:
            self.block, self.begun = self.begun, self.begun + 1
            events.append(BlockStart(self.block, "text"))
        for _ in range(count):
            events.append(TextDelta(self.block, f"w{self.words} "))
            self.words += 1
        self._write(events)

    @precondition(lambda self: not self.log.over and self.block is not None)
    @rule()
    def end_block(self) -> None:
        assert self.block is not None
        self._write([BlockEnd(self.block)])
        self.block = None

    @precondition(lambda self: not self.log.over and self.words > MOST_WORDS)
    @rule(clean=st.booleans())
    def end(self, clean: bool) -> None:
        events: list[Event] = [] if self.block is None else [BlockEnd(self.block)]
        why = failure("cancelled", "Somebody cancelled it.")
        self._write([*events, StreamEnd(Finish("stop")) if clean else StreamError(why)])

    @precondition(lambda self: not self.log.over and self.goes_on and self.words)
    @rule()
    def break_off(self) -> None:
        """Another source may go on."""
        self._write([StreamError(BROKE_OFF)])

    @precondition(lambda self: self.log.interrupted is not None)
    @rule()
    def splice(self) -> None:
        self.writes = spliced(self.log, ON, 0.0)
        self.block, self.begun = None, 0
        self._turn()

    @precondition(lambda self: self.log.interrupted is not None)
    @rule()
    def surrender(self) -> None:
        self.log.surrender(0.0)
        self._turn()

    # The readers.

    @precondition(lambda self: len(self.clients) < 4 and not self.forgotten)
    @rule()
    def come(self) -> None:
        self.clients.append(Client())
        self._connect(self.clients[-1])

    @precondition(lambda self: self._with_line())
    @rule(data=st.data(), lost_bytes=st.integers(0, 400))
    def cut(self, data: st.DataObject, lost_bytes: int) -> None:
        data.draw(st.sampled_from(self._with_line())).hang_up(lost_bytes)
        self._turn()

    @precondition(lambda self: self._without_line() and not self.forgotten)
    @rule(data=st.data())
    def come_back(self, data: st.DataObject) -> None:
        self._connect(data.draw(st.sampled_from(self._without_line())))

    @precondition(lambda self: self._with_line())
    @rule(data=st.data())
    def stand_still(self, data: st.DataObject) -> None:
        line = data.draw(st.sampled_from(self._with_line())).line
        assert line is not None
        line.still = True

    @precondition(lambda self: self._with_line())
    @rule(data=st.data())
    def go_on(self, data: st.DataObject) -> None:
        line = data.draw(st.sampled_from(self._with_line())).line
        assert line is not None
        line.go_on()
        self._turn()

    # Time.

    @rule()
    def pass_by(self) -> None:
        self._turn()

    @precondition(lambda self: self.log.end is not None and not self.forgotten)
    @rule()
    def forget(self) -> None:
        """Its time is over: whoever reads it reads on, and nobody comes any more."""
        self.forgotten = True
        self.log.forget()

    @invariant()
    def no_client_has_a_gap_or_two_ends(self) -> None:
        for client in self.clients:
            assert len(client.ends) <= 1
            self._check(client)

    def teardown(self) -> None:
        """Every client that may comes back until it has the end, and then has all of it."""
        if not hasattr(self, "log"):
            self.loop.close()
            return
        if self.log.interrupted is not None:
            self.surrender()
        if not self.log.over:
            self.end(True)
        for client in self.clients:
            if client.line is not None:
                client.line.go_on()
                self._turn()
                client.hang_up(0)
            for _ in range(0 if self.forgotten else 3):
                if not client.ends:
                    self._connect(client)
                    self._turn()
                    client.hang_up(0)
            assert self.forgotten or 1 == len(client.ends)
            if client.ends:
                self._check_whole(client)
        self._turn()
        self.loop.close()

    def _write(self, events: list[Event]) -> None:
        self.writes.write(events, 0.0, 40 * len(events))
        self._turn()

    def _turn(self) -> None:
        async def turn() -> None:
            for _ in range(TURNS):
                await asyncio.sleep(0)

        self.loop.run_until_complete(turn())

    def _with_line(self) -> list[Client]:
        return [client for client in self.clients if client.line is not None]

    def _without_line(self) -> list[Client]:
        return [each for each in self.clients if each.line is None and not each.ends]

    def _connect(self, client: Client) -> None:
        """As the server does for a client with the id of the last frame that it has."""
        encoder = CLIENTS["native"].encoder(ASKED)
        number = min(client.next, self.log.next)
        record, streams = StreamRecord("r", "native", 0.0), Streams(heartbeat_s=3600)
        line = client.line = Line()

        async def read() -> None:
            watching = Watching(
                self.log, encoder, record=record, streams=streams, limits=LIMITS, number=number
            )
            line.write(watching.opening(START.stream))
            # one that is too slow for what is kept is cut off, and comes back
            with contextlib.suppress(ConnectionError):
                await watching.relay(line)

        client.reading = self.loop.create_task(read())
        self._turn()

    def _check(self, client: Client) -> None:
        """Frames that follow one another are the stream's, event for event; between, it was told
        all that came before (`stream.start`), or that this is more than is kept."""
        truth = [event_of(event) for event in self.truth.taken]
        last = -1
        for at, (number, said) in enumerate(client.frames):
            begins = said["type"] == "stream.start"
            if number == last + 1 and not begins and number < len(truth) and said == truth[number]:
                last = number
                continue
            assert begins or number <= last + 1 or self._within_summary(client, at)
            last = number

    def _within_summary(self, client: Client, at: int) -> bool:
        """Whether a frame that jumps ahead is the last one of a summary, or says that there is no
        such: then no more follow of that stream."""
        said = [event for _, event in client.frames[: at + 1]]
        if said[-1]["type"] == "stream.error":
            return bool(said[-1]["error"]["kind"] == "too_large")
        number = client.frames[at][0]
        whole = [event_of(event) for event in self.truth.taken[: number + 1]]
        return texts(said) == texts(whole)

    def _check_whole(self, client: Client) -> None:
        end = client.ends[0]
        if end["type"] == "stream.error" and end["error"]["kind"] == "too_large":
            assert self.log.folded() is None
            return
        truth = [event_of(event) for event in self.truth.taken]
        assert truth[-1] == end == client.frames[-1][1]
        assert texts(truth) == texts([said for _, said in client.frames])


def event_of(event: Event) -> dict[str, Any]:
    """As a client of native frames reads it."""
    frame = CLIENTS["native"].encoder(ASKED).encode(event)
    found: dict[str, Any] = json.loads(frame.split(b"\n")[0].removeprefix(b"data: "))
    return found


TestKeptStream = KeptStream.TestCase
TestKeptStream.settings = settings(examples(200), stateful_step_count=40)

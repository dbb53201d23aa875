"""`make micro`: what one chunk costs in this process, for each pair of the commonest dialects.

The chunks are those that the bench's vendors send, one for each piece of text; each goes through
what the relay does with it: decoding, the record, encoding. Twice it is measured without a network:
in µs, where the pairs take turns and of each the fastest turn counts, as what disturbs a turn only
makes it slower; and in opcodes, which no other program disturbs. Then come some pairs from socket
to socket, in opcodes (see `through`). With `--instructions`, Valgrind counts what the processor
does for one chunk, C included.

Ends with 1 if a pair costs more opcodes than `bounds` allows.
"""

import argparse
import sys
import time
from collections.abc import Callable

from proxy.codec.base import Incoming, Parsed
from proxy.dialects.registry import CLIENTS, UPSTREAMS
from proxy.events import Event, StreamStart, TextDelta
from proxy.observe.record import StreamRecord
from proxy.relay.log import Log
from proxy.relay.reader import Reader
from proxy.relay.source import Source
from proxy.settings.sections import Timeouts
from tests.bench import bounds, through
from tests.bench.asking import ASKING
from tests.bench.instructions import per_chunk
from tests.bench.matrix import REFERENCE, Pair, pairs, render
from tests.bench.opcodes import Opcodes
from tests.bench.wire import VENDORS

MAX_EVENT_BYTES = 1 << 20
START = StreamStart(
    stream="str_micro", model="micro", upstream="micro", upstream_model="micro", created=1700000000
)


def parsed_by(client: str) -> Parsed:
    """The bench's request, as this dialect's client half reads it."""
    return CLIENTS[client].parse_request(
        Incoming("POST", {"model": "micro"}, {"alt": "sse"}, {}, ASKING[client].body("micro"))
    )


class Taking:
    """A client that takes everything at once, as a log's follower."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.taken = 0

    def take(self, events: list[Event], _: float, size: int) -> None:
        self.taken += len(self._reader.take(events, size))


class Turns:
    """One pair, being measured."""

    def __init__(
        self,
        pair: Pair,
        pieces: int,
        *,
        record: type[StreamRecord] = StreamRecord,
        taking: Callable[[Reader, StreamRecord], Taking] = lambda reader, _: Taking(reader),
    ) -> None:
        self._record = record
        self._taking = taking
        self._pair = pair
        self._pieces = pieces
        self._vendor = VENDORS[pair.upstream]
        self._parsed = parsed_by(pair.client)
        self.best_s = float("inf")

    @property
    def cost_us(self) -> float:
        """Of one chunk."""
        return self.best_s / self._pieces * 1e6

    def begun(self) -> tuple[Source, StreamRecord]:
        """A stream whose client has its first bytes."""
        record, log = self._record("req_micro", self._pair.client, 0.0), Log(MAX_EVENT_BYTES)
        source = Source(
            UPSTREAMS[self._pair.upstream].decoder(MAX_EVENT_BYTES, {}),
            record,
            log,
            upstream="micro",
            timeouts=Timeouts(),
            most_silent_bytes=MAX_EVENT_BYTES,
            started=0.0,
        )
        source.chunk(self._vendor.start, 0.0)
        log.begin(START)
        reader = Reader(
            CLIENTS[self._pair.client].encoder(self._parsed),
            0.0,
            heartbeat_s=15.0,
            most_unsent_bytes=MAX_EVENT_BYTES,
            most_gathered_bytes=1 << 30,
        )
        log.follow(self._taking(reader, record), 0.0)
        source.chunk(self._vendor.content, 0.0)
        return source, record

    def turn(self) -> None:
        """Times one answer's content."""
        source, record = self.begun()
        began = time.process_time()
        self.run(source, record)
        self.best_s = min(self.best_s, time.process_time() - began)

    def run(self, source: Source, record: StreamRecord) -> None:
        """One answer's content."""
        content, chunk, before = self._vendor.content, source.chunk, record.events[TextDelta]
        for _ in range(self._pieces):
            chunk(content, 0.0)
        assert record.events[TextDelta] == before + self._pieces, (
            f"{self._pair}: chunks were lost, so their time means nothing"
        )


def measured(pieces: int, rounds: int) -> dict[Pair, float]:
    """µs per chunk, for every pair."""
    turns = {pair: Turns(pair, pieces) for pair in pairs(VENDORS, ASKING)}
    for _ in range(rounds):
        for one in turns.values():
            one.turn()
    return {pair: one.cost_us for pair, one in turns.items()}


def opcodes(pair: Pair) -> int:
    """Per chunk, of those that are no answer's first."""
    turns, totals = Turns(pair, 1), []
    source, _ = turns.begun()
    chunk, content = source.chunk, VENDORS[pair.upstream].content
    for pieces in (1, 1, 2):  # the first for nothing: see Opcodes
        counter = Opcodes()
        with counter.counting():
            for _ in range(pieces):
                chunk(content, 0.0)
        totals.append(counter.total)
    return totals[2] - totals[1]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.micro", description=__doc__)
    parser.add_argument(
        "--pieces", type=int, default=1000, help="pieces of text in an answer (1000)"
    )
    parser.add_argument(
        "--rounds",
        type=int,
        default=40,
        help="turns of each pair, of which the fastest counts (40)",
    )
    parser.add_argument(
        "--instructions", action="store_true", help="of the reference pair, by Valgrind (a minute)"
    )
    options = parser.parse_args()
    if options.instructions:
        print(f"{REFERENCE}: {per_chunk(REFERENCE)} instructions per chunk in the relay's step")
        return 0
    costs = measured(options.pieces, options.rounds)
    print(render("CPU per chunk in the relay's step alone", costs, costs[REFERENCE]))
    counted = {pair: opcodes(pair) for pair in costs}
    print(render("Per chunk there", counted, counted[REFERENCE], "opcodes"))
    whole = {pair: through.cost(pair) for pair in bounds.WHOLE}
    for pair, cost in whole.items():
        print(
            f"{pair}, from socket to socket: {cost.chunk:.0f} opcodes per chunk, "
            f"{cost.request} per request of {through.SHORT} chunks"
        )
    beyond = [*bounds.beyond(counted, whole)]
    print(*beyond, sep="\n")
    return 1 if beyond else 0


if __name__ == "__main__":
    sys.exit(main())

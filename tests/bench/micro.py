"""`make micro`: what one chunk costs in this process, for each pair of the commonest dialects. No
network, no proxy.

The chunks are those that the bench's vendors send, one for each piece of text; each goes through
what the relay does with it: decoding, the record, encoding. The pairs take turns, and of each the
fastest turn counts: what disturbs a turn only makes it slower. Ends with 1 if a pair costs too
much.
"""

import argparse
import sys
import time

from proxy.codec.base import Incoming, Parsed
from proxy.dialects.registry import CLIENTS, UPSTREAMS
from proxy.events import StreamStart, TextDelta
from proxy.observe.record import StreamRecord
from proxy.relay.step import Translation
from tests.bench.asking import ASKING
from tests.bench.matrix import REFERENCE, Pair, over, pairs, render
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


class Turns:
    """One pair, being measured."""

    def __init__(self, pair: Pair, pieces: int) -> None:
        self._pair = pair
        self._pieces = pieces
        self._vendor = VENDORS[pair.upstream]
        self._parsed = parsed_by(pair.client)
        self.best_s = float("inf")

    @property
    def cost_us(self) -> float:
        """Of one chunk."""
        return self.best_s / self._pieces * 1e6

    def begun(self) -> tuple[Translation, StreamRecord]:
        """A stream whose client has its first bytes."""
        record = StreamRecord("req_micro", self._pair.client, 0.0)
        decoder = UPSTREAMS[self._pair.upstream].decoder(MAX_EVENT_BYTES, {})
        translation = Translation(decoder, record, "micro", MAX_EVENT_BYTES)
        translation.chunk(self._vendor.start, 0.0)
        translation.commit(CLIENTS[self._pair.client].encoder(self._parsed), START, 0.0, 1 << 30)
        translation.chunk(self._vendor.content, 0.0)
        return translation, record

    def turn(self) -> None:
        """Times one answer's content."""
        translation, record = self.begun()
        content, chunk, before = self._vendor.content, translation.chunk, record.events[TextDelta]
        began = time.process_time()
        for _ in range(self._pieces):
            chunk(content, 0.0)
        self.best_s = min(self.best_s, time.process_time() - began)
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
    options = parser.parse_args()
    costs = measured(options.pieces, options.rounds)
    print(render("CPU per chunk in the relay's step alone", costs, costs[REFERENCE]))
    return 1 if over(costs, costs[REFERENCE]) else 0


if __name__ == "__main__":
    sys.exit(main())

"""`make micro`: what decoding and encoding one chunk costs, in this process, for each pair of dialects. No network, no proxy.

Each vendor's chunks are written by that dialect's own client half, one for each piece of text, and read by its upstream half. The table
has a row for each upstream dialect, a column for each client dialect, and in it microseconds per chunk; the best of several rounds.
"""

import argparse
import time
from collections.abc import Callable, Sequence

from proxy.dialects.base import ClientHalf, Encoder, Incoming, Parsed, Target, UpstreamHalf
from proxy.dialects.registry import CLIENTS, UPSTREAMS
from proxy.events import BlockEnd, BlockStart, Event, Finish, StreamEnd, StreamStart, TextDelta
from proxy.request import ChatRequest, Message

MAX_EVENT_BYTES = 1 << 20
START = StreamStart(stream="str_micro", model="micro", upstream="micro", upstream_model="micro", created=1700000000)


def answer(pieces: int) -> list[Event]:
    """An answer of as many pieces of text, as a model sends them."""
    deltas = [TextDelta(0, " stream" if at % 3 else "ing, ") for at in range(pieces)]
    return [BlockStart(0, "text"), *deltas, BlockEnd(0), StreamEnd(Finish("stop"))]


def parsed_by(name: str) -> Parsed:
    """A small request as this dialect's client half reads it: in the words of its own upstream half, where it has one."""
    client, upstream = CLIENTS[name], UPSTREAMS.get(name)
    request = ChatRequest(model="micro", messages=[Message("user", "Say what streams are.")], max_tokens=100)
    if upstream is None:
        return Parsed(request)
    outgoing = upstream.build_request(request, Target("micro", "micro"))
    headers = {key.lower(): value for key, value in outgoing.headers.items()}
    return client.parse_request(Incoming("POST", {}, {}, headers, outgoing.body))


def encoder_of(client: ClientHalf, parsed: Parsed) -> Encoder:
    """A fresh encoder that has begun its stream."""
    encoder = client.encoder(parsed)
    encoder.encode(START)
    return encoder


def chunks_of(name: str, pieces: int) -> list[bytes]:
    """What a vendor of this dialect sends: one chunk for each event that has bytes."""
    encoder = CLIENTS[name].encoder(parsed_by(name))
    return [chunk for event in (START, *answer(pieces)) if (chunk := encoder.encode(event))]


def best(work: Callable[[], None], rounds: int) -> float:
    """Seconds of the fastest round: what disturbs a round only makes it slower."""
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times)


def decode(upstream: UpstreamHalf, chunks: Sequence[bytes]) -> list[list[Event]]:
    decoder = upstream.decoder(MAX_EVENT_BYTES, {})
    return [decoder.feed(chunk) for chunk in chunks]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.micro", description=__doc__)
    parser.add_argument("--pieces", type=int, default=200, help="pieces of text in an answer (200)")
    parser.add_argument("--rounds", type=int, default=30, help="rounds, of which the best counts (30)")
    parser.add_argument("--only", choices=sorted(CLIENTS), help="one upstream dialect")
    options = parser.parse_args()
    names = [name for name in UPSTREAMS if name in CLIENTS and options.only in (None, name)]

    clients = {name: (client, parsed_by(name)) for name, client in CLIENTS.items()}
    wide = max(map(len, (*names, "upstream")))
    print("µs per chunk; `decode` alone, then decoding and encoding for each client dialect")
    print("  ".join(["upstream".ljust(wide), "decode".rjust(7), *(name.rjust(max(7, len(name))) for name in clients)]))
    for name in names:
        upstream, chunks = UPSTREAMS[name], chunks_of(name, options.pieces)
        texts = sum(isinstance(event, TextDelta) for events in decode(upstream, chunks) for event in events)
        assert texts == options.pieces, f"{name}: {texts} of {options.pieces} pieces arrived, so its time would mean nothing"
        alone = best(lambda upstream=upstream, chunks=chunks: decode(upstream, chunks), options.rounds) / options.pieces * 1e6
        cells = [name.ljust(wide), f"{alone:7.2f}"]
        for client_name, (client, parsed) in clients.items():

            def relay(upstream=upstream, chunks=chunks, client=client, parsed=parsed) -> None:
                encoder = encoder_of(client, parsed)
                for events in decode(upstream, chunks):
                    for event in events:
                        encoder.encode(event)

            cells.append(f"{best(relay, options.rounds) / options.pieces * 1e6:.2f}".rjust(max(7, len(client_name))))
        print("  ".join(cells))


if __name__ == "__main__":
    main()

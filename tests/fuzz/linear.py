"""What an input of a kind costs a decoder, and what one four times as long: `python -m
tests.fuzz.linear [--dialect NAME]` prints CPU seconds.

Tests count the work (`work.py`); CPU time also shows what C code does without allocating, but
depends on the machine, so it is for a reader to judge: anything well above 4 is not linear.
"""

import argparse
import copy
import gc
import json
import sys
from collections.abc import Callable, Iterator
from time import process_time
from typing import Any, NamedTuple

import msgspec

from proxy.codec.base import Decoder
from proxy.dialects.registry import UPSTREAMS
from proxy.framing import aws
from tests.dialects.sample import Endless
from tests.fuzz.endless import COMMON
from tests.fuzz.mutate import at, spots
from tests.fuzz.pieces import Carried
from tests.fuzz.work import work
from tests.samples import ENDLESS

TIMES = 4  # as long
_MOST = 1 << 22


class Script(NamedTuple):
    """What a decoder is fed: `before` costs nothing yet."""

    before: list[bytes]
    chunks: list[bytes]

    @property
    def size(self) -> int:
        return sum(map(len, self.chunks))


Kind = Callable[[int], Script]  # of this many bytes, about
Kinds = Iterator[tuple[str, Kind]]


def prepared(name: str, script: Script) -> Callable[[], Any]:
    """A decoder that has read what comes before; calling it feeds the rest."""
    aws._remembered.cache_clear()
    decoder: Decoder = UPSTREAMS[name].decoder(_MOST, {})
    for chunk in script.before:
        decoder.feed(chunk)

    def rest() -> None:
        for chunk in script.chunks:
            decoder.feed(chunk)
        decoder.close()

    return rest


def grown(name: str, kind: Kind, size: int) -> tuple[float, float]:
    """How many times the calls, and the bytes copied, of an input that is `TIMES` as long. Near
    `TIMES`, or below, where the work is linear."""
    few, many = kind(size), kind(size * TIMES)
    prepared(name, few)()  # what is made at the first time only
    one, other = work(prepared(name, few)), work(prepared(name, many))
    scale = TIMES * few.size / many.size  # pieces do not add up to just what was asked for
    calls = other.calls / one.calls
    # to copy the input twice is no work to speak of
    copied = (other.copied + 2 * many.size) / (one.copied + 2 * few.size)
    return calls * scale, copied * scale


def endless(name: str) -> Kinds:
    """Pieces that never end, read one by one: those that this dialect alone may get."""
    for label, make in ENDLESS[name].items():
        yield label, lambda size, make=make: Script([], _pieces(make, size))


def common() -> Kinds:
    """Those that any dialect may get."""
    for label, make in COMMON.items():
        yield label, lambda size, make=make: Script([], _pieces(make, size))


def whole(kinds: Kinds) -> Kinds:
    """The same in one read."""
    for label, kind in kinds:
        yield (
            f"{label}, in one read",
            lambda size, kind=kind: Script([], [b"".join(kind(size).chunks)]),
        )


def bits(kinds: Kinds) -> Kinds:
    """The same a few bytes at a time."""
    for label, kind in kinds:
        yield (
            f"{label}, in bits",
            lambda size, kind=kind: Script([], _bits(b"".join(kind(size).chunks))),
        )


def stretched(name: str) -> Kinds:
    """Frames of real streams, where a list, an object or a text within has become long."""
    for spot in spots(name):
        value = at(spot.found.value, spot.way)
        if isinstance(value, str | list | dict) and value:
            yield (
                spot.label,
                lambda size, spot=spot: Script(
                    spot.before, [_stretched(spot.found, spot.way, size)]
                ),
            )


def _stretched(found: Carried, way: tuple[Any, ...], size: int) -> bytes:
    value = copy.deepcopy(found.value)
    parent, old = at(value, way[:-1]), at(value, way)
    if isinstance(old, list):
        parent[way[-1]] = old * (size // max(len(json.dumps(old)), 1) + 1)
    elif isinstance(old, dict):
        parent[way[-1]] = {**old, **{f"k{n}": n for n in range(size // 12)}}
    else:
        parent[way[-1]] = (old + '"\\,{}[]\n模') * (size // (len(old) + 12) + 1)
    return found.rendered(msgspec.json.encode(value))


def _pieces(make: Endless, size: int) -> list[bytes]:
    found: list[bytes] = []
    while size > 0:
        found.append(make(len(found)))
        size -= len(found[-1])
    return found


def _all(name: str) -> Kinds:
    for kinds in (endless, lambda _: common()):
        yield from kinds(name)
        yield from whole(kinds(name))
        yield from bits(kinds(name))
    yield from stretched(name)


def _bits(data: bytes) -> list[bytes]:
    return [data[place : place + 7] for place in range(0, len(data), 7)]


def _cpu(name: str, script: Script) -> float:
    """The least of three. Without the collector of garbage, which looks at a list of events again
    and again as it grows."""
    spent = []
    gc.disable()
    for _ in range(3):
        rest = prepared(name, script)
        begun = process_time()
        rest()
        spent.append(process_time() - begun)
    gc.enable()
    return min(spent)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz.linear", description="CPU time for inputs and for longer ones."
    )
    parser.add_argument("--dialect", choices=list(UPSTREAMS), action="append")
    parser.add_argument("--bytes", type=int, default=200_000, help="of the shorter input")
    parser.add_argument(
        "--over", type=float, default=1.5 * TIMES, help="show what grew more than this"
    )
    args = parser.parse_args()
    for name in args.dialect or UPSTREAMS:
        worst = 0.0
        for label, kind in _all(name):
            one, other = kind(args.bytes), kind(args.bytes * TIMES)
            short, long = _cpu(name, one), _cpu(name, other)
            times = long / max(short, 1e-4) * TIMES * one.size / other.size
            worst = max(worst, times)
            if times > args.over:
                print(
                    f"{name:<18} {label:<60} {short * 1000:8.1f} ms {long * 1000:8.1f} ms  x{times:.1f}",
                    flush=True,
                )
        print(f"{name:<18} at worst x{worst:.1f}, where {TIMES} is linear", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The framing under atheris, which looks for bytes that reach new code:

    python -m pip install --no-deps --require-hashes -r requirements-dev.lock     (there are wheels for Linux on x86-64 only)
    python -m tests.fuzz.framing sse -max_total_time=120 [FOLDER OF INPUTS]

Arguments behind the target's name are libFuzzer's own. Each target is a function from bytes to
nothing that raises AssertionError where a splitter breaks its promise; `test_framing.py` calls the
same ones.
"""

import itertools
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from types import FunctionType, ModuleType
from typing import Any

import httpx_sse

from proxy import framing
from proxy.framing import FramingError
from proxy.framing.aws import MessageSplitter
from proxy.framing.lines import LineSplitter
from proxy.framing.sse import SSEParser
from proxy.framing.values import DONE, ValueSplitter
from tests import aws_frames
from tests.fuzz.held import too_full

_BOUNDS = (1, 16, 100, 4096, 1 << 20)
Splitter = Any


def _control(data: bytes) -> tuple[int, int, bytes]:
    """The first two bytes choose the bound and the cuts, so that atheris may choose them."""
    return _BOUNDS[data[0] % len(_BOUNDS)] if data else 1, data[1] if len(data) > 1 else 0, data[2:]


def cut(data: bytes, seed: int) -> list[bytes]:
    """Whole for a seed of 0, byte by byte for 1, else at random."""
    chance = random.Random(seed)
    longest = {0: len(data) or 1, 1: 1}.get(seed, chance.choice((2, 5, 40)))
    chunks, place = [], 0
    while place < len(data):
        size = longest if seed < 2 else chance.randint(1, longest)
        chunks.append(data[place : place + size])
        place += size
    return chunks


def split(splitter: Splitter, chunks: Sequence[bytes]) -> tuple[list[Any], str]:
    """All that comes out, and the fault that ended it, if one did. Nothing but a FramingError may
    be raised, and then by every later call."""
    given: list[Any] = []
    try:
        for chunk in chunks:
            given += splitter.feed(chunk)
            wrong = too_full(splitter)
            assert wrong is None, wrong
        left = splitter.close()
    except FramingError as error:
        fault = type(error)
    else:
        return [*given, *(left if isinstance(left, list) else [left])], ""
    again = [_raised(call) for call in (lambda: splitter.feed(b"\n\n{}"), splitter.close)]
    assert [fault, fault] == again, f"after {fault} it raised {again}"
    return given, fault.__name__


def _raised(call: Callable[[], Any]) -> type[FramingError] | None:
    try:
        call()
    except FramingError as fault:
        return type(fault)
    return None


def same(make: Callable[[], Splitter], data: bytes, seed: int) -> tuple[list[Any], str]:
    """What comes out, after checking that it is the same for other cuts."""
    whole = split(make(), [data] if data else [])
    for other in (1, seed):
        assert whole == split(make(), cut(data, other)), f"cuts {other}"
    return whole


def sse(data: bytes) -> None:
    """Frames are those that another reader of event streams finds, where the stream is one that it
    reads alike."""
    most, seed, body = _control(data)
    same(lambda: SSEParser(most, lossless=True), body, seed)
    frames, fault = same(lambda: SSEParser(most), body, seed)
    # other line ends and other white space for Python's texts
    plain = body.isascii() and not {0, 11, 12, 28, 29, 30}.intersection(body)
    if plain and not fault and body.endswith((b"\n\n", b"\r\r")) and b"\r" not in body:
        found = [(event.event, event.data) for event in _events(body) if event.data]
        assert found == [(frame.event, frame.text) for frame in frames if frame.data]


def _events(body: bytes) -> Iterator[httpx_sse.ServerSentEvent]:
    decoder = httpx_sse._decoders.SSEDecoder()
    for line in body.decode().split("\n"):
        event = decoder.decode(line)
        if event is not None:
            yield event


def lines(data: bytes) -> None:
    """Lines are those of `split`, up to one that is too long."""
    most, seed, body = _control(data)
    found, fault = same(lambda: LineSplitter(most), body, seed)
    expected = body.split(b"\n")
    good = list(itertools.takewhile(lambda line: len(line) <= most, expected))
    assert bool(fault) == (len(good) < len(expected))
    good[:1] = [line.removeprefix(b"\xef\xbb\xbf") for line in good[:1]]
    assert found == [line.removesuffix(b"\r") for line in good if line.strip()]


def values(data: bytes) -> None:
    """Values begin and end with braces, are balanced where no string is, and stand in the body in
    that order."""
    most, seed, body = _control(data)
    for array in (False, True):
        found, fault = same(lambda array=array: ValueSplitter(most, array=array), body, seed)
        place = 0
        for value in found if fault else found[:-1]:
            assert len(value) <= most or value == DONE
            place = body.index(value, place) + len(value)
            if value != DONE:
                assert value[:1] + value[-1:] == b"{}"
                assert b'"' in value or value.count(b"{") == value.count(b"}")


def aws(data: bytes) -> None:
    """Bytes as they are; and cut into messages with right checksums, which come out again."""
    most, seed, body = _control(data)
    same(lambda: MessageSplitter(most), body, seed)
    parts = body.split(b"|")
    stream = b"".join(
        itertools.starmap(
            aws_frames.raw_message, itertools.zip_longest(parts[::2], parts[1::2], fillvalue=b"")
        )
    )
    found, fault = same(lambda: MessageSplitter(1 << 20), stream, seed)
    payloads = parts[1::2] + [b""] * (len(parts) % 2)
    messages = found if fault else found[:-1]
    assert payloads[: len(messages)] == [message.payload for message in messages]
    assert fault or (len(messages) == len(payloads) and found[-1] == b"")


TARGETS: dict[str, Callable[[bytes], None]] = {
    "sse": sse,
    "lines": lines,
    "values": values,
    "aws": aws,
}


def _functions(*modules: ModuleType) -> Iterator[FunctionType]:
    """Those of the modules, and of their classes."""
    for module in modules:
        for owner in (module, *(kind for kind in vars(module).values() if isinstance(kind, type))):
            yield from (
                it
                for it in vars(owner).values()
                if isinstance(it, FunctionType) and it.__module__ == module.__name__
            )


def main() -> None:
    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        sys.exit(f"python -m tests.fuzz.framing {'|'.join(TARGETS)} [libFuzzer's arguments]")
    try:
        import atheris
    except ImportError:
        sys.exit(
            "atheris is missing: python -m pip install --no-deps --require-hashes -r requirements-dev.lock"
        )
    target = TARGETS[sys.argv[1]]
    for function in _functions(framing.aws, framing.lines, framing.sse, framing.values):
        atheris.instrument_func(function)
    atheris.Setup([sys.argv[0], *sys.argv[2:]], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()

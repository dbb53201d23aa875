"""What an upstream can make the parser hold, and what its bytes cost."""

import tracemalloc
from typing import Any, Self

import pytest

from proxy.framing import BadFrame, TooLarge, sse, sse_lines
from proxy.framing.sse import SSEParser

MIB = 1 << 20


class Counting(bytearray):
    """A buffer that counts each byte put into it or taken out of it."""

    handled = 0

    def __iadd__(self, other: Any) -> Self:
        Counting.handled += len(other)
        return super().__iadd__(other)

    def __add__(self, other: Any) -> bytearray:
        Counting.handled += len(self) + len(other)
        return super().__add__(other)

    def __bytes__(self) -> bytes:
        Counting.handled += len(self)
        return bytes(memoryview(self))

    def __getitem__(self, key: Any) -> Any:
        part = super().__getitem__(key)
        Counting.handled += len(part) if isinstance(part, bytearray) else 1
        return part

    def find(self, *args: Any) -> int:
        Counting.handled += len(self)
        return super().find(*args)

    rfind = index = find


def handled(stream: bytes, size: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many bytes pass through the parser's buffers when the stream comes in chunks of
    `size`."""
    monkeypatch.setattr(sse, "bytearray", Counting, raising=False)
    monkeypatch.setattr(sse_lines, "bytearray", Counting, raising=False)
    Counting.handled = 0
    parser = SSEParser(4 * MIB)
    frames = [f for at in range(0, len(stream), size) for f in parser.feed(stream[at : at + size])]
    assert len(frames) == 1
    return Counting.handled


@pytest.mark.parametrize("size", [pytest.param(1, marks=pytest.mark.slow), 7, 1000, 1 << 30])
@pytest.mark.parametrize(
    "line",
    [
        b"data: " + b"x" * 30_000 + b"\n",
        b"data: x\n" * 3_000,
        b"data: x\r\n" * 3_000,
        b"data\n" * 6_000,
    ],
)
def test_each_byte_is_handled_a_bounded_number_of_times(
    line: bytes, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One long line or many short ones, in whatever pieces: the bytes copied grow with the bytes
    read, not with their square."""
    assert handled(line + b"\n", size, monkeypatch) <= 5 * len(line)
    assert handled(line * 4 + b"\n", size, monkeypatch) <= 5 * len(line * 4)


@pytest.mark.slow
def test_a_mebibyte_in_single_bytes_arrives() -> None:
    """An event of 1 MiB in 1-byte chunks, which would take hours at a quadratic cost, is read
    within the test's time limit."""
    parser = SSEParser(2 * MIB)
    stream = b"data: " + b"x" * MIB + b"\n\n"
    frames = [f for at in range(len(stream)) for f in parser.feed(stream[at : at + 1])]
    assert [("message", b"x" * MIB, "")] == frames


@pytest.mark.parametrize("end", [b"\n\n", b"\n", b""])
def test_a_line_longer_than_line_readers_take(end: bytes) -> None:
    """A data line of 600,000 bytes is no trouble, also where its line end or blank line lacks."""
    parser = SSEParser(MIB)
    frames = parser.feed(b"data: " + b"x" * 600_000 + end) + parser.close()
    assert [("message", b"x" * 600_000, "")] == frames


def _feed_all(parser: SSEParser, stream: bytes, size: int) -> None:
    for at in range(0, len(stream), size):
        assert [] == parser.feed(stream[at : at + size])


# One event each, which passes 100 bytes in its own way.
OVERSIZE = {
    "one long line": b"data: " + b"x" * 95 + b"\n\n",
    "a line that never ends": b"data: " + b"x" * 200,
    "many short lines": b"data: x\n" * 13 + b"\n",
    "empty data lines": b"data\n" * 21 + b"\n",
    "ids, of which one is held": b"id: 1\n" * 17 + b"\n",
    "unknown lines": b'{"a":1},\n' * 12 + b"\n",
    "a name": b"event: " + b"e" * 94 + b"\n",
}


@pytest.mark.parametrize("stream", OVERSIZE.values(), ids=OVERSIZE.keys())
@pytest.mark.parametrize("size", [1, 10, 1000])
@pytest.mark.parametrize("before", [b"", b": hello\n\n"])
def test_an_event_past_the_bound_is_refused(stream: bytes, before: bytes, size: int) -> None:
    """All lines of one event count together, finished or not, first or later; afterwards the parser
    is dead."""
    parser = SSEParser(100)
    parser.feed(before)
    with pytest.raises(TooLarge, match=r"larger than 100 bytes: raise limits\.max_event_bytes"):
        _feed_all(parser, stream, size)
    with pytest.raises(TooLarge):
        parser.feed(b"data: 1\n\n")
    with pytest.raises(TooLarge):
        parser.close()


def test_an_event_of_just_the_bound_passes() -> None:
    """The bound is the last size that is allowed, again and again."""
    parser = SSEParser(100)
    event = b"data: " + b"x" * 93 + b"\n\n"
    for chunks in ([event], [event[:50], event[50:]], [event * 3]):
        assert sum(map(len, chunks)) // len(event) == sum(
            len(parser.feed(chunk)) for chunk in chunks
        )


def test_events_before_the_fault_are_given_first() -> None:
    """A chunk with a good event and one too large gives the good one; the next call raises, close
    too."""
    for follow_up in (lambda p: p.feed(b""), lambda p: p.feed(b"data: 3\n\n"), lambda p: p.close()):
        parser = SSEParser(20)
        assert [("message", b"1", "")] == parser.feed(b"data: 1\n\ndata: " + b"2" * 50)
        with pytest.raises(TooLarge):
            follow_up(parser)


def test_comments_are_free() -> None:
    """Comments of any number and length, ended or not, neither hold memory nor count as part of an
    event."""
    parser = SSEParser(100)
    comment = b": " + b"." * 65_534
    tracemalloc.start()
    try:
        for _ in range(160):
            assert [] == parser.feed(comment)
        parser.feed(b"\ndata: 1\n" + b":\n" * 1000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < MIB
    assert [("message", b"1", "")] == parser.feed(b"\n")


def test_unknown_lines_hold_little() -> None:
    """Stray lines between events are kept to 64 KiB, however many come."""
    parser = SSEParser(MIB)
    for _ in range(1000):
        parser.feed(b"?" * 1000 + b"\n\n")
    assert 64_000 < len(parser.stray) <= sse_lines.STRAY_BYTES


@pytest.mark.parametrize("follow_up", [lambda parser: parser.feed(b"data: 1\n\n"), SSEParser.close])
@pytest.mark.parametrize(("body", "fault"), [(b"\xff data: 1", BadFrame), (b"\xef\xbb", TooLarge)])
def test_a_fault_that_the_end_shows_is_kept(
    follow_up: Any, body: bytes, fault: type[Exception]
) -> None:
    """As every other: a last line without its line end is read by `close` only."""
    parser = SSEParser(2 if fault is TooLarge else 100, lossless=True)
    assert [] == parser.feed(body)
    with pytest.raises(fault):
        parser.close()
    with pytest.raises(fault):
        follow_up(parser)

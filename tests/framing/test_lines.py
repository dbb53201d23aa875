"""NDJSON lines, for every split of the bytes."""

from typing import Any, Self

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.framing import TooLarge, lines
from proxy.framing.lines import LineSplitter
from tests.support import splits

CASES: list[tuple[str, bytes, list[bytes], list[bytes]]] = [
    ("nothing", b"", [], []),
    ("LF", b'{"a":1}\n{"a":2}\n', [b'{"a":1}', b'{"a":2}'], []),
    ("CRLF", b'{"a":1}\r\n{"a":2}\r\n', [b'{"a":1}', b'{"a":2}'], []),
    ("a CR alone ends nothing", b"1\r2\n", [b"1\r2"], []),
    ("one CR belongs to the line end", b"1\r\r\n", [b"1\r"], []),
    ("blank lines are nothing", b"\n\n1\n \t\n\r\n2\n\n", [b"1", b"2"], []),
    ("space inside a line stays", b" 1 \n", [b" 1 "], []),
    (
        "a BOM before the first line says nothing",
        b"\xef\xbb\xbf1\n\xef\xbb\xbf2\n",
        [b"1", b"\xef\xbb\xbf2"],
        [],
    ),
    ("the last line end may lack", b"1\n2", [b"1"], [b"2"]),
    ("half of it too", b"1\n2\r", [b"1"], [b"2"]),
    (
        "other separators of Unicode are content",
        "1\u2028\x0b\x0c\x85\n".encode(),
        ["1\u2028\x0b\x0c\x85".encode()],
        [],
    ),
]


@pytest.mark.parametrize(
    ("stream", "expected", "at_close"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_lines(stream: bytes, expected: list[bytes], at_close: list[bytes]) -> None:
    """The lines do not depend on how the bytes are cut."""
    for chunks in splits(stream):
        splitter = LineSplitter(1 << 20)
        assert expected == [line for chunk in chunks for line in splitter.feed(chunk)]
        assert at_close == splitter.close()


def drain(splitter: LineSplitter, chunks: list[bytes]) -> tuple[list[bytes], bool]:
    found: list[bytes] = []
    try:
        for chunk in chunks:
            found += splitter.feed(chunk)
        found += splitter.close()
    except TooLarge:
        return found, True
    return found, False


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("end", [b"\n", b"", b"\n4\n"])
def test_a_line_past_the_bound_is_refused(end: bytes, size: int) -> None:
    """Lines before it are given; then TooLarge, for good."""
    stream = b"1\n" + b"2" * 99 + b"\n" + b"3" * 100 + end
    splitter = LineSplitter(99)
    assert ([b"1", b"2" * 99], True) == drain(
        splitter, [stream[at : at + size] for at in range(0, len(stream), size)]
    )
    for call in (lambda s: s.feed(b"5\n"), lambda s: s.close()):
        with pytest.raises(TooLarge, match="larger than 99 bytes"):
            call(splitter)


@given(
    st.lists(st.sampled_from([b"\n", b"\r\n", b"\r", b"a", b"bb", b" ", b"{}"]), max_size=30).map(
        b"".join
    ),
    st.integers(1, 6),
)
def test_any_bytes_any_split(stream: bytes, bound: int) -> None:
    """Lines and fault are the same for every split."""
    whole = drain(LineSplitter(bound), [stream])
    for chunks in splits(stream):
        assert whole == drain(LineSplitter(bound), chunks)


class Counting(bytearray):
    """A buffer that counts each byte put into it or taken out of it."""

    handled = 0

    def __iadd__(self, other: Any) -> Self:
        Counting.handled += len(other)
        return super().__iadd__(other)

    def __bytes__(self) -> bytes:
        Counting.handled += len(self)
        return bytes(memoryview(self))


@pytest.mark.parametrize("size", [1, 1000])
def test_each_byte_is_handled_a_bounded_number_of_times(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bytes copied grow with the bytes read, not with their square."""
    monkeypatch.setattr(lines, "bytearray", Counting, raising=False)
    Counting.handled = 0
    stream = b"x" * 100_000 + b"\n"
    splitter = LineSplitter(1 << 20)
    assert [stream[:-1]] == [
        line for at in range(0, len(stream), size) for line in splitter.feed(stream[at : at + size])
    ]
    assert Counting.handled <= 3 * len(stream)


def test_a_byte_order_mark_counts_however_it_is_cut() -> None:
    """Within the bound of the first line."""
    stream = b"\xef\xbb\xbf" + b"x" * 7 + b"\n"
    for bound in range(6, 12):
        whole = drain(LineSplitter(bound), [stream])
        assert all(whole == drain(LineSplitter(bound), chunks) for chunks in splits(stream)), bound

"""AWS event stream messages. botocore's own reader judges in tests/oracle."""

import struct
import zlib
from collections.abc import Sequence
from typing import Any

import pytest

from proxy.framing import BadFrame, TooLarge
from proxy.framing.aws import MessageSplitter
from tests.aws_frames import event, header, message, raw_message
from tests.support import splits

MAX = 1 << 16
HELLO = event("contentBlockDelta", {"delta": {"text": "hello"}})
Shown = tuple[dict[str, Any], bytes]


def ours(chunks: Sequence[bytes], most: int = MAX) -> list[Shown]:
    splitter = MessageSplitter(most)
    found = [(dict(m.headers), m.payload) for chunk in chunks for m in splitter.feed(chunk)]
    assert b"" == splitter.close()
    return found


def test_every_split_gives_the_same_messages() -> None:
    """Whole, byte by byte, at random."""
    data = HELLO * 3
    shown = (
        {
            ":event-type": "contentBlockDelta",
            ":content-type": "application/json",
            ":message-type": "event",
        },
        b'{"delta": {"text": "hello"}}',
    )
    assert [[shown] * 3] * 8 == [ours(chunks) for chunks in splits(data)]


def test_what_came_before_a_fault_is_given_first() -> None:
    """Then every call raises the same."""
    splitter = MessageSplitter(MAX)
    assert 1 == len(splitter.feed(HELLO + b"x" * 20))
    with pytest.raises(BadFrame) as first:
        splitter.feed(HELLO)
    with pytest.raises(BadFrame) as second:
        splitter.close()
    assert str(first.value) == str(second.value)


def test_the_end_in_the_middle_of_a_message() -> None:
    """What is left is answered, for the caller to call it cut."""
    splitter = MessageSplitter(MAX)
    assert 1 == len(splitter.feed(HELLO + HELLO[:-1]))
    assert HELLO[:-1] == splitter.close()


def test_a_message_as_large_as_the_bound_passes() -> None:
    """One byte more does not, and is refused as soon as its length is known."""
    assert 1 == len(ours([HELLO], len(HELLO)))
    with pytest.raises(TooLarge, match="max_event_bytes"):
        MessageSplitter(len(HELLO) - 1).feed(HELLO[:12])


def test_text_is_no_message() -> None:
    """What was found is shown."""
    with pytest.raises(BadFrame, match="the service"):
        MessageSplitter(MAX).feed(b"the service is down")


def prelude(total: int, headers: int) -> bytes:
    lengths = struct.pack(">II", total, headers)
    return lengths + struct.pack(">I", zlib.crc32(lengths))


@pytest.mark.parametrize(("total", "headers"), [(0, 0), (15, 0), (16, 1), (40, 25), (40, 1 << 31)])
def test_lengths_that_cannot_be(total: int, headers: int) -> None:
    """A total that holds no checksums, headers that pass the end."""
    with pytest.raises(BadFrame, match="cannot be"):
        MessageSplitter(MAX).feed(prelude(total, headers))


@pytest.mark.parametrize(
    "headers",
    [
        b"\x05abc",
        b"\x01a",
        b"\x01a\x0a",
        b"\x01a\xff",
        b"\x01a\x04\x00\x00",
        b"\x01a\x07\x00",
        b"\x01a\x07\x00\x05abc",
        b"\x01a\x07\x00\x01\xff",
        b"\x01\xff\x00",
        header("a", "1") + header("a", "2"),
        b"\x01a\x09" + bytes(15),
    ],
)
def test_headers_that_cannot_be_read(headers: bytes) -> None:
    """Cut, of an unknown type, no UTF-8, or twice: one message of this project's own, never another
    exception."""
    with pytest.raises(BadFrame, match="header"):
        MessageSplitter(MAX).feed(raw_message(headers, b"{}"))


def test_headers_too_long_to_be_remembered() -> None:
    """They are read all the same."""
    assert [({"a": "x" * 5000}, b"")] == ours([message({"a": "x" * 5000}, b"")])


def test_remembered_headers_cannot_be_changed() -> None:
    """They are shared by all messages that have the same."""
    (found,) = MessageSplitter(MAX).feed(HELLO)
    with pytest.raises(TypeError):
        found.headers["x"] = "y"  # type: ignore[index]

"""The encoder of server-sent events, as bytes and as a reader gets them."""

import pytest

from proxy.framing.sse import SSEParser
from proxy.framing.sse_frame import frame

CASES = [
    ("data alone", frame("hello"), b"data: hello\n\n"),
    ("bytes as they are", frame(b'{"a":1}'), b'data: {"a":1}\n\n'),
    ("a name", frame("1", event="sip"), b"event: sip\ndata: 1\n\n"),
    ("an id comes last", frame("1", id="s:4"), b"data: 1\nid: s:4\n\n"),
    ("all three", frame("1", event="sip", id="s:4"), b"event: sip\ndata: 1\nid: s:4\n\n"),
    ("no data is empty data", frame(""), b"data: \n\n"),
    (
        "a line of data for each line",
        frame("a\nb\r\nc\rd"),
        b"data: a\ndata: b\ndata: c\ndata: d\n\n",
    ),
    ("line ends at the ends", frame("\na\n"), b"data: \ndata: a\ndata: \n\n"),
    ("a leading space survives", frame(" a"), b"data:  a\n\n"),
    (
        "no line can be forged by a name or an id",
        frame("1", event="a\ndata: 2\r", id="3\r\n\n\0data: 4"),
        b"event: adata: 2\ndata: 1\nid: 3data: 4\n\n",
    ),
    ("text beyond ASCII", frame("茶😀", event="é"), "event: é\ndata: 茶😀\n\n".encode()),
    (
        "half a surrogate pair is replaced",
        frame("a\ud83d\u8336", id="\udc00"),
        "data: a\ufffd茶\nid: \ufffd\n\n".encode(),
    ),
    ("a pair said as two halves is joined", frame("\ud83d\ude00"), "data: 😀\n\n".encode()),
]


@pytest.mark.parametrize(
    ("made", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_bytes(made: bytes, expected: bytes) -> None:
    """The frame is exactly these bytes."""
    assert expected == made


@pytest.mark.parametrize(
    "data", ["", "a", " a ", "a\nb", "\n", "a\n", "\n\n", "data: x", ": x", "\0", "\ufeff"]
)
def test_round_trip(data: str) -> None:
    """A reader gets the data back, and one event a frame."""
    parser = SSEParser(1 << 20)
    assert [("e", data.encode(), "1"), ("message", data.encode(), "1")] == parser.feed(
        frame(data, event="e", id="1") + frame(data)
    )

"""Any bytes, any split: judged by a reader that takes the standard's steps one by one, and by
another project's."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.framing import TooLarge
from proxy.framing.sse import SSEParser
from proxy.framing.sse_frame import Frame, frame
from tests.properties import examples

TOKENS = [
    b"data",
    b"event",
    b"id",
    b"retry",
    b":",
    b": ",
    b" ",
    b"\n",
    b"\n\n",
    b"\r",
    b"\r\n",
    b"\r\n\r\n",
    b"\0",
    b"12",
    b"x",
    b"{}",
]
TOKENS += [
    b"data: 1\n\n",
    b"data:",
    b"\xef\xbb\xbf",
    b"\xef",
    b"\xbb",
    b"\xff",
    b"\xe8\x8c",
    "茶".encode(),
    b":ping\n",
    b"event: e\ndata: 2\n\n",
]
STREAMS = st.one_of(
    st.lists(st.sampled_from(TOKENS), max_size=40).map(b"".join), st.binary(max_size=60)
)
CUTS = st.none() | st.lists(st.integers(0, 300), max_size=12)  # none: behind each blank line


class Reading:
    """A whole stream, read by the steps of the standard, line by line, with nothing clever."""

    def __init__(self, stream: bytes, max_event_bytes: int) -> None:
        self.frames: list[tuple[str, str, str]] = []
        self.retry: int | None = None
        self.last_id = self.id_buffer = self.event = ""
        self.data: list[str] = []
        self.size = 0
        self.max = max_event_bytes
        self.too_large = False
        *lines, unfinished = re.split(rb"\r\n|\r|\n", stream.removeprefix(b"\xef\xbb\xbf"))
        for line in lines:
            self.take(line)
        self.strict = list(self.frames), self.retry, self.last_id
        if unfinished:
            self.take(unfinished)
        self.take(b"")

    def take(self, line: bytes) -> None:
        if self.too_large or line.startswith(b":"):
            return
        if not line:
            self.last_id = self.id_buffer
            if self.data:
                self.frames.append((self.event or "message", "\n".join(self.data), self.last_id))
            self.data, self.event, self.size = [], "", 0
            return
        self.size += len(line) + 1
        if self.size > self.max:
            self.too_large = True
            return
        self.field(line.decode("utf-8", "replace"))

    def field(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self.data.append(value)
        elif name == "event":
            self.event = value
        elif name == "id" and "\0" not in value:
            self.id_buffer = value
        elif name == "retry" and re.fullmatch("[0-9]+", value):
            self.retry = int(value)


def cut(stream: bytes, cuts: list[int] | None) -> list[bytes]:
    if cuts is None:
        return [piece for piece in re.split(rb"(?<=\n\n)", stream) if piece]
    at = [0, *sorted(min(c, len(stream)) for c in cuts), len(stream)]
    return [stream[start:end] for start, end in pairwise(at)]


def read(parser: SSEParser, chunks: list[bytes]) -> tuple[list[tuple[str, str, str]], bool]:
    """Every frame up to the end of the body, or to the first TooLarge; and whether that came."""
    frames: list[Frame] = []
    try:
        for chunk in chunks:
            frames += parser.feed(chunk)
        frames += parser.close()
    except TooLarge:
        return [(f.event, f.text, f.id) for f in frames], True
    return [(f.event, f.text, f.id) for f in frames], False


@examples(100)
@given(STREAMS, CUTS)
def test_any_split_is_as_the_standard_says(stream: bytes, cuts: list[int] | None) -> None:
    """What is dispatched before the end of the body is what the standard's own steps give."""
    parser = SSEParser(1 << 20)
    frames = [(f.event, f.text, f.id) for chunk in cut(stream, cuts) for f in parser.feed(chunk)]
    assert Reading(stream, 1 << 20).strict == (frames, parser.retry, parser.last_event_id)


@examples(100)
@given(STREAMS, CUTS, st.integers(0, 24))
def test_a_bound_strikes_at_the_same_place_for_any_split(
    stream: bytes, cuts: list[int] | None, bound: int
) -> None:
    """The frames before an event that is too large are given, and then TooLarge, however the bytes
    are cut."""
    reading = Reading(stream, bound)
    assert (reading.frames, reading.too_large) == read(SSEParser(bound), cut(stream, cuts))


FIELD_TEXT = st.text(
    st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), max_size=12
)
DATA = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=30)


@examples(100)
@given(
    st.lists(st.tuples(FIELD_TEXT.filter(bool), DATA, FIELD_TEXT.filter(bool)), max_size=6),
    CUTS,
    st.sampled_from(["\n", "\r\n", "\r"]),
)
def test_another_reader_sees_the_same(
    events: list[tuple[str, str, str]], cuts: list[int] | None, end: str
) -> None:
    """What `frame` writes is what httpx-sse and our own parser read, with any line end."""
    httpx, httpx_sse = pytest.importorskip("httpx"), pytest.importorskip("httpx_sse")
    stream = b"".join(
        frame(data, event=name, id=last_id) for name, data, last_id in events
    ).replace(b"\n", end.encode())
    chunks = cut(stream, cuts)
    response = httpx.Response(
        200, headers={"content-type": "text/event-stream"}, content=iter(chunks)
    )
    theirs = [(e.event, e.data, e.id) for e in httpx_sse.EventSource(response).iter_sse()]
    ours, _ = read(SSEParser(1 << 20), chunks)
    assert events == theirs
    assert events == ours

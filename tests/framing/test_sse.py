"""The rules of the HTML standard's section 9.2, one case each, held for every split of the
bytes."""

import base64
import json
from collections.abc import Sequence
from itertools import pairwise, product
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from proxy.framing import BadFrame
from proxy.framing.sse import SSEParser
from proxy.framing.sse_frame import Frame
from tests.support import recordings_dir, splits

MAX = 1 << 20


class Case(NamedTuple):
    rule: str
    stream: bytes
    frames: Sequence[tuple[str, bytes, str]] = ()
    retry: int | None = None
    last_id: str = ""
    at_close: Sequence[tuple[str, bytes, str]] = ()
    stray: bytes = b""


def message(*data: bytes) -> list[tuple[str, bytes, str]]:
    return [("message", piece, "") for piece in data]


CASES = [
    # what ends a line, what ends an event
    Case("nothing at all gives nothing", b""),
    Case("a blank line dispatches", b"data: tea\n\n", message(b"tea")),
    Case("CRLF ends a line", b"data: tea\r\n\r\ndata: milk\r\n\r\n", message(b"tea", b"milk")),
    Case("CR ends a line", b"data: tea\r\rdata: milk\r\r", message(b"tea", b"milk")),
    Case(
        "each line may end its own way", b"data: 1\rdata: 2\r\ndata: 3\n\r\n", message(b"1\n2\n3")
    ),
    Case(
        "CR after LF is a second line end", b"data: tea\n\rdata: milk\n\r", message(b"tea", b"milk")
    ),
    Case("CR CR LF is two line ends", b"data: tea\r\r\n", message(b"tea")),
    Case("blank lines alone give nothing", b"\n\n\r\n\r\r\n\n"),
    Case(
        "further blank lines between events change nothing",
        b"data: 1\n\n\n\n\ndata: 2\n\n\n",
        message(b"1", b"2"),
    ),
    Case("an odd number of blank lines neither", b"data: 1\n\n\ndata: 2\n\n", message(b"1", b"2")),
    Case(
        "other separators of Unicode and ASCII are content",
        "data: a\u2028b\u0085c\x0bd\x0ce\n\n".encode(),
        message("a\u2028b\u0085c\x0bd\x0ce".encode()),
    ),
    # the colon and the space
    Case("the space after the colon may lack", b"data:tea\n\n", message(b"tea")),
    Case("only one space is taken away", b"data:   tea\n\n", message(b"  tea")),
    Case("a tab is content", b"data:\ttea\n\n", message(b"\ttea")),
    Case("space at the end is content", b"data: tea \n\n", message(b"tea ")),
    Case("later colons are content", b"data: a: b:c\ndata::d\n\n", message(b"a: b:c\n:d")),
    Case("a field may have no colon", b"data\n\n", message(b"")),
    # the data buffer
    Case("lines of data are joined by LF", b"data: 1\ndata: 2\ndata: 3\n\n", message(b"1\n2\n3")),
    Case("empty data is still data", b"data:\n\ndata: \n\n", message(b"", b"")),
    Case(
        "empty lines of data keep their place",
        b"data: 1\ndata\ndata:\ndata: 4\ndata\n\n",
        message(b"1\n\n\n4\n"),
    ),
    Case("data of empty lines only", b"data\ndata\n\n", message(b"\n")),
    Case("NUL in data is content", b"data: a\0b\n\n", message(b"a\0b")),
    # the event type
    Case("the event line names the event", b"event: sip\ndata: 1\n\n", [("sip", b"1", "")]),
    Case("it may come after the data", b"data: 1\nevent: sip\n\n", [("sip", b"1", "")]),
    Case(
        "no space needed there either",
        b"event:sip\ndata:1\n\nevent:gulp\ndata:2\n\n",
        [("sip", b"1", ""), ("gulp", b"2", "")],
    ),
    Case("the last event line wins", b"event: a\nevent: b\ndata: 1\n\n", [("b", b"1", "")]),
    Case(
        "the name holds for one event",
        b"event: sip\ndata: 1\n\ndata: 2\n\n",
        [("sip", b"1", ""), ("message", b"2", "")],
    ),
    Case(
        "an empty name is no name",
        b"event: a\nevent:\ndata: 1\n\nevent: \ndata: 2\n\n",
        message(b"1", b"2"),
    ),
    Case(
        "without data there is no event, and its name is forgotten",
        b"event: sip\n\ndata: 1\n\n",
        message(b"1"),
    ),
    Case(
        "several data lines under a name",
        b"event: sip\ndata: 1\ndata: 2\n\n",
        [("sip", b"1\n2", "")],
    ),
    Case(
        "a name may be any text, spaces kept",
        "event:  茶 time\ndata: 1\n\n".encode(),
        [(" 茶 time", b"1", "")],
    ),
    # the id
    Case(
        "an id stays until another comes",
        b"id: 7\ndata: 1\n\ndata: 2\n\nid: 8\ndata: 3\n\n",
        [("message", b"1", "7"), ("message", b"2", "7"), ("message", b"3", "8")],
        last_id="8",
    ),
    Case(
        "an empty id takes it back",
        b"id: 7\ndata: 1\n\nid\ndata: 2\n\n",
        [("message", b"1", "7"), ("message", b"2", "")],
    ),
    Case(
        "an id with NUL is ignored",
        b"id: 7\ndata: 1\n\nid: 8\0\ndata: 2\n\n",
        [("message", b"1", "7"), ("message", b"2", "7")],
        last_id="7",
    ),
    Case("an id without data counts all the same", b"id: 7\n\n", last_id="7"),
    Case(
        "an id counts from its blank line on",
        b"id: 7\ndata: 1\n\nid: 8\ndata: 2\n",
        [("message", b"1", "7")],
        last_id="7",
        at_close=[("message", b"2", "8")],
    ),
    Case(
        "the last id line wins, inner spaces kept",
        b"id: 7\nid:  8 9\ndata: 1\n\n",
        [("message", b"1", " 8 9")],
        last_id=" 8 9",
    ),
    # retry
    Case("retry is a number of ms", b"retry: 2500\ndata: 1\n\n", message(b"1"), retry=2500),
    Case("it counts at once, with no blank line", b"retry: 0\n", retry=0),
    Case("leading zeros are digits", b"retry:007\n\n", retry=7),
    Case(
        "what is no digit voids it",
        b"retry: 10\nretry: -1\nretry: +2\nretry: 3s\nretry: 4 \nretry:  5\nretry: 6.0\nretry\nretry:\n\n",
        retry=10,
    ),
    Case("digits of other scripts are none", "retry: ١٢\nretry: ３\nretry: 2²\n\n".encode()),
    Case("an absurd time is ignored", b"retry: 20\nretry: " + b"9" * 5000 + b"\n\n", retry=20),
    Case("zeros may be many", b"retry: " + b"0" * 5000 + b"3\n\n", retry=3),
    # comments and unknown fields
    Case("a comment is nothing", b": hello\n\n:\n\ndata: 1\n\n", message(b"1")),
    Case(
        "a comment inside an event is nothing",
        b"event: sip\n:HTTP/200\ndata: 1\n: data: 2\n\n",
        [("sip", b"1", "")],
    ),
    Case("a heartbeat of one newline glues nothing", b": ping\ndata: 1\n\n: ping\n", message(b"1")),
    Case(
        "unknown fields are ignored, and kept aside",
        b"meta: {}\ndata: 1\nid2: 3\n\n",
        message(b"1"),
        stray=b"meta: {}\nid2: 3",
    ),
    Case(
        "names are exact",
        b"Data: 1\n data: 2\ndata : 3\ndat: 4\ndata\0: 5\n\n",
        stray=b"Data: 1\n data: 2\ndata : 3\ndat: 4\ndata\0: 5",
    ),
    # UTF-8 and the byte order mark
    Case("one BOM at the start is taken away", b"\xef\xbb\xbfdata: 1\n\n", message(b"1")),
    Case(
        "a second one spoils the field's name",
        b"\xef\xbb\xbf\xef\xbb\xbfdata: 1\n\ndata: 2\n\n",
        message(b"2"),
        stray=b"\xef\xbb\xbfdata: 1",
    ),
    Case(
        "so does one that comes later",
        b"data: 1\n\n\xef\xbb\xbfdata: 2\n\n",
        message(b"1"),
        stray=b"\xef\xbb\xbfdata: 2",
    ),
    Case(
        "half a BOM is garbage",
        b"\xef\xbbdata: 1\n\ndata: 2\n\n",
        message(b"2"),
        stray=b"\xef\xbbdata: 1",
    ),
    Case("nothing but a BOM", b"\xef\xbb\xbf"),
    Case("nothing but half a BOM", b"\xef\xbb", stray=b"\xef\xbb"),
    Case("a BOM, then a blank line", b"\xef\xbb\xbf\r\ndata: 1\r\n\r\n", message(b"1")),
    Case("a BOM in data is content", b"data: \xef\xbb\xbf1\n\n", message(b"\xef\xbb\xbf1")),
    Case("data stays bytes, valid or not", b"data: \xff\xe8\x8c\n\n", message(b"\xff\xe8\x8c")),
    Case(
        "invalid names and ids are replaced",
        b"event: \xe8\x8c\nid: \xff7\ndata: 1\n\n",
        [("�", b"1", "�7")],
        last_id="�7",
    ),
    # the end of the body
    Case(
        "an event may lack its blank line",
        b"data: 1\n\ndata: 2\n",
        message(b"1"),
        at_close=message(b"2"),
    ),
    Case(
        "and the end of its last line",
        b"data: 1\n\nevent: sip\ndata: 2",
        message(b"1"),
        at_close=[("sip", b"2", "")],
    ),
    Case("CR is an end of line there too", b"data: 1\r", at_close=message(b"1")),
    Case("a comment that lacks its end is nothing", b"data: 1\n\n: bye", message(b"1")),
    Case("a name without data is no event there either", b"event: sip"),
    # what is not an event stream
    Case(
        "bare JSON is kept aside",
        b'data: 1\n\n{\n  "error": {\n    "code": 499\n  }\n}\n',
        message(b"1"),
        stray=b'{\n  "error": {\n    "code": 499\n  }\n}',
    ),
    Case("also with no line end", b'{"error": "no"}', stray=b'{"error": "no"}'),
    Case(
        "events glued together are one line",
        b'data: {"a":1}data: {"a":2}',
        at_close=message(b'{"a":1}data: {"a":2}'),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule)
def test_rule(case: Case) -> None:
    """A rule of the standard holds however the bytes are cut."""
    for chunks in splits(case.stream):
        parser = SSEParser(MAX)
        frames = [tuple(frame) for chunk in chunks for frame in parser.feed(chunk)]
        assert list(case.frames) == frames
        assert (case.retry, case.last_id) == (parser.retry, parser.last_event_id)
        assert list(case.at_close) == [tuple(frame) for frame in parser.close()]
        assert case.stray == parser.stray


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if not case.stream.startswith(b"\xef")],
    ids=lambda case: case.rule,
)
def test_rule_in_mid_stream(case: Case) -> None:
    """The same for a parser that stands between two events already, as it mostly does."""
    for chunks in splits(case.stream):
        parser = SSEParser(MAX)
        assert [] == parser.feed(b":\n\n")
        assert list(case.frames) == [
            tuple(frame) for chunk in chunks for frame in parser.feed(chunk)
        ]
        assert list(case.at_close) == [tuple(frame) for frame in parser.close()]
        assert (case.retry, case.stray) == (parser.retry, parser.stray)


@pytest.mark.parametrize(
    ("chunk", "expected"),
    [
        (b"data: tea\n\n", message(b"tea")),
        (b"data: tea\r\n\r\n", message(b"tea")),
        (b"event: sip\ndata: tea\n\n", [("sip", b"tea", "")]),
        (b"event: \ndata: tea\n\n", message(b"tea")),
        # that look like these
        (b"data: tea\r\n\n", message(b"tea")),
        (b"data: tea\n\r\n", message(b"tea")),
        (b"data: a\rdata: b\r\n\r\n", message(b"a\nb")),
        (b"data: a\ndata: b\r\n\r\n", message(b"a\nb")),
        (b"data: a\r\n\r\ndata: b\r\n\r\n", message(b"a", b"b")),
        (b"event: sip\n\ndata: tea\n\n", message(b"tea")),
        (b"event: sip\ndata: a\ndata: b\n\n", [("sip", b"a\nb", "")]),
        (b"events: sip\ndata: tea\n\n", message(b"tea")),
        (b": sip\ndata: tea\n\n", message(b"tea")),
        (b"data: \r\n\r\n", message(b"")),
        (b"\r\n\r\n", []),
    ],
    ids=repr,
)
def test_a_chunk_of_one_event_is_read_like_any_other(
    chunk: bytes, expected: list[tuple[str, bytes, str]]
) -> None:
    """In mid-stream, where the usual shapes take a short way."""
    parser = SSEParser(MAX)
    parser.feed(b"data: before\n\n")
    parser.feed(b"data: before\n\n")

    assert expected == [tuple(frame) for frame in parser.feed(chunk)]
    assert message(b"after") == [tuple(frame) for frame in parser.feed(b"data: after\n\n")]


_EVENTS = [
    b"data: 1\n\n",
    b"event: a\ndata: 2\n\n",
    b"event: \ndata: 3\n\n",
    b"event: \xff\ndata: \n\n",
    b"event: b\n\n",
    b"event: c\nevent: d\n\n",
    b"data: 4\ndata: 5\n\n",
    b"data: 6\nevent: e\n\n",
    b"event: f\ndata: 7\ndata: 8\n\n",
    b"\n",
    b": busy\n\n",
    b"id: 9\n\n",
]


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("before", [b"", b"data: 0\n\n"])
def test_events_that_come_together_are_read_as_they_are_alone(before: bytes, count: int) -> None:
    """Whatever shapes they have, at the start of a stream and later."""
    for events in product(_EVENTS, repeat=count):
        together, alone = SSEParser(MAX), SSEParser(MAX)
        given = together.feed(before) + together.feed(b"".join(events))
        stream = before + b"".join(events)
        assert given == [frame for byte in stream for frame in alone.feed(bytes([byte]))], events


def test_a_cr_at_the_end_of_a_chunk_dispatches_at_once() -> None:
    """A CR may be half a CRLF, but the event does not wait for the LF, and the LF is no second line
    end."""
    parser = SSEParser(MAX)
    assert message(b"1") == parser.feed(b"data: 1\r\n\r")
    assert [] == parser.feed(b"\n")
    assert message(b"2") == parser.feed(b"data: 2\n\n")


def test_an_empty_chunk_does_not_part_a_crlf() -> None:
    """The LF that follows a CR and an empty read is still the same line end."""
    parser = SSEParser(MAX)
    frames = [
        frame
        for chunk in (b"data: 1\r", b"", b"\ndata: 2\r\n", b"\r\n")
        for frame in parser.feed(chunk)
    ]
    assert message(b"1\n2") == frames


def test_text_replaces_what_is_not_utf8() -> None:
    """`text` decodes as the standard says: a U+FFFD for each ill-formed piece."""
    assert "a\ufffd\ufffd茶" == Frame("message", b"a\xe8\x8c\xff\xe8\x8c\xb6", "").text


def test_stray_lines_are_bounded() -> None:
    """Lines outside the standard are kept up to 64 KiB; the first that does not fit ends the
    keeping."""
    parser = SSEParser(MAX)
    for _ in range(3):
        parser.feed(b"x" * 30_000 + b"\n\n")
    parser.feed(b"short\n\n")
    assert b"x" * 30_000 + b"\n" + b"x" * 30_000 == parser.stray


def _vectors() -> list[dict[str, Any]]:
    folder = recordings_dir()
    path = (
        folder or Path(__file__).resolve().parents[3] / "shared" / "recordings"
    ).parent / "sse_vectors.json"
    return json.loads(path.read_bytes()) if path.is_file() else []


VECTORS = _vectors()
needs_vectors = pytest.mark.skipif(
    not VECTORS, reason="148 shared cases not tested: sse_vectors.json is not beside the recordings"
)


@needs_vectors
@pytest.mark.parametrize("vector", VECTORS or [{"name": "none"}], ids=lambda vector: vector["name"])
def test_shared_case(vector: dict[str, Any]) -> None:
    """A case that browsers confirmed holds whole, byte by byte, at its own splits and at random
    ones."""
    data = base64.b64decode(vector["input_base64"])
    cuts = [0, *vector.get("split_at", ()), len(data)]
    own_split = [data[start:end] for start, end in pairwise(cuts)]
    for chunks in [own_split, *splits(data)]:
        parser = SSEParser(MAX)
        frames = [
            {"event": f.event, "data": f.text, "id": f.id}
            for chunk in chunks
            for f in parser.feed(chunk)
        ]
        assert vector["strict_events"] == frames
        assert (vector["retry"], vector["last_event_id"]) == (parser.retry, parser.last_event_id)


@pytest.mark.parametrize(
    "garbage", [b"\xff\x00junk ", b"<b>Warning</b>: ", b" ", b"\xef\xbb\xbf"], ids=repr
)
def test_garbage_that_swallows_an_event_is_a_fault_where_nothing_may_be_lost(
    garbage: bytes,
) -> None:
    """The standard drops such a line without a trace; what came before it is given first, however
    the bytes are cut."""
    for chunks in splits(b"data: 1\n\n" + garbage + b"data: 2\n\ndata: 3\n\n"):
        parser, frames = SSEParser(MAX, lossless=True), []
        with pytest.raises(BadFrame, match="lost"):  # noqa: PT012
            for chunk in [*chunks, b""]:
                frames += parser.feed(chunk)
        assert message(b"1") == frames
        with pytest.raises(BadFrame):
            parser.close()


def test_unknown_fields_and_bare_json_are_no_such_fault() -> None:
    """A field of a later standard, whatever it says, and a JSON error that a vendor prints without
    any framing."""
    stray = b'metadata: 1\nx-note: data: 2\n{"error": "no data: at all"}\n    "message": "bad event: x"\n'
    parser = SSEParser(MAX, lossless=True)
    assert message(b"1") == parser.feed(stray + b"data: 1\n\n")


DOCUMENTS = {
    "objects": (b'data: {"a":1}\ndata: {"b":2} \ndata:{}\n\n', [b'{"a":1}', b'{"b":2} ', b"{}"]),
    "an object and the end": (b'data: {"a":1}\ndata: [DONE]\n\n', [b'{"a":1}', b"[DONE]"]),
    "a bare object": (b'data: {"a":1}\n{"error":2}\n\n', [b'{"a":1}', b'{"error":2}']),
    "one in lines": (
        b'data: {"a":\ndata: {"b":1},\ndata: "c":[{}\ndata: ]}\n\n',
        [b'{"a":\n{"b":1},\n"c":[{}\n]}'],
    ),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_an_object_behind_another_is_another_event(name: str) -> None:
    """Where events hold documents; elsewhere they are the data of one."""
    body, expected = DOCUMENTS[name]
    for chunks in splits(body):
        parser = SSEParser(MAX, lossless=True, documents=True)
        frames = [frame.data for chunk in chunks for frame in parser.feed(chunk)]
        assert expected == frames
    assert [b"\n".join(expected)] == [
        frame.data for frame in SSEParser(MAX, lossless=True).feed(body)
    ]


def test_an_event_keeps_the_name_that_it_had() -> None:
    """As the name of the next comes before its object. The bound is for each."""
    body = b'event: a\ndata: {"a":1}\nevent: b\ndata: {"b":2}\n'
    for chunks in splits(body + b"\n"):
        parser = SSEParser(MAX, documents=True)
        frames = [frame for chunk in chunks for frame in parser.feed(chunk)]
        assert [("a", b'{"a":1}'), ("b", b'{"b":2}')] == [frame[:2] for frame in frames]
    parser = SSEParser(len(body), documents=True)
    assert 99 == len([frame for _ in range(50) for frame in parser.feed(body)])

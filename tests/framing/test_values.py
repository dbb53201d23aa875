"""JSON objects back to back, for every split of the bytes."""

import json
import re
import sys
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.framing import BadFrame, FramingError, TooLarge, values
from proxy.framing.values import ValueSplitter
from tests.support import needs_recordings, seed_bytes, splits

MAX = 1 << 20

CASES: list[tuple[str, bytes, list[bytes], bytes]] = [
    ("nothing", b"", [], b""),
    ("one object", b"{}", [b"{}"], b""),
    ("no separator at all", b'{"a":1}{"a":2}{}', [b'{"a":1}', b'{"a":2}', b"{}"], b""),
    ("white space of any kind", b' {"a":1}\r\n\t{"a":2}\n', [b'{"a":1}', b'{"a":2}'], b""),
    (
        "a prefix glued to the object before",
        b'data: {"a":1}data: {"a":2}data:[DONE]',
        [b'{"a":1}', b'{"a":2}', b"[DONE]"],
        b"",
    ),
    ("server-sent events", b'data: {"a":1}\n\ndata: [DONE]\n\n', [b'{"a":1}', b"[DONE]"], b""),
    ("a prefix said twice, or before nothing", b"data:\n\ndata: data: {}\n\ndata:", [b"{}"], b""),
    (
        "the token without a prefix, and more after it",
        b"{}[DONE]{}[DONE]",
        [b"{}", b"[DONE]", b"{}", b"[DONE]"],
        b"",
    ),
    (
        "objects in objects",
        b'{"a":{"b":[{},{"c":{}}]}}{}',
        [b'{"a":{"b":[{},{"c":{}}]}}', b"{}"],
        b"",
    ),
    ("braces in strings", b'{"a":"}{","}":"{"}{}', [b'{"a":"}{","}":"{"}', b"{}"], b""),
    (
        "quotes in strings",
        b'{"a":"\\"}","b":"\\\\"}{"c":"\\\\\\""}',
        [b'{"a":"\\"}","b":"\\\\"}', b'{"c":"\\\\\\""}'],
        b"",
    ),
    ("text beyond ASCII", '{"文":"茶}"}{}'.encode(), ['{"文":"茶}"}'.encode(), b"{}"], b""),
    (
        "pretty-printed",
        b'{\n  "a": {\n    "b": 1\n  }\n}\n',
        [b'{\n  "a": {\n    "b": 1\n  }\n}'],
        b"",
    ),
    ("bytes that are no UTF-8 stay", b'{"a":"\xff"}', [b'{"a":"\xff"}'], b""),
    ("an object cut between members", b'{}{"a":1,', [b"{}"], b'{"a":1,'),
    ("an object cut in a string", b'{}\n{"a":"}', [b"{}"], b'{"a":"}'),
    ("an object cut behind a backslash", b'{"a":"\\', [], b'{"a":"\\'),
    ("a word cut short", b"{} dat", [b"{}"], b"dat"),
    ("comments", b": {ping}\r\n{}: [pong\n\ndata: {}\n:\n", [b"{}", b"{}"], b""),
    ("a comment that lacks its end", b"{}\n: ping {", [b"{}"], b""),
    ("the token cut short", b"{}[DON", [b"{}"], b"[DON"),
]


@pytest.mark.parametrize("times", ["*+", "*"])
@pytest.mark.parametrize(
    ("stream", "expected", "left"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_values(
    stream: bytes, expected: list[bytes], left: bytes, times: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The values, and what an early end leaves, do not depend on how the bytes are cut, nor on
    which patterns this version of Python takes.
    """
    if times == "*" or sys.version_info >= (3, 11, 5):
        to_brace, to_quote = values.patterns(times)
        monkeypatch.setattr(values, "_TO_BRACE", to_brace)
        monkeypatch.setattr(values, "_TO_QUOTE", to_quote)
    for chunks in splits(stream):
        splitter = ValueSplitter(MAX)
        assert expected == [value for chunk in chunks for value in splitter.feed(chunk)]
        assert left == splitter.close()


ARRAYS: list[tuple[str, bytes, list[bytes], bytes]] = [
    ("a whole array", b'[{"a":1}\n,\r\n{"a":[1,2]}\n]\n', [b'{"a":1}', b'{"a":[1,2]}'], b""),
    ("an empty one", b"[]", [], b""),
    ("one that lacks its end", b"[{},", [b"{}"], b""),
    ("one cut in an element", b'[{},{"a"', [b"{}"], b'{"a"'),
]


@pytest.mark.parametrize(
    ("stream", "expected", "left"), [case[1:] for case in ARRAYS], ids=[case[0] for case in ARRAYS]
)
def test_array(stream: bytes, expected: list[bytes], left: bytes) -> None:
    """The elements of a streamed array come one by one."""
    for chunks in splits(stream):
        splitter = ValueSplitter(MAX, array=True)
        assert expected == [value for chunk in chunks for value in splitter.feed(chunk)]
        assert left == splitter.close()


def test_a_value_is_given_with_its_last_byte() -> None:
    """No value waits for the one behind it."""
    splitter = ValueSplitter(MAX)
    assert [] == splitter.feed(b'{"a":{}')
    assert [b'{"a":{}}'] == splitter.feed(b"}")
    assert [b"[DONE]"] == splitter.feed(b"[DONE]")


def drain(
    splitter: ValueSplitter, chunks: list[bytes]
) -> tuple[list[bytes], type[FramingError] | None]:
    found: list[bytes] = []
    try:
        for chunk in chunks:
            found += splitter.feed(chunk)
        splitter.close()
    except FramingError as fault:
        return found, type(fault)
    return found, None


GARBAGE = [
    b"<html>",
    b"null",
    b"1",
    b'"text"',
    b"[1]",
    b"[DONE ]",
    b"}",
    b"]",
    b",{}",
    b"event: x\ndata: {}",
    b"dada: {}",
    b"\xff",
    b"\0",
]


@pytest.mark.parametrize("garbage", GARBAGE, ids=repr)
def test_garbage_is_refused(garbage: bytes) -> None:
    """Where neither an object nor a known word begins, what came before is given, and then
    BadFrame, for good."""
    for chunks in splits(b'{"a":1} ' + garbage):
        splitter = ValueSplitter(MAX)
        assert ([b'{"a":1}'], BadFrame) == drain(splitter, chunks)
        for call in (lambda s: s.feed(b"{}"), lambda s: s.close()):
            with pytest.raises(BadFrame):
                call(splitter)


def test_the_error_shows_what_was_there_but_not_all_of_it() -> None:
    """The message quotes the garbage, escaped and cut."""
    with pytest.raises(
        BadFrame, match=re.escape(r"expected a JSON object, found b'<html>\n\x00xxxx")
    ) as caught:
        ValueSplitter(MAX).feed(b"<html>\n\0" + b"x" * 5000)
    assert len(str(caught.value)) < 120


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize(
    "value",
    [b'{"a":"' + b"x" * 200, b'{"a":"' + b"x" * 92 + b'"}', b'{"a":' * 30, b"{" + b" " * 200],
)
def test_a_value_past_the_bound_is_refused(value: bytes, size: int) -> None:
    """A value of more than 99 bytes, finished or not, ends the reading; values of 99 pass."""
    good = b'{"a":"' + b"x" * 91 + b'"}'
    stream = good + good + value
    chunks = [stream[at : at + size] for at in range(0, len(stream), size)]
    assert ([good, good], TooLarge) == drain(ValueSplitter(99), chunks)


@pytest.mark.parametrize("filler", [b" \r\n data: data:", b": ping\n", b": endless"])
def test_what_stands_between_values_holds_nothing(filler: bytes) -> None:
    """White space, prefixes and comments, ended or not, are thrown away as they come."""
    splitter = ValueSplitter(10)
    for _ in range(100):
        assert [] == splitter.feed(filler * 100)
        assert len(splitter._held) < 10
    splitter.feed(b"\n")
    assert b"" == splitter.close()
    assert [b"{}"] == splitter.feed(b"{}")


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.sampled_from(['"', "\\", "{", "}", '\\"', "}{", "data:"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)
OBJECTS = st.lists(st.dictionaries(st.text(max_size=4), JSON, max_size=3), max_size=5)
GAPS = st.sampled_from(["", " ", "\n", "data:", "data: ", "\n\ndata: ", "\r\n"])


@given(OBJECTS, GAPS, st.booleans(), st.lists(st.integers(0, 400), max_size=10))
def test_any_objects_any_split(
    objects: list[dict[str, Any]], gap: str, ascii_only: bool, cuts: list[int]
) -> None:
    """Whatever JSON objects go in come out, one value each, judged by Python's own json."""
    stream = "".join(gap + json.dumps(o, ensure_ascii=ascii_only) for o in objects).encode(
        "utf-8", "surrogatepass"
    )
    at = [0, *sorted(min(c, len(stream)) for c in cuts), len(stream)]
    splitter = ValueSplitter(MAX)
    found = [value for start, end in pairwise(at) for value in splitter.feed(stream[start:end])]
    assert objects == [json.loads(value.decode("utf-8", "surrogatepass")) for value in found]
    assert b"" == splitter.close()


@given(
    st.lists(
        st.sampled_from(
            [b"{", b"}", b'"', b"\\", b"data:", b"[DONE]", b"d", b"[", b" ", b"x", b":", b"\n"]
        ),
        max_size=25,
    ).map(b"".join),
    st.integers(1, 12),
)
def test_any_bytes_any_split(stream: bytes, bound: int) -> None:
    """Values and fault are the same for every split, and nothing but a FramingError is raised."""
    whole = drain(ValueSplitter(bound), [stream])
    for chunks in splits(stream):
        assert whole == drain(ValueSplitter(bound), chunks)


class Scan:
    """A pattern that counts the bytes that it looks at."""

    looked_at = 0

    def __init__(self, pattern: re.Pattern[bytes]) -> None:
        self.pattern = pattern

    def match(self, held: bytearray, at: int) -> re.Match[bytes] | None:
        found = self.pattern.match(held, at)
        assert found is not None
        Scan.looked_at += found.end() - at + 1
        return found


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize(
    "piece", [b"x", b"\\\\", b'\\"', b'","', b"}{", b'":{},"', b"\\"], ids=repr
)
def test_each_byte_is_looked_at_a_bounded_number_of_times(
    piece: bytes, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The scan goes on where it stopped: what it looks at grows with the bytes, not with their
    square."""
    for name in ("_TO_BRACE", "_TO_QUOTE", "_GAP"):
        monkeypatch.setattr(values, name, Scan(getattr(values, name)))
    stream = b'{"a":"' + piece * 10_000 + b'"}'
    Scan.looked_at = 0
    splitter = ValueSplitter(MAX)
    for at in range(0, len(stream), size):
        splitter.feed(stream[at : at + size])
    assert Scan.looked_at <= 4 * len(stream)


@needs_recordings
@pytest.mark.parametrize(
    "name", ["c-chatglm1-report.body.bin", "c-chatglm2-report.body.bin", "b-sider-shaped.body.sse"]
)
def test_the_founding_posts_servers(name: str) -> None:
    """Bodies with no framing at all come apart into the objects that json.JSONDecoder finds in
    them."""
    data = seed_bytes(name)
    text = data.decode()
    expected = []
    at = 0
    while (at := text.find("{", at)) >= 0:
        value, at = json.JSONDecoder().raw_decode(text, at)
        expected.append(value)
    assert len(expected) > 3
    for chunks in splits(data):
        splitter = ValueSplitter(MAX)
        found = [value for chunk in chunks for value in splitter.feed(chunk)]
        assert expected == [json.loads(value) for value in found if value != values.DONE]
        assert b"" == splitter.close()


def test_a_byte_order_mark_is_passed_over() -> None:
    """Before the first value, as a text editor leaves it, or wherever two streams were put
    together."""
    for chunks in splits(b'\xef\xbb\xbf{"a":1}\xef\xbb\xbfdata: {"b":2}'):
        assert ([b'{"a":1}', b'{"b":2}'], None) == drain(ValueSplitter(MAX), chunks)

"""Bodies that are small to send and dear to read: refused by what they are, before anything is made
of them, and read alike everywhere."""

import asyncio
import json
import tracemalloc
from typing import Any

import msgspec
import pytest

from proxy.codec.json_body import MAX_CONTAINERS, json_object
from proxy.codec.json_depth import MAX_DEPTH, containers
from proxy.dialects.registry import CLIENTS
from proxy.errors import Refused
from tests.fuzz.bodies import incoming, parsed_by
from tests.hostile.wire import place
from tests.running import running
from tests.samples import ASKED

MOCKED = {
    "upstreams": {"far": {"dialect": "openai_chat", "mock": {"tokens_per_s": 0}}},
    "models": {"*": [{"upstream": "far"}]},
}
SIZE = 4_000_000  # just under limits.max_body_bytes


def repeated(piece: bytes, size: int = SIZE) -> bytes:
    """An unknown key whose value is a list of so many bytes."""
    return b'{"x":[' + (piece + b",") * ((size - 20) // (len(piece) + 1)) + b"0]}"


NEST = b"[" * 90 + b"]" * 90
REFUSED = {
    "brackets": (b"[" * SIZE, f"more than {MAX_CONTAINERS} lists"),
    "open objects": (b'{"a":' * (SIZE // 5), f"more than {MAX_CONTAINERS} lists"),
    "empty lists": (repeated(b"[]"), f"more than {MAX_CONTAINERS} lists"),
    "empty objects": (repeated(b"{}"), f"more than {MAX_CONTAINERS} lists"),
    "deep lists side by side": (repeated(NEST), f"more than {MAX_CONTAINERS} lists"),
    "lists behind texts with quotation marks": (
        repeated(rb'"\"[",[]'),
        f"more than {MAX_CONTAINERS} lists",
    ),
    "lists behind texts with backslashes": (
        repeated(rb'"\\",[]'),
        f"more than {MAX_CONTAINERS} lists",
    ),
    "a level too deep": (
        b'{"x":' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"}",
        f"deeper than {MAX_DEPTH}",
    ),
    "many levels too deep": (b'{"x":' + b"[" * 50_000 + b"]" * 50_000 + b"}", "nested too deeply"),
    "a million digits": (b'{"max_tokens":' + b"9" * 1_000_000 + b"}", "out of range"),
    "an exponent of a million digits": (
        b'{"temperature":1e' + b"9" * 1_000_000 + b"}",
        "out of range",
    ),
    "a large exponent": (b'{"temperature":1e400}', "out of range"),
    "half a surrogate pair": (rb'{"prompt":"\ud800"}', "half of a surrogate pair"),
    "the other half": (rb'{"prompt":"\udc00 x"}', "is not JSON"),
    "half a pair in UTF-8": (b'{"prompt":"\xed\xa0\x80"}', "not UTF-8"),
    "a byte order mark": (b'\xef\xbb\xbf{"prompt":"x"}', "byte order mark"),
    "UTF-16": ('{"prompt":"x"}'.encode("utf-16"), "byte order mark"),
    "UTF-16 the other way": (b"\xfe\xff" + '{"prompt":"x"}'.encode("utf-16-be"), "byte order mark"),
    "UTF-32": ('{"prompt":"x"}'.encode("utf-32"), "byte order mark"),
    "UTF-16 without a mark": ('{"prompt":"x"}'.encode("utf-16-le"), "is not JSON"),
    "NaN": (b'{"temperature":NaN}', "is not JSON"),
    "a control character in a text": (b'{"prompt":"a\nb"}', "is not JSON"),
    "trailing brackets": (b'{"prompt":"x"}' + b"]" * 1000, "trailing characters"),
}


@pytest.mark.parametrize("bomb", REFUSED)
@pytest.mark.parametrize("dialect", CLIENTS)
def test_every_dialect_refuses_it_by_its_name_and_in_its_own_shape(dialect: str, bomb: str) -> None:
    body, why = REFUSED[bomb]
    half = CLIENTS[dialect]
    with pytest.raises(Refused) as refused:
        half.parse_request(incoming(body))
    assert "bad_request" == refused.value.failure.kind
    reply = half.render_error(refused.value.failure)
    assert reply.status in (400, 422) or ASKED[dialect].errors_under_200
    is_text = ASKED[dialect].error_is_text
    said = reply.body.decode() if is_text else json.dumps(json.loads(reply.body))
    assert why in said
    assert 2000 > len(reply.body)


HARMLESS = {
    "brackets in a text": b'"' + b"[" * (SIZE - 100) + b'"',
    "escaped quotation marks and brackets in a text": b'"' + rb"\"[{" * 900_000 + b'"',
    "a million escapes": b'"' + rb"\n" * 1_000_000 + b'"',
    "half a million characters in escapes": b'"' + rb"\u4f60" * 500_000 + b'"',
    "surrogate pairs": b'"' + rb"\ud83d\ude00" * 300_000 + b'"',
}


@pytest.mark.parametrize("text", HARMLESS)
def test_a_long_text_is_a_text_whatever_is_in_it(text: str) -> None:
    """A prompt may be a program, or a file in JSON."""
    said = HARMLESS[text]
    asked = (
        CLIENTS["native"].parse_request(incoming(b'{"model":"m","prompt":' + said + b"}")).request
    )
    assert json.loads(said) == asked.messages[0].content


@pytest.mark.parametrize(
    "body", [repeated(b"1"), repeated(b'""'), b"{" + b",".join(b'"%x":0' % number for number in range(400_000)) + b"}"],
    ids=["two million numbers", "a million texts", "four hundred thousand keys"],
)  # fmt: skip
@pytest.mark.parametrize("dialect", CLIENTS)
def test_many_small_things_get_a_short_answer(dialect: str, body: bytes) -> None:
    half = CLIENTS[dialect]
    with pytest.raises(Refused) as refused:
        half.parse_request(incoming(body))
    assert 4000 > len(half.render_error(refused.value.failure).body)


@pytest.mark.parametrize("dialect", sorted(set(CLIENTS) - {"native"}))  # which refuses them
def test_notes_about_unknown_keys_are_bounded(dialect: str) -> None:
    many = b",".join(b'"%x":0' % number for number in range(100_000))
    parsed = CLIENTS[dialect].parse_request(
        incoming(json.dumps(ASKED[dialect].body).encode()[:-1] + b"," + many + b"}")
    )
    assert 10_000 > len(msgspec.json.encode(parsed.notes))


@pytest.mark.parametrize("bomb", ["empty lists", "empty objects", "deep lists side by side"])
def test_what_is_refused_is_not_built_first(bomb: str) -> None:
    """Built, three bytes of it are eighty: what is held at once is measured, which tells the work
    too."""
    body = REFUSED[bomb][0]
    tracemalloc.start()
    try:
        with pytest.raises(Refused):
            json_object(body)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert 3 * len(body) > most


@pytest.mark.parametrize("piece", [b"[]", b'"a"', b'"\\"["', b'{"a":"["}'])
def test_twice_the_size_is_no_more_than_twice_the_memory(piece: bytes) -> None:
    def held(size: int) -> int:
        body = repeated(piece, size)
        tracemalloc.start()
        try:
            containers(body)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert 2.2 * held(1_000_000) > held(2_000_000)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (b"1", 0),
        (b"[]", 1),
        (b'{"a":[{},{}]}', 4),
        (b'["[", "]", "{"]', 1),
        (rb'["\"[", [] ]', 2),
        (rb'["\\", [] ]', 2),
        (rb'["\\\"[", []]', 2),
        (b'[""]', 1),
        (b'["",[],"",[]]', 3),
        (b'{"":{"":[]}}', 3),
        (rb'["\u005b\u0022["]', 1),
    ],
)
def test_brackets_in_texts_are_not_counted(text: bytes, count: int) -> None:
    json.loads(text)
    assert count == containers(text)


@pytest.mark.parametrize("dialect", CLIENTS)
def test_of_a_key_that_stands_twice_the_last_counts(dialect: str) -> None:
    """At every level, and nothing of the first goes on: two readers that chose differently would be
    two requests."""
    poison = {"a": ["FIRST"]}

    def doubled(value: Any) -> str:
        if isinstance(value, dict):
            pairs = (
                f"{json.dumps(key)}:{json.dumps(poison)},{json.dumps(key)}:{doubled(inner)}"
                for key, inner in value.items()
            )
            return "{" + ",".join(pairs) + "}"
        return (
            "[" + ",".join(map(doubled, value)) + "]"
            if isinstance(value, list)
            else json.dumps(value)
        )

    parsed = CLIENTS[dialect].parse_request(incoming(doubled(ASKED[dialect].body).encode()))
    # functions are never equal
    assert parsed_by(dialect)._replace(keeping=None) == parsed._replace(keeping=None)


async def test_others_are_served_between_the_halves_of_a_bomb() -> None:
    """And when it is complete it is refused, by every path."""
    bomb = REFUSED["empty lists"][0]
    async with running(MOCKED) as run:
        for dialect, (path, *_) in ASKED.items():
            reader, writer = await asyncio.open_connection(*place(run.url))
            head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {len(bomb)}\r\n\r\n"
            writer.write(head.encode() + bomb[: SIZE // 2])
            await writer.drain()
            async with run.session.post(
                f"{run.url}/v1/stream", json={"model": "m", "prompt": "hi"}
            ) as other:
                assert '"stream.end"' in await other.text()
            writer.write(bomb[SIZE // 2 :])
            answer = await asyncio.wait_for(reader.read(), 30)
            writer.close()
            assert f"more than {MAX_CONTAINERS} lists".encode() in answer, dialect


def test_every_client_dialect_is_among_the_paths() -> None:
    assert set(CLIENTS) == set(ASKED)

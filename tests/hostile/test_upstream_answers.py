"""Hostile words of vendors stay words: whatever text stands wherever in an answer, a client reads
as many frames as without it.

Every text in every frame of an answer (texts, names, ids, models, finish reasons, messages, codes)
is replaced in turn, once by a harmless one and once by one that tries to end a line, a frame and
the stream. What an independent reader makes of the two must have one shape.
"""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import httpx
import pytest
from httpx_sse import EventSource

from proxy.codec.base import Decoder
from proxy.codec.event_name import event_name
from proxy.dialects.registry import CLIENTS, UPSTREAMS
from proxy.events import Event
from tests.fuzz.readers import START, encoder_of
from tests.fuzz.samples import bodies
from tests.hostile.upstream import Far, answer, asked_in, listening
from tests.running import one, running
from tests.samples import ASKED, SAMPLES

HOSTILE = "a\r\nb\r\n\r\ndata: [DONE]\n\nevent: error\nid: 9\nretry: 1\n: c\n\n\x00\u2028\u2029\x85\x0b\x0c\x1e\x1b[2J\u202e\ufeff</script>'\"\\"
HARMLESS = "x" * len(HOSTILE)
LIMIT = 1 << 20
_MOST_BYTES = 6_000  # of one answer
_MOST_PLACES = 60  # of one dialect


def lines_of(body: bytes) -> list[tuple[str, Any]] | None:
    """The lines of an answer, each as what stands before its JSON and the JSON; None for a dialect
    that has no lines."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    found = []
    for line in text.split("\n"):
        start = next(
            (
                at
                for at in (0, 5, 6)
                if line[at : at + 1] in ("{", "[") and line[:at] in ("", "data:", "data: ")
            ),
            None,
        )
        try:
            found.append(
                (line, None) if start is None else (line[:start], json.loads(line[start:]))
            )
        except ValueError:
            found.append((line, None))
    return found


def leaves(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, str):
        yield at
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, each in inner:
        yield from leaves(each, (*at, key))


def put(value: Any, at: tuple[Any, ...], text: str) -> Any:
    if not at:
        return text
    changed = dict(value) if isinstance(value, dict) else list(value)
    changed[at[0]] = put(value[at[0]], at[1:], text)
    return changed


@cache
def spoilt(dialect: str) -> tuple[tuple[str, bytes, bytes], ...]:
    """Where a text was replaced, and the answer with the harmless one and the hostile one."""
    sample = SAMPLES[dialect]
    found: dict[Any, tuple[str, bytes, bytes]] = {}
    for body in (sample.whole, sample.opening + sample.first + sample.error, *bodies(dialect)):
        lines = lines_of(body) if len(body) <= _MOST_BYTES else None
        for number, (_, value) in enumerate(lines or ()):
            for at in leaves(value):
                # Of places that are alike one is enough.
                alike = (
                    str(value.get("type") or value.get("event")) if isinstance(value, dict) else "",
                    tuple(map(str, at)),
                )
                if lines is not None and alike not in found and len(found) < _MOST_PLACES:
                    found[alike] = (
                        f"{alike}",
                        *(_with(lines, number, at, text) for text in (HARMLESS, HOSTILE)),
                    )
    return tuple(found.values())


def _with(lines: list[tuple[str, Any]], number: int, at: tuple[Any, ...], text: str) -> bytes:
    said = [
        before
        if value is None
        else before
        + json.dumps(put(value, at, text) if here == number else value, ensure_ascii=False)
        for here, (before, value) in enumerate(lines)
    ]
    return "\n".join(said).encode()


def events_of(decoder: Decoder, body: bytes) -> list[Event]:
    return [*decoder.feed(body), *decoder.close()]


def written(client: str, dialect: str, body: bytes) -> bytes:
    decoder = UPSTREAMS[dialect].decoder(LIMIT, SAMPLES[dialect].options)
    encoder = encoder_of(client)
    return b"".join(map(encoder.encode, [START, *events_of(decoder, body)]))


def shape(client: str, data: bytes) -> list[Any]:
    """What tells frames apart, as a reader that is not ours finds them: of JSON which keys it has,
    of the rest that it is text."""
    kind = encoder_of(client).content_type
    if kind.startswith("text/event-stream") and ASKED[client].form != "values":
        source = EventSource(
            httpx.Response(200, headers={"content-type": "text/event-stream"}, content=data)
        )
        # Dialects pass on events of their own that they do not know, under their own names: of a
        # hostile name a line is left.
        own = (HARMLESS, event_name(HOSTILE))
        return [
            (
                "text" if frame.event in own else frame.event,
                bool(frame.id),
                frame.retry,
                _kind(frame.data, client),
            )
            for frame in source.iter_sse()
        ]
    if "ndjson" in kind:
        return [_kind(line, client) for line in data.decode().removesuffix("\n").split("\n")]
    values, rest = [], data.decode()
    if client == "gemini":
        return [sorted(value) for value in json.loads(rest)]
    while rest:
        value, end = json.JSONDecoder().raw_decode(rest)
        values.append(sorted(value))
        rest = rest[end:]
    return values


def _kind(text: str, client: str) -> Any:
    if ASKED[client].form == "text":
        return "text"
    if text == "[DONE]":
        return text
    value = json.loads(text)
    if not isinstance(value, dict):
        return type(value).__name__
    return sorted(value), *(
        "text" if said in (HARMLESS, HOSTILE) or isinstance(said, dict) else said
        for said in map(value.get, ("type", "event"))
    )


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("dialect", UPSTREAMS)
def test_a_text_ends_no_frame_wherever_it_stands(dialect: str, client: str) -> None:
    for where, harmless, hostile in spoilt(dialect):
        expected = shape(client, written(client, dialect, harmless))
        assert expected == shape(client, written(client, dialect, hostile)), where


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("dialect", UPSTREAMS)
def test_a_text_of_the_answer_ends_no_frame(dialect: str, client: str) -> None:
    """Also of the dialects whose frames are binary."""
    sample = SAMPLES[dialect]
    said = []
    for text in (HARMLESS, HOSTILE):
        try:
            body = sample.opening + sample.starts + sample.say("", text) + sample.ending
        except ValueError:
            pytest.skip(f"a text with line ends cannot be said in {dialect}")
        said.append(shape(client, written(client, dialect, body)))
    assert said[0]
    assert [said[0][0], said[0][-1]] == [said[1][0], said[1][-1]]
    assert "[DONE]" not in [
        frame[-1] if isinstance(frame, tuple) else frame for frame in said[1][:-1]
    ]


def test_enough_places_are_tried() -> None:
    """Every dialect that has JSON in lines has its places here; the ones without are told."""
    without = {dialect for dialect in UPSTREAMS if not spoilt(dialect)}
    assert {name for name, sample in SAMPLES.items() if sample.binary or sample.raw} >= without
    assert sum(len(spoilt(dialect)) for dialect in UPSTREAMS) > 200


@pytest.mark.parametrize("dialect", UPSTREAMS)
@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 529])
def test_an_error_body_ends_no_frame_and_no_header(dialect: str, status: int) -> None:
    """Of every text in it, and over every client: the body is one JSON value, and the headers are
    of this proxy alone."""
    body = SAMPLES[dialect].error_body
    for at in leaves(body):
        why = UPSTREAMS[dialect].parse_error(
            status, {}, json.dumps(put(body, at, HOSTILE)).encode()
        )
        assert why is not None
        for client, half in CLIENTS.items():
            reply = half.render_error(why)
            assert all(
                value.isprintable() and value.isascii() for value in reply.headers.values()
            ), client
            if reply.content_type.startswith("application/json"):
                json.loads(reply.body)
            elif reply.content_type.startswith("text/event-stream"):
                assert 1 <= len(shape(client, reply.body)) <= 2


@pytest.mark.parametrize("client", CLIENTS)
async def test_through_the_whole_proxy_too(client: str) -> None:
    """A hostile text in a stream, and a hostile error: the frames are those of a harmless one, and
    no header is new."""
    sample = SAMPLES["openai_chat"]
    answers = [
        sample.opening + sample.starts + sample.say("", text) + sample.ending
        for text in (HARMLESS, HOSTILE)
    ]
    seen = []
    for body in answers:
        far = Far(answer(body))
        async with listening(far), running(one("openai_chat", far.url)) as run:
            status, got, headers = await asked_in(run, client)
        assert 200 == status
        seen.append(
            (
                len(shape(client, got))
                if headers["Content-Type"].startswith("text/event")
                else got.count(b"\n"),
                sorted(headers),
            )
        )
    assert seen[0][1] == seen[1][1]
    assert seen[0][0] == seen[1][0]

"""Clients that come back with an odd id of what they had seen, on every path that takes one: they get
the rest or nothing, never a second generation and never another's answer.
"""

import hashlib
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest

from tests.hostile.wire import Got, exchange
from tests.relay.far import Far, proxied, says
from tests.running import Running

ASKED = {"model": "m", "prompt": "hi"}
RUN = {"threadId": "t", "runId": "r", "messages": [{"id": "1", "role": "user", "content": "hi"}]}
KEYS = [
    {"name": name, "sha256": hashlib.sha256(name.encode()).hexdigest()} for name in ("ann", "bob")
]
# {} is the id of the stream that is read, <> that of another of the same key
ODD = [
    *("x", ":", "-1", "null", "undefined", "{}", "{}:", ":1", "{}:-1", "{}:+1", "{}:1.5", "{}:1e3"),
    *("{}:0x1", "{}:1 2", "{}: 1", "{}:1,", "{}:1:2", "{}:" + "9" * 40, "{}%3A1", "{}:%31"),
    *("<>:1", "{}{}:1", "0" * 32 + ":1", "{}:\u0661", "{}:\uff11", "\u4f60:1", "{};1", "../{}:1"),
]


class Way(NamedTuple):
    """A request that comes back: an id goes into `path` for <seen>, or else into the header."""

    method: str
    path: str
    body: dict[str, Any] | None = None


WAYS = {
    "again": Way("POST", "/v1/stream", ASKED),
    "event source": Way("GET", "/v1/stream?model=m&prompt=hi"),
    "stream": Way("GET", "/v1/streams/{}"),
    "stream, query": Way("GET", "/v1/streams/{}?last_event_id=<seen>"),
    "stream in ag_ui": Way("GET", "/v1/streams/{}?dialect=ag_ui"),
    "stream in ag_ui, query": Way("GET", "/v1/streams/{}?dialect=ag_ui&last_event_id=<seen>"),
    "ag_ui again": Way("POST", "/v1/ag-ui", RUN),
    "ag_ui join": Way("GET", "/v1/ag-ui?runId=r"),
}


@asynccontextmanager
async def said_twice() -> AsyncIterator[tuple[Running, Far, str, str]]:
    """Ann has had two answers. Also gives the upstream and the streams' ids."""
    far = Far(says("Hello"))
    models, streams = {"*": [{"upstream": "far"}]}, {"resume": {}}
    async with proxied(
        ["far"], {"far": far}, models=models, streams=streams, auth={"keys": KEYS}
    ) as run:
        ids = []
        for prompt in ("hi", "ho"):
            said = {**ASKED, "prompt": prompt}
            got = await sent(run, Way("POST", "/v1/stream", said), [], "")
            ids.append(got.data.partition(b"\nid: ")[2][:32].decode())
        yield run, far, ids[0], ids[1]


async def sent(run: Running, way: Way, seen: Sequence[str], stream: str, key: str = "ann") -> Got:
    """What is answered to this way's request with these ids."""
    path, headers = way.path.replace("{}", stream), seen
    if "<seen>" in path:
        path, headers = path.replace("<seen>", quote("".join(seen), safe="")), []
    body = b"" if way.body is None else json.dumps(way.body).encode()
    lines = [
        f"{way.method} {path} HTTP/1.1",
        "Host: x",
        "Connection: close",
        f"Authorization: Bearer {key}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *(f"Last-Event-ID: {each}" for each in headers),
    ]
    return await exchange(run.url, ["\r\n".join(lines).encode() + b"\r\n\r\n" + body])


@pytest.mark.parametrize("way", WAYS)
async def test_an_odd_id_gives_nothing_and_starts_nothing(
    way: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with said_twice() as (run, far, stream, other):
        for odd in ODD:
            seen = odd.replace("{}", stream).replace("<>", other)
            if odd == "<>:1" and "{}" not in WAYS[way].path:
                continue  # there it says which stream is meant
            got = await sent(run, WAYS[way], [seen], stream)
            assert ([204], odd) == (got.statuses, odd)
        assert 2 == len(far.asked)
    assert "Traceback" not in capsys.readouterr().out


@pytest.mark.parametrize("way", WAYS)
async def test_a_good_id_gives_the_rest_to_its_owner_alone(way: str) -> None:
    async with said_twice() as (run, far, stream, _):
        for seen, rest in ((f"{stream}:1", True), (f"{stream}:2", False)):
            got = await sent(run, WAYS[way], [seen], stream)
            assert ([200], rest) == (got.statuses, b"Hello" in got.data)
            bobs = await sent(run, WAYS[way], [seen], stream, "bob")
            assert bobs.statuses in ([204], [404])
            assert b"Hello" not in bobs.data
        assert 2 == len(far.asked)


@pytest.mark.parametrize(
    ("seen", "status"),
    [
        (("", "{}:1"), 200),
        (("{}:1", ""), 200),
        (("{}:1", "{}:1"), 200),
        (("{}:1", "{}:2"), 204),
        (("x", "{}:1"), 204),
        (("{}:1", "<>:1"), 204),
    ],
)
@pytest.mark.parametrize("way", [way for way in WAYS if "<seen>" not in WAYS[way].path])
async def test_two_headers_are_one_id_or_none(way: str, seen: tuple[str, ...], status: int) -> None:
    async with said_twice() as (run, far, stream, other):
        ids = [each.replace("{}", stream).replace("<>", other) for each in seen]
        assert [status] == (await sent(run, WAYS[way], ids, stream)).statuses
        assert 2 == len(far.asked)


async def test_the_header_counts_where_the_query_names_another_event() -> None:
    """A browser's EventSource keeps the query of its first request, and says in the header what it
    has had since."""
    async with said_twice() as (run, _, stream, other):
        for query in (f"{stream}:0", f"{other}:1", "x"):
            way = Way("GET", f"/v1/streams/{stream}?last_event_id={query}")
            got = await sent(run, way, [f"{stream}:2"], stream)
            assert ([200], False) == (got.statuses, b"Hello" in got.data)


ODD_NUMBERS = [
    *("", "1e9", "NaN", "+1", "0x1", "1.5", "1,2", "--1", "null", "undefined", "true", "9" * 400),
    *("%00", "%20", "%25", "%D9%A1", "%EF%BC%91", "1%0d%0aX:%20y"),
]
PAGE = {
    "id": "chat",
    "messages": [{"id": "u", "role": "user", "parts": [{"type": "text", "text": "hi"}]}],
}


async def test_a_number_that_is_none_is_refused_where_frames_are_counted() -> None:
    async with said_twice() as (run, far, _, _):
        answer = Way("POST", "/v1/responses", {"model": "m", "input": "hi"})
        page = Way("POST", "/v1/ai-sdk", PAGE)
        got = await sent(run, answer, [], "")
        response = json.loads(got.data.partition(b"\r\n\r\n")[2])["id"]
        await sent(run, page, [], "")
        for path, unwanted in (
            (f"/v1/responses/{response}?stream=true&starting_after=", ["-1", "-0"]),
            ("/v1/ai-sdk/chat/stream?startIndex=", []),
        ):
            for number in (*ODD_NUMBERS, *unwanted):
                got = await sent(run, Way("GET", path + number), [], "")
                assert ([400], number) == (got.statuses, number)
            for number, said in (("0", True), ("999999", False)):
                got = await sent(run, Way("GET", path + number), [], "")
                assert said == (b"Hello" in got.data)
                hers = await sent(run, Way("GET", path + number), [], "", "bob")
                assert hers.statuses in ([204], [404])
        assert 4 == len(far.asked)

"""Bodies and heads in forms that HTTP allows and nobody sends, or that it does not allow: each is
answered once, or refused, and costs what its bytes cost.
"""

import asyncio
import gzip
import json
import zlib
from typing import Any

import pytest

from proxy.app import Process
from tests.hostile.wire import WAIT_S, Got, place
from tests.raw_upstream import CHUNKED, LAST_CHUNK, Peer, raw_upstream
from tests.running import one, running

MOCKED = {
    "upstreams": {"up": {"dialect": "openai_chat", "mock": {"tokens_per_s": 0}}},
    "models": {"*": [{"upstream": "up"}]},
    "limits": {"max_body_bytes": 100_000},
}
BODY = b'{"model":"m","prompt":"x","stream":false}'
GZIP = b"Content-Encoding: gzip"
DEFLATE = b"Content-Encoding: deflate"
CHUNKS = b"Transfer-Encoding: chunked"
PACKED = gzip.compress(BODY)


def post(
    body: bytes = BODY, *fields: bytes, path: bytes = b"/v1/stream", sized: bool = True
) -> bytes:
    length = b"Content-Length: %d\r\n" % len(body) if sized else b""
    head = b"".join(field + b"\r\n" for field in fields) + length
    return (
        b"POST %b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        b"Content-Type: application/json\r\n%b\r\n%b" % (path, head, body)
    )


def get(path: bytes, *fields: bytes) -> bytes:
    head = b"".join(field + b"\r\n" for field in fields)
    return b"GET %b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%b\r\n" % (path, head)


def chunked(*pieces: bytes, trailer: bytes = b"", extension: bytes = b"") -> bytes:
    said = b"".join(b"%x%b\r\n%b\r\n" % (len(piece), extension, piece) for piece in pieces)
    return post(said + b"0\r\n" + trailer + b"\r\n", CHUNKS, sized=False)


def with_field(flag: int, field: bytes) -> bytes:
    """A gzip member with an optional field in its head (RFC 1952, 2.3)."""
    return PACKED[:3] + bytes([flag]) + PACKED[4:10] + field + PACKED[10:]


def with_dictionary() -> bytes:
    packer = zlib.compressobj(zdict=b"model prompt stream")
    return packer.compress(BODY) + packer.flush()


CASES: dict[str, tuple[bytes, int]] = {
    "a trailer": (chunked(BODY, trailer=b"X-A: b\r\n"), 200),
    "a key and a length in the trailer": (
        chunked(BODY, trailer=b"Authorization: Bearer x\r\nContent-Length: 5\r\nHost: a\r\n"),
        400,
    ),
    "twenty thousand trailers": (chunked(BODY, trailer=b"X-A: b\r\n" * 20_000), 431),
    "a long trailer": (chunked(BODY, trailer=b"X-A: " + b"b" * 200_000 + b"\r\n"), 431),
    "a trailer with a line feed alone": (chunked(BODY, trailer=b"X-A: b\nX-B: c\r\n"), 400),
    "an extension on each chunk": (
        chunked(*(bytes([byte]) for byte in BODY), extension=b";a=b"),
        200,
    ),
    "chunks of one byte": (chunked(*[b" "] * 50_000, BODY), 200),
    "a size with two hundred zeros": (
        post(b"0" * 200 + b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY), CHUNKS, sized=False),
        200,
    ),
    "empty members before the body": (post(gzip.compress(b"") * 50 + PACKED, GZIP), 200),
    "a hundred members before the body": (post(gzip.compress(b"") * 100 + PACKED, GZIP), 400),
    "a bomb in parts, each within the bound": (
        post(gzip.compress(b" " * 50_000) * 3 + PACKED, GZIP),
        413,
    ),
    "a member with a long name": (post(with_field(8, b"n" * 40_000 + b"\0"), GZIP), 200),
    "a member with a long extra field": (
        post(with_field(4, b"\xff\xff" + b"e" * 65_535), GZIP),
        200,
    ),
    "zlib called gzip": (post(zlib.compress(BODY), GZIP), 400),
    "gzip called deflate": (post(PACKED, DEFLATE), 400),
    "a dictionary that nobody has": (post(with_dictionary(), DEFLATE), 400),
    "nothing, compressed": (post(b"", GZIP), 400),
    "gzip said twice": (post(PACKED, GZIP, GZIP), 415),
    "a coding with another one that does nothing": (post(PACKED, GZIP + b", identity"), 415),
    "a long list of codings": (post(PACKED, GZIP + b",gzip" * 2000), 431),
    "two thousand headers": (post(BODY, *(b"X-%d: y" % number for number in range(2000))), 431),
    "one header five hundred times": (post(BODY, *[b"X-A: y"] * 500), 431),
    "a long address": (post(path=b"/v1/stream?" + b"a" * 70_000), 414),
    "a query of eight thousand keys": (post(path=b"/v1/stream?" + b"a&" * 8000), 200),
    "a query that is all codes": (post(path=b"/v1/stream?a=" + b"%41" * 9000), 200),
    "a content type with parameters": (
        post().replace(b"application/json", b"application/json" + b";a=b" * 3000),
        431,
    ),
    "a method of nine thousand letters": (post().replace(b"POST", b"P" * 9000, 1), 400),
    "two hosts": (post(BODY, b"Host: other.example"), 400),
    "an upgrade to HTTP/2": (post(BODY, b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABk"), 200),
    "a connection that would drop headers": (
        post().replace(b"close", b"close, content-length, host"),
        200,
    ),
    "another method in a header": (post(BODY, b"X-HTTP-Method-Override: DELETE"), 200),
    "cookies": (post(BODY, b"Cookie: " + b"a=b;" * 1900), 200),
    "a trace of seven thousand digits": (post(BODY, b"traceparent: 00-" + b"a" * 7000), 200),
    "twenty traces": (post(BODY, *[b"traceparent: 00-%032d-%016d-01" % (1, 1)] * 20), 200),
    "a wish for when it leaves that there is not": (
        post(BODY, b"x-mainstem-on-disconnect: " + b"a" * 5000),
        400,
    ),
    "a look at the pieces from another page": (
        post(BODY, b"x-mainstem-microscope: 1", b"Origin: https://a.example"),
        403,
    ),
    "two thousand ranges of a page": (
        get(b"/web/client.js", b"Range: bytes=0-0" + b",1-2" * 1900),
        200,
    ),
    "tags without end": (get(b"/web/client.js", b"If-None-Match: " + b'"a",' * 1500), 200),
    "seven hundred types": (get(b"/metrics", b"Accept: " + b"a/b;q=0.1," * 700), 200),
    "a file beside the page's": (get(b"/web/..%2f..%2fapp.py"), 404),
    "a file beside the page's, in dots": (get(b"/web/../../app.py"), 404),
    "a page's name with NUL": (get(b"/web/client.js%00.html"), 404),
    "the operator's list as an address of this machine": (
        get(b"/admin/streams", b"X-Forwarded-For: 127.0.0.1", b"Forwarded: for=127.0.0.1"),
        403,
    ),
    "the operator's list as a page of this machine": (
        get(b"/admin/streams", b"Origin: http://localhost:3000"),
        403,
    ),
}


@pytest.mark.parametrize("what", CASES)
async def test_it_is_answered_once_or_refused(what: str) -> None:
    sent, status = CASES[what]
    async with running(MOCKED) as run:
        reader, writer = await asyncio.open_connection(*place(run.url))
        writer.write(sent)
        data = b""
        try:
            async with asyncio.timeout(WAIT_S):
                while more := await reader.read(65_536):
                    data += more
        except ConnectionResetError:  # what it refuses it does not read
            pass
        writer.transport.abort()
        assert [status] == Got(data).statuses
        ran = status == 200 and sent.startswith(b"POST")
        assert (1 if ran else 0) == len(_asked(run.process))


def _asked(process: Process) -> list[Any]:
    newest = process.mocks.newest
    assert newest is not None
    return list(newest.account.newest())


ODD_COUNTS = [
    '{"prompt_tokens":-1000000,"completion_tokens":-5}',
    '{"prompt_tokens":9223372036854775807,"completion_tokens":9223372036854775807}',
    '{"prompt_tokens":99999999999999999999999,"completion_tokens":2}',
    '{"prompt_tokens":1.5,"completion_tokens":true}',
    '{"prompt_tokens":"7","completion_tokens":null}',
    '{"prompt_tokens":3,"completion_tokens":2,"cost":-1e9}',
    '{"prompt_tokens":3,"completion_tokens":2,"cost":1e308}',
    '{"prompt_tokens":3,"completion_tokens":2,"cost":"NaN"}',
]


@pytest.mark.parametrize("counts", ODD_COUNTS)
async def test_a_vendor_s_odd_counts_give_nobody_money_back(counts: str) -> None:
    """Nothing that is counted ever goes down, or to where no number is."""

    async def play(peer: Peer) -> None:
        await peer.request()
        peer.write(CHUNKED)
        peer.send(b'data: {"choices":[{"index":0,"delta":{"content":"Hello"}}]}\n\n')
        peer.send(b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n')
        peer.send(b'data: {"choices":[],"usage":%b}\n\ndata: [DONE]\n\n' % counts.encode())
        peer.write(LAST_CHUNK)

    prices = {"*": {"input_per_million": 1_000_000, "output_per_million": 1_000_000}}
    async with raw_upstream(play) as url, running(one("openai_chat", url, prices=prices)) as run:
        async with run.session.post(
            f"{run.url}/v1/stream", json={"model": "m", "prompt": "x"}
        ) as response:
            events = [
                json.loads(line[6:])
                for line in (await response.text()).splitlines()
                if line.startswith("data: ")
            ]
        usage = events[-1]["usage"]
        assert all(
            usage[name] is None or 0 <= usage[name] < 1_000_000 for name in usage if name != "cost"
        )
        assert usage["cost"] is None or 0 <= usage["cost"]["amount"] < 1_000_000
        for direction in ("input", "output"):
            counted = await run.metric(f'mainstem_tokens_total{{direction="{direction}"')
            assert 0 <= counted < 1_000_000

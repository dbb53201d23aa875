"""How a streamed answer reaches the client's connection."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiohttp.test_utils import make_mocked_request

from proxy.codec.base import Encoder
from proxy.events import Event
from proxy.server.carried import Particulars
from proxy.server.cors import CorsPolicy
from proxy.server.streamed import ResponseSink, Streamed
from proxy.server.visit import REQUEST_ID
from tests.bench.wire import http_chunk
from tests.raw_upstream import CHUNKED, LAST_CHUNK, Peer
from tests.relay.far import ROLE, STOP, Far, delta, proxied

PLAIN = Particulars(upstream="far")


class Line(asyncio.Transport):
    """A connection that notes what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.closing = False

    def write(self, data: Any) -> None:
        self.written.append(bytes(data))

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Nothing is ever held back."""

    def is_closing(self) -> bool:
        return self.closing


def streamed(line: Line, said: Particulars = PLAIN, **headers: str) -> Streamed:
    """An answer to a client with these headers, on this connection."""
    closing = headers.get("Connection") == "close"  # as the parser would find
    request = make_mocked_request(
        "POST", "/v1/stream", headers=headers, transport=line, closing=closing
    )
    request[REQUEST_ID] = "req-1"
    cors = CorsPolicy(["https://app.example.com"], False, 600)
    gateway = cast("Any", SimpleNamespace(closing=False, state=SimpleNamespace(cors=cors)))
    return Streamed(gateway, request, cast("Any", Speaking()), said, 65_536)


class Speaking(Encoder):
    """Of which only the headers are asked."""

    content_type = "text/event-stream"
    headers = {"x-own": "1"}  # noqa: RUF012  as the class has it

    def encode(self, event: Event) -> bytes:
        raise NotImplementedError


def lines_of(head: bytes) -> list[str]:
    """Of a head, without its date, in order."""
    text, _, rest = head.decode().partition("\r\n\r\n")
    assert rest == ""
    return sorted(line for line in text.split("\r\n") if not line.startswith("Date: "))


ALWAYS = [
    "Cache-Control: no-cache, no-transform",
    "Content-Type: text/event-stream",
    "HTTP/1.1 200 OK",
    "Transfer-Encoding: chunked",
    "Vary: Origin",
    "X-Accel-Buffering: no",
    "x-mainstem-upstream: far",
    "x-own: 1",
    "x-request-id: req-1",
]


async def test_a_head_that_has_nothing_yet_waits_for_nothing() -> None:
    """And then each frame and the end go by themselves."""
    line = Line()
    response = streamed(line)
    response.open()
    response.sink.write(b"data: a\n\n")
    response.sink.end()
    response.sink.end()
    head, *rest = line.written
    assert ALWAYS == [one for one in lines_of(head) if not one.startswith("Server: ")]
    assert [b"9\r\ndata: a\n\n\r\n", b"0\r\n\r\n"] == rest


def test_a_whole_answer_is_one_write() -> None:
    """Head, frames and end; the end is not sent twice."""
    line = Line()
    response = streamed(line)
    response.open(b"data: a\n\n", whole=True)
    response.sink.end()
    (written,) = line.written
    assert written.endswith(b"\r\n\r\n9\r\ndata: a\n\n\r\n0\r\n\r\n")
    assert response.keep_alive


async def test_the_connection_ends_where_the_client_wants_it_to() -> None:
    """And the head says so."""
    line = Line()
    response = streamed(line, Connection="close")
    response.open()
    assert not response.keep_alive
    assert "Connection: close" in lines_of(line.written[0])


async def test_pages_may_read_the_headers_of_the_upstream_and_none_replaces_ours() -> None:
    """Ours are those of the dialect, of this proxy and of CORS."""
    line = Line()
    said = PLAIN._replace(
        returned={"x-quota": "7", "x-own": "2", "x-request-id": "theirs"},
        headers={"x-resumable-stream-id": "str-1"},
    )
    streamed(line, said, Origin="https://app.example.com").open()
    lines = lines_of(line.written[0])
    assert {"x-quota: 7", "x-own: 1", "x-request-id: req-1"} == {
        each for each in lines if each.startswith(("x-quota", "x-own", "x-request-id"))
    }
    (exposed,) = (each for each in lines if each.startswith("Access-Control-Expose-Headers"))
    assert exposed.endswith(", x-quota, x-own")


async def test_no_header_breaks_the_head() -> None:
    """Whatever let it come so far."""
    for said in (
        Particulars(upstream="far\r\nSet-Cookie: a=b"),
        PLAIN._replace(returned={"x-quota": "7\nx: y"}),
        PLAIN._replace(headers={"x-resumable-stream-id": "a\rb"}),
    ):
        with pytest.raises(ValueError, match="more than one line"):
            streamed(Line(), said)


async def test_a_client_that_has_left_is_found_out() -> None:
    """By whoever sends it the head, the first frames or the end."""
    line = Line()
    response = streamed(line)
    line.closing = True
    with pytest.raises(ConnectionError):
        response.open(b"data: a\n\n")
    with pytest.raises(ConnectionError):
        response.sink.end()
    assert [] == line.written


async def test_a_short_answer_leaves_the_proxy_in_one_write(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As it came in one from the upstream: nothing of it goes another way."""

    async def at_once(peer: Peer) -> None:
        body = http_chunk(ROLE + delta("Hello") + STOP)
        peer.write(CHUNKED + body + LAST_CHUNK)

    sent: list[bytes] = []
    send = ResponseSink.send

    def noted(sink: ResponseSink, data: bytes) -> None:
        sent.append(data)
        send(sink, data)

    monkeypatch.setattr(ResponseSink, "send", noted)
    monkeypatch.setattr(ResponseSink, "write", None)
    async with (
        proxied(["far"], {"far": Far(at_once)}) as run,
        run.session.post(f"{run.url}/v1/stream", json={"model": "m", "prompt": "hi"}) as response,
    ):
        body = await response.read()
    (whole,) = sent
    assert whole.startswith(b"HTTP/1.1 200 OK\r\n")
    assert body in whole
    assert b'"type":"stream.end"' in body

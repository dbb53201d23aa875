"""An upstream whose answer says where its stream is: it is followed to the upstream's own hosts,
and nowhere else."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from proxy.codec.base import Outgoing, TargetConfig
from proxy.codec.halves import UpstreamHalf
from proxy.dialects.registry import UPSTREAMS
from proxy.errors import Failure, Refused, failure
from proxy.relay.follow import vetted
from proxy.request import ChatRequest
from tests.raw_upstream import CHUNKED, LAST_CHUNK, Peer, raw_upstream
from tests.running import Running, one, running

HELLO = b'data: {"choices":[{"index":0,"delta":{"content":"Hello"}}]}\n\n'
END = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
INNER = UPSTREAMS["openai_chat"]


def build_request(request: ChatRequest, target: TargetConfig) -> Outgoing:
    return INNER.build_request(request, target._replace(options={}))


def parse_error(status: int, headers: Mapping[str, str], body: bytes) -> Failure | None:
    if b"sorry" in body:
        return failure("rate_limited", "Sorry.")
    return INNER.parse_error(status, headers, body) if status >= 400 else None


def follow(target: TargetConfig, body: bytes) -> Outgoing | None:
    try:
        url = json.loads(body)["stream"]
    except (ValueError, KeyError):
        return None
    return Outgoing(
        url,
        b"",
        {"accept": "text/event-stream", "authorization": f"Bearer {target.api_key}"},
        method="GET",
    )


# OpenAI's stream, at the address that the answer to the request gives.
ELSEWHERE = UpstreamHalf(
    name="elsewhere",
    build_request=build_request,
    decoder=lambda max_event_bytes, _: INNER.decoder(max_event_bytes, {}),
    parse_error=parse_error,
    follow=follow,
)


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(UPSTREAMS, "elsewhere", ELSEWHERE)


class Far:
    """The vendor: `say` is what it answers the request with, `{here}` its own address; `stream`
    plays the stream."""

    def __init__(
        self,
        say: str = '{"stream":"{here}/s?t=a%2Fb"}',
        stream: Any = None,
        status: str = "201 Created",
    ) -> None:
        self.say, self.stream, self.status, self.url = say, stream or streamed, status, ""
        self.heads: list[bytes] = []

    async def script(self, peer: Peer) -> None:
        while True:
            head = await peer.request()
            self.heads.append(head)
            if head.startswith(b"POST"):
                peer.write(document(self.say.replace("{here}", self.url).encode(), self.status))
            else:
                await self.stream(peer)


async def streamed(peer: Peer) -> None:
    peer.write(CHUNKED)
    peer.send(HELLO + END)
    peer.write(LAST_CHUNK)


def document(body: bytes, status: str = "201 Created") -> bytes:
    return b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
        status.encode(),
        len(body),
        body,
    )


@asynccontextmanager
async def vendor(far: Far, **upstream: Any) -> AsyncIterator[Running]:
    async with raw_upstream(far.script) as url:
        far.url = url
        async with running(one("elsewhere", url, api_key="secret", **upstream)) as run:
            yield run


async def answered(run: Running) -> tuple[int, str]:
    """Status and text, or the error's kind and message."""
    async with run.session.post(
        f"{run.url}/v1/stream", json={"model": "m", "prompt": "x"}
    ) as response:
        body = await response.text()
        if response.status != 200:
            error = json.loads(body)["error"]
            return response.status, f"{error['kind']}: {error['message']}"
    events = [json.loads(line[6:]) for line in body.split("\n") if line.startswith("data: ")]
    assert "stream.end" == events[-1]["type"]
    return 200, "".join(event["text"] for event in events if event["type"] == "text.delta")


async def test_the_stream_is_read_where_the_answer_says() -> None:
    """By a GET, at the address as it stands, with the key that the dialect puts there."""
    far = Far()
    async with vendor(far) as run:
        assert (200, "Hello") == await answered(run)
    assert [b"POST /chat/completions HTTP/1.1", b"GET /s?t=a%2Fb HTTP/1.1"] == [
        head.split(b"\r\n")[0] for head in far.heads
    ]
    got = far.heads[1].lower()
    assert b"accept: text/event-stream\r\n" in got
    assert b"authorization: bearer secret\r\n" in got
    assert b"content-length" not in got


async def test_a_stream_at_once_is_taken_as_it_is() -> None:
    """There is nothing to follow."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await streamed(peer)

    async with raw_upstream(script) as url, running(one("elsewhere", url)) as run:
        assert (200, "Hello") == await answered(run)


async def test_on_loopback_it_may_be_another_port() -> None:
    """Of the same host, as where two servers of one vendor are played."""
    beside = Far()
    async with raw_upstream(beside.script) as url:
        far = Far(json.dumps({"stream": f"{url}/s"}))
        async with vendor(far) as run:
            assert (200, "Hello") == await answered(run)
    assert (1, 1) == (len(far.heads), len(beside.heads))


async def test_a_listed_host_is_followed() -> None:
    """localhost is not 127.0.0.1 until the operator says so."""
    beside = Far()
    async with raw_upstream(beside.script) as url:
        port = url.rpartition(":")[2]
        far = Far(json.dumps({"stream": f"http://localhost:{port}/s"}))
        async with vendor(far) as run:
            status, said = await answered(run)
            assert (502, True) == (status, said.startswith("upstream_malformed: far says"))
        assert [] == beside.heads
        async with vendor(far, options={"stream_hosts": [f"localhost:{port}"]}) as run:
            assert (200, "Hello") == await answered(run)


@pytest.mark.parametrize(
    ("far", "expected"),
    [
        (Far("{}"), "upstream_malformed: far did not say where its stream is."),
        (Far("no JSON"), "upstream_malformed: far did not say where its stream is."),
        (
            Far('{"stream":"http://example.com/"}'),
            "upstream_malformed: far says that its stream is at another port",
        ),
        (Far("sorry"), "rate_limited: Sorry."),
        (Far("sorry", status="402 Payment Required"), "rate_limited: Sorry."),
        (
            Far("{}", status="307 Temporary Redirect"),
            "upstream_status: far answered with a redirect (307)",
        ),
    ],
)
async def test_an_answer_that_leads_nowhere_is_an_error(far: Far, expected: str) -> None:
    """In the status of its kind, and nothing else is asked for."""
    async with vendor(far) as run:
        status, said = await answered(run)
    assert status >= 400
    assert said.startswith(expected)
    assert 1 == len(far.heads)


async def test_an_answer_that_is_too_large_is_refused() -> None:
    """It may repeat the request, so that much more is read."""
    far = Far('{"stream":"{here}/s","input":"%s"}' % ("x" * 900))
    async with raw_upstream(far.script) as url:
        far.url = url
        for most, status in ((1000, 200), (600, 502)):
            async with running(
                {**one("elsewhere", url), "limits": {"max_event_bytes": most}}
            ) as run:
                assert status == (await answered(run))[0]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n",
            "upstream_status: far answered with a redirect (302)",
        ),
        (
            document(b'{"error":{"message":"Slow down."}}', "429 Too Many Requests"),
            "rate_limited: Slow down.",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n",
            "upstream_malformed: far answered with a web page",
        ),
    ],
)
async def test_the_second_answer_may_be_an_error_too(answer: bytes, expected: str) -> None:
    """Redirects are not followed there either."""

    async def stream(peer: Peer) -> None:
        peer.write(answer)

    far = Far(stream=stream)
    async with vendor(far) as run:
        assert (await answered(run))[1].startswith(expected)
    assert 2 == len(far.heads)


@pytest.mark.parametrize("half", ["the answer", "the stream's head", "the stream"])
async def test_when_the_client_leaves_the_open_connection_is_closed(half: str) -> None:
    """Whichever it is."""
    reached, left = asyncio.Event(), asyncio.Event()

    async def hang(peer: Peer, said: bytes) -> None:
        peer.write(said)
        reached.set()
        await peer.left()
        left.set()

    async def stream(peer: Peer) -> None:
        await hang(peer, b"" if half == "the stream's head" else CHUNKED)

    far = Far(stream=stream)

    async def script(peer: Peer) -> None:
        if half == "the answer":
            await peer.request()
            await hang(peer, document(b"{}" * 50)[:-60])
        else:
            await far.script(peer)

    async with raw_upstream(script) as url:
        far.url = url
        async with running(one("elsewhere", url)) as run:
            asking = asyncio.create_task(answered(run))
            async with asyncio.timeout(5):
                await reached.wait()
                asking.cancel()
                await left.wait()
            await asyncio.gather(asking, return_exceptions=True)


async def test_the_time_to_the_first_event_counts_from_the_request() -> None:
    """An answer that never ends, and a stream that never begins, are the same to the client."""

    async def hang(peer: Peer) -> None:
        await peer.left()

    async def script(peer: Peer) -> None:
        await peer.request()
        peer.write(document(b"{}" * 50)[:-60])
        await peer.left()

    times = {"timeouts": {"first_event_s": 0.1}}
    async with raw_upstream(script) as url, running(one("elsewhere", url, **times)) as run:
        assert (await answered(run))[1].startswith("first_event_timeout: far sent nothing")
    async with vendor(Far(stream=hang), **times) as run:
        assert (await answered(run))[1].startswith("first_event_timeout: far sent nothing")


@pytest.mark.parametrize(
    ("base", "said"),
    [
        ("https://api.replicate.com", "https://stream.replicate.com/v1/files/a?k=%2F"),
        ("https://api.replicate.com/v1", "https://api.replicate.com/v1/s"),
        ("https://replicate.com", "https://a.b.replicate.com/"),
        ("https://api.replicate.com", "https://STREAM.replicate.com./"),
        ("https://api.replicate.com", "https://api.replicate.com:443/"),
        ("https://api.example.co.uk", "https://stream.example.co.uk/"),
        ("https://api.replicate.com", "https://cdn.example.net/x"),
        ("http://gateway:8080", "http://gateway:8080/s"),
        ("http://10.0.0.1:80", "http://10.0.0.1/s"),
        ("http://127.0.0.1:80", "http://127.0.0.1:81/s"),
        ("http://[::1]:80", "http://[::1]:81/s"),
        ("http://localhost", "http://localhost:81/s"),
        ("https://a.example.org", "https://odd.example.net:8443/s"),
    ],
)
def test_addresses_that_are_followed(base: str, said: str) -> None:
    """As they stand: they may be signed."""
    listed = ["CDN.example.net", "odd.example.net:8443"]
    assert said.lower().replace(":443", "") == str(
        vetted(said, "far", base, listed)
    ).lower().replace(":443", "")


@pytest.mark.parametrize(
    ("base", "said"),
    [
        # the key would go in the open
        ("https://api.replicate.com", "http://stream.replicate.com/"),
        ("http://api.replicate.com", "https://stream.replicate.com/"),
        ("https://api.replicate.com", "https://replicate.com.evil.net/"),
        ("https://api.replicate.com", "https://evilreplicate.com/"),
        ("https://api.replicate.com", "https://169.254.169.254/latest/meta-data"),
        ("https://api.replicate.com", "https://localhost/"),
        ("https://api.replicate.com", "https://127.0.0.1/"),
        ("https://api.replicate.com", "https://[::1]/"),
        ("https://api.replicate.com", "https://com/"),
        ("https://api.replicate.com", "https://stream.replicate.com:8443/"),
        ("https://api.replicate.com", "https://api.replicate.com:22/"),
        ("https://api.replicate.com.", "https://evil.com./"),
        ("https://api.replicate.com", "https://api.replicate.com@evil.net/"),
        ("https://api.replicate.com", "https://user:pw@api.replicate.com/"),
        ("https://api.replicate.com", "https://@api.replicate.com/"),
        ("https://api.replicate.com", "https://evil.net\\@api.replicate.com/"),
        ("https://api.replicate.com", "https://evil.net%2f.replicate.com/"),
        ("https://api.replicate.com", "https://evil.net#@api.replicate.com/"),
        ("https://api.replicate.com", "//stream.replicate.com/"),
        ("https://api.replicate.com", "/v1/stream"),
        ("https://api.replicate.com", ""),
        ("https://api.replicate.com", "https://"),
        ("https://api.replicate.com", "https:stream.replicate.com"),
        ("https://api.replicate.com", "https://api.replicate.com:x/"),
        ("https://api.replicate.com", "https://[api.replicate.com/"),
        ("https://api.replicate.com", "file:///etc/passwd"),
        ("https://api.replicate.com", "ftp://stream.replicate.com/"),
        ("https://api.replicate.com", "javascript:alert(1)"),
        ("https://api.replicate.com", "https://api.replicate.com/\r\nX-Evil: 1"),
        ("https://api.replicate.com", "https://stream.repl\u0131cate.com/"),
        ("https://api.replicate.com", "https://api.replicate.com/" + "a" * 5000),
        ("https://api.example.co.uk", "https://evil.co.uk/"),
        ("https://co.uk", "https://evil.co.uk/"),
        ("https://10.0.0.5", "https://192.168.0.5/"),
        ("http://gateway:8080", "http://gateway:8081/"),
        ("http://gateway", "http://other.gateway/"),
        ("http://127.0.0.1:80", "http://127.0.0.2:81/"),
        ("http://127.0.0.1:80", "http://10.0.0.1:80/"),
        ("http://localhost:80", "http://127.0.0.1:80/"),
    ],
)
def test_addresses_that_are_not_followed(base: str, said: str) -> None:
    """With a sentence that names the upstream and not the address."""
    with pytest.raises(Refused, match=r"^far says that its stream is at ") as refused:
        vetted(said, "far", base, [])
    assert "upstream_malformed" == refused.value.failure.kind
    assert "evil" not in refused.value.failure.message

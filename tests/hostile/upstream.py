"""What the tests of upstreams share: one in raw bytes that keeps all that it was sent, and a way to
ask in every client dialect."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from tests.dialects.sample import Sample
from tests.raw_upstream import Peer, raw_upstream
from tests.running import Running
from tests.samples import ASKED, SAMPLES

ASK = {"model": "m", "prompt": "hi"}


def answer(
    body: bytes, content_type: str = "text/event-stream", status: str = "200 OK", **headers: str
) -> bytes:
    """An answer in one piece, whose connection may be used again."""
    more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return (
        f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\n{more}Content-Length: {len(body)}\r\n\r\n".encode()
        + body
    )


def good(sample: Sample, **headers: str) -> bytes:
    return answer(sample.whole, sample.content_type, **headers)


class Far:
    """An upstream that answers everything alike. `asked` is what it was sent, a request each, head
    and body as they came."""

    def __init__(self, *answers: bytes) -> None:
        """The first answer to the first request and so on, the last one to all others. `{here}` in
        one is its own address."""
        self.answers = answers
        self.asked: list[bytes] = []
        self.connections = 0
        self.url = ""

    async def script(self, peer: Peer) -> None:
        self.connections += 1
        while True:
            peer.body = b""
            head = await peer.request()
            said = self.answers[min(len(self.asked), len(self.answers) - 1)]
            self.asked.append(head + peer.body)
            peer.write(said)

    @property
    def lines(self) -> list[str]:
        """The request lines."""
        return [asked.partition(b"\r\n")[0].decode("latin-1") for asked in self.asked]


def far_of(dialect: str) -> Far:
    """One that gives this dialect's good answer."""
    return Far(good(SAMPLES[dialect]))


@asynccontextmanager
async def listening(*fars: Far) -> AsyncIterator[None]:
    """The upstreams, each at its `url`."""
    if not fars:
        yield
        return
    async with raw_upstream(fars[0].script) as url:
        fars[0].url = url
        async with listening(*fars[1:]):
            yield


async def asked_in(
    run: Running,
    client: str,
    *,
    headers: Mapping[str, str] | None = None,
    query: Mapping[str, str] | None = None,
    body: Any = None,
) -> tuple[int, bytes, Mapping[str, str]]:
    """Status, body and headers of the answer to a request, a good one unless given, in this client
    dialect."""
    data = json.dumps(ASKED[client].body if body is None else body).encode()
    sent = {"Content-Type": "application/json", **(headers or {})}
    async with run.session.post(
        f"{run.url}{ASKED[client].path}", data=data, headers=sent, params=query or {}
    ) as response:
        return response.status, await response.read(), response.headers


async def refusal(
    run: Running, body: Mapping[str, Any] = ASK, **headers: str
) -> tuple[int, dict[str, Any]]:
    """Status and error of a native request that is refused."""
    async with run.session.post(f"{run.url}/v1/stream", json=body, headers=headers) as response:
        text = await response.text()
        assert response.status != 200, text
        return response.status, json.loads(text)["error"]

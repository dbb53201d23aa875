"""Upstreams for the tests of this folder: openai_chat in raw bytes, each with a list of what it
does with one request after the other."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from tests.raw_upstream import CHUNKED, LAST_CHUNK, Peer, raw_upstream
from tests.running import Running, running

ROLE = b'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}\n\n'
STOP = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
Deed = Callable[[Peer], Awaitable[None]]


def delta(text: str) -> bytes:
    return b'data: {"choices":[{"index":0,"delta":{"content":%b}}]}\n\n' % json.dumps(text).encode()


def says(text: str) -> Deed:
    """A whole answer."""

    async def deed(peer: Peer) -> None:
        peer.write(CHUNKED)
        peer.send(ROLE + delta(text))
        peer.send(STOP)
        peer.write(LAST_CHUNK)

    return deed


def status(code: int, *headers: str) -> Deed:
    async def deed(peer: Peer) -> None:
        body = b'{"error":{"message":"told to fail"}}'
        head = "".join(
            f"{line}\r\n"
            for line in (*headers, f"Content-Length: {len(body)}", "Content-Type: application/json")
        )
        peer.write(f"HTTP/1.1 {code} Told\r\n{head}\r\n".encode() + body)

    return deed


async def hangs_up(peer: Peer) -> None:
    peer.reset()


async def silent(peer: Peer) -> None:
    """Until the proxy leaves."""
    await peer.left()


async def empty(peer: Peer) -> None:
    """A complete answer that says nothing."""
    peer.write(CHUNKED)
    peer.send(STOP)
    peer.write(LAST_CHUNK)


def breaks_off_after(*texts: str) -> Deed:
    async def deed(peer: Peer) -> None:
        peer.write(CHUNKED)
        peer.send(ROLE + b"".join(map(delta, texts)))
        await asyncio.sleep(0.02)
        peer.write(LAST_CHUNK)

    return deed


class Far:
    """One upstream: its deeds, the last of them for all further requests; what it was asked; and
    how many the proxy has left."""

    def __init__(self, *deeds: Deed) -> None:
        self._deeds = list(deeds)
        self.asked: list[dict[str, Any]] = []
        self.left = 0

    async def __call__(self, peer: Peer) -> None:
        while True:
            await peer.request()
            self.asked.append(json.loads(peer.body))
            deed = self._deeds.pop(0) if len(self._deeds) > 1 else self._deeds[0]
            await deed(peer)
            if deed is silent:
                self.left += 1
                return


@asynccontextmanager
async def proxied(
    model: Any, fars: dict[str, Far], upstream: dict[str, Any] | None = None, **config: Any
) -> AsyncIterator[Running]:
    """The proxy with these upstreams, and `model` as what model "m" is: a list of names, or a
    section with them as targets."""
    async with AsyncExitStack() as stack:
        upstreams = {}
        for name, far in fars.items():
            url = await stack.enter_async_context(raw_upstream(far))
            upstreams[name] = {"dialect": "openai_chat", "base_url": url, **(upstream or {})}
        section = {"targets": model} if isinstance(model, list) else dict(model)
        section["targets"] = [
            target if isinstance(target, dict) else {"upstream": target}
            for target in section["targets"]
        ]
        yield await stack.enter_async_context(
            running({"upstreams": upstreams, "models": {"m": section}, **config})
        )


async def until(holds: Callable[[], object] | Callable[[], Awaitable[object]]) -> None:
    """Returns when this holds; the test's own time-out is the judge of whether it ever does."""
    while True:
        found = holds()
        if await found if isinstance(found, Awaitable) else found:
            return
        await asyncio.sleep(0.01)


class Heard:
    """What a native client got."""

    def __init__(self, status: int, headers: Any, text: str) -> None:
        self.status = status
        self.headers = headers
        self.error: dict[str, Any] | None = None
        self.events: list[dict[str, Any]] = []
        if status == 200:
            self.events = [
                json.loads(line[6:]) for line in text.split("\n") if line.startswith("data: ")
            ]
            self.error = self.events[-1].get("error")
        else:
            self.error = json.loads(text)["error"]

    @property
    def text(self) -> str:
        return "".join(event["text"] for event in self.events if event["type"] == "text.delta")

    @property
    def types(self) -> list[str]:
        return [event["type"] for event in self.events]

    @property
    def kind(self) -> str | None:
        return self.error["kind"] if self.error else None


async def ask(run: Running, headers: dict[str, str] | None = None, **body: Any) -> Heard:
    async with run.session.post(
        f"{run.url}/v1/stream", json={"model": "m", "prompt": "hi", **body}, headers=headers
    ) as response:
        return Heard(response.status, response.headers, await response.text())

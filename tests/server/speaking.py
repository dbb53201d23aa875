"""An upstream that says a word whenever it is told to, and clients of native frames that read along,
leave and come back.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.raw_upstream import CHUNKED, LAST_CHUNK, Peer
from tests.relay.far import ROLE, STOP, delta
from tests.running import Running

WORDS = [f"w{number} " for number in range(40)]
TEXT = "".join(WORDS)
BODY = {"model": "m", "prompt": "hi"}


class Speaks:
    """An upstream that says a word whenever it is told to."""

    def __init__(self) -> None:
        self.may = asyncio.Semaphore(0)
        self.gone = asyncio.Event()

    async def __call__(self, peer: Peer) -> None:
        peer.write(CHUNKED)
        peer.send(ROLE)
        watching = asyncio.create_task(self._watch(peer))
        for word in WORDS:
            await self.may.acquire()
            peer.send(delta(word))
        peer.send(STOP)
        peer.write(LAST_CHUNK)
        watching.cancel()

    async def _watch(self, peer: Peer) -> None:
        await peer.left()
        self.gone.set()

    def say(self, count: int) -> None:
        for _ in range(count):
            self.may.release()


async def frames(response: Any) -> AsyncIterator[tuple[str, str]]:
    """The id ("" where it has none) and the data of each frame that has data, as it has come."""
    name, said = "", None
    async for raw in response.content:
        line = raw.decode().removesuffix("\n")
        if line.startswith("id: "):
            name = line[4:]
        elif line.startswith("data: "):
            said = line[6:]
        elif not line and said is not None:
            yield name, said
            name, said = "", None


class Reading:
    """A client of native frames: the events and their ids."""

    def __init__(self, response: Any) -> None:
        self.response = response
        self.events: list[dict[str, Any]] = []
        self.ids: list[str] = []

    async def read(self, until_text: str | None = None) -> None:
        """To the end of the body, or until so much text has come."""
        async for name, said in frames(self.response):
            self.events.append(json.loads(said))
            if name:
                self.ids.append(name)
            if until_text is not None and self.text.endswith(until_text):
                return

    @property
    def text(self) -> str:
        said = ""
        for event in self.events:
            if event["type"] == "stream.start":
                said = ""  # it begins again: a snapshot
            elif event["type"] == "text.delta":
                said += event["text"]
        return said

    @property
    def last(self) -> str:
        return self.events[-1]["type"]


@asynccontextmanager
async def asked(
    run: Running, path: str = "/v1/stream", method: str = "POST", **more: Any
) -> AsyncIterator[Reading]:
    said = {"json": BODY} if method == "POST" else {}
    async with run.session.request(method, f"{run.url}{path}", **said, **more) as response:
        yield Reading(response)

"""Many clients that ask again and again, and the upstream that they ask."""

import asyncio
from collections import Counter

from tests.cli.tools import HELLO, STOP, Client, clients, events
from tests.raw_upstream import CHUNKED, LAST_CHUNK, Peer

CROWD = 120
PIECES, PACE_S = 10, 0.1
END = b"\r\n0\r\n\r\n"


async def streaming(peer: Peer) -> None:
    """A second's answer, or one without an end."""
    while True:  # the connection is used again
        await peer.request()
        peer.write(CHUNKED)
        pieces = 0
        while (
            pieces < PIECES or b"endless" in peer.body
        ) and not peer.writer.transport.is_closing():
            peer.send(HELLO)
            pieces += 1
            await asyncio.sleep(PACE_S)
        peer.send(STOP)
        peer.write(LAST_CHUNK)


class Crowd:
    """`outcomes`: how their streams ended, as a status, the terminal events and perhaps `cut`;
    `begun`: how many they have begun."""

    def __init__(self, url: str, size: int = CROWD) -> None:
        self.outcomes: Counter[str] = Counter()
        self.begun = 0
        self._url = url
        self._stop = asyncio.Event()
        self._tasks = [asyncio.create_task(self._ask_on()) for _ in range(size)]

    async def finish(self) -> None:
        """No more streams; those that run are read to their end."""
        self._stop.set()
        await asyncio.gather(*self._tasks)

    async def _ask_on(self) -> None:
        while not self._stop.is_set():
            async with clients(self._url) as connect:
                self.begun += 1
                try:
                    self.outcomes[await _outcome(await connect())] += 1
                except ConnectionError:  # a reset, which takes along what had not been read
                    self.outcomes["cut"] += 1


async def _outcome(client: Client) -> str:
    client.post()
    try:
        data, words = await client.reader.readuntil(END), []
    except asyncio.IncompleteReadError as broken:
        data, words = broken.partial, ["cut"]
    head, _, body = data.partition(b"\r\n\r\n")
    if words:  # what came last may be half an event
        body = body[: body.rfind(b"\n\n") + 2]
    types = Counter(event["type"] for event in events(body))
    if types["stream.end"]:
        assert PIECES == types["text.delta"], "an end that is made up"
    ends = [kind for kind in ("stream.end", "stream.error") for _ in range(types[kind])]
    return " ".join([*head[9:12].decode().split(), *ends, *words])

"""The upstream of the soak, a process of its own: `python -m tests.load.upstream` prints its port
as JSON and serves until it is stopped.

The path's first part is the number of the target (1 or 2), its last one the dialect; the prompt
says what to play. `GET /account` answers what it was asked so far: the ids of all requests with a
prompt, and how many it is answering now.
"""

import asyncio
import json

import uvloop

from tests.bench.wire import dialect_of
from tests.load.plays import PLAYS
from tests.load.scripts import Asked, Hangup, Stage
from tests.raw_upstream import Peer

BACKLOG = 4096


class Account:
    """What all connections share."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self.open = 0

    def answer(self) -> bytes:
        body = json.dumps({"seen": sorted(self.seen), "open": self.open}).encode()
        return b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%b" % (
            len(body),
            body,
        )


async def converse(peer: Peer, account: Account) -> None:
    """One connection, until either side closes it."""
    while True:
        peer.body = b""
        path = (await peer.request()).split(b" ", 2)[1].decode()
        if path == "/account":
            peer.write(account.answer())
            return
        asked = Asked.found(peer.body)
        if asked is None:
            raise RuntimeError(f"a request to {path} without a play: {peer.body[:500]!r}")
        account.seen.add(asked.id)
        account.open += 1
        try:
            play = PLAYS[asked.plays[int(path.split("/")[1]) - 1]]
            await play.script(Stage(peer, dialect_of(path), asked))
        finally:
            account.open -= 1


async def serve() -> None:
    account = Account()

    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await converse(Peer(reader, writer), account)
        except (ConnectionError, asyncio.IncompleteReadError, Hangup):
            pass
        except RuntimeError:  # uvloop's word for writing to what the proxy has closed
            if not writer.transport.is_closing():
                raise
        finally:
            writer.close()

    server = await asyncio.start_server(accepted, "127.0.0.1", 0, backlog=BACKLOG)
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve())

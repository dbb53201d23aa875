"""Clients that mean harm, a process of its own beside others: `python -m tests.load.hostile PORT
CLIENTS` runs until it is stopped. In every other phase (`phases.py`) each does one attack after
another, without rest, drawn at random: what SECURITY.md promises is that nobody else notices.
"""

import asyncio
import contextlib
import gzip
import json
import os
import random
import socket
import sys
from collections.abc import Callable

import uvloop

from tests.bench.wire import KEY
from tests.load.phases import to_attack_s

_MIB = 1 << 20
_HOLD_S = 2.0
_NICENESS = 15
_MINE = f"authorization: Bearer {KEY}\r\n"
_BOMB = gzip.compress(b" " * (64 * _MIB))
_MEMBERS = gzip.compress(b" ") * 3000
_UPGRADE = (
    "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
    "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
)
_CALLS = 10_000
# Of a model that there is not: it is read whole, and then refused.
_LARGE = json.dumps(
    {
        "contents": [
            {"role": "user", "parts": [{"text": "x"}]},
            {"role": "model", "parts": [{"functionCall": {"name": "f"}}] * _CALLS},
            {"role": "user", "parts": [{"functionResponse": {"id": "u", "name": "g"}}] * _CALLS},
        ]
    }
).encode()
# The same within the small bounds of the soak.
_SMALL = json.dumps({"model": "nobodys", "messages": [{"role": "user", "content": ""}] * 1800})


def _post(path: str, body: bytes, *fields: str, promised: int | None = None) -> bytes:
    size = len(body) if promised is None else promised
    head = f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
    return f"{head}{''.join(fields)}content-length: {size}\r\n\r\n".encode() + body


def _any() -> str:
    return random.randbytes(16).hex()


def _get(path: str, *fields: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nhost: localhost\r\n{''.join(fields)}\r\n".encode()


# What is sent, and whether the answer is read.
ATTACKS: dict[str, tuple[Callable[[], bytes], bool]] = {
    "a bomb": (lambda: _post("/v1/stream", _BOMB, "content-encoding: gzip\r\n"), True),
    "a bomb with a key": (
        lambda: _post("/v1/stream", _BOMB, _MINE, "content-encoding: gzip\r\n"),
        True,
    ),
    "half a body": (lambda: _post("/v1/stream", b"x" * _MIB, promised=2 * _MIB), False),
    "half a body with a key": (
        lambda: _post("/v1/stream", b"x" * _MIB, _MINE, promised=2 * _MIB),
        False,
    ),
    "a dear body with a key": (
        lambda: _post("/v1beta/models/nobodys:streamGenerateContent", _LARGE, _MINE),
        True,
    ),
    "a small dear body with a key": (lambda: _post("/v1/stream", _SMALL.encode(), _MINE), True),
    "bombs in members": (
        lambda: _post("/v1/messages", _MEMBERS, _MINE, "content-encoding: gzip\r\n"),
        True,
    ),
    "a bomb at another path": (
        lambda: _post("/data", _BOMB, _MINE, "content-encoding: gzip\r\n"),
        True,
    ),
    "streams to come back to": (
        lambda: _post("/v1/streams", _SMALL.encode(), _MINE, f"idempotency-key: {_any()}\r\n"),
        True,
    ),
    "another's stream": (lambda: _get(f"/v1/streams/{_any()}", _MINE), True),
    "a WebSocket that says nothing": (lambda: _get("/v1/responses", _MINE, _UPGRADE), False),
    "many headers": (
        lambda: _get("/v1/models", *(f"x-{number}: y\r\n" for number in range(2000))),
        True,
    ),
    "unread schemas": (lambda: _get("/v1/schema") * 500, False),
    "an image": (
        lambda: _get(
            "/v1/stream?model=crowd&prompt=x",
            "sec-fetch-site: cross-site\r\nsec-fetch-mode: no-cors\r\nsec-fetch-dest: image\r\n",
        ),
        True,
    ),
    "noise": (lambda: random.randbytes(5000), True),
    "half a head": (lambda: b"GET /v1/schema HTTP/1.1\r\nx-a: ", False),
    "two lengths": (lambda: _post("/v1/stream", b"{}", "content-length: 99\r\n"), True),
}


async def attack(port: int, said: bytes, *, read: bool) -> None:
    """Once; whatever the server makes of it is right."""
    loop = asyncio.get_running_loop()
    with socket.socket() as client, contextlib.suppress(OSError, TimeoutError):
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.setblocking(False)
        async with asyncio.timeout(_HOLD_S):
            await loop.sock_connect(client, ("127.0.0.1", port))
            await loop.sock_sendall(client, said)
            if read:
                await loop.sock_recv(client, 4096)
            else:
                await asyncio.sleep(_HOLD_S)


async def main() -> None:
    port, clients = int(sys.argv[1]), int(sys.argv[2])
    # it is the proxy that is judged, not what attackers take from those who measure
    os.nice(_NICENESS)

    async def one(number: int) -> None:
        drawn = random.Random(number)
        while True:
            await asyncio.sleep(to_attack_s())
            said, read = drawn.choice(list(ATTACKS.values()))
            await attack(port, said(), read=read)

    await asyncio.gather(*(one(number) for number in range(clients)))


if __name__ == "__main__":
    uvloop.run(main())

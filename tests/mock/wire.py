"""A client of the mock that sees the wire: what each read gave, and whether the connection was
reset."""

import asyncio
from typing import Any, NamedTuple

import msgspec

from proxy.mock.server import MockServer

PLAIN = {"prompt": "Hi"}


class Seen(NamedTuple):
    head: bytes
    reads: list[bytes]
    reset: bool

    @property
    def raw(self) -> bytes:
        return b"".join(self.reads)

    @property
    def whole(self) -> bool:
        """Whether the chunked body ended as HTTP says."""
        return self.raw.endswith(b"0\r\n\r\n")

    @property
    def body(self) -> bytes:
        return b"".join(chunks(self.raw))


def chunks(raw: bytes) -> list[bytes]:
    """The chunks of a chunked body: the vendor's writes."""
    found = []
    while raw:
        size, _, raw = raw.partition(b"\r\n")
        if not size or int(size, 16) == 0:
            break
        found.append(raw[: int(size, 16)])
        raw = raw[int(size, 16) + 2 :]
    return found


async def connect(
    address: str, path: str, body: Any, headers: dict[str, str] | None = None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Send a POST and nothing more."""
    host, port = address.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    data = msgspec.json.encode(body)
    lines = [
        f"POST {path} HTTP/1.1",
        "host: mock",
        f"content-length: {len(data)}",
        "content-type: application/json",
        "connection: close",
    ]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + data)
    return reader, writer


async def ask(address: str, path: str, body: Any, headers: dict[str, str] | None = None) -> Seen:
    """The answer, read by read, to its end."""
    reader, writer = await connect(address, path, body, headers)
    reads: list[bytes] = []
    reset = False
    try:
        while data := await reader.read(1 << 16):
            reads.append(data)
    except ConnectionResetError:
        reset = True
    finally:
        writer.close()
    head = b"".join(reads).partition(b"\r\n\r\n")[0]
    kept = len(head) + 4
    while reads and kept >= len(reads[0]):
        kept -= len(reads.pop(0))
    if reads:
        reads[0] = reads[0][kept:]
    return Seen(head, reads, reset)


async def newest(server: MockServer, *, still_open: bool = False) -> dict[str, Any]:
    """The newest row of the account, once its answer is no longer played (or, with `still_open`,
    once there is one)."""
    for _ in range(400):
        rows = server.account.newest(1)
        if rows and (still_open or not rows[0]["open"]):
            return rows[0]
        await asyncio.sleep(0.005)
    raise AssertionError(f"still open, or nothing asked: {rows}")

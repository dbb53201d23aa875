"""A client in raw bytes, and what the mock says of the prompts that were run."""

import asyncio
import json
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import aiohttp

WAIT_S = 10  # for what comes at once, on a busy machine
_REFUSED = re.compile(rb"HTTP/\d\.\d [45]\d\d ")
END = b'{"type":"stream.end"'
_STATUS = re.compile(rb"HTTP/\d\.\d (\d{3}) ")


class Got(NamedTuple):
    """What came back until the other side closed."""

    data: bytes

    @property
    def statuses(self) -> list[int]:
        """Of all answers: neither our frames nor our errors hold anything that looks like a status
        line."""
        return [int(number) for number in _STATUS.findall(self.data)]


def place(url: str) -> tuple[str, int]:
    host, _, port = url.removeprefix("http://").rpartition(":")
    return host, int(port)


async def exchange(
    url: str, pieces: Sequence[bytes], *, gap_s: float = 0.02, then: bytes = b""
) -> Got:
    """Sends the pieces one after another and reads until the other side closes. `then`, a last
    request that asks for the close, is sent once there is an answer: had anything been hidden in
    the pieces, it would be answered before that one.
    """
    reader, writer = await asyncio.open_connection(*place(url))
    sending = asyncio.create_task(_send(writer, pieces, gap_s))
    data = b""
    try:
        async with asyncio.timeout(WAIT_S):
            while more := await reader.read(65536):
                data += more
                if then and (END in data or _REFUSED.search(data)):
                    writer.write(then)
                    then = b""
    except ConnectionError:
        pass
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        writer.transport.abort()
    return Got(data)


async def _send(writer: asyncio.StreamWriter, pieces: Sequence[bytes], gap_s: float) -> None:
    for number, piece in enumerate(pieces):
        if number:
            await asyncio.sleep(gap_s)
        writer.write(piece)
        await writer.drain()


async def prompts(url: str) -> list[dict[str, Any]]:
    """What the mock was asked, newest first."""
    async with aiohttp.ClientSession() as session, session.get(f"{url}/mock/requests") as response:
        document = json.loads(await response.read())
    found: list[dict[str, Any]] = document["requests"] if isinstance(document, dict) else document
    return found


def models(asked: Sequence[dict[str, Any]]) -> list[str]:
    return [entry["body"]["model"] for entry in asked]

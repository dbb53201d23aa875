"""What is fetched from others that answer in short, within a bound."""

import aiohttp


async def whole_body(response: aiohttp.ClientResponse, most_bytes: int) -> bytes:
    """Raises ValueError for a longer one, of which no more is read."""
    body = bytearray()
    async for piece in response.content.iter_any():
        body += piece
        if len(body) > most_bytes:
            raise ValueError("too long")
    return bytes(body)

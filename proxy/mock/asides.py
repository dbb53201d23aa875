"""What a mock server answers beside the answers that it plays: models, counts of tokens, and what a
browser asks before a page may call.
"""

from aiohttp import web

from proxy.codec.base import Incoming, Reply
from proxy.codec.halves import ClientHalf
from proxy.errors import Refused
from proxy.mock.compose import MockSpec

REQUESTS_PATH = "/mock/requests"
_CHARS_PER_TOKEN = 4


def models(spec: MockSpec) -> web.Response:
    """The models of a mock: one."""
    row = {"id": "mock", "object": "model", "created": 0, "owned_by": f"mock {spec.dialect}"}
    return web.json_response({"object": "list", "data": [row]})


def count(client: ClientHalf, incoming: Incoming) -> Reply:
    """The number of tokens of a request: about four characters are one."""
    assert client.counting is not None
    try:
        asked = client.counting.parse(incoming).request
    except Refused as refused:
        return client.render_error(refused.failure)
    texts = [asked.system or "", *(message.text for message in asked.messages)]
    tokens = 1 + sum(map(len, texts)) // _CHARS_PER_TOKEN
    return Reply(200, client.counting.reply(tokens))


async def allow_pages(request: web.Request, response: web.StreamResponse) -> None:
    """Any page may call a mock, but not read what others asked it."""
    if request.path != REQUESTS_PATH:
        response.headers["access-control-allow-origin"] = "*"


async def preflight(request: web.Request) -> web.StreamResponse:
    """What a browser asks first: any page may send any header."""
    asked = request.headers.get("access-control-request-headers", "*")
    return web.Response(
        status=204,
        headers={
            "access-control-allow-methods": "GET, POST",
            "access-control-allow-headers": asked,
        },
    )

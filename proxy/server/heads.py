"""The heads of a connection's requests, as aiohttp's server queues and keeps them, but so that they
can be let go.
"""

from collections.abc import Sequence
from typing import Any

from aiohttp.http_parser import RawRequestMessage
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

NO_FIELDS: CIMultiDictProxy[str] = CIMultiDictProxy(CIMultiDict())
NOWHERE = URL()


class Head:
    """A request's head as aiohttp's server reads it. Its own is held, by the frame that waits for
    the answer, for as long as that lasts, and cannot be emptied; this one can.
    """

    __slots__ = (
        "chunked",
        "compression",
        "headers",
        "method",
        "path",
        "raw_headers",
        "should_close",
        "upgrade",
        "url",
        "version",
    )

    def __init__(self, message: RawRequestMessage) -> None:
        self.method = message.method
        self.path = message.path
        self.version = message.version
        self.headers = message.headers
        self.raw_headers: Sequence[tuple[bytes, bytes]] = message.raw_headers
        self.should_close = message.should_close
        self.compression = message.compression
        self.upgrade = message.upgrade
        self.chunked = message.chunked
        self.url = message.url

    def let_go(self) -> None:
        """Its fields, and its target."""
        self.headers, self.raw_headers, self.url = NO_FIELDS, (), NOWHERE


class Heads(list[Any]):
    """The heads that have come, with their bodies, as aiohttp's server queues them: seldom more
    than one, for which a deque keeps room for 64.
    """

    __slots__ = ()

    def popleft(self) -> tuple[Any, Any]:
        message, body = self.pop(0)
        # else it says what was no request
        return (Head(message) if type(message) is RawRequestMessage else message), body


def left_of(heads: Heads, beyond: int) -> int:
    """How many bytes of the newest request are to come, when so many have come behind its head.
    Not 0 if that cannot be told.
    """
    message = heads[-1][0]
    if type(message) is not RawRequestMessage or "Transfer-Encoding" in message.headers:
        return -1
    return int(message.headers.get("Content-Length", "0")) - beyond

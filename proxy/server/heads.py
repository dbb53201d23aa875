"""The heads of a connection's requests, as aiohttp's server queues and keeps them, but so that they
can be let go. Of its private names one is taken, `_ErrInfo`, by which it queues what was no
request.
"""

from collections.abc import Sequence
from typing import Any

from aiohttp.http_exceptions import BadHttpMessage
from aiohttp.http_parser import RawRequestMessage
from aiohttp.web_protocol import _ErrInfo
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from proxy.errors import Failure
from proxy.server.refusals import head_too_large, line_too_large

HEAD_END = b"\r\n\r\n"
NO_FIELDS: CIMultiDictProxy[str] = CIMultiDictProxy(CIMultiDict())
NOWHERE = URL()
_VERSION = "Its version is another one"


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


class BegunHead:
    """A head that is not complete: so many bytes of it have come, and `tail` are the last three."""

    __slots__ = ("_lined", "size", "tail")

    def __init__(self) -> None:
        self.size = 0
        self.tail = b""
        self._lined = False  # its first line is complete

    def add(self, data: bytes) -> None:
        """More has come, and not all."""
        joined = self.tail + data
        self._lined = self._lined or b"\r\n" in joined
        self.size += len(data)
        self.tail = joined[-3:]

    def too_large(self, data: bytes, most: int) -> Failure | None:
        """Why it is refused with this, where it has more than `most` bytes then."""
        joined, start = self.tail + data, self.size - len(self.tail)
        end = joined.find(HEAD_END)
        if end >= 0 and start + end + len(HEAD_END) <= most:
            return None
        line = joined.find(b"\r\n")
        lined = self._lined or 0 <= line < most - start
        return head_too_large(most) if lined else line_too_large(most)


class Heads(list[Any]):
    """The heads that have come, with their bodies, as aiohttp's server queues them: seldom more
    than one, for which a deque keeps room for 64.
    """

    __slots__ = ()

    def popleft(self) -> tuple[Any, Any]:
        message, body = self.pop(0)
        if type(message) is not RawRequestMessage:  # it says what was no request
            return message, body
        if message.version.major != 1:  # it would be answered in that version's name
            return _ErrInfo(400, BadHttpMessage(_VERSION), _VERSION), body
        return Head(message), body


def left_of(heads: Heads, beyond: int) -> int:
    """How many bytes of the newest request are to come, when so many have come behind its head.
    Not 0 if that cannot be told.
    """
    message = heads[-1][0]
    if type(message) is not RawRequestMessage or "Transfer-Encoding" in message.headers:
        return -1
    return int(message.headers.get("Content-Length", "0")) - beyond

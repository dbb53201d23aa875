"""The heads of HTTP/1.1: a request's, written, and an answer's, read. No I/O."""

from collections.abc import Mapping
from typing import NamedTuple

from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.http_parser import HttpResponseParser, RawResponseMessage
from multidict import CIMultiDictProxy
from yarl import URL

from proxy.framing.inflate import CODINGS, Inflater
from proxy.upstream.body import Body, Chunks, Length, ToTheEnd

# Of the whole head of an answer, with what is said before it; a line, and their number, have bounds
# of their own.
_MOST_BYTES = 131_072
_MOST_LINE_BYTES = 8190
_MOST_FIELDS = 128
_BEGIN = b"HTTP/"
# What may stand in no line of a head.
_FORBIDDEN = bytes({*range(0x20), 0x7F} - {ord("\t")})
_FIELD = "%s: %s".__mod__  # of a name and its value
_WITHOUT_BODY = (204, 304)
_OTHER_PROTOCOL = 101
_SENT_WITHOUT = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})  # when there is no body to send
_OLD_NAMES = {"x-gzip": "gzip"}  # RFC 9110, 8.4.1.3


class NoHttpError(Exception):
    """It is no answer in HTTP."""


class Head(NamedTuple):
    """An answer's. `keep`: its connection may be used again once its body has come."""

    status: int
    headers: CIMultiDictProxy[str]
    keep: bool
    body: Body
    inflater: Inflater | None


def has_length(headers: Mapping[str, str]) -> bool:
    """Whether a request says itself how long its body is."""
    return "content-length" in map(str.lower, headers)


def written(method: str, url: URL, headers: Mapping[str, str], length: int | None) -> bytes:
    """The head of a request whose body has so many bytes; None: nobody knows, it comes in chunks.
    Raises ValueError for a line with a control character in it, which would end it.
    """
    lines = [f"{method} {url.raw_path_qs} HTTP/1.1", f"Host: {url.host_port_subcomponent}"]
    lines += map(_FIELD, headers.items())
    if has_length(headers):
        pass
    elif length is None:
        lines.append("Transfer-Encoding: chunked")
    elif length or method not in _SENT_WITHOUT:
        lines.append(f"Content-Length: {length}")
    lines += "", ""
    head = "\r\n".join(lines).encode("utf-8", "ignore")
    if len(head.translate(None, _FORBIDDEN)) != len(head) - 2 * (len(lines) - 1):
        raise ValueError("a control character in a header")
    return head


class Coming:
    """The head of an answer to a request of this method, while it comes. What an upstream says
    before its answer (RFC 9110, 15.2) is read over.
    """

    __slots__ = ("_before_bytes", "_had", "_method")

    def __init__(self, method: str) -> None:
        self._method = method
        self._had = b""
        self._before_bytes = 0  # of what was said before the answer

    def feed(self, data: bytes) -> tuple[Head, bytes] | None:
        """The head, and what is behind it, once all of it has come. Raises NoHttpError."""
        had = self._had
        known = (had + data) if had else data.lstrip(b"\r\n")
        start = max(0, len(had) - 3)
        while True:
            end = end_of(known, start, self._before_bytes)
            if end < 0:
                self._had = known
                return None
            head = read(known[:end], self._method)
            known, start = known[end:], 0
            if head.status >= 200:
                return head, known
            self._before_bytes += end


def end_of(data: bytes, start: int, before: int = 0) -> int:
    """Where the head that these bytes begin with ends, -1: not yet; looked for from `start` on. The
    answer's heads before it had `before` bytes. Raises NoHttpError as soon as it cannot be one.
    """
    whole = data.find(b"\n\r\n", start)
    # some leave the CR out, and are understood
    bare = data.find(b"\n\n", start, None if whole < 0 else whole + 1)
    end = bare + 2 if bare >= 0 else whole + 3 if whole >= 0 else -1
    size = len(data) if end < 0 else end
    if not _BEGIN.startswith(data[: len(_BEGIN)]) or before + size > _MOST_BYTES:
        raise NoHttpError
    return end


def read(data: bytes, method: str) -> Head:
    """The head that these bytes are, of the answer to a request of this method. Raises
    NoHttpError.
    """
    message = _parsed(data)
    headers = message.headers
    length = headers.get("Content-Length")
    body: Body
    if method == "HEAD" or message.code < 200 or message.code in _WITHOUT_BODY:
        body = Length(0)
    elif message.chunked:
        body = Chunks()
    elif length is not None:
        body = Length(int(length))
    else:
        body = ToTheEnd()
    keep = not message.should_close and type(body) is not ToTheEnd
    return Head(message.code, headers, keep, body, _inflater(headers))


def _parsed(data: bytes) -> RawResponseMessage:
    parser = HttpResponseParser(
        None,  # who would be told to read no more: there is no body
        None,  # nor a loop to read it in
        _MOST_BYTES,
        max_line_size=_MOST_LINE_BYTES,
        max_field_size=_MOST_LINE_BYTES,
        max_headers=_MOST_FIELDS,
        response_with_body=False,
        auto_decompress=False,
    )
    try:
        messages, _, _ = parser.feed_data(data)
    except HttpProcessingError:
        raise NoHttpError from None
    if len(messages) != 1 or messages[0][0].code == _OTHER_PROTOCOL:  # which nobody has asked for
        raise NoHttpError
    message: RawResponseMessage = messages[0][0]
    return message


def _inflater(headers: CIMultiDictProxy[str]) -> Inflater | None:
    """Of a body in a coding that is known; nobody asked for one."""
    if "Content-Encoding" not in headers:
        return None
    name = ", ".join(headers.getall("Content-Encoding")).strip().lower()
    coding = CODINGS.get(_OLD_NAMES.get(name, name))
    return None if coding is None else Inflater(coding)

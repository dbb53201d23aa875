"""Requests whose end one reader sees here and another there, and requests that are none: what
smuggling and broken clients are made of.

Sent to the proxy itself, `HIDDEN` must never run: some reading of the bytes has it as a part of a
body, or behind a place where HTTP says that reading must stop. A proxy in front may have it as a
request like any other; then that is what it is.
"""

from typing import NamedTuple

BODY = b'{"model":"seen","prompt":"hi"}'
HIDDEN = b"GET /v1/stream?model=hidden&prompt=x HTTP/1.1\r\nHost: localhost\r\n\r\n"
_POST = b"POST /v1/stream HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
_GET = b"GET /v1/stream?model=seen&prompt=hi HTTP/1.1\r\nHost: localhost\r\n"
_CHUNKED = b"Transfer-Encoding: chunked\r\n"
_LAST = b"0\r\n\r\n"


class Case(NamedTuple):
    """`runs` is how many prompts the proxy may run for it: 0, and it is refused with a 4xx and a
    close, or 1, and it is answered."""

    name: str
    data: bytes
    runs: int = 0


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def sized(size: bytes, *fields: bytes) -> bytes:
    """A request whose Content-Length is this, whatever it says."""
    return _POST + b"".join(fields) + b"Content-Length:" + size + b"\r\n\r\n" + BODY


def whole(*fields: bytes) -> bytes:
    return sized(b" %d" % len(BODY), *fields)


def coded(coding: bytes, *fields: bytes) -> bytes:
    """A chunked request whose transfer coding has this name."""
    return (
        _POST
        + b"Transfer-Encoding:"
        + coding
        + b"\r\n"
        + b"".join(fields)
        + b"\r\n"
        + chunk(BODY)
        + _LAST
    )


def chunks(sent: bytes) -> bytes:
    return _POST + _CHUNKED + b"\r\n" + sent


_LENGTH = b"Content-Length: %d\r\n"
_SIZE = b"%x" % len(BODY)
CASES = [
    Case("Content-Length and chunks", _POST + _LENGTH % 5 + _CHUNKED + b"\r\n" + _LAST + HIDDEN),
    Case(
        "chunks and Content-Length",
        _POST + _CHUNKED + _LENGTH % 4 + b"\r\n" + chunk(BODY) + _LAST + HIDDEN,
    ),
    Case(
        "two lengths",
        _POST + _LENGTH % len(BODY) + _LENGTH % (len(BODY) + len(HIDDEN)) + b"\r\n" + BODY + HIDDEN,
    ),
    Case("the same length twice", _POST + _LENGTH % len(BODY) * 2 + b"\r\n" + BODY),
    Case("a list of lengths", sized(b" %d, %d" % (len(BODY), len(BODY)))),
    Case("a negative length", sized(b" -1") + HIDDEN),
    Case("a length with a plus", sized(b" +%d" % len(BODY))),
    Case("a length in hex", sized(b" 0x%x" % len(BODY))),
    Case("a length with a space in it", sized(b" 3 0")),
    Case("a length over 64 bits", sized(b" %d" % (2**64 + len(BODY))) + HIDDEN),
    Case("no length", sized(b" ") + HIDDEN),
    Case("a length in other digits", sized(b" \xd9\xa3\xd9\xa0")),
    Case("a coding called xchunked", coded(b" xchunked") + HIDDEN),
    Case("chunked twice", coded(b" chunked, chunked")),
    Case("chunked twice, in two fields", coded(b" chunked", _CHUNKED)),
    Case("chunked, then identity", coded(b" chunked, identity") + HIDDEN),
    Case("compressed chunks", coded(b" gzip, chunked") + HIDDEN),
    Case("a coding in quotation marks", coded(b' "chunked"') + HIDDEN),
    Case("a coding with a parameter", coded(b" chunked;q=1") + HIDDEN),
    Case("a coding behind a vertical tab", coded(b" \x0bchunked") + HIDDEN),
    Case(
        "a coding before a space and a colon",
        coded(b" x").replace(b"Encoding: x", b"Encoding : chunked") + HIDDEN,
    ),
    Case("a coding on a folded line", coded(b"\r\n chunked") + HIDDEN),
    Case(
        "an empty coding",
        _POST + b"Transfer-Encoding: \r\n" + _LENGTH % len(BODY) + b"\r\n" + BODY + HIDDEN,
    ),
    Case(
        "chunks in HTTP/1.0",
        coded(b" chunked", b"Connection: keep-alive\r\n").replace(b"HTTP/1.1", b"HTTP/1.0", 1)
        + HIDDEN,
    ),
    Case("a folded line", whole(b"X-A: b\r\n c\r\n")),
    Case("line feeds alone", whole().replace(b"\r\n", b"\n")),
    Case("carriage returns alone", whole().replace(b"\r\n", b"\r") + b"\r\r"),
    Case("one line feed alone", whole(b"X-A: b\nTransfer-Encoding: chunked\r\n") + HIDDEN),
    Case("a carriage return in a value", whole(b"X-A: b\rX-B: c\r\n")),
    Case("NUL in a value", whole(b"X-A: a\x00b\r\n")),
    Case("NUL in a name", whole(b"X\x00A: b\r\n")),
    Case("NUL in the target", _GET.replace(b"hi", b"h\x00i") + b"\r\n"),
    Case("a space before the colon", whole(b"X-A : b\r\n")),
    Case("no name", whole(b": b\r\n")),
    Case(
        "a first line that is folded", whole().replace(b"HTTP/1.1\r\nHost", b"HTTP/1.1\r\n Host", 1)
    ),
    Case("no host", _GET.replace(b"Host: localhost\r\n", b"") + b"\r\n"),
    Case("two hosts", whole(b"Host: y\r\n")),
    Case(
        "a chunk size over 64 bits",
        chunks(b"1000000000000001e\r\n" + BODY + b"\r\n" + _LAST) + HIDDEN,
    ),
    Case("a negative chunk size", chunks(b"-1e\r\n" + BODY + b"\r\n" + _LAST) + HIDDEN),
    Case("a chunk size with 0x", chunks(b"0x1e\r\n" + BODY + b"\r\n" + _LAST) + HIDDEN),
    Case("a chunk size before a space", chunks(_SIZE + b" \r\n" + BODY + b"\r\n" + _LAST) + HIDDEN),
    Case("chunks with line feeds alone", chunks(_SIZE + b"\n" + BODY + b"\n0\n\n") + HIDDEN),
    Case("a chunk longer than its size", chunks(_SIZE + b"\r\n" + BODY + b"XX" + _LAST) + HIDDEN),
    Case(
        "a line feed in a chunk extension",
        chunks(_SIZE + b";a\nb\r\n" + BODY + b"\r\n" + _LAST) + HIDDEN,
    ),
    Case(
        "a length among the trailers",
        chunks(chunk(BODY) + b"0\r\n" + _LENGTH % 50 + b"\r\n") + HIDDEN,
    ),
    Case("a large trailer", chunks(chunk(BODY) + b"0\r\nX-T: " + b"a" * 20_000 + b"\r\n\r\n")),
    Case("many trailers", chunks(chunk(BODY) + b"0\r\n" + b"X-T: a\r\n" * 1000 + b"\r\n")),
    Case("HTTP/2.0 in the form of HTTP/1.1", whole().replace(b"HTTP/1.1", b"HTTP/2.0")),
    Case("HTTP/0.9 with headers", whole().replace(b"HTTP/1.1", b"HTTP/0.9")),
    Case("HTTP/9.9", _GET.replace(b"HTTP/1.1", b"HTTP/9.9") + b"\r\n"),
    Case("HTTP/2 without asking", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    Case(
        "an authority as the target",
        _GET.replace(b"/v1/stream?model=seen&prompt=hi", b"evil.example:80") + b"\r\n",
    ),
    Case("CONNECT", b"CONNECT evil.example:80 HTTP/1.1\r\nHost: evil.example:80\r\n\r\n" + HIDDEN),
    Case("CONNECT to a path", b"CONNECT /v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n" + HIDDEN),
    Case("a TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20),
    Case("a tab before the coding", coded(b"\tchunked"), 1),
    Case("a space behind the coding", coded(b" chunked "), 1),
    Case("a coding in capitals", coded(b" CHUNKED"), 1),
    Case("zeros before the length", sized(b" 000%d" % len(BODY)), 1),
    Case("a chunk extension", chunks(_SIZE + b";a=b\r\n" + BODY + b"\r\n" + _LAST), 1),
    Case(
        "a large chunk extension",
        chunks(_SIZE + b";a=" + b"b" * 100_000 + b"\r\n" + BODY + b"\r\n" + _LAST),
        1,
    ),
    Case("a trailer", chunks(chunk(BODY) + b"0\r\nX-T: 1\r\n\r\n"), 1),
    Case("a URL as the target", _GET.replace(b"/v1", b"http://evil.example/v1") + b"\r\n", 1),
    Case(
        "a wish for h2c",
        whole(
            b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"
        )
        + HIDDEN,
        1,
    ),
    Case(
        "a wish for a WebSocket",
        whole(b"Connection: Upgrade\r\nUpgrade: websocket\r\n") + HIDDEN,
        1,
    ),
    Case("a request as a GET's body", _GET + _LENGTH % len(HIDDEN) + b"\r\n" + HIDDEN, 1),
    Case("two blanks before its target", whole().replace(b"POST ", b"POST  ", 1), 1),
    Case("two blanks behind its target", whole().replace(b" HTTP", b"  HTTP", 1), 1),
    Case("a blank within its target", whole().replace(b" HTTP", b" /other HTTP", 1) + HIDDEN),
    Case("a blank behind its version", whole().replace(b"1.1\r", b"1.1 \r", 1) + HIDDEN),
    Case("tabs in its first line", whole().replace(b"POST ", b"POST\t", 1) + HIDDEN),
    Case("empty lines before it", b"\r\n\r\n" + whole(), 1),
]

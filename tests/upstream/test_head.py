"""The head of a request is what the standard wants and nothing else; of an answer's is known where
its body ends (RFC 9112, 6.3)."""

import re
from itertools import product

import pytest
from yarl import URL

from proxy.upstream.body import Chunks, Length, ToTheEnd
from proxy.upstream.head import NoHttpError, end_of, read, written

HERE = URL("http://example.com:8080/v1/x?a=b%20c", encoded=True)
OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("method", "headers", "length", "lines"),
    [
        ("POST", {"A": "b"}, 3, ["A: b", "Content-Length: 3"]),
        ("POST", {}, 0, ["Content-Length: 0"]),
        ("DELETE", {}, 0, ["Content-Length: 0"]),
        ("GET", {}, 0, []),
        ("HEAD", {}, 0, []),
        ("POST", {}, None, ["Transfer-Encoding: chunked"]),
        ("POST", {"content-length": "7"}, None, ["content-length: 7"]),
        ("POST", {"content-length": "0"}, 0, ["content-length: 0"]),
        ("POST", {"A": "h\u00e9"}, 0, ["A: h\u00e9", "Content-Length: 0"]),
    ],
)
def test_a_request_says_once_how_long_its_body_is(method, headers, length, lines):
    """Or that it comes in chunks; what has none says so only where one would be expected."""
    expected = [f"{method} /v1/x?a=b%20c HTTP/1.1", "Host: example.com:8080", *lines, "", ""]

    assert "\r\n".join(expected).encode() == written(method, HERE, headers, length)


@pytest.mark.parametrize(
    "said", ["a\r\nb: c", "a\nb: c", "a\rb", "a\0b", "a\x7f", "\x1b[2J", "\x0b"], ids=repr
)
@pytest.mark.parametrize("where", ["name", "value", "method"])
def test_no_part_of_a_head_ends_its_line(said, where):
    """Whoever wrote it."""
    headers = {"name": {said: "x"}, "value": {"x-a": said}, "method": {}}[where]
    with pytest.raises(ValueError, match="control character"):
        written(said if where == "method" else "GET", HERE, headers, 0)


@pytest.mark.parametrize(
    ("fields", "method", "kind", "keep"),
    [
        (b"Content-Length: 5\r\n", "POST", Length, True),
        (b"Transfer-Encoding: chunked\r\n", "POST", Chunks, True),
        (b"", "POST", ToTheEnd, False),
        (b"Content-Length: 5\r\nConnection: close\r\n", "POST", Length, False),
        (b"Content-Length: 5\r\n", "HEAD", Length, True),
    ],
)
def test_where_an_answer_ends_is_known_by_its_head(fields, method, kind, keep):
    """And whether its connection may be used again."""
    head = read(OK + fields + b"\r\n", method)

    assert (200, kind, keep) == (head.status, type(head.body), head.keep)
    assert (method == "HEAD") is head.body.done


@pytest.mark.parametrize("status", [204, 304])
def test_some_answers_have_no_body_whatever_they_say(status):
    """RFC 9112, 6.3."""
    said = b"HTTP/1.1 %d Nothing\r\nContent-Length: 5\r\n\r\n" % status

    assert read(said, "GET").body.done


def test_an_old_answer_that_is_to_be_kept_says_so():
    """HTTP/1.0 closes by itself."""
    old = b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n"

    assert (False, True) == (
        read(old + b"\r\n", "GET").keep,
        read(old + b"Connection: keep-alive\r\n\r\n", "GET").keep,
    )


@pytest.mark.parametrize(
    "said",
    [
        OK + b"Content-Length: 2\r\nContent-Length: 20\r\n\r\n",
        OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
        OK + b"Content-Length: two\r\n\r\n",
        OK + b"Content-Length: -2\r\n\r\n",
        OK + b"x-a: b\0c\r\n\r\n",
        OK + b"no field\r\n\r\n",
        OK + b"x-long: " + b"a" * 9000 + b"\r\n\r\n",
        OK + b"x-a: b\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 two hundred\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
    ],
    ids=lambda said: repr(said[:60]),
)
def test_a_head_that_could_be_read_in_two_ways_is_none(said):
    """Nor one that is too much, or wants another protocol."""
    with pytest.raises(NoHttpError):
        read(said, "GET")


@pytest.mark.parametrize("end", [b"\r\n\r\n", b"\n\n", b"\r\n\n", b"\n\r\n"], ids=repr)
def test_the_end_of_a_head_is_found_however_its_bytes_are_cut(end):
    """And what is behind it is the body's."""
    head = OK.rstrip() + b"\r\nContent-Length: 5" + end
    known = b""
    for at in range(len(head)):
        known += head[at : at + 1]
        found = end_of(known, at - 3)
        assert (len(head) if at == len(head) - 1 else -1) == found
    assert len(head) == end_of(head + b"body\r\n\r\n", 0)
    assert 200 == read(head, "GET").status


def test_the_first_end_of_a_head_is_its_end():
    """Of all ways in which a few line ends can stand behind one another."""
    for marks in product((b"\r", b"\n", b"a"), repeat=7):
        said = OK.rstrip() + b"".join(marks)
        found = re.search(rb"\r?\n\r?\n", said)

        assert (-1 if found is None else found.end()) == end_of(said, 0)


@pytest.mark.parametrize("said", [b"S", b"SSH-2.0-OpenSSH_9.2\r\n", b"\x15\x03\x01", b"<html>"])
def test_what_is_no_http_is_known_by_its_first_bytes(said):
    """Nobody waits for its end."""
    with pytest.raises(NoHttpError):
        end_of(said, 0)

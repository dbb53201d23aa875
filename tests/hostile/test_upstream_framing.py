"""Answers whose end one reader sees here and another there: each is a failure, or has one meaning,
and what is hidden behind it is nobody's answer.
"""

import json

import pytest

from tests.hostile.upstream import Far, answer, asked_in, listening
from tests.running import one, running


def said(text: str) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": "stop"}
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\ndata: [DONE]\n\n"


OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
GOOD, EVIL = answer(said("good")), answer(said("evil"))
MINE = said("mine")
SIZE = b"%x" % len(MINE)
CHUNKS = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def sized(length: bytes) -> bytes:
    return OK + b"Content-Length:" + length + b"\r\n\r\n" + MINE + EVIL


def chunked(size: bytes, end: bytes = b"\r\n", last: bytes = b"0\r\n\r\n") -> bytes:
    return CHUNKS + size + end + MINE + end + last + EVIL


# What the client is told of the first answer: 200, or the status of a failure.
CASES = {
    "a second answer behind a length": (sized(b" %d" % len(MINE)), 200),
    "a second answer behind the last chunk": (chunked(SIZE), 200),
    "a second answer behind trailers": (chunked(SIZE, last=b"0\r\nX: y\r\n\r\n"), 200),
    "204 with a body": (b"HTTP/1.1 204 No\r\nContent-Length: 9\r\n\r\n" + EVIL, 502),
    "304 with a body": (b"HTTP/1.1 304 No\r\nContent-Length: 9\r\n\r\n" + EVIL, 502),
    "another protocol": (b"HTTP/1.1 101 Yes\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n" + EVIL, 502),
    "a length with a plus": (sized(b" +%d" % len(MINE)), 502),
    "a negative length": (sized(b" -1"), 502),
    "a list of lengths": (sized(b" %d, %d" % (len(MINE), len(MINE))), 502),
    "a length with an underscore": (sized(b" 1_0"), 502),
    "a length in other digits": (sized(" ٥".encode()), 502),
    "no length": (sized(b""), 502),
    "a length of 23 digits": (sized(b" 99999999999999999999999"), 502),
    "two lengths": (sized(b" 5\r\nContent-Length: 50"), 502),
    "a length and another coding": (sized(b" 50\r\nTransfer-Encoding: identity"), 502),
    "a length and chunks": (sized(b" 5\r\nTransfer-Encoding: chunked"), 502),
    "compressed chunks": (OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n5\r\nno gz\r\n0\r\n\r\n", 502),
    "a chunk size with a plus": (chunked(b"+" + SIZE), 502),
    "a negative chunk size": (chunked(b"-1"), 502),
    "a chunk size with an underscore": (chunked(b"1_0"), 502),
    "a chunk size with 0x": (chunked(b"0x" + SIZE), 502),
    "a chunk size over 64 bits": (chunked(b"f" * 16), 502),
    "line feeds alone between chunks": (chunked(SIZE, end=b"\n"), 502),
    "carriage returns alone between chunks": (chunked(SIZE, end=b"\r"), 502),
    "a chunk longer than its size": (chunked(b"3"), 502),
    "HTTP/0.9": (MINE + EVIL, 502),
    "HTTP/2 in frames": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + EVIL, 502),
    "a minor version that is none": (EVIL.replace(b"HTTP/1.1", b"HTTP/1.1x"), 502),
}  # fmt: skip


@pytest.mark.parametrize("what", CASES)
async def test_what_is_hidden_behind_an_answer_is_nobodys(what: str) -> None:
    raw, expected = CASES[what]
    far = Far(raw, GOOD)
    async with listening(far), running(one("openai_chat", far.url, breaker={"failures": 0})) as run:
        status, first, _ = await asked_in(run, "openai_chat")
        _, second, _ = await asked_in(run, "openai_chat")
    assert (expected, expected == 200) == (status, b"mine" in first)
    assert (True, False) == (b"good" in second, b"evil" in first + second)

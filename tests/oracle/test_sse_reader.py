"""The reader of event streams that the core's tests use reads what two libraries read."""

import httpx
import httpx_sse
import pytest
from openai._streaming import SSEDecoder

from tests.sse_reader import read_sse

STREAMS = [
    b"data: a\n\n",
    b"event: x\nid: 1\ndata: a\ndata:b\ndata:  c\n\ndata: d\n\n",
    b": ping\n\n: ping\ndata: {}\n\n",
    b"event: x\r\ndata: a\r\n\r\ndata: b\r\n\r\n",
    b"id: 7\ndata: a\n\ndata: b\n\nid: a\0b\ndata: c\n\n",
    "data: h\u00e9 \u6a21\u578b \u2028 \U0001f600\n\n".encode(),
    b"data: a\n\ndata: not ended",
    b"data\ndata\n\nother: x\ndata: a:b\n\n",
    b"",
]


@pytest.mark.parametrize("stream", STREAMS)
def test_it_reads_as_the_openai_sdk_does(stream: bytes) -> None:
    theirs = [(sse.event, sse.data, sse.id) for sse in SSEDecoder().iter_bytes(iter([stream]))]
    assert theirs == read_sse(stream)


@pytest.mark.parametrize("stream", STREAMS)
def test_it_reads_as_httpx_sse_does(stream: bytes) -> None:
    """That one has the standard's default for a missing name, and "" for a missing id."""
    answer = httpx.Response(200, headers={"content-type": "text/event-stream"}, content=stream)
    theirs = [(sse.event, sse.data, sse.id) for sse in httpx_sse.EventSource(answer).iter_sse()]
    assert theirs == [
        (event or "message", data, number or "") for event, data, number in read_sse(stream)
    ]

"""Replicate: the stream's raw text, requests in a model's own words, and where the stream is. The
judge of the text is httpx-sse."""

import httpx
import httpx_sse

from proxy.events import TextDelta
from tests.dialects.replicate.test_replicate import DONE, HALF, output
from tests.dialects.upstream_only import (
    events_of,
    summed,
)


def test_a_reader_of_the_standard_reads_the_same_text() -> None:
    """httpx-sse strips one blank, and joins lines, as we do."""
    pieces = [
        "",
        "Sure",
        ", here'",
        "  two blanks",
        " ",
        ":\n\nWhy",
        "\n\nB",
        "1",
        '{"a":1}',
        "data: x",
        "\U0001f600",
    ]
    body = b": hi\n\n" + b"".join(map(output, pieces)) + DONE
    response = httpx.Response(200, headers={"content-type": "text/event-stream"}, content=body)
    read = [sse.data for sse in httpx_sse.EventSource(response).iter_sse() if sse.event == "output"]
    events = events_of(HALF, body)
    assert [piece for piece in read if piece] == [
        e.text for e in events if isinstance(e, TextDelta)
    ]
    assert ("".join(pieces), "", [], "stop", None) == summed(events)

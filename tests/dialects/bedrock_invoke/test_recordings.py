"""The decoder against real answers of the service: expected facts come from a plain pass over the
recordings, not from this project."""

import hashlib
import json
from typing import Any

import pytest

from proxy.codec.base import Decoder
from proxy.codec.fold import WholeAnswer
from proxy.dialects.registry import UPSTREAMS
from proxy.events import Usage
from tests.support import decode, facts, needs_recordings, recording_bytes, splits

pytestmark = needs_recordings
ROWS = facts("bedrock_invoke")
ERRORS = facts("bedrock_invoke", errors=True)
HALF = UPSTREAMS["bedrock_invoke"]

# Cohere's whole answer in one chunk, in a list where the plain pass does not look: the beginning
# and the length of the text that it holds.
WHOLE = {
    "bedrock-invoke/openllmetryjs-should-set-request-and-r-with-streaming-result-3091204960.bin": (
        " The four cardinal directions are:",
        "cardinal directions? ",
        "COMPLETE",
    )
}
# What is in the usage there is what the service measured. Nova counts for itself too, the same, and
# says the cache, which was not used.
NOVA_CACHED = 0


def decoder() -> Decoder:
    return HALF.decoder(1 << 20, {})


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["file"])
def test_every_split_gives_what_the_recording_holds(row: dict[str, Any]) -> None:
    """Text, finish and usage are those of the recording, however it is cut, and so is every
    event."""
    data = recording_bytes(row)
    first = None
    for chunks in splits(data):
        events = decode(decoder(), chunks)
        first = first or events
        assert first == events
    answer = WholeAnswer()
    for one in first or []:
        answer.add(one)
    if row["file"] in WHOLE:
        begins, ends, finish = WHOLE[row["file"]]
        assert answer.text().startswith(begins)
        assert answer.text().endswith(ends)
        assert finish == answer.finish.raw
    else:
        assert row["text_sha256"] == hashlib.sha256(answer.text().encode()).hexdigest()
        assert row["finish"] == answer.finish.raw
    assert ("", []) == (answer.reasoning(), answer.tool_calls())
    cached = NOVA_CACHED if "nova" in row["file"] else None
    inputs, outputs = row["usage"]["inputTokenCount"], row["usage"]["outputTokenCount"]
    assert Usage(inputs, outputs, cached, cache_write_tokens=cached) == answer.usage


@pytest.mark.parametrize(
    "row", [row for row in ROWS if "nova" in row["file"]], ids=lambda row: row["file"]
)
def test_the_pieces_of_novas_text_are_one_text(row: dict[str, Any]) -> None:
    """Though each comes as a block of its own."""
    answer = WholeAnswer()
    for one in decode(decoder(), [recording_bytes(row)]):
        answer.add(one)
    assert ["text"] == [block.kind for block in answer.blocks.values()]


@pytest.mark.parametrize("row", ERRORS, ids=lambda row: row["file"])
def test_error_bodies_become_failures_with_their_own_words(row: dict[str, Any]) -> None:
    """The service's status and sentence are kept."""
    body = recording_bytes(row)
    found = HALF.parse_error(403, {"x-amzn-errortype": "AccessDeniedException"}, body)
    assert found is not None
    assert (403, "AccessDeniedException", json.loads(body)["message"]) == (
        found.status,
        found.code,
        found.message,
    )


def test_every_recording_was_tried() -> None:
    """7 streams and 1 error body."""
    assert (7, 1) == (len(ROWS), len(ERRORS))

"""The decoder against real answers of the vendor: expected facts come from a plain pass over the
recordings, not from this project."""

import hashlib
from typing import Any

import pytest

from proxy.codec.base import Decoder
from proxy.codec.fold import WholeAnswer
from proxy.dialects.anthropic import DIALECT
from proxy.events import Event, Usage
from tests.support import decode, facts, large_are_slow, needs_recordings, recording_bytes, splits

pytestmark = needs_recordings
ROWS = facts("anthropic")
BY_FILE = {row["file"]: row for row in ROWS}
ERRORS = facts("anthropic", errors=True)
# Its one call came with its arguments in the block's start, where the plain pass, which joins
# deltas, does not look. The recording holds them.
WHOLE_ARGUMENTS = {
    "anthropic/vercel-anthropic-programmatic-tool-calling-1.chunks.jsonl": ['{"player":"player1"}']
}


def decoder() -> Decoder:
    assert DIALECT.upstream is not None
    return DIALECT.upstream.decoder(1 << 20, {})


def folded(events: list[Event]) -> WholeAnswer:
    answer = WholeAnswer()
    for event in events:
        answer.add(event)
    return answer


def sha256(text: str) -> str | None:
    return hashlib.sha256(text.encode()).hexdigest() if text else None


def expected_usage(said: dict[str, Any]) -> Usage:
    written, read = said.get("cache_creation_input_tokens"), said.get("cache_read_input_tokens")
    details = said.get("output_tokens_details") or {}
    return Usage(
        said["input_tokens"] + (written or 0) + (read or 0),
        said["output_tokens"],
        read,
        details.get("thinking_tokens"),
        written,
    )


@pytest.mark.parametrize("file", large_are_slow(ROWS))
def test_every_split_gives_what_the_recording_holds(file: str) -> None:
    """Text, reasoning, tools, finish and usage are those of the recording, however it is cut, and
    so is every event."""
    row = BY_FILE[file]
    data = recording_bytes(row)
    first = None
    for chunks in splits(data):
        events = decode(decoder(), chunks)
        first = first or events
        assert first == events
    answer = folded(first or [])
    assert row["text_sha256"] == hashlib.sha256(answer.text().encode()).hexdigest()
    assert row["reasoning_sha256"] == sha256(answer.reasoning())
    assert row["finish"] == answer.finish.raw
    assert expected_usage(row["usage"]) == answer.usage
    if "contested" not in row:
        arguments = WHOLE_ARGUMENTS.get(row["file"], [tool["arguments"] for tool in row["tools"]])
        assert arguments == [call.text for call in answer.tool_calls()]
        assert [tool["name"] for tool in row["tools"]] == [
            call.tool.name for call in answer.tool_calls() if call.tool
        ]


@pytest.mark.parametrize(
    "row", [row for row in ROWS if "spliced" in row["file"]], ids=lambda row: row["file"]
)
def test_a_second_beginning_keeps_what_the_client_has(row: dict[str, Any]) -> None:
    """What was sent before a spliced message_start cannot be taken back: the cut call stays, the
    new one follows."""
    answer = folded(decode(decoder(), [recording_bytes(row)]))
    assert [row["tools"][0]["name"]] * 2 == [
        call.tool.name for call in answer.tool_calls() if call.tool
    ]
    assert row["tools"][0]["arguments"] == answer.tool_calls()[-1].text


@pytest.mark.parametrize("row", ERRORS, ids=lambda row: row["file"])
def test_error_bodies_become_failures_with_their_own_words(row: dict[str, Any]) -> None:
    """The vendor's status is passed on, and its type and sentence are kept."""
    assert DIALECT.upstream is not None
    status = int(row["file"].split("error-")[1][:3])
    found = DIALECT.upstream.parse_error(status, {}, recording_bytes(row))
    assert found is not None
    assert status == found.status
    assert {400: "invalid_request_error", 401: "authentication_error", 404: "not_found_error"}[
        status
    ] == found.code
    assert "upstream" not in found.message


def test_every_recording_was_tried() -> None:
    """33 streams and 3 error bodies."""
    assert (33, 3) == (len(ROWS), len(ERRORS))

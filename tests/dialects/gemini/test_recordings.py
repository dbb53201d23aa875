"""Real answers of the vendor, from both of its services: what the recordings hold is what comes
out, for every split."""

import hashlib
import json
from typing import Any

import pytest

from proxy.dialects.gemini import DIALECT
from proxy.dialects.gemini.decode import GeminiDecoder
from proxy.events import StreamError, Usage
from tests.dialects.answers import folded, same_however_cut
from tests.support import facts, large_are_slow, needs_recordings, recording_bytes

pytestmark = needs_recordings
ROWS = facts("gemini")
BY_FILE = {row["file"]: row for row in ROWS}
ERRORS = facts("gemini", errors=True)
LIMIT = 1 << 20
# Where the facts, a plain pass over the payloads, and a decoder that knows the vendor differ, and
# why the decoder is right.
# a prompt that was blocked has no candidate and no finish; its block reason is why there is no
# answer
BLOCKED = {
    "gemini/firebase-streaming-failure-prompt-blocked-safety.sse": "SAFETY",
    "vertex/firebase-streaming-failure-prompt-blocked-safety-with-message.sse": "SAFETY",
}
CUT = {  # no finish reason came: the first lacks its last chunk, the others hold no answer at all
    "vertex/firebase-streaming-success-quotes-escaped.sse",
    "vertex/firebase-streaming-failure-invalid-json.sse",
    "vertex/firebase-streaming-failure-malformed-content.sse",
}
NUMBERS = {1: "STOP"}  # enums as numbers; the word is what the number stands for


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def expected_usage(said: dict[str, Any] | None) -> Usage:
    """The vendor counts thoughts beside the answer; ours is the sum."""
    said = said or {}
    answer, thoughts = said.get("candidatesTokenCount"), said.get("thoughtsTokenCount")
    output = None if answer is None and thoughts is None else (answer or 0) + (thoughts or 0)
    return Usage(
        said.get("promptTokenCount"), output, said.get("cachedContentTokenCount"), thoughts
    )


@pytest.mark.parametrize("file", large_are_slow(ROWS))
def test_every_split_gives_what_the_recording_holds(file: str) -> None:
    """Text, reasoning, tools, finish and usage are those of the recording, however it is cut, and
    so is every event."""
    row = BY_FILE[file]
    events = same_however_cut(lambda: GeminiDecoder(LIMIT), recording_bytes(row))
    answer = folded(events)
    assert row["text_sha256"] == sha256(answer.text())
    assert row["reasoning_chars"] == len(answer.reasoning())
    assert row["reasoning_sha256"] in (None, sha256(answer.reasoning()))
    assert [(tool["name"], json.loads(tool["arguments"])) for tool in row["tools"]] == [
        (call.tool.name, json.loads(call.text)) for call in answer.tool_calls() if call.tool
    ]
    assert expected_usage(row["usage"]) == answer.usage
    if row["error"] is not None:
        assert isinstance(events[-1], StreamError)
        assert ("upstream_error", row["error"]["message"]) == (
            events[-1].error.kind,
            events[-1].error.message,
        )
    elif row["file"] in CUT:
        assert isinstance(events[-1], StreamError)
        assert "upstream_truncated" == events[-1].error.kind
    else:
        finish = BLOCKED.get(row["file"]) or NUMBERS.get(row["finish"], row["finish"])
        assert finish == answer.finish.raw
        assert bool(row["tools"]) == (answer.finish.reason == "tool_calls")


@pytest.mark.parametrize("row", ERRORS, ids=lambda row: row["file"])
def test_error_bodies_become_failures_with_their_own_words(row: dict[str, Any]) -> None:
    """The vendor's status is passed on, and its sentence is kept; a list around it makes no
    difference."""
    assert DIALECT.upstream is not None
    body = recording_bytes(row)
    said = json.loads(body)["error"]
    for sent in (body, b"[" + body + b"]"):
        found = DIALECT.upstream.parse_error(said["code"], {}, sent)
        assert found is not None
        assert (said["code"], said["message"]) == (found.status, found.message)
        assert (
            "upstream_status"
            if "key" in said["message"] or said["code"] in (401, 403)
            else "bad_request"
        ) == found.kind


def test_every_recording_was_tried() -> None:
    """48 streams and 6 error bodies, or however many there are: none is left out."""
    assert 54 == len(ROWS) + len(ERRORS)

"""The decoder against real answers of the service: expected facts come from a plain pass over the
recordings, not from this project."""

import hashlib
import json
from typing import Any

import pytest

from proxy.codec.base import Decoder
from proxy.codec.fold import WholeAnswer
from proxy.dialects.bedrock_converse import DIALECT
from proxy.events import Usage, Vendor
from tests.aws_frames import event
from tests.support import decode, facts, needs_recordings, recordings_dir, splits

pytestmark = needs_recordings
ROWS = facts("bedrock_converse")
ERRORS = facts("bedrock_converse", errors=True)

# Its first "call" is of the service's own tool, answered by the service in the next block: a vendor
# event here, as a client must not run it.
SERVER_TOOLS = {
    "bedrock-converse/pydanticai-bedrock-model-code-execution-tool-stream.bin": "nova_code_interpreter"
}


def decoder() -> Decoder:
    assert DIALECT.upstream is not None
    return DIALECT.upstream.decoder(1 << 20, {})


def body(row: dict[str, Any]) -> bytes:
    """Recordings of one event a line get their binary framing back."""
    folder = recordings_dir()
    assert folder is not None
    data: bytes = (folder / row["file"]).read_bytes()
    if row["file"].endswith(".bin") or row.get("error_body"):
        return data
    return b"".join(
        event(kind, payload)
        for line in data.splitlines()
        for kind, payload in json.loads(line).items()
    )


def expected_usage(said: dict[str, Any] | None) -> Usage:
    if said is None:
        return Usage()
    read, written = said.get("cacheReadInputTokens"), said.get("cacheWriteInputTokens")
    inputs = said["inputTokens"] + (read or 0) + (written or 0)
    return Usage(inputs, said["outputTokens"], read, cache_write_tokens=written)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["file"])
def test_every_split_gives_what_the_recording_holds(row: dict[str, Any]) -> None:
    """Text, reasoning, tools, finish and usage are those of the recording, however it is cut, and
    so is every event."""
    data = body(row)
    first = None
    for chunks in splits(data):
        events = decode(decoder(), chunks)
        first = first or events
        assert first == events
    answer = WholeAnswer()
    for one in first or []:
        answer.add(one)
    assert row["text_sha256"] == hashlib.sha256(answer.text().encode()).hexdigest()
    assert row["reasoning_chars"] == len(answer.reasoning())
    assert row["reasoning_sha256"] in (
        None,
        hashlib.sha256(answer.reasoning().encode()).hexdigest(),
    )
    assert row["finish"] == answer.finish.raw
    assert expected_usage(row["usage"]) == answer.usage
    tools = [tool for tool in row["tools"] if tool["name"] != SERVER_TOOLS.get(row["file"])]
    assert [(tool["name"], tool["arguments"]) for tool in tools] == [
        (c.tool.name, c.text) for c in answer.tool_calls() if c.tool
    ]


@pytest.mark.parametrize("file", SERVER_TOOLS)
def test_the_services_own_tool_is_told_whole(file: str) -> None:
    """Its call and its result, each as one vendor event."""
    (row,) = (row for row in ROWS if row["file"] == file)
    told = [e.data for e in decode(decoder(), [body(row)]) if isinstance(e, Vendor)]
    assert {"snippet": "1234 * 5678"} == told[0]["toolUse"]["input"]
    assert "7006652" == told[1]["toolResult"]["content"][0]["json"]["stdOut"]


@pytest.mark.parametrize("row", ERRORS, ids=lambda row: row["file"])
def test_error_bodies_become_failures_with_their_own_words(row: dict[str, Any]) -> None:
    """The service's status and sentence are kept, and the name of the error, which is in a
    header."""
    assert DIALECT.upstream is not None
    status = int(row["file"].split("error-")[1][:3])
    found = DIALECT.upstream.parse_error(
        status, {"x-amzn-errortype": "SomeException:http://internal.amazon.com/"}, body(row)
    )
    assert found is not None
    assert (status, "SomeException", json.loads(body(row))["message"]) == (
        found.status,
        found.code,
        found.message,
    )


def test_every_recording_was_tried() -> None:
    """18 streams and 2 error bodies."""
    assert (18, 2) == (len(ROWS), len(ERRORS))

"""Real bytes of the vendor: what the recordings hold is what comes out, for every split; and the
cohere SDK reads it from our encoder."""

import pytest

from proxy.dialects.cohere import DIALECT
from tests.dialects.answers import START
from tests.dialects.cohere.test_recordings import (
    COMPLETE,
    STREAMS,
    _answer,
    _events,
    _sha256,
    _tools,
)
from tests.oracle.dialects.cohere import sdk
from tests.support import recording_bytes


@pytest.mark.parametrize("file", COMPLETE)
def test_the_sdk_reads_from_our_encoder_what_the_recording_holds(file: str) -> None:
    """The same answer, to the last field that the SDK knows: usage, tool plan and all."""
    said = sdk.said(sdk.stream([START, *_events(file)]))
    own = sdk.said(sdk.parsed(recording_bytes(STREAMS[file])))
    assert own == said


@pytest.mark.parametrize("file", COMPLETE)
def test_the_sdk_reads_the_whole_answer(file: str) -> None:
    row = STREAMS[file]
    assert DIALECT.client is not None
    response = sdk.response(DIALECT.client.whole(None, _answer(file)))  # type: ignore[arg-type]
    content = response.message.content or []
    assert row["text_sha256"] == _sha256(
        "".join(part.text for part in content if part.type == "text")
    )
    thinking = "".join(part.thinking for part in content if part.type == "thinking")
    assert row["reasoning_chars"] == len(thinking) + len(response.message.tool_plan or "")
    assert _tools(row) == [
        (call.function.name, call.function.arguments) for call in response.message.tool_calls or []
    ]
    assert row["finish"] == response.finish_reason
    assert row["usage"]["tokens"]["output_tokens"] == response.usage.tokens.output_tokens
    assert (
        row["usage"]["billed_units"]["output_tokens"] == response.usage.billed_units.output_tokens
    )

"""Real vendors' bytes: what the recordings hold is what comes out, for every split; and the openai
SDK reads it from our encoder."""

import pytest

from proxy.dialects.openai_chat import DIALECT
from proxy.events import Usage
from tests.dialects.openai_chat import emit
from tests.dialects.openai_chat.test_recordings import (
    CUT,
    REFUSALS,
    STREAMS,
    _answer,
    _events,
    _sha256,
)
from tests.oracle.dialects.openai_chat import sdk


@pytest.mark.parametrize(
    "file", [f for f, row in STREAMS.items() if row["error"] is None and f not in CUT]
)
def test_the_sdk_reads_from_our_encoder_what_the_recording_holds(file: str) -> None:
    row = STREAMS[file]
    events = _events(row)
    stream = sdk.chunks(events, include_usage=True)
    refusal = "".join(choice.delta.refusal or "" for chunk in stream for choice in chunk.choices)
    assert REFUSALS.get(file, "") == refusal
    assert row["text_sha256"] == _sha256(sdk.text(stream))
    assert [tool["name"] for tool in row["tools"]] == [name for _, name, _ in sdk.calls(stream)]
    assert [tool["arguments"] or "{}" for tool in row["tools"]] == [
        arguments for _, _, arguments in sdk.calls(stream)
    ]
    assert sdk.finishes(stream)[0] in {"stop", "length", "tool_calls", "content_filter"}
    usage = _answer(events).usage
    if usage == Usage():
        assert all(chunk.usage is None for chunk in stream)
    else:
        assert (usage.input_tokens, usage.output_tokens) == (
            stream[-1].usage.prompt_tokens,
            stream[-1].usage.completion_tokens,
        )


@pytest.mark.parametrize(
    "file", [f for f, row in STREAMS.items() if row["error"] is None and f not in CUT]
)
def test_the_sdk_reads_the_whole_answer(file: str) -> None:
    row = STREAMS[file]
    answer = _answer([emit.START, *_events(row)])
    assert DIALECT.client is not None
    message = sdk.completion(DIALECT.client.whole(emit.ASKED, answer)).choices[0].message
    said = message.refusal if file in REFUSALS else message.content or ""
    assert (_sha256(REFUSALS[file]) if file in REFUSALS else row["text_sha256"]) == _sha256(said)
    assert [tool["name"] for tool in row["tools"]] == [
        call.function.name for call in message.tool_calls or []
    ]

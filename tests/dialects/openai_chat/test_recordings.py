"""Real vendors' bytes: what the recordings hold is what comes out, for every split; and the openai
SDK reads it from our encoder."""

import hashlib
from typing import Any

import pytest

from proxy.codec.fold import WholeAnswer
from proxy.dialects.openai_chat import DIALECT
from proxy.dialects.openai_chat.decode import ChatDecoder
from proxy.events import Event
from tests.support import (
    decode,
    facts,
    large_are_slow,
    needs_recordings,
    recording_bytes,
    recordings_dir,
    seed_bytes,
    splits,
)

pytestmark = needs_recordings
STREAMS = {row["file"]: row for row in facts("openai_chat")}
ERRORS = {row["file"]: row for row in facts("openai_chat", errors=True)}
# Where the facts, a plain pass over the payloads, and a decoder that knows the vendors differ, and
# why the decoder is right.
REFUSALS = {  # a refusal stands in `delta.refusal`, and our schema has it as text
    "openai-chat/openaisdk-snapshot-173417d5.sse": "I'm sorry, I can't assist with that request.",
    "openai-chat/openaisdk-snapshot-569c877e.sse": "I'm very sorry, but I can't assist with that.",
}
# Snowflake gives its reasoning only in `reasoning_details`, where the pass did not look
REASONING_DETAILS = {
    "openai-compat-other/pydanticai-snowflake-thinking-streaming.sse": "15 * 27 = 405",
}
# One payload a line, without its framing: neither `[DONE]` nor a finish reason was kept, which is
# what a cut stream looks like.
CUT = {"tgi/tgi-tools-choice-stream.chunks.jsonl"}


def _events(row: dict[str, Any]) -> list[Event]:
    return decode(ChatDecoder(1 << 20), [recording_bytes(row)])


def _answer(events: list[Event]) -> WholeAnswer:
    answer = WholeAnswer()
    for event in events:
        answer.add(event)
    return answer


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _expected_usage(said: dict[str, Any] | None) -> tuple[int | None, int | None]:
    if said is None:
        return None, None
    prompt, output = said["prompt_tokens"], said["completion_tokens"]
    reasoning = (said.get("completion_tokens_details") or {}).get("reasoning_tokens") or 0
    # xAI counts its reasoning in the total alone.
    return prompt, output + reasoning if reasoning and said[
        "total_tokens"
    ] == prompt + output + reasoning else output


@pytest.mark.parametrize("file", large_are_slow(STREAMS.values()))
def test_every_split_gives_the_same_events(file: str) -> None:
    data = recording_bytes(STREAMS[file])
    whole = decode(ChatDecoder(1 << 20), [data])
    for chunks in splits(data, seed=len(data)):
        assert whole == decode(ChatDecoder(1 << 20), chunks)


@pytest.mark.parametrize("file", STREAMS)
def test_a_recording_gives_its_facts(file: str) -> None:
    row = STREAMS[file]
    answer = _answer(_events(row))
    assert (_sha256(REFUSALS[file]) if file in REFUSALS else row["text_sha256"]) == _sha256(
        answer.text()
    )
    if file in REASONING_DETAILS:
        assert REASONING_DETAILS[file] == answer.reasoning()
    else:
        assert row["reasoning_chars"] == len(answer.reasoning())
        assert row["reasoning_sha256"] in (None, _sha256(answer.reasoning()))
    assert row["tools"] == [
        {"name": b.tool.name, "arguments": b.text} for b in answer.tool_calls() if b.tool
    ]
    assert _expected_usage(row["usage"]) == (answer.usage.input_tokens, answer.usage.output_tokens)
    if row["error"] is not None:
        said = row["error"] if isinstance(row["error"], str) else row["error"]["message"]
        assert answer.error is not None
        assert ("upstream_error", said) == (answer.error.kind, answer.error.message)
    elif file in CUT:
        assert answer.error is not None
        assert "upstream_truncated" == answer.error.kind
    else:
        assert row["finish"] == answer.finish.raw


@pytest.mark.parametrize("file", ERRORS)
def test_an_error_body_gives_the_vendors_message(file: str) -> None:
    folder = recordings_dir()
    assert folder is not None
    assert DIALECT.upstream is not None
    body = (folder / file).read_bytes()
    status = int(file.split("/error-")[1][:3])
    failure = DIALECT.upstream.parse_error(status, {}, body)
    assert failure is not None
    assert status == failure.status
    assert failure.message in body.decode().replace('\\"', '"')
    assert len(failure.message) > 10


@pytest.mark.parametrize(
    "name", ["d-chatglm2-openai-api.body.sse", "d-chatglm2-openai-api.with-ping.body.sse"]
)
def test_chatglm2s_own_server_is_read_without_ids_with_crlf_and_pings(name: str) -> None:
    data = seed_bytes(name)
    whole = decode(ChatDecoder(1 << 20), [data])
    for chunks in splits(data):
        assert whole == decode(ChatDecoder(1 << 20), chunks)
    answer = _answer(whole)
    assert ("stop", "stop") == (answer.finish.reason, answer.finish.raw)
    assert answer.text()

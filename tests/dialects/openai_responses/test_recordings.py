"""Real vendors' bytes: what the recordings hold is what comes out, for every split; and the openai
SDK reads it from our encoder."""

import hashlib
import re
from typing import Any

import pytest

from proxy.codec.custom_tools import text_of
from proxy.codec.fold import Block
from proxy.events import Event
from tests.dialects.answers import folded
from tests.dialects.openai_responses import emit
from tests.dialects.openai_responses.frames import new
from tests.support import (
    decode,
    facts,
    large_are_slow,
    needs_recordings,
    recording_bytes,
    recordings_dir,
    splits,
)

pytestmark = needs_recordings
STREAMS = {row["file"]: row for row in facts("openai_responses")}
ERRORS = {row["file"]: row for row in facts("openai_responses", errors=True)}
# Several answers stand one behind the other in these files; a body on the wire holds one, and a
# decoder is done at its end. The facts merge them: text and calls of all, the finish and the usage
# of the last. Of the first file's three calls the facts name two, as the pass that made them told
# calls apart by the output index alone, which begins anew with every answer: 19 times 3 went
# missing.
JOINED = {
    "openai-responses/vercel-openai-reasoning-encrypted-content-1.chunks.jsonl": 4,
    "openai-responses/vercel-openai-shell-tool-1.chunks.jsonl": 2,
}
CALLS = {
    "openai-responses/vercel-openai-reasoning-encrypted-content-1.chunks.jsonl": [
        {"name": "calculator", "arguments": '{"a":12,"b":7,"op":"add"}'},
        {"name": "calculator", "arguments": '{"a":19,"b":3,"op":"multiply"}'},
        {"name": "calculator", "arguments": '{"a":57,"b":10,"op":"multiply"}'},
    ],
    # the facts count functions only
    "openai-responses/vercel-openai-custom-tool-1.chunks.jsonl": [
        {"name": "write_sql", "arguments": "SELECT * FROM users WHERE age > 25"}
    ],
}
# How the encrypted reasoning begins that a vendor gives at the end of the item.
SIGNED = {
    "openai-responses/llm-openrouter-reasoning-1-openrouter.sse": "gAAAAABqcmhGUY8i3WwdW",
    "openai-responses/rubyllm-xai-grok-4-1-fast-non-re-lti-turn-streaming-conversations-xai.sse": "m/Nx6AJDTYMzQ/Uz4DOQt",
}


def bodies(row: dict[str, Any]) -> list[bytes]:
    data = recording_bytes(row)
    if row["file"] not in JOINED:
        return [data]
    found = [piece for piece in re.split(rb"(?=event: response\.created\n)", data) if piece]
    assert JOINED[row["file"]] == len(found)
    return found


def answers(row: dict[str, Any]) -> list[list[Event]]:
    return [decode(new(), [body]) for body in bodies(row)]


def arguments(block: Block) -> str:
    """As the vendor wrote them: those of a tool that takes free text are that text."""
    assert block.tool is not None
    return text_of(block.text) if block.tool.custom is True else block.text


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("file", large_are_slow(STREAMS.values()))
def test_every_split_gives_the_same_events(file: str) -> None:
    """Whole, byte by byte, line by line, at random."""
    for body in bodies(STREAMS[file]):
        whole = decode(new(), [body])
        for chunks in splits(body, seed=len(body)):
            assert whole == decode(new(), chunks)


@pytest.mark.parametrize("file", STREAMS)
def test_a_recording_gives_its_facts(file: str) -> None:
    row = STREAMS[file]
    found = [folded(events) for events in answers(row)]
    assert row["text_sha256"] == sha256("".join(answer.text() for answer in found))
    reasoning = "".join(answer.reasoning() for answer in found)
    assert row["reasoning_chars"] == len(reasoning)
    assert row["reasoning_sha256"] in (None, sha256(reasoning))
    calls = [
        {"name": block.tool.name, "arguments": arguments(block)}
        for answer in found
        for block in answer.tool_calls()
        if block.tool
    ]
    assert CALLS.get(file, row["tools"]) == calls
    last = found[-1]
    if row["error"] is not None:
        assert last.error is not None
        assert ("upstream_error", row["error"]["message"], 429) == (
            last.error.kind,
            last.error.message,
            last.error.status,
        )
        return
    assert row["finish"] == last.finish.raw
    usage = row["usage"]
    assert (usage["input_tokens"], usage["output_tokens"]) == (
        last.usage.input_tokens,
        last.usage.output_tokens,
    )
    assert usage["input_tokens_details"]["cached_tokens"] == last.usage.cached_input_tokens
    assert usage["output_tokens_details"]["reasoning_tokens"] == last.usage.reasoning_tokens


@pytest.mark.parametrize("file", SIGNED)
def test_encrypted_reasoning_is_the_signature(file: str) -> None:
    """Whole, as it must go back."""
    (events,) = answers(STREAMS[file])
    (block,) = [block for block in folded(events).blocks.values() if block.kind == "reasoning"]
    assert block.signature is not None
    assert block.signature.startswith(SIGNED[file])
    assert len(block.signature) > 100


@pytest.mark.parametrize("file", ERRORS)
def test_an_error_body_gives_the_vendors_message(file: str) -> None:
    folder = recordings_dir()
    assert folder is not None
    body = (folder / file).read_bytes()
    status = int(file.split("/error-")[1][:3])
    failure = emit.UPSTREAM.parse_error(status, {}, body)
    assert failure is not None
    assert status == failure.status
    assert failure.message in body.decode()
    assert len(failure.message) > 10

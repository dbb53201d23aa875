"""Real bytes of the vendor: what the recordings hold is what comes out, for every split; and the
cohere SDK reads it from our encoder."""

import hashlib
from typing import Any

import pytest

from proxy.codec.fold import WholeAnswer
from proxy.dialects.cohere import DIALECT
from proxy.dialects.cohere.decode import CohereDecoder
from proxy.events import Event
from tests.dialects.answers import START, folded, told
from tests.support import decode, facts, needs_recordings, recording_bytes, recordings_dir, splits

pytestmark = needs_recordings
STREAMS = {row["file"]: row for row in facts("cohere")}
ERRORS = {row["file"]: row for row in facts("cohere", errors=True)}
COMPLETE = [file for file, row in STREAMS.items() if row["error"] is None]


def _events(file: str) -> list[Event]:
    return decode(CohereDecoder(1 << 20), [recording_bytes(STREAMS[file])])


def _answer(file: str) -> WholeAnswer:
    return folded([START, *_events(file)])


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _tools(row: dict[str, Any]) -> list[tuple[str, str]]:
    return [(tool["name"], tool["arguments"]) for tool in row["tools"]]


def test_there_are_as_many_as_expected() -> None:
    assert (12, 2) == (len(STREAMS), len(ERRORS))


@pytest.mark.parametrize("file", STREAMS)
def test_every_split_gives_the_same_events(file: str) -> None:
    data = recording_bytes(STREAMS[file])
    whole = decode(CohereDecoder(1 << 20), [data])
    for chunks in splits(data, seed=len(data)):
        assert whole == decode(CohereDecoder(1 << 20), chunks)


@pytest.mark.parametrize("file", STREAMS)
def test_a_recording_gives_its_facts(file: str) -> None:
    row, answer = STREAMS[file], _answer(file)
    assert row["text_sha256"] == _sha256(answer.text())
    assert row["reasoning_chars"] == len(answer.reasoning())
    assert row["reasoning_sha256"] in (None, _sha256(answer.reasoning()))
    assert _tools(row) == [
        (block.tool.name, block.text) for block in answer.tool_calls() if block.tool
    ]
    tokens = row["usage"].get("tokens", {})
    assert (tokens.get("input_tokens"), tokens.get("output_tokens")) == (
        answer.usage.input_tokens,
        answer.usage.output_tokens,
    )
    assert row["usage"].get("cached_tokens") == answer.usage.cached_input_tokens
    if row["error"] is None:
        assert row["finish"] == answer.finish.raw
    else:
        assert answer.error is not None
        assert ("upstream_error", row["error"]) == (answer.error.kind, answer.error.message)


@pytest.mark.parametrize("file", COMPLETE)
def test_what_is_charged_is_told_beside(file: str) -> None:
    (said,) = [
        data["delta"]["usage"] for data in told(_events(file)) if data["type"] == "message-end"
    ]
    assert STREAMS[file]["usage"]["billed_units"] == said["billed_units"]
    assert STREAMS[file]["usage"]["tokens"].get("image_tokens") == said.get("tokens", {}).get(
        "image_tokens"
    )


@pytest.mark.parametrize("file", ERRORS)
def test_an_error_body_gives_the_vendors_message(file: str) -> None:
    folder = recordings_dir()
    assert folder is not None
    assert DIALECT.upstream is not None
    status = int(file.split("/error-")[1][:3])
    failure = DIALECT.upstream.parse_error(status, {}, (folder / file).read_bytes())
    assert failure is not None
    assert status == failure.status
    assert failure.message.startswith(
        "too many tokens" if status == 400 else "Incorrect API key provided"
    )
    assert ("TOO_MANY_TOKENS" if status == 400 else "none") == (failure.code or "none")

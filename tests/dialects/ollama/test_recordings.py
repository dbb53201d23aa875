"""Real bytes of the vendor: what the recordings hold is what comes out, for every split; and the
ollama SDK reads it from our encoder."""

import hashlib
import json

import pytest

from proxy.codec.fold import WholeAnswer
from proxy.dialects.ollama import DIALECT
from proxy.dialects.ollama.decode import OllamaDecoder
from proxy.events import Event
from tests.dialects.answers import START, folded
from tests.support import decode, facts, needs_recordings, recording_bytes, recordings_dir, splits

pytestmark = needs_recordings
STREAMS = {row["file"]: row for row in facts("ollama")}
ERRORS = {row["file"]: row for row in facts("ollama", errors=True)}


def _events(file: str) -> list[Event]:
    return decode(OllamaDecoder(1 << 20), [recording_bytes(STREAMS[file])])


def _answer(file: str) -> WholeAnswer:
    return folded([START, *_events(file)])


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_there_are_as_many_as_expected() -> None:
    assert (10, 1) == (len(STREAMS), len(ERRORS))


@pytest.mark.parametrize("file", STREAMS)
def test_every_split_gives_the_same_events(file: str) -> None:
    data = recording_bytes(STREAMS[file])
    whole = decode(OllamaDecoder(1 << 20), [data])
    for chunks in splits(data, seed=len(data)):
        assert whole == decode(OllamaDecoder(1 << 20), chunks)


@pytest.mark.parametrize("file", STREAMS)
def test_a_recording_gives_its_facts(file: str) -> None:
    """The facts write the arguments, which are objects on the wire, with blanks after colons: they
    are compared as objects."""
    row, answer = STREAMS[file], _answer(file)
    assert row["text_sha256"] == _sha256(answer.text())
    assert row["reasoning_chars"] == len(answer.reasoning())
    assert row["reasoning_sha256"] in (None, _sha256(answer.reasoning()))
    expected = [(tool["name"], json.loads(tool["arguments"])) for tool in row["tools"]]
    assert expected == [
        (block.tool.name, json.loads(block.text)) for block in answer.tool_calls() if block.tool
    ]
    assert (row["usage"].get("prompt_eval_count"), row["usage"]["eval_count"]) == (
        answer.usage.input_tokens,
        answer.usage.output_tokens,
    )
    assert row["finish"] == answer.finish.raw
    assert ("tool_calls" if row["tools"] else row["finish"]) == answer.finish.reason


@pytest.mark.parametrize("file", ERRORS)
def test_an_error_body_gives_the_vendors_message(file: str) -> None:
    folder = recordings_dir()
    assert folder is not None
    assert DIALECT.upstream is not None
    failure = DIALECT.upstream.parse_error(404, {}, (folder / file).read_bytes())
    assert failure is not None
    assert ("model_not_found", 404, "model 'nonexistent-model:latest' not found") == (
        failure.kind,
        failure.status,
        failure.message,
    )

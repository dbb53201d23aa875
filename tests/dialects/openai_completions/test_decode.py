"""The stream to events, for what vendors send and for what they should not."""

import hashlib
import json
from typing import Any

import pytest

from proxy.dialects.openai_completions import DIALECT
from proxy.dialects.openai_completions.decode import CompletionsDecoder
from proxy.events import (
    BlockEnd,
    BlockStart,
    Event,
    Finish,
    StreamEnd,
    StreamError,
    TextDelta,
    Usage,
)
from tests.dialects.answers import LIMIT, every_cut_is_an_error, folded, same_however_cut, told
from tests.support import decode, facts, needs_recordings, recording_bytes, recordings_dir, splits

STREAMS = {row["file"]: row for row in facts("openai_completions")}
ERRORS = {row["file"]: row for row in facts("openai_completions", errors=True)}
DONE = b"data: [DONE]\n\n"


def new() -> CompletionsDecoder:
    return CompletionsDecoder(LIMIT)


def chunk(text: str = "", finish: str | None = None, index: int = 0, **more: Any) -> bytes:
    choice = {"text": text, "index": index, "logprobs": None, "finish_reason": finish, **more}
    return (
        b"data: "
        + json.dumps({"id": "cmpl-1", "object": "text_completion", "choices": [choice]}).encode()
        + b"\n\n"
    )


def events(*frames: bytes) -> list[Event]:
    return same_however_cut(new, b"".join(frames))


@needs_recordings
@pytest.mark.parametrize("file", STREAMS)
def test_a_recording_gives_its_facts_for_every_split(file: str) -> None:
    row, data = STREAMS[file], recording_bytes(STREAMS[file])
    whole = decode(new(), [data])
    for chunks in splits(data, seed=len(data)):
        assert whole == decode(new(), chunks)
    answer = folded(whole)
    assert row["text_sha256"] == hashlib.sha256(answer.text().encode()).hexdigest()
    assert row["finish"] == answer.finish.reason == answer.finish.raw
    usage = row["usage"] or {}
    assert (usage.get("prompt_tokens"), usage.get("completion_tokens")) == (
        answer.usage.input_tokens,
        answer.usage.output_tokens,
    )


@needs_recordings
@pytest.mark.parametrize("file", ERRORS)
def test_an_error_body_gives_the_vendors_message(file: str) -> None:
    folder = recordings_dir()
    assert folder is not None
    assert DIALECT.upstream is not None
    body = (folder / file).read_bytes()
    status = int(file.split("/error-")[1][:3])
    failure = DIALECT.upstream.parse_error(status, {}, body)
    assert failure is not None
    assert (status, json.loads(body)["error"]["message"]) == (failure.status, failure.message)


def test_text_is_one_block() -> None:
    usage = b'data: {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}}\n\n'
    got = events(chunk("Hel"), chunk("lo"), chunk(finish="stop"), usage, DONE)
    assert [BlockStart(0, "text"), TextDelta(0, "Hel"), TextDelta(0, "lo")] == got[:3]
    assert [BlockEnd(0), StreamEnd(Finish("stop", "stop"), Usage(3, 2))] == got[-2:]


def test_several_answers_are_choices() -> None:
    """The finish is that of the first; the others' stand beside."""
    got = events(
        chunk("a"), chunk("b", index=1), chunk(finish="length"), chunk(finish="stop", index=1), DONE
    )
    answer = folded(got)
    assert ("a", "b", Finish("length", "length")) == (answer.text(), answer.text(1), answer.finish)
    assert [{"choices": [{"index": 1, "finish_reason": "stop"}]}] == told(got)


def test_what_is_said_beside_the_text_is_kept() -> None:
    """Log-probs each time; what every chunk repeats, once."""
    logprobs = {"tokens": ["a"], "token_logprobs": [-0.5]}
    said = json.loads(chunk("a", logprobs=logprobs)[6:])
    frame = (
        b"data: "
        + json.dumps({**said, "model": "davinci-002", "system_fingerprint": "fp"}).encode()
        + b"\n\n"
    )
    got = events(frame, frame, chunk(finish="stop"), DONE)
    beside = {"choices": [{"index": 0, "logprobs": logprobs}]}
    assert [{"model": "davinci-002", "system_fingerprint": "fp"}, beside, beside] == told(got)


@pytest.mark.parametrize(
    ("tail", "finish"),
    [
        (chunk(finish="length") + DONE, Finish("length", "length")),
        (chunk(finish="content_filter") + DONE, Finish("content_filter", "content_filter")),
        (chunk(finish="eos") + DONE, Finish("stop", "eos")),
        (chunk(finish="stop"), Finish("stop", "stop")),
        (DONE, Finish("stop")),
    ],
)
def test_ends(tail: bytes, finish: Finish) -> None:
    """With the terminator, with a finish reason, or with both."""
    assert finish == folded(events(chunk("a"), tail)).finish


def test_a_body_that_ends_early_is_truncated() -> None:
    every_cut_is_an_error(new, chunk("Hello") + chunk(" world") + b"data: [DO")


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (b'data: {"error": {"message": "Broke.", "type": "server_error"}}\n\n', "Broke."),
        (b'event: error\ndata: {"message": "Broke."}\n\n', "Broke."),
        (b'data: {"object": "error", "message": "Broke.", "code": 400}\n\n', "Broke."),
        (chunk(finish="abort"), "The upstream broke off its answer: its finish reason is 'abort'."),
    ],
)
def test_an_error_in_the_stream(frame: bytes, message: str) -> None:
    last = events(chunk("a"), frame, DONE)[-1]
    assert isinstance(last, StreamError)
    assert ("upstream_error", message) == (last.error.kind, last.error.message)


@pytest.mark.parametrize(
    ("body", "kind", "message"),
    [
        (
            b'{"error": {"message": "Bad key.", "code": "invalid_api_key"}}',
            "upstream_error",
            "Bad key.",
        ),
        (b"<html><body>Sign in</body></html>", "upstream_malformed", "HTML"),
        (b"data: not json\n\n", "upstream_malformed", "cannot be read"),
        (b"", "upstream_truncated", "before the upstream said"),
        (DONE, "upstream_truncated", "before the upstream said"),
    ],
)
def test_a_body_that_is_no_answer(body: bytes, kind: str, message: str) -> None:
    last = decode(new(), [body])[-1]
    assert isinstance(last, StreamError)
    assert kind == last.error.kind
    assert message in last.error.message

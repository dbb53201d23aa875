"""Events to chunks, and a whole answer to one document."""

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
    FinishReason,
    StreamEnd,
    TextDelta,
    Usage,
    Vendor,
)
from tests.dialects.answers import (
    BROKEN,
    LIMIT,
    START,
    ending,
    folded,
    posted,
    reasoning_block,
    text_block,
)
from tests.sse_reader import read_sse
from tests.support import decode

assert DIALECT.client is not None
CLIENT = DIALECT.client
NAME = "openai_completions"


def encoded(events: list[Event], *, include_usage: bool = False) -> bytes:
    body = {
        "model": "m",
        "prompt": "Once",
        "stream": True,
        "stream_options": {"include_usage": include_usage},
    }
    encoder = CLIENT.encoder(CLIENT.parse_request(posted(json.dumps(body).encode())))
    return b"".join(encoder.encode(event) for event in [START, *events])


def chunks(events: list[Event], *, include_usage: bool = False) -> list[Any]:
    return [
        data if data == "[DONE]" else json.loads(data)
        for _, data, _ in read_sse(encoded(events, include_usage=include_usage))
    ]


def whole(events: list[Event]) -> Any:
    parsed = CLIENT.parse_request(posted(b'{"model":"m","prompt":"Once"}'))
    return json.loads(CLIENT.whole(parsed, folded([START, *events])).body)


def test_text_a_finish_and_the_terminator() -> None:
    first, second, finish, done = chunks([*text_block("Hel", "lo"), ending()])
    head = {
        "id": "cmpl-s1",
        "object": "text_completion",
        "created": 1_700_000_000,
        "model": "asked",
    }
    assert {
        **head,
        "choices": [{"text": "Hel", "index": 0, "logprobs": None, "finish_reason": None}],
    } == first
    assert ("lo", None) == (second["choices"][0]["text"], second["choices"][0]["finish_reason"])
    assert ("", "stop") == (finish["choices"][0]["text"], finish["choices"][0]["finish_reason"])
    assert "[DONE]" == done


def test_usage_comes_last_if_asked_for() -> None:
    """With no choices; the chunks before it say null."""
    events = [*text_block("a"), StreamEnd(Finish("stop"), Usage(3, 2, 1))]
    *before, usage, _ = chunks(events, include_usage=True)
    assert [None, None] == [chunk["usage"] for chunk in before]
    assert ([], 3, 2, 5) == (
        usage["choices"],
        *(usage["usage"][f"{name}_tokens"] for name in ("prompt", "completion", "total")),
    )
    assert "usage" not in json.dumps(chunks(events))
    assert usage["usage"] == whole(events)["usage"]


def test_several_choices_have_their_own_finishes() -> None:
    """Streamed and whole alike."""
    beside = Vendor(NAME, {"choices": [{"index": 1, "finish_reason": "length"}]})
    events: list[Event] = [
        BlockStart(0, "text"),
        BlockStart(1, "text", choice=1),
        TextDelta(1, "b"),
        TextDelta(0, "a"),
        BlockEnd(0),
        BlockEnd(1),
    ]
    events += [beside, ending()]
    finishes = {
        c["index"]: c["finish_reason"]
        for chunk in chunks(events)[:-1]
        for c in chunk["choices"]
        if c["finish_reason"]
    }
    assert {0: "stop", 1: "length"} == finishes
    assert [("a", "stop"), ("b", "length")] == [
        (c["text"], c["finish_reason"]) for c in whole(events)["choices"]
    ]


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("content_filter", "content_filter"),
        ("refusal", "content_filter"),
        ("tool_calls", "stop"),
        ("other", "stop"),
    ],
)
def test_finishes(reason: FinishReason, word: str) -> None:
    events = [*text_block("a"), ending(reason)]
    assert (
        word
        == chunks(events)[-2]["choices"][0]["finish_reason"]
        == whole(events)["choices"][0]["finish_reason"]
    )


def test_an_error_is_the_last_chunk() -> None:
    *_, last = chunks([*text_block("a"), BROKEN])
    assert "The upstream broke off." == last["error"]["message"]
    assert b"[DONE]" not in encoded([*text_block("a"), BROKEN])


def test_reasoning_has_no_place() -> None:
    assert (
        "a"
        == whole([*reasoning_block("Hm."), *text_block("a", block=1), ending()])["choices"][0][
            "text"
        ]
    )
    assert b"Hm." not in encoded([*reasoning_block("Hm."), *text_block("a", block=1), ending()])


def test_what_the_vendor_says_beside_goes_through() -> None:
    """Of this dialect, in its own place; the model stays the one asked for."""
    logprobs = {"tokens": ["a"]}
    events = [
        *text_block("a"),
        Vendor(NAME, {"model": "davinci-002", "system_fingerprint": "fp"}),
        Vendor(NAME, {"choices": [{"index": 0, "logprobs": logprobs}]}),
        Vendor(NAME, {"choices": [5, {"index": "x"}]}),
        Vendor(NAME, 5),
        Vendor("anthropic", {"type": "x"}),
        ending(),
    ]
    _, fingerprint, beside, finish, _ = chunks(events)
    assert ("fp", "asked", []) == (
        fingerprint["system_fingerprint"],
        fingerprint["model"],
        fingerprint["choices"],
    )
    assert [{"text": "", "index": 0, "logprobs": logprobs, "finish_reason": None}] == beside[
        "choices"
    ]
    assert "stop" == finish["choices"][0]["finish_reason"]
    assert ("fp", "asked") == (whole(events)["system_fingerprint"], whole(events)["model"])


def test_our_own_decoder_finds_the_same_answer() -> None:
    events = [*text_block("Hel", "lo"), StreamEnd(Finish("length", "length"), Usage(3, 2))]
    there = folded(decode(CompletionsDecoder(LIMIT), [encoded(events, include_usage=True)]))
    assert ("Hello", Finish("length", "length"), Usage(3, 2)) == (
        there.text(),
        there.finish,
        there.usage,
    )

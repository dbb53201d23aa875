"""The vendor's lines to events: cases of our own, for what no recording holds."""

import json
from typing import Any

import pytest
from hypothesis import given

from proxy.dialects.ollama.decode import OllamaDecoder
from proxy.events import Event, StreamEnd, StreamError, Usage
from tests.dialects.answers import (
    LIMIT,
    every_cut_is_an_error,
    folded,
    same_however_cut,
    spoiled,
    told,
    unhurried,
)
from tests.support import decode, splits

LAST = {"done": True, "done_reason": "stop", "eval_count": 5, "prompt_eval_count": 3}


def new() -> OllamaDecoder:
    return OllamaDecoder(LIMIT)


def wire(*lines: dict[str, Any]) -> bytes:
    head = {"model": "m", "created_at": "2026-01-01T00:00:00Z"}
    return b"".join(
        json.dumps({**head, **line}, ensure_ascii=False).encode() + b"\n" for line in lines
    )


def chat(text: str = "", **more: Any) -> dict[str, Any]:
    return {"message": {"role": "assistant", "content": text, **more}, "done": False}


def call(name: str, arguments: Any = None, **more: Any) -> dict[str, Any]:
    return {
        **more,
        "function": {"name": name, **({} if arguments is None else {"arguments": arguments})},
    }


def failed(events: list[Event]) -> StreamError:
    last = events[-1]
    assert isinstance(last, StreamError), last
    return last


TALK = wire(chat(thinking="hm"), chat("Grüße"), chat(" 世界"), {**chat(), **LAST})


def test_lines_sent_as_an_event_stream() -> None:
    """Each is the data of an event; whatever else such a stream holds says nothing."""
    head = b": hello\nevent: message\nid: 1\nretry: 5\n\n"
    body = b"".join(b"data: " + line + b"\n\n" for line in TALK.splitlines())
    expected = same_however_cut(new, TALK)
    assert expected == same_however_cut(new, head + body + b"data: [DONE]\n\n")
    assert expected == same_however_cut(new, body.replace(b"data: ", b"data:"))
    cut = body[: body.index(b"\n\n") + 2]
    assert "upstream_truncated" == failed(decode(new(), [cut])).error.kind


def test_thinking_text_usage_and_finish() -> None:
    answer = folded(same_however_cut(new, TALK))
    assert ("hm", "Grüße 世界", "stop") == (answer.reasoning(), answer.text(), answer.finish.reason)
    assert Usage(3, 5) == answer.usage


def test_generate_has_its_text_elsewhere() -> None:
    data = wire(
        {"response": "", "thinking": "hm", "done": False},
        {"response": "a", "done": False},
        {"response": "", **LAST, "context": [1]},
    )
    events = same_however_cut(new, data)
    assert ("hm", "a") == (folded(events).reasoning(), folded(events).text())
    assert [{"model": "m", "context": [1]}] == told(events)


def test_a_body_without_its_last_line_is_cut() -> None:
    every_cut_is_an_error(new, TALK[:-2])


@pytest.mark.parametrize("end", [b"", b"\n", b"\n\xff\n"])
def test_compressed_bytes_are_no_answer_that_was_cut(end: bytes) -> None:
    """They are told as what they are, whether a byte of them ends a line or none."""
    bytes_of_gzip = b'\x1f\x8b\x08\x00\xc3"' + end
    assert "upstream_malformed" == failed(decode(new(), [bytes_of_gzip])).error.kind


def test_the_last_line_may_lack_its_end() -> None:
    assert decode(new(), [TALK]) == decode(new(), [TALK[:-1]])


def test_an_answer_in_one_document() -> None:
    (document,) = (wire({**chat("all", thinking="hm", tool_calls=[call("t", {})]), **LAST}),)
    answer = folded(same_however_cut(new, document))
    assert ("hm", "all", ["t"]) == (
        answer.reasoning(),
        answer.text(),
        [block.tool.name for block in answer.tool_calls() if block.tool],
    )


def test_calls_are_whole_and_have_ids_of_their_own() -> None:
    calls = [
        call("a", {"x": 1}, id="c1"),
        call("b", {"y": "中"}),
        call("a"),
        call("a", '{"as": "text"}'),
    ]
    answer = folded(
        same_however_cut(
            new, wire(chat(tool_calls=calls[:3]), chat(tool_calls=calls[3:]), {**chat(), **LAST})
        )
    )
    tools = [block.tool for block in answer.tool_calls() if block.tool]
    assert ["a", "b", "a", "a"] == [tool.name for tool in tools]
    assert ['{"x": 1}', '{"y": "中"}', "", '{"as": "text"}'] == [
        block.text for block in answer.tool_calls()
    ]
    assert "c1" == tools[0].id
    assert 4 == len({tool.id for tool in tools})
    assert ("tool_calls", "stop") == (answer.finish.reason, answer.finish.raw)


def test_made_ids_differ_from_answer_to_answer() -> None:
    ids = {
        folded(decode(new(), [wire({**chat(tool_calls=[call("a")]), **LAST, "created_at": stamp})]))
        .tool_calls()[0]
        .tool
        for stamp in ("2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z")
    }
    assert 2 == len(ids)


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("length", "length"),
        ("load", "other"),
        ("unload", "other"),
        (None, "stop"),
        ("", "stop"),
        ("stop", "stop"),
    ],
)
def test_finish_words(reason: str | None, expected: str) -> None:
    last = decode(new(), [wire({**chat(), "done": True, "done_reason": reason})])[-1]
    assert isinstance(last, StreamEnd)
    assert (expected, reason or None) == (last.finish.reason, last.finish.raw)


def test_counts_may_lack() -> None:
    assert (
        Usage(None, 5)
        == folded(decode(new(), [wire({**chat(), "done": True, "eval_count": 5})])).usage
    )
    assert Usage() == folded(decode(new(), [wire({**chat(), "done": True})])).usage


@pytest.mark.parametrize(
    "error", ["model runner has stopped", {"message": "model runner has stopped"}]
)
def test_an_error_line_is_a_failure(error: Any) -> None:
    events = same_however_cut(new, wire(chat("a")) + json.dumps({"error": error}).encode() + b"\n")
    assert ("upstream_error", "model runner has stopped") == (
        failed(events).error.kind,
        failed(events).error.message,
    )


def test_what_the_vendor_measures_is_told_beside() -> None:
    durations = {"total_duration": 9, "load_duration": 2, "eval_duration": 3, "remote_model": "far"}
    logprobs = [{"token": "a", "logprob": -0.5}]
    events = same_however_cut(
        new, wire({**chat("a"), "logprobs": logprobs}, {**chat(), **LAST, **durations})
    )
    assert [{"logprobs": logprobs}, {"model": "m", **durations}] == told(events)


@pytest.mark.parametrize(
    "body", [b"<!DOCTYPE html>\n", b"nonsense\n", b"7\n", b"[]\n", b'datum: {"a": 1}\n']
)
def test_garbage_is_malformed(body: bytes) -> None:
    assert "upstream_malformed" == failed(decode(new(), [body + TALK])).error.kind


def test_a_line_that_is_too_long_is_malformed() -> None:
    assert (
        "upstream_malformed"
        == failed(decode(OllamaDecoder(100), [TALK.replace(b"hm", b"h" * 200)])).error.kind
    )


def test_bad_utf8_is_mended() -> None:
    assert (
        "Gr\ufffd\ufffde 世界"
        == folded(decode(new(), [TALK.replace("Grüße".encode(), b"Gr\xff\xdfe")])).text()
    )


def test_deep_extras_are_left_out() -> None:
    deep = json.loads("[" * 300 + "]" * 300)
    events = decode(
        new(), [wire({**chat("a"), "logprobs": deep}, {**chat(), **LAST, "context": deep})]
    )
    assert isinstance(events[-1], StreamEnd)
    assert [] == told(events)


RICH = wire(
    chat("a", thinking="hm", tool_calls=[call("t", {"a": [1]})]),
    {**chat("b"), "logprobs": [1]},
    {"response": "c"},
    {**chat(), **LAST},
)


@unhurried
@given(body=spoiled([TALK, RICH]))
def test_any_bytes_keep_the_grammar(body: bytes) -> None:
    for chunks in splits(body):
        decode(new(), chunks)

"""The vendor's frames to events: cases of our own, for what no recording holds."""

import json
from typing import Any

import pytest
from hypothesis import given

from proxy.dialects.cohere.decode import CohereDecoder
from proxy.events import Citation, Event, StreamEnd, StreamError, TextDelta, Usage
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

START = {
    "type": "message-start",
    "id": "m1",
    "delta": {"message": {"role": "assistant", "content": [], "tool_calls": []}},
}
END = {
    "type": "message-end",
    "delta": {
        "finish_reason": "COMPLETE",
        "usage": {"tokens": {"input_tokens": 8.0, "output_tokens": 2}, "cached_tokens": 3},
    },
}


def new() -> CohereDecoder:
    return CohereDecoder(LIMIT)


def wire(*events: dict[str, Any], done: bool = True) -> bytes:
    frames = [
        f"event: {event.get('type')}\ndata: {json.dumps(event, ensure_ascii=False)}\n\n".encode()
        for event in events
    ]
    return b"".join(frames) + (b"data: [DONE]\n\n" if done else b"")


def start(index: int, kind: str) -> dict[str, Any]:
    return {
        "type": "content-start",
        "index": index,
        "delta": {"message": {"content": {"type": kind, kind: ""}}},
    }


def piece(index: int, kind: str, text: str) -> dict[str, Any]:
    return {
        "type": "content-delta",
        "index": index,
        "delta": {"message": {"content": {kind: text}}},
    }


def plan(text: str) -> dict[str, Any]:
    return {"type": "tool-plan-delta", "delta": {"message": {"tool_plan": text}}}


def call(index: int, name: str, **more: Any) -> dict[str, Any]:
    tool = {
        "id": f"{name}_id",
        "type": "function",
        "function": {"name": name, "arguments": ""},
        **more,
    }
    return {"type": "tool-call-start", "index": index, "delta": {"message": {"tool_calls": tool}}}


def arguments(index: int | None, text: Any) -> dict[str, Any]:
    return {
        "type": "tool-call-delta",
        "index": index,
        "delta": {"message": {"tool_calls": {"function": {"arguments": text}}}},
    }


def cite(**citation: Any) -> dict[str, Any]:
    return {"type": "citation-start", "index": 0, "delta": {"message": {"citations": citation}}}


def failed(events: list[Event]) -> StreamError:
    last = events[-1]
    assert isinstance(last, StreamError), last
    return last


TALK = wire(
    START,
    start(0, "text"),
    piece(0, "text", "Grüße"),
    piece(0, "text", " 世界"),
    {"type": "content-end", "index": 0},
    END,
)


def test_text_usage_and_finish() -> None:
    answer = folded(same_however_cut(new, TALK))
    assert ("Grüße 世界", "stop", "COMPLETE") == (
        answer.text(),
        answer.finish.reason,
        answer.finish.raw,
    )
    assert Usage(8, 2, 3) == answer.usage


def test_the_last_words_done_may_lack() -> None:
    assert decode(new(), [TALK]) == decode(new(), [TALK.removesuffix(b"data: [DONE]\n\n")])


def test_a_body_without_message_end_is_cut() -> None:
    # What stands behind message-end's closing brace is no part of the answer any more.
    every_cut_is_an_error(new, TALK[: TALK.rindex(b"}\n\n")])
    assert (
        "upstream_truncated"
        == failed(decode(new(), [wire(START, start(0, "text"), piece(0, "text", "a"))])).error.kind
    )


def test_thinking_plan_and_text_are_blocks_of_their_own() -> None:
    data = wire(
        START,
        start(0, "thinking"),
        piece(0, "thinking", "hm"),
        plan("I will"),
        plan(" look"),
        start(1, "text"),
        piece(1, "text", "a"),
        END,
    )
    events = same_however_cut(new, data)
    blocks = [(block.kind, block.text) for block in folded(events).blocks.values()]
    assert [("reasoning", "hm"), ("reasoning", "I will look"), ("text", "a")] == blocks
    assert [{"type": "tool-plan-delta"}] == told(events)


def test_two_texts_in_a_row_are_two_blocks() -> None:
    data = wire(
        START, start(0, "text"), piece(0, "text", "a"), start(1, "text"), piece(1, "text", "b"), END
    )
    assert ["a", "b"] == [
        block.text for block in folded(same_however_cut(new, data)).blocks.values()
    ]


def test_calls_and_contents_are_counted_apart() -> None:
    data = wire(
        START,
        start(0, "thinking"),
        piece(0, "thinking", "hm"),
        call(0, "one"),
        arguments(0, '{"a":'),
        arguments(0, " 1}"),
        {"type": "tool-call-end", "index": 0},
        call(1, "two"),
        {"type": "tool-call-end", "index": 1},
        {"type": "message-end", "delta": {"finish_reason": "TOOL_CALL"}},
    )
    answer = folded(same_however_cut(new, data))
    found = [
        (block.tool.id, block.tool.name, block.text) for block in answer.tool_calls() if block.tool
    ]
    assert [("one_id", "one", '{"a": 1}'), ("two_id", "two", "")] == found
    assert "tool_calls" == answer.finish.reason


def test_a_call_lacks_what_it_may_lack() -> None:
    """No id, no index, arguments as an object, and a finish that does not say it."""
    data = wire(START, call(None, "one", id=None), arguments(None, {"a": 1}), END)  # type: ignore[arg-type]
    answer = folded(same_however_cut(new, data))
    (block,) = answer.tool_calls()
    assert block.tool is not None
    assert block.tool.id.startswith("call_")
    assert '{"a":1}' == block.text
    assert ("tool_calls", "COMPLETE") == (answer.finish.reason, answer.finish.raw)


def test_citations_between_deltas_do_not_break_the_text() -> None:
    documents = [
        {
            "type": "document",
            "id": "d0",
            "document": {"url": "https://a.example", "title": "A", "snippet": "said A"},
        },
        {"type": "tool", "id": "t0", "tool_output": {"temperature": 21}},
    ]
    cited = {"start": 0, "end": 3, "text": "one", "sources": documents, "type": "TEXT_CONTENT"}
    data = wire(
        START,
        start(0, "text"),
        piece(0, "text", "one "),
        cite(**cited),
        {"type": "citation-end"},
        piece(0, "text", "two"),
        END,
    )
    events = same_however_cut(new, data)
    assert ["one ", "two"] == [event.text for event in events if isinstance(event, TextDelta)]
    (block,) = folded(events).blocks.values()
    assert [
        Citation(0, "https://a.example", "A", "said A", 0, 3),
        Citation(0, None, None, None, 0, 3),
    ] == block.citations
    assert [{"type": "citation-start", "delta": {"message": {"citations": cited}}}] == told(events)


def test_a_citation_of_the_plan_is_told_beside_only() -> None:
    events = same_however_cut(
        new, wire(START, plan("a"), cite(start=0, end=1, type="PLAN", sources=[]), END)
    )
    assert not any(isinstance(event, Citation) for event in events)
    assert "citation-start" == told(events)[-1]["type"]


def test_odd_places_of_a_citation_are_unknown() -> None:
    events = decode(new(), [wire(START, start(0, "text"), cite(start=5, end=2, sources=None), END)])
    assert [Citation(0)] == [event for event in events if isinstance(event, Citation)]


@pytest.mark.parametrize(
    "content",
    [
        [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Hi"}, {"type": "x"}],
        [{"thinking": "hm"}, "Hi"],
    ],
)
def test_content_in_a_list_of_parts(content: list[Any]) -> None:
    """As gateways write it that know whole answers alone."""
    delta = {"type": "content-delta", "index": 0, "delta": {"message": {"content": content}}}
    answer = folded(same_however_cut(new, wire(START, delta, END)))
    assert ("hm", "Hi") == (answer.reasoning(), answer.text())


def test_content_that_is_text() -> None:
    """It is the text, in a stream and in a whole answer."""
    delta = {"type": "content-delta", "index": 0, "delta": {"message": {"content": "Hi"}}}
    whole = {"message": {"content": "Hi"}, "finish_reason": "COMPLETE"}
    for body in (wire(START, delta, END), json.dumps(whole).encode()):
        assert "Hi" == folded(same_however_cut(new, body)).text()


@pytest.mark.parametrize(
    ("delta", "message", "code"),
    [
        (
            {
                "finish_reason": "ERROR",
                "usage": {},
                "error": "no",
                "error_type": "INVALID_TOOL_GENERATION",
            },
            "no",
            "INVALID_TOOL_GENERATION",
        ),
        (
            {"finish_reason": "TIMEOUT"},
            "The upstream broke off its answer: its finish reason is TIMEOUT.",
            None,
        ),
        ({"finish_reason": "COMPLETE", "error": "no"}, "no", None),
    ],
)
def test_an_error_at_the_end_is_a_failure(
    delta: dict[str, Any], message: str, code: str | None
) -> None:
    error = failed(
        same_however_cut(new, wire(START, plan("I"), {"type": "message-end", "delta": delta}))
    ).error
    assert ("upstream_error", message, code) == (error.kind, error.message, error.code or None)


def test_a_bare_error_in_the_stream_is_one() -> None:
    error = failed(decode(new(), [b'data: {"id":"x","message":"overloaded"}\n\n'])).error
    assert ("upstream_error", "overloaded") == (error.kind, error.message)


def test_a_json_body_says_why_it_is_no_stream() -> None:
    error = failed(decode(new(), [b'{"id":"x","message":"invalid api token"}'])).error
    assert "upstream_error" == error.kind
    assert "invalid api token" in error.message


@pytest.mark.parametrize("raw", ["STOP_SEQUENCE", "MAX_TOKENS", "ERROR_TOXIC", "NEW_WORD", None])
def test_finish_words(raw: str | None) -> None:
    reasons = {
        "STOP_SEQUENCE": "stop",
        "MAX_TOKENS": "length",
        "ERROR_TOXIC": "content_filter",
        "NEW_WORD": "other",
        None: "stop",
    }
    last = decode(new(), [wire(START, {"type": "message-end", "delta": {"finish_reason": raw}})])[
        -1
    ]
    assert isinstance(last, StreamEnd)
    assert (reasons[raw], raw) == (last.finish.reason, last.finish.raw)


def test_what_is_not_known_is_kept() -> None:
    debug = {"type": "debug", "prompt": "<BOS>hi", "delta": {"message": {"content": 7}}}
    logged = {**piece(0, "text", "a"), "logprobs": {"token_ids": [1], "logprobs": [-0.5]}}
    events = same_however_cut(new, wire(START, debug, start(0, "text"), logged, END))
    assert [debug, {"type": "content-delta", "index": 0, "logprobs": logged["logprobs"]}] == told(
        events
    )


@pytest.mark.parametrize(
    "body",
    [b"data: nonsense\n\n", b"data: [1]\n\n", b"data: 7\n\n"],
)
def test_garbage_is_malformed(body: bytes) -> None:
    assert (
        "upstream_malformed"
        == failed(decode(new(), [wire(START, done=False) + body + TALK])).error.kind
    )


@pytest.mark.parametrize("kind", [[], {}, [{}], 1, 1.5, True])
def test_a_type_that_is_no_text_is_kept_with_its_frame(kind: Any) -> None:
    """It is no type that is known; lists and objects have no hash to look one up by."""
    odd = {"type": kind, "delta": 1}
    assert odd in told(
        same_however_cut(new, wire(start(0, "text"), piece(0, "text", "a"), odd, END))
    )


def test_bad_utf8_is_mended() -> None:
    data = TALK.replace("Grüße".encode(), b"Gr\xff\xdfe")
    assert "Gr\ufffd\ufffde 世界" == folded(decode(new(), [data])).text()


def test_deep_extras_are_left_out() -> None:
    deep = json.loads("[" * 300 + "]" * 300)
    events = decode(
        new(),
        [
            wire(
                START,
                {"type": "new", "deep": deep},
                start(0, "text"),
                cite(sources=[], deep=deep),
                END,
            )
        ],
    )
    assert isinstance(events[-1], StreamEnd)
    assert [] == told(events)


RICH = wire(
    START,
    plan("I"),
    start(0, "text"),
    piece(0, "text", "one"),
    cite(start=0, end=3, sources=[{"id": "d"}]),
    call(0, "t"),
    arguments(0, "{}"),
    END,
)


@unhurried
@given(body=spoiled([TALK, RICH]))
def test_any_bytes_keep_the_grammar(body: bytes) -> None:
    for chunks in splits(body):
        decode(new(), chunks)

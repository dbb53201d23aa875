"""The decoder on small streams, one behaviour each: the order of the reference first, then what
clones and faults make of it."""

import json
from typing import Any

import pytest

from proxy.codec import proofs
from proxy.codec.base import Decoder
from proxy.codec.proofs import ANTHROPIC
from proxy.dialects.anthropic import DIALECT
from proxy.errors import Failure
from proxy.events import (
    BlockEnd,
    BlockStart,
    Citation,
    Event,
    Finish,
    Image,
    ReasoningDelta,
    StreamEnd,
    StreamError,
    TextDelta,
    Tool,
    ToolCallDelta,
    Usage,
    UsageEvent,
    Vendor,
)
from tests.support import decode, splits

START = {
    "type": "message_start",
    "message": {
        "content": [],
        "usage": {"input_tokens": 10, "cache_read_input_tokens": 2, "output_tokens": 1},
    },
}
STOP = {"type": "message_stop"}
END_TURN = {
    "type": "message_delta",
    "delta": {"stop_reason": "end_turn"},
    "usage": {"output_tokens": 5},
}
USAGE = Usage(12, 5, 2)


def begin(index: int, kind: str, **content: Any) -> dict[str, Any]:
    return {
        "type": "content_block_start",
        "index": index,
        "content_block": {"type": kind, **content},
    }


def delta(index: int, kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **fields}}


def stop(index: int) -> dict[str, Any]:
    return {"type": "content_block_stop", "index": index}


def sse(*values: Any) -> bytes:
    return b"".join(
        b"event: %b\ndata: %b\n\n" % (v["type"].encode(), json.dumps(v).encode()) for v in values
    )


def decoder(max_event_bytes: int = 1 << 16) -> Decoder:
    assert DIALECT.upstream is not None
    return DIALECT.upstream.decoder(max_event_bytes, {})


def decoded(body: bytes) -> list[Event]:
    """The events, which are the same for every split."""
    first, *others = [decode(decoder(), chunks) for chunks in splits(body)]
    assert all(first == other for other in others)
    return first


def error_of(body: bytes) -> Failure:
    last = decoded(body)[-1]
    assert isinstance(last, StreamError)
    return last.error


def test_a_plain_answer() -> None:
    """Usage is told when it changes; the finish comes with the terminator."""
    ping = {"type": "ping"}
    body = sse(
        ping,
        START,
        begin(0, "text", text=""),
        ping,
        delta(0, "text_delta", text="Hi"),
        stop(0),
        END_TURN,
        STOP,
    )
    assert [
        UsageEvent(12, 1, 2),
        BlockStart(0, "text"),
        TextDelta(0, "Hi"),
        BlockEnd(0),
        UsageEvent(12, 5, 2),
        StreamEnd(Finish("stop", "end_turn"), USAGE),
    ] == decoded(body)


def test_reasoning_carries_its_signature_at_its_end() -> None:
    """The signature is no delta: it goes with block.end."""
    thinking = [
        begin(0, "thinking", thinking="", signature=""),
        delta(0, "thinking_delta", thinking="Hm"),
        delta(0, "signature_delta", signature="sig"),
    ]
    found = decoded(sse(START, *thinking, stop(0), END_TURN, STOP))
    assert [
        BlockStart(0, "reasoning"),
        ReasoningDelta(0, "Hm"),
        BlockEnd(0, "sig", ANTHROPIC),
    ] == found[1:4]


def test_a_call_among_server_tools_gets_our_own_number() -> None:
    """The vendor's tools are vendor events, whole; only the client's call is a tool call, and its
    block follows ours."""
    search = begin(0, "server_tool_use", id="srv", name="web_search", input={})
    result = begin(
        1,
        "web_search_tool_result",
        tool_use_id="srv",
        content=[{"type": "web_search_result", "url": "u"}],
    )
    call = begin(2, "tool_use", id="toolu", name="f", input={})
    body = sse(
        START,
        search,
        delta(0, "input_json_delta", partial_json='{"q'),
        delta(0, "input_json_delta", partial_json='":1}'),
        stop(0),
        result,
        stop(1),
        call,
        delta(2, "input_json_delta", partial_json=""),
        delta(2, "input_json_delta", partial_json='{"a":1}'),
        stop(2),
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}},
        STOP,
    )
    assert [
        Vendor("anthropic", {**search["content_block"], "input": {"q": 1}}),
        Vendor("anthropic", result["content_block"]),
        BlockStart(0, "tool_call", Tool("toolu", "f")),
        ToolCallDelta(0, '{"a":1}'),
        BlockEnd(0),
    ] == decoded(body)[1:6]


def test_opaque_blocks_are_passed_on_whole() -> None:
    """Some have all in their start; compaction comes in a delta of its own kind."""
    body = sse(
        START,
        begin(0, "tomorrow", data="xyz"),
        stop(0),
        begin(1, "compaction", content=None),
        delta(1, "compaction_delta", content="sum", encrypted_content="enc"),
        delta(1, "compaction_delta", content="mary", extra=[1]),
        stop(1),
        END_TURN,
        STOP,
    )
    vendor = [event.data for event in decoded(body) if isinstance(event, Vendor)]
    assert [
        {"type": "tomorrow", "data": "xyz"},
        {"type": "compaction", "content": "summary", "encrypted_content": "enc", "extra": [1]},
    ] == vendor


PICTURE = {"type": "base64", "media_type": "image/png", "data": "aGk="}


@pytest.mark.parametrize(
    ("source", "url"),
    [
        (PICTURE, "data:image/png;base64,aGk="),
        ({"type": "url", "url": "https://a.test/x"}, "https://a.test/x"),
        ({"type": "url", "url": "file:///etc/passwd"}, None),
        ({"type": "url", "url": 7}, None),
        ({**PICTURE, "data": ""}, None),
        ({**PICTURE, "media_type": None}, None),
        ({**PICTURE, "type": "file", "file_id": "f"}, None),
        ("aGk=", None),
    ],
)
def test_a_picture_is_an_image(source: Any, url: str | None) -> None:
    """In the form that requests have, as proxies over other vendors send it. One that cannot be
    shown stays the vendor's."""
    events = decoded(sse(START, begin(0, "image", source=source), stop(0), END_TURN, STOP))
    said = [event for event in events if isinstance(event, Image | Vendor)]
    block = {"type": "image", "source": source}
    assert [Vendor("anthropic", block) if url is None else Image(url)] == said


def test_citations() -> None:
    """All shapes give what they know of address, title and quoted text."""
    web = {
        "type": "web_search_result_location",
        "url": "https://a.test",
        "title": "A",
        "cited_text": "q",
        "encrypted_index": "e",
    }
    page = {
        "type": "char_location",
        "document_title": "D",
        "cited_text": "c",
        "start_char_index": 1,
        "end_char_index": 2,
    }
    body = sse(
        START,
        begin(0, "text", text=""),
        delta(0, "citations_delta", citation=web),
        delta(0, "citations_delta", citation=page),
        stop(0),
        END_TURN,
        STOP,
    )
    own = [
        Vendor("anthropic", {"type": "citations_delta", "block": 0, "citation": citation})
        for citation in (web, page)
    ]
    first, second = Citation(0, "https://a.test", "A", "q"), Citation(0, None, "D", "c")
    assert [own[0], first, own[1], second] == decoded(body)[2:6]


def test_usage_is_merged_key_by_key() -> None:
    """Cache reads and writes count as input; later counts replace earlier ones; what was not said
    again stays."""
    start = {
        "type": "message_start",
        "message": {
            "usage": {
                "input_tokens": 3,
                "cache_creation_input_tokens": 4,
                "cache_read_input_tokens": 5,
            }
        },
    }
    last = {
        **END_TURN,
        "usage": {
            "input_tokens": 30,
            "output_tokens": 9,
            "cache_read_input_tokens": None,
            "output_tokens_details": {"thinking_tokens": 6},
        },
    }
    assert Usage(39, 9, 5, 6, 4) == decoded(sse(start, last, STOP))[-1].usage
    assert (
        Usage()
        == decoded(
            sse({"type": "message_start", "message": {}}, {**END_TURN, "usage": None}, STOP)
        )[-1].usage
    )


def test_an_input_that_was_counted_is_not_taken_back() -> None:
    """Copies of the API count it at the start, and say at the end that there was none; a nought
    beside another count is one.
    """
    start = {"type": "message_start", "message": {"usage": {"input_tokens": 30}}}
    for said, counted in (
        ({"input_tokens": 0, "output_tokens": 7}, Usage(30, 7)),
        ({"input_tokens": 0, "cache_read_input_tokens": 9}, Usage(9, None, 9)),
    ):
        assert counted == decoded(sse(start, {**END_TURN, "usage": said}, STOP))[-1].usage


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_calls"),
        ("refusal", "refusal"),
        ("pause_turn", "other"),
        ("something_new", "other"),
    ],
)
def test_stop_reasons(raw: str, reason: str) -> None:
    """Our word and the vendor's own."""
    last = decoded(sse(START, {"type": "message_delta", "delta": {"stop_reason": raw}}, STOP))[-1]
    assert Finish(reason, raw) == last.finish


def test_what_came_with_the_stop_reason_is_kept() -> None:
    """The stop sequence, details of a refusal and counts without a place are one vendor event
    before the end."""
    said = {
        "stop_reason": "refusal",
        "stop_sequence": None,
        "stop_details": {"type": "refusal", "category": "bio"},
    }
    body = sse(
        START,
        {
            "type": "message_delta",
            "delta": said,
            "usage": {"service_tier": "standard", "server_tool_use": {"web_search_requests": 0}},
        },
        STOP,
    )
    expected = {
        "type": "message_delta",
        "delta": {"stop_details": said["stop_details"]},
        "usage": {"service_tier": "standard"},
    }
    assert Vendor("anthropic", expected) == decoded(body)[-2]


@pytest.mark.parametrize(
    ("kind", "status", "retryable"),
    [
        ("overloaded_error", 503, True),
        ("rate_limit_error", 429, True),
        ("api_error", 502, True),
        ("invalid_request_error", 400, False),
        ("new_error", 502, True),
    ],
)
def test_an_error_in_the_stream(kind: str, status: int, retryable: bool) -> None:
    """It ends the answer, with the vendor's type as code and the status that goes with it."""
    why = error_of(
        sse(
            START,
            begin(0, "text", text=""),
            {"type": "error", "error": {"type": kind, "message": "Sorry"}},
            STOP,
        )
    )
    assert ("upstream_error", kind, "Sorry", status, retryable) == (
        why.kind,
        why.code,
        why.message,
        why.status,
        why.retryable,
    )


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "upstream_truncated"),
        (sse({"type": "ping"}), "upstream_truncated"),
        (
            sse(START, begin(0, "text", text=""), delta(0, "text_delta", text="Hi")),
            "upstream_truncated",
        ),
        (sse(START)[:-40], "upstream_truncated"),
        (sse(START) + b"data: {oops\n\n", "upstream_malformed"),
        (sse(START) + b"data: [1]\n\n", "upstream_malformed"),
        (sse({**START, "message": 5}), "upstream_truncated"),
        (b"data: " + b"[" * 9000 + b"\n\n", "upstream_malformed"),
        (b"<html><body>502 Bad Gateway</body></html>", "upstream_malformed"),
        (b'{"detail": "nothing here"}', "upstream_malformed"),
        (b"data: " + b"x" * 70_000, "upstream_malformed"),
        (b'{"type":"error","error":{"type":"api_error","message":"no"}}', "upstream_error"),
        (b'{\n  "error": {\n    "message": "no"\n  }\n}\n', "upstream_error"),
        (sse(START) + b'{"error": "gone"}', "upstream_error"),
        (b"event: error\ndata: backend fell over\n\n", "upstream_error"),
        (b'data: {"error": {"message": "no"}}\n\n', "upstream_error"),
    ],
)
def test_faults_get_their_kind(body: bytes, kind: str) -> None:
    """A cut, garbage, a page or an error under 200 never looks like an answer."""
    assert kind == error_of(body).kind


def test_a_stop_reason_without_message_stop_is_a_complete_answer() -> None:
    """Some proxies leave message_stop out, or write [DONE] for it; the message was complete."""
    body = sse(START, begin(0, "text", text="Hi"), END_TURN)
    assert StreamEnd(Finish("stop", "end_turn"), USAGE) == decoded(body)[-1]
    assert StreamEnd(Finish("stop", "end_turn"), USAGE) == decoded(body + b"data: [DONE]\n\n")[-1]


def test_deltas_without_a_start_open_the_right_kind() -> None:
    """A clone that forgets content_block_start, or changes the kind of a block, loses nothing."""
    body = sse(
        START,
        delta(0, "thinking_delta", thinking="Hm"),
        delta(0, "text_delta", text="Hi"),
        delta(1, "input_json_delta", partial_json="{}"),
        END_TURN,
        STOP,
    )
    assert [
        BlockStart(0, "reasoning"),
        ReasoningDelta(0, "Hm"),
        BlockEnd(0),
        BlockStart(1, "text"),
        TextDelta(1, "Hi"),
        BlockStart(2, "tool_call", Tool("call_2", "")),
        ToolCallDelta(2, "{}"),
    ] == decoded(body)[1:8]


def test_a_call_that_a_clone_ends_with_end_turn_still_waits_for_its_result() -> None:
    """end_turn right after a call means tool_calls; the raw word stays."""
    body = sse(START, begin(0, "tool_use", id="a", name="f"), stop(0), END_TURN, STOP)
    assert Finish("tool_calls", "end_turn") == decoded(body)[-1].finish


def test_a_whole_message_under_200_is_an_answer() -> None:
    """An upstream that ignores `stream` answers with one JSON document: same events, same end."""
    content = [
        {"type": "thinking", "thinking": "Hm", "signature": "s"},
        {"type": "text", "text": "Hi"},
        {"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}},
    ]
    message = {
        "type": "message",
        "content": content,
        "stop_reason": "tool_use",
        "usage": {"input_tokens": 1, "output_tokens": 2},
    }
    expected = [
        BlockStart(0, "reasoning"),
        ReasoningDelta(0, "Hm"),
        BlockEnd(0, "s", ANTHROPIC),
        BlockStart(1, "text"),
        TextDelta(1, "Hi"),
        BlockEnd(1),
        BlockStart(2, "tool_call", Tool("a", "f")),
        ToolCallDelta(2, '{"x":1}'),
        BlockEnd(2),
        UsageEvent(1, 2),
        StreamEnd(Finish("tool_calls", "tool_use"), Usage(1, 2)),
    ]
    for body in (
        json.dumps(message),
        json.dumps(message, indent=2) + "\n",
        f"data: {json.dumps(message)}\n\n",
    ):
        assert expected == decoded(body.encode())


def test_unknown_frames_and_deltas_are_kept() -> None:
    """What we do not know yet is the vendor's own, not a failure and not silence."""
    event, odd = {"type": "new_thing", "x": 1}, delta(0, "new_delta", x=1)
    body = sse(START, event, begin(0, "text", text=""), odd, stop(0), END_TURN, STOP)
    new = Vendor("anthropic", {"type": "unknown_frame", "frame": event})
    assert [new, BlockStart(0, "text"), Vendor("anthropic", odd)] == decoded(body)[1:4]


def test_broken_utf8_is_replaced() -> None:
    """The standard says U+FFFD; the answer goes on."""
    body = sse(START, delta(0, "text_delta", text="A?Z"), END_TURN, STOP).replace(b"?", b"\xff")
    assert TextDelta(0, "A\ufffdZ") == decoded(body)[2]


@pytest.mark.parametrize(("letter", "expected"), [("\\ud83d", "\ufffd"), ("\t", "\t")])
def test_letters_that_json_has_not_cost_no_answer(letter: str, expected: str) -> None:
    """Half a surrogate pair, a control character as it is: a copy of this API may write both."""
    body = sse(START, delta(0, "text_delta", text="A?Z"), END_TURN, STOP)
    said = decoded(body.replace(b"?", letter.encode()))
    assert TextDelta(0, f"A{expected}Z") == said[2]


def test_opaque_content_is_bounded() -> None:
    """A server tool's input that never ends does not fill the memory."""
    one = decoder(10_000)
    one.feed(sse(START, begin(0, "server_tool_use", id="a", name="b", input={})))
    events: list[Event] = []
    fed = 0
    while not one.done:
        piece = sse(delta(0, "input_json_delta", partial_json="z" * 500))
        fed += len(piece)
        events += one.feed(piece)
    assert fed < 20_000
    assert isinstance(events[-1], StreamError)
    assert "upstream_malformed" == events[-1].error.kind
    assert [] == one.feed(sse(STOP))


def test_a_program_of_the_vendor_that_calls_tools_may_go_on() -> None:
    """Its message stops with tool_use; the body's end, not the stop, ends the answer, and a further
    message continues it."""
    call = begin(
        0,
        "tool_use",
        id="a",
        name="f",
        input={"x": 1},
        caller={"type": "code_execution_20250825", "tool_id": "t"},
    )
    first = sse(
        START, call, stop(0), {"type": "message_delta", "delta": {"stop_reason": "tool_use"}}, STOP
    )
    assert Finish("tool_calls", "tool_use") == decoded(first)[-1].finish
    whole = decoded(first + sse(START, begin(0, "text", text="Done"), stop(0), END_TURN, STOP))
    assert ToolCallDelta(0, '{"x":1}') in whole
    assert TextDelta(1, "Done") in whole
    assert Finish("stop", "end_turn") == whole[-1].finish


def test_redacted_thinking_is_reasoning_without_text() -> None:
    """Its whole is the proof that goes back to the vendor."""
    body = sse(START, begin(0, "redacted_thinking", data="xyz"), stop(0), END_TURN, STOP)
    assert [BlockStart(0, "reasoning"), BlockEnd(0, "xyz", ANTHROPIC, True)] == decoded(body)[1:3]


def test_a_proof_of_another_vendor_keeps_its_makers_word() -> None:
    """A proxy like this one brought it."""
    text = proofs.carried("c2ln", proofs.OPENAI, ANTHROPIC, name="rs_1")
    body = sse(
        START,
        begin(0, "thinking", thinking=""),
        delta(0, "signature_delta", signature=text),
        stop(0),
        begin(1, "redacted_thinking", data=text),
        END_TURN,
        STOP,
    )
    ends = [event for event in decoded(body) if isinstance(event, BlockEnd)]
    assert BlockEnd(0, "c2ln", proofs.OPENAI, id="rs_1") == ends[0]
    assert BlockEnd(1, "c2ln", proofs.OPENAI, True, "rs_1") == ends[1]


def test_text_amid_arguments_is_a_block_beside_the_call() -> None:
    """The call goes on where it was, and is one."""
    body = sse(
        START,
        begin(0, "tool_use", id="a", name="f", input={}),
        delta(0, "input_json_delta", partial_json='{"x":'),
        delta(0, "text_delta", text="\n"),
        delta(0, "input_json_delta", partial_json="1}"),
        delta(0, "text_delta", text=" "),
        stop(0),
        END_TURN,
        STOP,
    )
    assert [
        BlockStart(0, "tool_call", Tool("a", "f")),
        ToolCallDelta(0, '{"x":'),
        BlockStart(1, "text"),
        TextDelta(1, "\n"),
        ToolCallDelta(0, "1}"),
        TextDelta(1, " "),
        BlockEnd(0),
        BlockEnd(1),
    ] == decoded(body)[1:9]


def test_what_else_a_block_begins_with_is_told_before_it() -> None:
    """Who called a tool, for one."""
    body = sse(
        START,
        begin(0, "tool_use", id="a", name="f", input={}, caller={"type": "direct"}, none=None),
        stop(0),
        END_TURN,
        STOP,
    )
    more = {"type": "content_block", "block": 0, "more": {"caller": {"type": "direct"}}}
    assert [Vendor("anthropic", more), BlockStart(0, "tool_call", Tool("a", "f"))] == decoded(body)[
        1:3
    ]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("End-Turn", "stop"),
        ("MAX_TOKENS", "length"),
        ("toolUse", "tool_calls"),
        ("stop", "stop"),
        ("length", "length"),
        ("content_filter", "content_filter"),
        ("whim", "other"),
    ],
)
def test_words_for_the_end_in_any_writing(word: str, expected: str) -> None:
    """Also those that clones take from others."""
    last = {**END_TURN, "delta": {"stop_reason": word}}
    assert expected == decoded(sse(START, last, STOP))[-1].finish.reason


def test_a_word_that_ends_in_error_is_one() -> None:
    """The answer was broken off, whatever the form of its end."""
    last = {**END_TURN, "delta": {"stop_reason": "engine_error"}}
    assert "upstream_error" == error_of(sse(START, last, STOP)).kind


def test_what_a_clone_leaves_out_is_taken_from_elsewhere() -> None:
    """The kind of a frame from its name, the kind of a piece from its key."""
    frames = [
        START,
        begin(0, "text", text=""),
        {**delta(0, "text_delta", text="Hi"), "delta": {"text": "Hi"}},
        stop(0),
        END_TURN,
        STOP,
    ]
    body = "".join(
        f"event: {frame['type']}\ndata: "
        + json.dumps({key: value for key, value in frame.items() if key != "type"})
        + "\n\n"
        for frame in frames
    )
    found = decoded(body.encode())
    assert [BlockStart(0, "text"), TextDelta(0, "Hi"), BlockEnd(0)] == found[1:4]
    assert Finish("stop", "end_turn") == found[-1].finish


def test_counts_in_any_writing() -> None:
    """Whole numbers as floats or texts; what can be no count is unknown."""
    usage = {"input_tokens": "3", "output_tokens": 2.0, "cache_read_input_tokens": 2**60}
    last = {**END_TURN, "usage": usage}
    assert Usage(3, 2) == decoded(sse({**START, "message": {}}, last, STOP))[-1].usage


_WRONG: tuple[Any, ...] = (None, 7, 1.5, "text", True, [], [1], {}, {"a": 1})


def test_a_field_of_a_wrong_type_costs_that_field_only() -> None:
    """Any field of any frame, with a value of any other type: the rest of the answer stands."""
    frames = [
        START,
        begin(0, "thinking", thinking="", signature=""),
        delta(0, "thinking_delta", thinking="Hm"),
        delta(0, "signature_delta", signature="s"),
        stop(0),
        begin(1, "text", text="", citations=[]),
        delta(1, "text_delta", text="Left "),
        delta(1, "citations_delta", citation={"type": "char_location", "cited_text": "c"}),
        delta(1, "text_delta", text="right"),
        stop(1),
        begin(2, "tool_use", id="a", name="f", input={}),
        delta(2, "input_json_delta", partial_json='{"x":1}'),
        stop(2),
        {**END_TURN, "delta": {"stop_reason": "tool_use", "stop_sequence": None}},
        STOP,
    ]
    for at, frame in enumerate(frames):
        for path in _paths(frame):
            for wrong in _WRONG:
                changed = [*frames[:at], _with(frame, path, wrong), *frames[at + 1 :]]
                found = decode(decoder(), [sse(*changed)])
                assert isinstance(found[-1], StreamEnd), (path, wrong, found[-1])
                text = "".join(one.text for one in found if isinstance(one, TextDelta))
                if frame["type"] != "content_block_delta":
                    assert "Left right" in text, (path, wrong)


def _paths(value: Any) -> list[tuple[str, ...]]:
    if not isinstance(value, dict):
        return []
    return [
        path
        for key, inner in value.items()
        if key != "type"
        for path in [(key,), *((key, *rest) for rest in _paths(inner))]
        if path != ("delta", "stop_reason")
    ]


def _with(value: dict[str, Any], path: tuple[str, ...], wrong: Any) -> dict[str, Any]:
    key, *rest = path
    return {**value, key: _with(value[key], tuple(rest), wrong) if rest else wrong}

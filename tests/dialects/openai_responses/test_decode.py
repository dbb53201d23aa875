"""The stream to events: items, what is said twice, what is said of them beside, and how answers
end."""

import json
from typing import Any

import pytest

from proxy.codec.fold import WholeAnswer
from proxy.codec.proofs import OPENAI
from proxy.dialects.openai_responses.decode import ResponsesDecoder
from proxy.events import (
    BlockEnd,
    BlockStart,
    Citation,
    Finish,
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
from tests.dialects.answers import every_cut_is_an_error, folded, told
from tests.dialects.openai_responses.frames import (
    BEGUN,
    CALL,
    RESPONSE,
    USAGE,
    added,
    all_events,
    arguments,
    done,
    ended,
    events,
    frame,
    new,
    text,
)
from tests.support import decode

NO_EXTRAS = {**RESPONSE, "model": None}


def end(status: str = "completed", **more: Any) -> bytes:
    return ended(status, model=None, **more)


def answer(*frames: bytes) -> WholeAnswer:
    return folded(events(BEGUN, *frames))


def test_text_reasoning_and_a_call_are_blocks() -> None:
    """In the order in which their items began."""
    summary = {"item_id": "r", "output_index": 0, "summary_index": 0}
    whole_call = {**CALL, "arguments": '{"a":1}'}
    got = events(
        BEGUN,
        added(0, type="reasoning", id="rs_1", summary=[]),
        frame("response.reasoning_summary_text.delta", **summary, delta="Hm."),
        done(
            0,
            type="reasoning",
            id="rs_1",
            summary=[{"type": "summary_text", "text": "Hm."}],
            encrypted_content="gAA",
        ),
        added(1, type="message", role="assistant", content=[]),
        text(1, "Hel", "lo"),
        frame("response.output_text.done", output_index=1, content_index=0, text="Hello"),
        done(
            1, type="message", content=[{"type": "output_text", "text": "Hello", "annotations": []}]
        ),
        added(2, **CALL),
        arguments(2, '{"a"', ":1}"),
        frame("response.function_call_arguments.done", output_index=2, arguments='{"a":1}'),
        done(2, **whole_call),
        end(usage=USAGE),
    )
    usage = Usage(20, 9, 8, 4)
    assert [
        BlockStart(0, "reasoning"),
        ReasoningDelta(0, "Hm."),
        BlockEnd(0, "gAA", OPENAI, id="rs_1"),
        BlockStart(1, "text"),
        TextDelta(1, "Hel"),
        TextDelta(1, "lo"),
        BlockEnd(1),
        BlockStart(2, "tool_call", tool=Tool("call_1", "weather")),
        ToolCallDelta(2, '{"a"'),
        ToolCallDelta(2, ":1}"),
        BlockEnd(2),
        StreamEnd(Finish("tool_calls", "completed"), usage),
    ] == [event for event in got if not isinstance(event, UsageEvent | Vendor)]
    assert [("reasoning", "rs_1"), ("function_call", "fc_1")] == [
        (event.data["item"]["type"], event.data["item"]["id"])
        for event in got
        if isinstance(event, Vendor)
    ]


def test_what_came_without_deltas_is_taken_from_where_it_is_whole() -> None:
    """Each once: LM Studio's arguments, and all of an answer that is told by its items alone."""
    got = answer(
        added(0, **CALL),
        frame("response.function_call_arguments.done", output_index=0, arguments='{"a":1}'),
        done(0, **{**CALL, "arguments": '{"a":1}'}),
        done(
            1,
            type="reasoning",
            summary=[
                {"type": "summary_text", "text": "One."},
                {"type": "summary_text", "text": "Two."},
            ],
        ),
        done(
            2,
            type="message",
            content=[
                {"type": "output_text", "text": "Hello"},
                {"type": "refusal", "refusal": "No."},
            ],
        ),
        end(),
    )
    assert ['{"a":1}'] == [block.text for block in got.tool_calls()]
    assert ("One.\n\nTwo.", "HelloNo.") == (got.reasoning(), got.text())


def test_parts_of_a_summary_are_paragraphs_of_one_block() -> None:
    """The signature is that of the whole item."""
    pieces = [
        frame("response.reasoning_summary_text.delta", output_index=0, summary_index=n, delta=d)
        for n, d in ((0, "a"), (0, "b"), (1, "c"))
    ]
    got = answer(*pieces, done(0, type="reasoning", encrypted_content="sig"), end())
    assert [("ab\n\nc", "sig")] == [(block.text, block.signature) for block in got.blocks.values()]


def test_reasoning_that_is_only_encrypted_is_a_block_without_text() -> None:
    """So that it can go back; reasoning with nothing at all is no block."""
    got = answer(
        added(0, type="reasoning", summary=[], encrypted_content="begun"),
        done(0, type="reasoning", summary=[], encrypted_content="whole"),
        added(1, type="reasoning", summary=[]),
        done(1, type="reasoning", summary=[], content=[], encrypted_content=None),
        end(),
    )
    assert [("reasoning", "", "whole")] == [
        (block.kind, block.text, block.signature) for block in got.blocks.values()
    ]


@pytest.mark.parametrize("name", ["reasoning", "reasoning_summary"])
@pytest.mark.parametrize("delta", ["hm", {"text": "hm"}])
def test_reasoning_under_the_names_of_other_references(name: str, delta: Any) -> None:
    """Those of Open Responses, and of OpenAI's earlier reference, with the text in an object."""
    got = answer(
        added(0, type="reasoning", id="rs_1", summary=[]),
        frame(f"response.{name}.delta", output_index=0, delta=delta),
        frame(f"response.{name}.done", output_index=0, text="hm"),
        end(),
    )
    assert "hm" == got.reasoning()


def test_arguments_that_are_an_object_are_its_text() -> None:
    """In the call that is done."""
    got = answer(added(0, **CALL), done(0, **{**CALL, "arguments": {"a": 1}}), end())
    assert ['{"a":1}'] == [call.text for call in got.tool_calls()]


def test_raw_reasoning_and_its_summary_are_not_both_shown() -> None:
    """They say the same thing; the first to come is shown."""
    got = answer(
        frame("response.reasoning_text.delta", output_index=0, content_index=0, delta="raw"),
        frame(
            "response.reasoning_summary_text.delta",
            output_index=0,
            summary_index=0,
            delta="summary",
        ),
        end(),
    )
    assert "raw" == got.reasoning()


def test_items_may_overlap() -> None:
    """OpenRouter ends the reasoning only after the text."""
    got = events(
        BEGUN,
        frame("response.reasoning_text.delta", output_index=0, content_index=0, delta="think"),
        text(1, "4"),
        done(1, type="message", content=[{"type": "output_text", "text": "4"}]),
        done(0, type="reasoning", content=[{"type": "reasoning_text", "text": "think"}]),
        end(),
    )
    assert [BlockEnd(1), BlockEnd(0)] == [event for event in got if isinstance(event, BlockEnd)]


def test_arguments_before_their_item_wait_for_the_name() -> None:
    """A stream taken up in the middle; and a call that never gets a name has an id all the same."""
    late = answer(arguments(3, '{"a":', "1}"), done(3, **CALL), end())
    assert [(Tool("call_1", "weather"), '{"a":1}')] == [
        (block.tool, block.text) for block in late.tool_calls()
    ]
    never = answer(arguments(3, "{}"), end())
    (block,) = never.tool_calls()
    assert block.tool is not None
    assert ("", "{}") == (block.tool.name, block.text)
    assert block.tool.id.startswith("call_")


def test_a_refusal_is_text_and_shows_in_the_finish() -> None:
    """As with chat completions."""
    got = answer(
        frame("response.refusal.delta", output_index=0, content_index=0, delta="I cannot"), end()
    )
    assert ("I cannot", Finish("refusal", "completed")) == (got.text(), got.finish)


def test_sources_on_the_web_are_citations_and_files_are_kept() -> None:
    """Each once, though the vendor repeats them with the whole text; those that come only there are
    found there."""
    page = {
        "type": "url_citation",
        "url": "https://a.example",
        "title": "A",
        "start_index": 0,
        "end_index": 5,
    }
    second = {"type": "url_citation", "url": "https://b.example"}
    file = {"type": "file_citation", "file_id": "file_1", "filename": "a.txt", "index": 3}
    part = {"type": "output_text", "text": "Hello", "annotations": [page, file, second]}
    got = answer(
        text(0, "Hello"),
        frame(
            "response.output_text.annotation.added",
            output_index=0,
            content_index=0,
            annotation_index=0,
            annotation=page,
        ),
        frame(
            "response.output_text.annotation.added",
            output_index=0,
            content_index=0,
            annotation_index=1,
            annotation=file,
        ),
        frame("response.content_part.done", output_index=0, content_index=0, part=part),
        done(0, type="message", content=[part]),
        end(),
    )
    assert [
        Citation(0, "https://a.example", "A", None, 0, 5),
        Citation(0, "https://b.example"),
    ] == got.blocks[0].citations
    assert [file] == [event.data["annotation"] for event in got.vendor]


def test_the_vendors_own_tools_are_kept_whole() -> None:
    """Without the number and the padding of their events."""
    item = {
        "type": "web_search_call",
        "id": "ws_1",
        "status": "completed",
        "action": {"query": "x"},
    }
    got = events(
        BEGUN,
        added(0, **item),
        frame(
            "response.web_search_call.searching", output_index=0, item_id="ws_1", obfuscation="xxxx"
        ),
        done(0, **item),
        end(),
    )
    assert [
        {"type": "response.output_item.added", "output_index": 0, "item": item},
        {"type": "response.web_search_call.searching", "output_index": 0, "item_id": "ws_1"},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
    ] == told(got)


def test_what_is_said_beside_an_item_is_told_before_its_block() -> None:
    """Once, unless it changes."""
    message = {"type": "message", "role": "assistant", "phase": "commentary"}
    got = events(
        BEGUN, added(0, **message, content=[]), text(0, "a"), done(0, **message, content=[]), end()
    )
    expected = {
        "type": "response.output_item.added",
        "output_index": 0,
        "item": {"type": "message", "phase": "commentary"},
    }
    assert isinstance(got[0], Vendor)
    assert [expected] == told(got)


def test_log_probs_stand_before_their_text() -> None:
    """As a vendor event inside the text's block."""
    logprobs = [{"token": "a", "logprob": -0.5}]
    got = events(
        BEGUN,
        frame(
            "response.output_text.delta",
            output_index=0,
            content_index=0,
            delta="a",
            logprobs=logprobs,
        ),
        end(),
    )
    assert [BlockStart(0, "text"), TextDelta(0, "a")] == [got[0], got[2]]
    assert [
        {
            "type": "response.output_text.delta",
            "output_index": 0,
            "content_index": 0,
            "logprobs": logprobs,
        }
    ] == told(got)


def test_the_response_says_more_than_its_output() -> None:
    """The model, the tier, what was in force, what is counted beyond our counts; not the long ones
    of the request's own settings, which it repeats."""
    more = {"service_tier": "default", "temperature": 1.0}
    got = answer(text(0, "a"), ended(**more, tools=[1], usage={**USAGE, "cost": 0.1}))
    assert [{"response": {"model": "gpt-5", **more, "usage": {"cost": 0.1}}}] == [
        event.data for event in got.vendor
    ]


@pytest.mark.parametrize(
    ("frames", "finish"),
    [
        (
            end("incomplete", incomplete_details={"reason": "max_output_tokens"}),
            Finish("length", "incomplete:max_output_tokens"),
        ),
        (
            end("incomplete", incomplete_details={"reason": "content_filter"}),
            Finish("content_filter", "incomplete:content_filter"),
        ),
        (
            end("incomplete", incomplete_details={"reason": "steered"}),
            Finish("other", "incomplete:steered"),
        ),
        (end("incomplete"), Finish("other", "incomplete")),
        (
            frame("response.done", response={**NO_EXTRAS, "status": "completed"}),
            Finish("stop", "completed"),
        ),
    ],
)
def test_finishes(frames: bytes, finish: Finish) -> None:
    assert finish == answer(text(0, "a"), frames).finish


QUOTA = {
    "type": "insufficient_quota",
    "code": "insufficient_quota",
    "message": "Out of quota.",
    "param": None,
}


@pytest.mark.parametrize(
    ("frames", "message", "status"),
    [
        (frame("error", error=QUOTA) + end("failed", error=QUOTA), "Out of quota.", 429),
        (frame("error", code="server_error", message="Broke.", param=None), "Broke.", 502),
        (frame("response.error", error=QUOTA), "Out of quota.", 429),
        (
            b'event: error\ndata: {"message": "Broke.", "code": "rate_limit_exceeded"}\n\n',
            "Broke.",
            429,
        ),
        (
            b'data: {"error": {"message": "Provider gave up", "code": 502}}\n\n',
            "Provider gave up",
            502,
        ),
        (
            end("failed", error={"code": "rate_limit_exceeded", "message": "Slow down."}),
            "Slow down.",
            429,
        ),
        (end("failed"), "The upstream gave up its answer without saying why.", 502),
        (end("cancelled"), "The upstream cancelled its answer.", 502),
    ],
)
def test_an_error_is_reported_once(frames: bytes, message: str, status: int) -> None:
    """In whatever form, after text too, and nothing comes after it."""
    got = events(BEGUN, text(0, "a"), frames)
    last = got[-1]
    assert isinstance(last, StreamError)
    assert ("upstream_error", message, status) == (
        last.error.kind,
        last.error.message,
        last.error.status,
    )


def test_a_failed_answer_still_counts() -> None:
    last = events(BEGUN, end("failed", usage=USAGE))[-1]
    assert isinstance(last, StreamError)
    assert Usage(20, 9, 8, 4) == last.usage


def test_a_body_that_ends_early_is_truncated() -> None:
    """Wherever it is cut; and OpenRouter's [DONE] is no end by itself."""
    every_cut_is_an_error(new, BEGUN + text(0, "Hello") + b"data: [DONE]\n\n")


def test_after_the_end_nothing_counts() -> None:
    got = events(BEGUN, text(0, "a"), end(), b"data: [DONE]\n\n", text(0, "b"))
    assert "a" == folded(got).text()


@pytest.mark.parametrize(
    "noise",
    [
        b": OPENROUTER PROCESSING\n\n",
        frame("keepalive"),
        frame("response.queued", response=RESPONSE),
        b"data:\n\n",
    ],
)
def test_what_only_keeps_the_connection_alive_is_no_event(noise: bytes) -> None:
    got = events(noise, BEGUN, noise, text(0, "a"), noise, end())
    assert [BlockStart, TextDelta, BlockEnd, StreamEnd] == [type(event) for event in got]


@pytest.mark.parametrize(
    "data", [b"data: not json\n\n", b"data: [1]\n\n", b"data: 7\n\n", b"data: {\n\n"]
)
def test_a_frame_that_is_no_object_is_malformed(data: bytes) -> None:
    last = events(BEGUN, text(0, "a"), data, text(0, "b"))[-1]
    assert isinstance(last, StreamError)
    assert "upstream_malformed" == last.error.kind


@pytest.mark.parametrize(
    "odd",
    [
        frame("response.output_text.delta", output_index="x", content_index=None, delta="a"),
        frame("response.output_text.delta", output_index=0, delta={"a": 1}),
        frame("response.output_item.added", output_index=0, item={"type": ["message"]}),
        frame("response.output_item.added", output_index=0, item=None),
        frame(
            "response.output_item.done", output_index=0, item={"type": "message", "content": "x"}
        ),
        frame(
            "response.output_item.done",
            output_index=0,
            item={"type": "reasoning", "summary": [1], "encrypted_content": 5},
        ),
        frame("response.output_text.annotation.added", annotation=5),
        frame("response.content_part.done", part={"type": "output_audio", "audio": "x"}),
        frame("response.never_seen", delta="x"),
    ],
)
def test_odd_events_do_not_end_an_answer(odd: bytes) -> None:
    """They are read as far as they can be, or kept."""
    assert isinstance(events(BEGUN, odd, text(9, "b"), end())[-1], StreamEnd)


def test_endless_items_are_an_error() -> None:
    """They would fill the memory."""
    body = b"".join(text(at, "a") for at in range(2000))
    last = decode(new(), [body])[-1]
    assert isinstance(last, StreamError)
    assert "more than 1024 items" in last.error.message


@pytest.mark.parametrize("content", [[], [{"type": "output_text", "text": "a"}]])
def test_endless_items_that_are_done_are_an_error(content: list[Any]) -> None:
    """Those without a part too: it is remembered that they were said."""
    last = decode(
        new(), [b"".join(done(at, type="message", content=content) for at in range(2000))]
    )[-1]
    assert isinstance(last, StreamError)
    assert "more than 1024 items" in last.error.message


def test_arguments_that_wait_for_a_name_have_a_bound() -> None:
    """Whether they are long or many."""
    for piece, count in (("x" * 500, 3), ("x", 80)):
        last = decode(ResponsesDecoder(1000), [arguments(0, piece) for _ in range(count)])[-1]
        assert isinstance(last, StreamError)
        assert "too long to be kept" in last.error.message


@pytest.mark.parametrize("index", [-1, -7, 10**12])
def test_odd_indexes_are_places_like_others(index: int) -> None:
    """Nothing is raised, and the text is not lost."""
    odd = frame("response.output_text.delta", output_index=index, content_index=index, delta="a")
    assert "a" == folded(events(BEGUN, odd, end())).text()


DOCUMENT = {
    **RESPONSE,
    "status": "completed",
    "output": [
        {
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": "Hm."}],
            "encrypted_content": "sig",
        },
        {"type": "web_search_call", "id": "ws_1"},
        {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "Hello", "annotations": []}],
        },
        {**CALL, "arguments": "{}"},
    ],
    "usage": USAGE,
}


@pytest.mark.parametrize("indent", [None, 2])
def test_a_document_instead_of_a_stream_is_read(indent: int | None) -> None:
    got = folded(events(json.dumps(DOCUMENT, indent=indent).encode()))
    assert ("Hello", "Hm.", ["{}"]) == (
        got.text(),
        got.reasoning(),
        [block.text for block in got.tool_calls()],
    )
    assert (Finish("tool_calls", "completed"), Usage(20, 9, 8, 4)) == (got.finish, got.usage)
    assert {"type": "web_search_call", "id": "ws_1"} == got.vendor[0].data["item"]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"error": {"message": "Bad key.", "code": "invalid_api_key"}}, "Bad key."),
        ({"code": "invalid-argument", "error": "Bad key."}, "Bad key."),
        (
            {
                **RESPONSE,
                "status": "failed",
                "error": {"code": "server_error", "message": "Broke."},
            },
            "Broke.",
        ),
        ({**RESPONSE, "status": "queued"}, "The upstream sent a document that is no answer."),
    ],
)
def test_a_document_that_is_no_answer_is_an_error(document: dict[str, Any], message: str) -> None:
    last = events(json.dumps(document).encode())[-1]
    assert isinstance(last, StreamError)
    assert message == last.error.message


def test_a_page_under_200_is_malformed() -> None:
    last = decode(ResponsesDecoder(1 << 16), [b"<html><body>Sign in</body></html>"])[-1]
    assert isinstance(last, StreamError)
    assert "upstream_malformed" == last.error.kind


CUSTOM = {"type": "custom_tool_call", "id": "ctc_1", "call_id": "call_1", "name": "sh", "input": ""}


def test_a_tools_free_text_is_arguments_in_our_form() -> None:
    """In pieces, whole where there were none, and empty."""

    def piece(text: str) -> bytes:
        return frame("response.custom_tool_call_input.delta", output_index=0, delta=text)

    whole = {**CUSTOM, "input": 'ls "a"\n'}
    for frames in (
        (added(0, **CUSTOM), piece('ls "'), piece('a"\n'), done(0, **whole)),
        (added(0, **CUSTOM), done(0, **whole)),
        (done(0, **whole),),
        (
            added(0, **CUSTOM),
            frame("response.custom_tool_call_input.done", output_index=0, input='ls "a"\n'),
            done(0, **whole),
        ),
    ):
        got = answer(*frames, end())
        (call,) = got.tool_calls()
        assert (Tool("call_1", "sh", custom=True), {"input": 'ls "a"\n'}) == (
            call.tool,
            json.loads(call.text),
        )
        assert "tool_calls" == got.finish.reason
    (call,) = answer(added(0, **CUSTOM), done(0, **CUSTOM), end()).tool_calls()
    assert {"input": ""} == json.loads(call.text)


def test_calls_are_told_apart_by_their_ids_where_the_index_does_not_tell() -> None:
    """No index at all, or the same one for two that are open."""
    names = ("weather", "time")
    calls = [{**CALL, "id": f"fc_{n}", "call_id": f"call_{n}", "name": n} for n in names]

    def piece(name: str, text: str, **index: int) -> bytes:
        kind = "response.function_call_arguments.delta"
        return frame(kind, item_id=f"fc_{name}", delta=text, **index)

    for index in ({}, {"output_index": 0}):
        got = answer(
            *(frame("response.output_item.added", item=call, **index) for call in calls),
            piece("weather", '{"a":', **index),
            piece("time", '{"b":', **index),
            piece("weather", "1}", **index),
            piece("time", "2}", **index),
            *(frame("response.output_item.done", item=call, **index) for call in calls[::-1]),
            end(),
        )
        assert [("weather", '{"a":1}'), ("time", '{"b":2}')] == [
            (call.tool and call.tool.name, call.text) for call in got.tool_calls()
        ]


@pytest.mark.parametrize(
    ("deltas", "parts"),
    [((1, 1), (1, 0)), ((0, 0), (1, 0)), ((3, 3), (0, 0)), ((0, 0), (0, 0)), ((2, 2), (2, 2))],
)
def test_a_text_is_told_once_whatever_its_parts_are_numbered(
    deltas: tuple[int, int], parts: tuple[int, int]
) -> None:
    """Some vendors count the parts on over all items, in some of their events."""
    part = {"type": "output_text", "text": "Teal it is.", "annotations": []}
    got = answer(
        text(0, "Teal ", part=deltas[0]),
        text(0, "it is.", part=deltas[1]),
        frame(
            "response.output_text.done", output_index=0, content_index=parts[0], text=part["text"]
        ),
        frame("response.content_part.done", output_index=0, content_index=parts[1], part=part),
        done(0, type="message", content=[part]),
        end(),
    )
    assert "Teal it is." == got.text()


def test_parts_that_came_only_whole_are_told_beside_those_that_came_in_pieces() -> None:
    parts = [{"type": "output_text", "text": word} for word in ("one", "two")]
    got = answer(
        text(0, "one"),
        frame("response.output_text.done", output_index=0, content_index=0, text="one"),
        frame("response.output_text.done", output_index=0, content_index=1, text="two"),
        done(0, type="message", content=parts),
        end(),
    )
    assert "onetwo" == got.text()


def test_a_refusal_is_marked() -> None:
    got = answer(
        frame("response.refusal.delta", output_index=0, content_index=0, delta="I will "),
        frame("response.refusal.delta", output_index=0, content_index=0, delta="not."),
        done(0, type="message", content=[{"type": "refusal", "refusal": "I will not."}]),
        end(),
    )
    assert [("I will not.", True)] == [(b.text, b.refusal) for b in got.blocks.values()]
    assert "refusal" == got.finish.reason


def test_a_picture_is_an_image_and_the_rest_of_its_item_is_kept() -> None:
    item = {"type": "image_generation_call", "id": "ig_1", "status": "completed", "size": "8x8"}
    got = answer(
        added(0, **{**item, "status": "in_progress"}),
        done(0, **item, output_format="webp", result="UklGRg=="),
        end(),
    )
    assert ["data:image/webp;base64,UklGRg=="] == [image.url for image in got.images]
    assert {**item, "output_format": "webp"} == got.vendor[-1].data["item"]


@pytest.mark.parametrize(
    ("status", "why", "reason"),
    [
        ("Completed", None, "stop"),
        ("INCOMPLETE", "MAX_OUTPUT_TOKENS", "length"),
        ("in-complete", "content-filter", "content_filter"),
    ],
)
def test_words_are_compared_without_case_and_hyphens(
    status: str, why: str | None, reason: str
) -> None:
    details = {"incomplete_details": {"reason": why}} if why else {}
    got = answer(text(0, "a"), frame("response.completed", response={"status": status, **details}))
    assert reason == got.finish.reason


def test_a_status_that_ends_in_error_is_a_failure() -> None:
    said = {"status": "server_error", "error": {"message": "It broke."}}
    got = answer(text(0, "a"), frame("response.completed", response=said))
    assert got.error is not None
    assert ("upstream_error", "It broke.") == (got.error.kind, got.error.message)


def test_the_vendors_id_of_the_answer_stands_before_all_else() -> None:
    """A client of this dialect may go on from it."""
    first = all_events(BEGUN, text(0, "a"), ended())[0]
    assert Vendor("openai_responses", {"response": {"id": "resp_1"}}) == first


def test_what_comes_after_an_item_is_done_has_no_place_in_it() -> None:
    """Pieces, the item once more, and thoughts in another form than the first."""
    call = {"type": "function_call", "call_id": "c1", "name": "f"}
    got = answer(
        added(0, type="reasoning"),
        frame("response.reasoning_summary_text.delta", output_index=0, summary_index=0, delta="a"),
        frame("response.reasoning_text.delta", output_index=0, content_index=0, delta="b"),
        done(0, type="reasoning", summary=[{"type": "summary_text", "text": "a"}]),
        added(1, **call, arguments=""),
        arguments(1, "{}"),
        done(1, **call, arguments="{}"),
        arguments(1, "[]"),
        done(1, **call, arguments="{}"),
        end(),
    )
    assert ("a", ["{}"]) == (got.reasoning(), [each.text for each in got.tool_calls()])


def test_calls_end_in_the_order_in_which_they_began() -> None:
    """Clients that take calls whole get them in that order."""
    second = {**CALL, "id": "fc_2", "call_id": "call_2", "name": "time"}
    got = events(
        BEGUN,
        added(0, **CALL),
        added(1, **second),
        arguments(0, "{"),
        arguments(1, "{}"),
        done(1, **second),
        arguments(0, "}"),
        done(0, **CALL),
        end(),
    )
    assert [0, 1] == [event.block for event in got if isinstance(event, BlockEnd)]


X_SEARCH = {"tools": [{"type": "x_search"}]}
X_CALL = {
    "type": "custom_tool_call",
    "id": "ctc_1",
    "call_id": "xs_call_1",
    "name": "x_keyword_search",
    "input": '{"query":"a"}',
}


def x_search(*tools: dict[str, Any]) -> list[bytes]:
    place = {"item_id": "ctc_1", "output_index": 0}
    return [
        frame("response.created", response={**RESPONSE, "tools": [*X_SEARCH["tools"], *tools]}),
        added(0, **{**X_CALL, "input": ""}),
        frame("response.custom_tool_call_input.delta", **place, delta=X_CALL["input"]),
        frame("response.custom_tool_call_input.done", **place, input=X_CALL["input"]),
        done(0, **X_CALL),
    ]


def test_a_search_in_x_is_the_vendors_own() -> None:
    """xAI says it as a call with free text: it is told as its other tools are."""
    got = folded(events(*x_search(), text(1, "Hi"), end(**X_SEARCH)))
    assert ("Hi", [], Finish("stop", "completed")) == (got.text(), got.tool_calls(), got.finish)
    assert [
        "response.output_item.added",
        "response.custom_tool_call_input.delta",
        "response.custom_tool_call_input.done",
        "response.output_item.done",
    ] == [event.data["type"] for event in got.vendor if "type" in event.data]
    document = {**RESPONSE, **X_SEARCH, "status": "completed", "output": [X_CALL]}
    assert [] == folded(events(json.dumps(document).encode())).tool_calls()


def test_a_tool_of_the_client_with_such_a_name_is_its_own() -> None:
    """As is any other tool that it declared."""
    got = folded(events(*x_search({"type": "custom", "name": "x_keyword_search"}), end()))
    assert ["x_keyword_search"] == [block.tool.name for block in got.tool_calls() if block.tool]

"""Events to the vendor's stream, and whole answers to one document; the openai SDK reads both."""

import json
from typing import Any

import openai
import pytest

from proxy.codec import proofs
from proxy.codec.fold import WholeAnswer
from proxy.errors import failure
from proxy.events import (
    BlockEnd,
    BlockStart,
    Citation,
    Event,
    FinishReason,
    ReasoningDelta,
    StreamError,
    TextDelta,
    Usage,
    Vendor,
)
from tests.dialects.answers import folded, reasoning_block, text_block
from tests.dialects.openai_responses import emit
from tests.dialects.openai_responses.test_encode import USAGE, call, end
from tests.oracle.dialects.openai_responses import sdk


def whole(events: list[Event], **body: Any) -> Any:
    return sdk.document(emit.CLIENT.whole(emit.parsed(**body), folded([emit.START, *events])))


def test_the_order_of_events_is_the_vendors() -> None:
    """Created, in progress; each item with its parts, deltas and what is done; completed."""
    events = [
        *reasoning_block("Hm."),
        *text_block("Hel", "lo", block=1),
        *call(2, "{}"),
        end("tool_calls"),
    ]
    assert [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.reasoning_summary_part.added",
        "response.reasoning_summary_text.delta",
        "response.reasoning_summary_text.done",
        "response.reasoning_summary_part.done",
        "response.output_item.done",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.output_item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.output_item.done",
        "response.completed",
    ] == [event.type for event in sdk.streamed(events)]


def test_signatures_are_encrypted_content() -> None:
    """Also of a reasoning that has no text. Another vendor's say whose they are."""
    events: list[Event] = [
        BlockStart(0, "reasoning"),
        BlockEnd(0, "sig", proofs.OPENAI),
        BlockStart(1, "reasoning"),
        ReasoningDelta(1, "a"),
        BlockEnd(1, "too", proofs.ANTHROPIC),
    ]
    for response in (sdk.accumulated([*events, end()]), whole([*events, end()])):
        assert [("sig", []), ("mainstem:anthropic-claude-v1:too", ["a"])] == [
            (item.encrypted_content, [part.text for part in item.summary])
            for item in response.output
        ]


def test_a_call_without_arguments_has_an_empty_object() -> None:
    """In the deltas too: clients parse what they joined."""
    events = [*call(0), end("tool_calls")]
    deltas = [
        event.delta
        for event in sdk.streamed(events)
        if event.type == "response.function_call_arguments.delta"
    ]
    assert ["{}"] == deltas
    assert (
        ("", "", [("call_1", "weather", "{}")])
        == sdk.seen(sdk.accumulated(events))
        == sdk.seen(whole(events))
    )


def test_blocks_may_overlap() -> None:
    """Each has its own place."""
    events: list[Event] = [
        BlockStart(0, "reasoning"),
        BlockStart(1, "text"),
        TextDelta(1, "a"),
        ReasoningDelta(0, "b"),
        TextDelta(1, "c"),
    ]
    events += [BlockEnd(1), BlockEnd(0), end()]
    assert ("ac", "b", []) == sdk.seen(sdk.accumulated(events))


def test_of_several_choices_the_first_is_sent() -> None:
    events: list[Event] = [
        BlockStart(0, "text"),
        BlockStart(1, "text", choice=1),
        TextDelta(0, "a"),
        TextDelta(1, "b"),
        BlockEnd(0),
        BlockEnd(1),
        end(),
    ]
    assert "a" == sdk.accumulated(events).output_text == whole(events).output_text


def test_citations_are_annotations() -> None:
    """With all four fields, as the vendor's SDK insists; one without an address has no place."""
    cited = [
        Citation(0, "https://a.example", "A", None, 1, 3),
        Citation(0, "https://b.example"),
        Citation(0, None, "C"),
    ]
    events = [BlockStart(0, "text"), TextDelta(0, "abc"), *cited, BlockEnd(0), end()]
    expected = [("https://a.example", "A", 1, 3), ("https://b.example", "https://b.example", 0, 0)]
    told = [
        event.annotation
        for event in sdk.streamed(events)
        if event.type == "response.output_text.annotation.added"
    ]
    for annotations in (
        told,
        sdk.accumulated(events).output[0].content[0].annotations,
        whole(events).output[0].content[0].annotations,
    ):
        assert expected == [
            (a["url"], a["title"], a["start_index"], a["end_index"])
            if isinstance(a, dict)
            else (a.url, a.title, a.start_index, a.end_index)
            for a in annotations
        ]


@pytest.mark.parametrize(
    ("reason", "raw", "status", "why"),
    [
        ("stop", None, "completed", None),
        ("tool_calls", None, "completed", None),
        ("other", "odd", "completed", None),
        ("length", "max_tokens", "incomplete", "max_output_tokens"),
        ("content_filter", None, "incomplete", "content_filter"),
        ("refusal", "refusal", "incomplete", "content_filter"),
        ("refusal", "completed", "completed", None),
    ],
)
def test_finishes(reason: FinishReason, raw: str | None, status: str, why: str | None) -> None:
    """Streamed and whole alike."""
    events = [*text_block("a"), end(reason, raw)]
    last = sdk.streamed(events)[-1]
    assert f"response.{status}" == last.type
    for response in (last.response, whole(events)):
        assert status == response.status
        assert why == (response.incomplete_details and response.incomplete_details.reason)


def test_a_refusal_is_a_part_of_its_own() -> None:
    """Streamed and whole. Text that ends with a refusal, as other vendors have it, stays text."""
    refusal: list[Event] = [
        BlockStart(0, "text", refusal=True),
        TextDelta(0, "I cannot"),
        BlockEnd(0),
        end("refusal", "stop"),
    ]
    text = [*text_block("I cannot"), end("refusal", "refusal")]
    for kind, events in (("refusal", refusal), ("output_text", text)):
        for response in (sdk.streamed(events)[-1].response, whole(events)):
            (part,) = response.output[0].content
            assert (kind, ("I cannot", "", [])) == (part.type, sdk.seen(response))


def test_usage() -> None:
    """Counts that are not known are 0 beside one that is; where none is, there is no usage."""
    full, some, none = (
        sdk.accumulated([*text_block("a"), end(usage=usage)]).usage
        for usage in (USAGE, Usage(None, 3), Usage())
    )
    assert (20, 8, 9, 4, 29) == (
        full.input_tokens,
        full.input_tokens_details.cached_tokens,
        full.output_tokens,
        full.output_tokens_details.reasoning_tokens,
        full.total_tokens,
    )
    assert (0, 3, 3) == (some.input_tokens, some.output_tokens, some.total_tokens)
    assert none is None


def test_the_requests_settings_go_back() -> None:
    """In every response, with the vendor's defaults for what was not said, and what cannot be
    honoured as it is."""
    tool = {"type": "function", "name": "weather", "parameters": {"type": "object"}, "strict": None}
    said = {
        "instructions": "Be brief.",
        "temperature": 0.5,
        "tools": [tool],
        "metadata": {"a": "b"},
        "max_output_tokens": 99,
        "store": True,
    }
    events = sdk.streamed([*text_block("a"), end()], **said)
    for response in (
        events[0].response,
        events[-1].response,
        whole([*text_block("a"), end()], **said),
    ):
        assert ("Be brief.", 0.5, {"a": "b"}, 99) == (
            response.instructions,
            response.temperature,
            response.metadata,
            response.max_output_tokens,
        )
        assert [tool] == [tool.to_dict() for tool in response.tools]
        assert ("auto", True, True) == (
            response.tool_choice,
            response.parallel_tool_calls,
            response.model_extra["store"],
        )
        assert ("resp_s1", "fast", 1_700_000_000) == (
            response.id,
            response.model,
            response.created_at,
        )


def test_an_error_raises_in_the_sdk_and_fails_the_response() -> None:
    """One event for the SDK, one for those that follow the response; and nothing that looks like a
    good end."""
    broken: list[Event] = [
        BlockStart(0, "text"),
        TextDelta(0, "Hel"),
        StreamError(failure("rate_limited", "Slow down.", code="slow_down")),
    ]
    with pytest.raises(openai.APIError, match="Slow down"):
        sdk.streamed(broken)
    *_, error, failed = [
        json.loads(line[6:])
        for line in emit.encoded(broken).decode().splitlines()
        if line.startswith("data: ")
    ]
    assert ("error", "slow_down", "Slow down.", "Slow down.") == (
        error["type"],
        error["code"],
        error["message"],
        error["error"]["message"],
    )
    assert ("response.failed", "failed") == (failed["type"], failed["response"]["status"])
    assert {"code": "slow_down", "message": "Slow down."} == failed["response"]["error"]
    assert error["sequence_number"] + 1 == failed["sequence_number"]
    assert [] == failed["response"]["output"]


def test_the_vendors_own_tools_go_through_with_our_numbers() -> None:
    """Streamed as they came; in a document as they were when they were done."""
    item = {
        "id": "ws_1",
        "type": "web_search_call",
        "status": "completed",
        "action": {"type": "search", "query": "x"},
    }
    vendor = [
        Vendor(
            "openai_responses",
            {"type": "response.output_item.added", "output_index": 7, "item": item},
        ),
        Vendor(
            "openai_responses",
            {"type": "response.web_search_call.searching", "output_index": 7, "item_id": "ws_1"},
        ),
        Vendor(
            "openai_responses",
            {"type": "response.output_item.done", "output_index": 7, "item": item},
        ),
    ]
    events: list[Event] = [*reasoning_block("Hm."), *vendor, *text_block("a", block=1), end()]
    indexes = [
        (event.type, event.output_index)
        for event in sdk.streamed(events)
        if "web_search" in event.type or getattr(event, "item", None)
    ]
    assert ("response.web_search_call.searching", 1) in indexes
    for response in (sdk.accumulated(events), whole(events)):
        assert ["reasoning", "web_search_call", "message"] == [
            item.type for item in response.output
        ]


def test_what_a_vendor_says_beside_goes_to_its_place() -> None:
    """The phase to the next message, log-probs to their text, a file to the sources, the tier to
    the response."""
    logprobs = [{"token": "a", "logprob": -0.5, "bytes": [97], "top_logprobs": []}]
    file = {"type": "file_citation", "file_id": "file_1", "filename": "a.txt", "index": 0}
    name = "openai_responses"
    events: list[Event] = [
        Vendor(
            name,
            {
                "type": "response.output_item.added",
                "output_index": 0,
                "item": {"type": "message", "phase": "final_answer"},
            },
        ),
        BlockStart(0, "text"),
        Vendor(
            name,
            {
                "type": "response.output_text.delta",
                "output_index": 0,
                "content_index": 0,
                "logprobs": logprobs,
            },
        ),
        TextDelta(0, "a"),
        TextDelta(0, "b"),
        Vendor(
            name,
            {
                "type": "response.output_text.annotation.added",
                "output_index": 0,
                "content_index": 0,
                "annotation": file,
            },
        ),
        BlockEnd(0),
        Vendor(
            name, {"response": {"model": "gpt-5", "service_tier": "flex", "usage": {"cost": 0.1}}}
        ),
        end(),
    ]
    deltas = [event for event in sdk.streamed(events) if event.type == "response.output_text.delta"]
    assert [1, 0] == [len(event.logprobs) for event in deltas]
    for response in (sdk.accumulated(events), whole(events)):
        (item,) = response.output
        (part,) = item.content
        assert ("final_answer", "ab", -0.5) == (item.phase, part.text, part.logprobs[0].logprob)
        assert [file] == [annotation.to_dict() for annotation in part.annotations]
        assert ("flex", "fast", 0.1) == (
            response.service_tier,
            response.model,
            response.usage.model_extra["cost"],
        )


@pytest.mark.parametrize(
    "data",
    [
        None,
        5,
        {},
        {"type": 5},
        {"type": "x"},
        {"type": "response.output_item.done", "output_index": 0, "item": {"type": ["message"]}},
        {"response": 5},
    ],
)
@pytest.mark.parametrize("dialect", ["openai_responses", "anthropic"])
def test_other_vendor_events_have_no_place(data: Any, dialect: str) -> None:
    """Whatever they hold, nobody is disturbed."""
    events: list[Event] = [*text_block("a"), Vendor(dialect, data), end()]
    assert "a" == sdk.accumulated(events).output_text == whole(events).output_text


def test_an_empty_answer_is_complete() -> None:
    assert [] == sdk.accumulated([end()]).output == whole([end()]).output
    assert isinstance(folded([emit.START, end()]), WholeAnswer)

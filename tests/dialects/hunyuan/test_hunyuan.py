"""Hunyuan's own API. The cases are of the documented shape; the printed samples are read in
tests/dialects/test_upstream_only.py."""

from typing import Any

import pytest

from proxy.dialects.hunyuan import DIALECT
from proxy.events import Citation, Usage, UsageEvent
from proxy.request import Reasoning, ToolChoice
from tests.dialects.answers import asked, every_cut_is_an_error, folded, params, told
from tests.dialects.upstream_only import (
    CLOCK,
    EVERYTHING,
    LIMIT,
    PICTURE,
    WEATHER,
    built,
    data,
    events_of,
    failed,
    summed,
    talk,
)

HALF = DIALECT.upstream
assert HALF is not None


def event(finish: str = "", delta: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    usage = {"PromptTokens": 3, "CompletionTokens": 2, "TotalTokens": 5}
    choices = [
        {"Delta": {"Role": "assistant", "Content": "", **(delta or {})}, "FinishReason": finish}
    ]
    return {
        "Note": "made by AI",
        "Choices": choices,
        "Created": 1,
        "Id": "a1",
        "Usage": usage,
        **more,
    }


def call(arguments: str, call_id: str = "", name: str = "", **more: Any) -> dict[str, Any]:
    return {
        "Id": call_id,
        "Type": "function",
        "Function": {"Name": name, "Arguments": arguments},
        **more,
    }


def test_reasoning_text_and_counts():
    """The notice that each event repeats is told once, the counts when they change."""
    body = data(
        event(delta={"ReasoningContent": "hm"}), event(delta={"Content": "Hi"}), event("stop")
    )
    events = events_of(HALF, body)
    assert ("Hi", "hm", [], "stop", "stop") == summed(events)
    assert [{"Note": "made by AI"}] == told(events)
    assert [UsageEvent(3, 2)] == [e for e in events if isinstance(e, UsageEvent)]


def test_calls_told_apart_by_id():
    """Pieces of two calls in turns, without an index; text may follow the calls."""
    pieces = [call("{", "c1", "f"), call("[", "c2", "g"), call("}", "c1"), call("]", "c2")]
    body = data(
        *(event(delta={"ToolCalls": [piece]}) for piece in pieces),
        event(delta={"Content": "so"}),
        event("tool_calls"),
    )
    assert ("so", "", [("c1", "f", "{}"), ("c2", "g", "[]")], "tool_calls", "tool_calls") == summed(
        events_of(HALF, body)
    )


def test_calls_told_apart_by_index():
    """Newer answers leave the id out of later pieces."""
    pieces = [
        call("{", "c1", "f", Index=0),
        call("[", "c2", "g", Index=1),
        call("}", Index=0),
        call("]", Index=1),
    ]
    body = data(*(event(delta={"ToolCalls": [piece]}) for piece in pieces), event("stop"))
    assert [("c1", "f", "{}"), ("c2", "g", "[]")] == summed(events_of(HALF, body))[2]


def test_moderation_stops_an_answer_in_its_middle():
    """What was said stays; the client's application may take it back."""
    assert ("Hi", "", [], "content_filter", "sensitive") == summed(
        events_of(HALF, data(event(delta={"Content": "Hi"}), event("sensitive")))
    )


def test_pages_found_are_cited():
    """With the title that the search gave."""
    found = {"SearchResults": [{"Index": 1, "Title": "A", "Url": "https://a"}]}
    events = events_of(
        HALF, data(event(SearchInfo=found), event("stop", {"Content": "x"}, SearchInfo=found))
    )
    assert [Citation(0, "https://a", "A")] == [e for e in events if isinstance(e, Citation)]


def test_an_event_with_a_tab_between_it_and_the_next():
    """So the vendor prints its samples."""
    body = data(event(delta={"Content": "Hi"})) + b"\t\n" + data(event("stop"))
    assert "Hi" == summed(events_of(HALF, body))[0]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            data(event(delta={"Content": "x"}), {"ErrorMsg": {"Code": 4001, "Msg": "Busy."}}),
            ("upstream_error", 502, "4001", "Busy."),
        ),
        (
            b'{"Response":{"RequestId":"r","Error":{"Code":"LimitExceeded.A","Message":"M"}}}',
            ("upstream_error", 429, "LimitExceeded.A", "M"),
        ),
        (
            data({"Response": {"Error": {"Code": "AuthFailure", "Message": "M"}}}),
            ("upstream_error", 401, "AuthFailure", "M"),
        ),
    ],
)
def test_errors(body: bytes, expected: tuple[Any, ...]):
    """In the stream, in place of it under 200, and in place of it in a frame."""
    assert expected == failed(events_of(HALF, body))


def test_an_error_field_with_nothing_in_it_is_none():
    """It stands in good events too."""
    assert (
        "stop"
        == summed(
            events_of(HALF, data(event("stop", {"Content": "x"}, ErrorMsg={"Code": 0, "Msg": ""})))
        )[3]
    )


def test_an_http_error_in_the_vendors_envelope():
    """And one that a gateway before it made."""
    why = HALF.parse_error(
        400, {}, b'{"Response":{"Error":{"Code":"InvalidParameter","Message":"Bad."}}}'
    )
    assert why is not None
    assert ("bad_request", 400, "InvalidParameter", "Bad.") == (
        why.kind,
        why.status,
        why.code,
        why.message,
    )
    why = HALF.parse_error(502, {}, b"<html>")
    assert why is not None
    assert "upstream_status" == why.kind


def test_every_cut_is_an_error():
    """Up to the brace that closes the last event."""
    every_cut_is_an_error(
        lambda: HALF.decoder(LIMIT, {}),
        data(event(delta={"Content": "Hé"}), event("stop")).rstrip(),
    )


def test_a_first_turn():
    """In PascalCase; nothing is signed."""
    out, body = built(HALF, asked("hi"), api_key="k", region="ap-guangzhou")
    assert "/" == out.path
    assert {
        "Model": "theirs",
        "Messages": [{"Role": "user", "Content": "hi"}],
        "Stream": True,
    } == body
    assert {
        "content-type": "application/json",
        "accept": "text/event-stream",
        "authorization": "Bearer k",
        "x-tc-action": "ChatCompletions",
        "x-tc-version": "2023-09-01",
        "x-tc-region": "ap-guangzhou",
    } == out.headers
    assert "authorization" not in built(HALF, asked("hi"))[0].headers


def test_a_talk_with_tools():
    """Calls and results keep their ids."""
    out, body = built(HALF, talk(system="Be brief."))
    assert [
        {"Role": "system", "Content": "Be brief."},
        {"Role": "user", "Content": "Rome?"},
        {
            "Role": "assistant",
            "Content": "Let me see.",
            "ToolCalls": [
                {
                    "Id": "c1",
                    "Type": "function",
                    "Function": {"Name": "weather", "Arguments": '{"city":"Rome"}'},
                },
                {"Id": "c2", "Type": "function", "Function": {"Name": "clock", "Arguments": "{}"}},
            ],
        },
        {"Role": "tool", "Content": "sunny", "ToolCallId": "c1"},
        {"Role": "tool", "Content": "noon", "ToolCallId": "c2"},
        {"Role": "user", "Content": "And?"},
    ] == body["Messages"]
    assert {"messages.reasoning", "tool_result.is_error"} == params(out.notes)


def test_images():
    """Beside the text, as contents."""
    _, body = built(HALF, talk(PICTURE))
    contents = [
        {"Type": "image_url", "ImageUrl": {"Url": "https://h/x.png"}},
        {"Type": "text", "Text": "What is it?"},
    ]
    assert [{"Role": "user", "Contents": contents}] == body["Messages"]


def test_every_setting():
    """A tool's schema is JSON text; the tool that must be called stands in a field of its own."""
    out, body = built(HALF, asked("hi", **EVERYTHING))
    tool = {
        "Type": "function",
        "Function": {
            "Name": "weather",
            "Parameters": '{"type":"object","properties":{"city":{"type":"string"}}}',
            "Description": "The weather somewhere.",
        },
    }
    assert {
        "Temperature": 0.5,
        "TopP": 0.9,
        "Stop": ["END"],
        "Seed": 7,
        "EnableThinking": True,
        "Tools": [tool],
        "ToolChoice": "custom",
        "CustomTool": tool,
    } == {
        name: value for name, value in body.items() if name not in ("Model", "Messages", "Stream")
    }
    assert {"max_tokens", "user", "metadata", "n", "response_format", "reasoning.effort"} == params(
        out.notes
    )


@pytest.mark.parametrize(
    ("choice", "said", "lost"),
    [
        (ToolChoice("auto"), "auto", set()),
        (ToolChoice("none"), "none", set()),
        (ToolChoice("required", parallel=False), None, {"tool_choice", "tool_choice.parallel"}),
        (ToolChoice("tool", "odd"), None, {"tool_choice"}),
    ],
)
def test_tool_choices(choice, said, lost):
    """What cannot be said is noted."""
    out, body = built(HALF, asked("hi", tools=[WEATHER, CLOCK], tool_choice=choice))
    assert (said, lost) == (body.get("ToolChoice"), params(out.notes))


def test_a_budget_for_thinking_is_lost():
    """But not the thinking; and the client's own keys go over ours."""
    out, body = built(
        HALF, asked("hi", reasoning=Reasoning(max_tokens=5), vendor={"EnableEnhancement": False})
    )
    assert (True, False, {"reasoning.max_tokens"}) == (
        body["EnableThinking"],
        body["EnableEnhancement"],
        params(out.notes),
    )


def test_counts_that_are_none():
    """Negative ones are garbage."""
    usage = {"PromptTokens": -1, "CompletionTokens": 2}
    assert Usage(None, 2) == folded(events_of(HALF, data(event("stop", Usage=usage)))).usage

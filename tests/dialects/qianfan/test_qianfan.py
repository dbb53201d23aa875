"""Qianfan's first API. The cases are of the documented shape; the recordings are read in
tests/dialects/test_upstream_only.py."""

from typing import Any

import pytest

from proxy.codec.base import TargetConfig
from proxy.dialects.qianfan import DIALECT
from proxy.errors import Refused
from proxy.events import Citation, UsageEvent
from proxy.request import (
    ImagePart,
    Message,
    TextPart,
    ToolCallPart,
    ToolChoice,
    ToolResultPart,
    ToolSpec,
)
from tests.dialects.answers import asked, every_cut_is_an_error, params, told
from tests.dialects.upstream_only import (
    CLOCK,
    EVERYTHING,
    LIMIT,
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


def event(result: str = "", *, end: bool = False, **more: Any) -> dict[str, Any]:
    usage = {"prompt_tokens": 3, "completion_tokens": 2 if end else 0, "total_tokens": 5}
    said = {
        "id": "as-1",
        "is_end": end,
        "is_truncated": False,
        "result": result,
        "need_clear_history": False,
        "finish_reason": "normal",
    }
    return {**said, "usage": usage, **more}


def test_sentences_and_counts():
    """`normal` is no finish before the end, and no tokens there are not counted yet."""
    events = events_of(HALF, data(event("One. "), event("Two."), event(end=True)))
    assert ("One. Two.", "", [], "stop", "normal") == summed(events)
    assert [UsageEvent(3), UsageEvent(3, 2)] == [e for e in events if isinstance(e, UsageEvent)]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"is_truncated": True}, ("length", "length")),
        ({"finish_reason": "content_filter"}, ("content_filter", "content_filter")),
        ({"need_clear_history": True, "ban_round": -1}, ("content_filter", "normal")),
        ({"finish_reason": "odd"}, ("other", "odd")),
    ],
)
def test_ends(more: dict[str, Any], expected: tuple[str, str]):
    """A cut, and two ways of the filter."""
    assert expected == summed(events_of(HALF, data(event("x"), event(end=True, **more))))[3:]


def test_a_filter_is_told():
    """With which turn it was."""
    events = events_of(HALF, data(event(end=True, need_clear_history=True, ban_round=2)))
    assert [{"ban_round": 2}, {"need_clear_history": True}] == told(events)


def test_a_call_with_its_thoughts():
    """Whole, in one event; the vendor gives no id, so one is made."""
    call = {"name": "f", "thoughts": "need it", "arguments": '{"a":1}'}
    events = events_of(
        HALF, data(event(end=True, function_call=call, finish_reason="function_call"))
    )
    _, _, calls, reason, raw = summed(events)
    assert [("f", '{"a":1}')] == [call[1:] for call in calls]
    assert calls[0][0].startswith("call_")
    assert ("tool_calls", "function_call", [{"thoughts": "need it"}]) == (reason, raw, told(events))


def test_pages_found_are_cited():
    """By the text."""
    found = {"search_results": [{"index": 1, "url": "https://a", "title": "A"}]}
    events = events_of(HALF, data(event("x", search_info=found), event(end=True)))
    assert [Citation(0, "https://a", "A")] == [e for e in events if isinstance(e, Citation)]


@pytest.mark.parametrize(
    ("code", "status"), [(110, 401), (18, 429), (336003, 400), (336100, 502), (6, 403), (1, 502)]
)
def test_errors(code: int, status: int):
    """In place of the stream under 200, and in its middle."""
    wrong = {"error_code": code, "error_msg": "No.", "id": "as-1"}
    expected = ("upstream_error", status, str(code), "No.")
    assert expected == failed(events_of(HALF, data(event("Hi"), wrong)))
    assert expected == failed(events_of(HALF, data(wrong).removeprefix(b"data: ").strip()))


def test_every_cut_is_an_error():
    """Up to the brace that closes the last event."""
    every_cut_is_an_error(
        lambda: HALF.decoder(LIMIT, {}), data(event("Hé"), event(end=True)).rstrip()
    )


def test_a_first_turn():
    """The model is in the path, the token in the query."""
    out, body = built(HALF, asked("hi", system="S"), api_key="24.a+b/c=")
    assert "/chat/theirs?access_token=24.a%2Bb%2Fc%3D" == out.path
    assert {"messages": [{"role": "user", "content": "hi"}], "stream": True, "system": "S"} == body
    assert {"content-type", "accept"} == out.headers.keys()
    assert "/chat/theirs" == built(HALF, asked("hi"))[0].path


@pytest.mark.parametrize("model", ["../x", "a/b", "", "a b", "é", "?x", ".."])
def test_a_model_that_could_lead_elsewhere_is_refused(model: str):
    """It stands in the path."""
    with pytest.raises(Refused, match="model may have only"):
        HALF.build_request(asked("hi"), TargetConfig("up", model or " "))


def test_parallel_calls_are_told_one_after_the_other():
    """Each with its result; text behind a result joins it, as the sides must alternate."""
    out, body = built(HALF, talk())
    assert [
        {"role": "user", "content": "Rome?"},
        {
            "role": "assistant",
            "content": "Let me see.",
            "function_call": {"name": "weather", "arguments": '{"city":"Rome"}'},
        },
        {"role": "function", "name": "weather", "content": "sunny"},
        {"role": "assistant", "content": "", "function_call": {"name": "clock", "arguments": "{}"}},
        {"role": "function", "name": "clock", "content": "noon\n\nAnd?"},
    ] == body["messages"]
    assert {
        "messages.reasoning",
        "tool_result.is_error",
        "messages.tool_call",
        "messages",
    } == params(out.notes)


def test_turns_that_do_not_alternate():
    """Neighbours are joined, later system texts go to the front, a first turn of the assistant's
    into the user's."""
    turns = [
        Message("assistant", "Hello."),
        Message("user", "A"),
        Message("system", "Two."),
        Message("user", "B"),
        Message("assistant", "C"),
        Message("assistant", "D"),
        Message("user", "E"),
    ]
    out, body = built(HALF, talk(turns, system="One."))
    assert "One.\n\nTwo." == body["system"]
    assert [
        {"role": "user", "content": "Assistant: Hello.\n\nA\n\nB"},
        {"role": "assistant", "content": "C\n\nD"},
        {"role": "user", "content": "E"},
    ] == body["messages"]
    assert {("changed", "messages"), ("changed", "system")} == {
        (note.note, note.param) for note in out.notes
    }


def test_calls_and_results_that_have_no_other_half():
    """A call without a result is left out, a result without a call is the user's text."""
    turns = [
        Message("user", "A"),
        Message("assistant", [TextPart("B"), ToolCallPart("c1", "clock")]),
        Message("user", [ToolResultPart("c9", "noon")]),
    ]
    out, body = built(HALF, talk(turns))
    assert [("user", "A"), ("assistant", "B"), ("user", "noon")] == [
        (m["role"], m["content"]) for m in body["messages"]
    ]
    assert {"messages.tool_call", "messages.tool_result"} == params(out.notes)


def test_a_talk_that_the_assistant_ends_is_refused():
    """The vendor only answers."""
    with pytest.raises(Refused, match="messages must end with a turn of the user"):
        built(HALF, asked("a", "b"))


def test_images_are_left_out():
    """With a note."""
    out, _ = built(HALF, talk([Message("user", [TextPart("What?"), ImagePart("https://h/x")])]))
    assert {"messages.image_url"} == params(out.notes)


def test_every_setting():
    """JSON mode is a word."""
    out, body = built(HALF, asked("hi", **EVERYTHING))
    assert {
        "system": "Be brief.",
        "max_output_tokens": 9,
        "temperature": 0.5,
        "top_p": 0.9,
        "stop": ["END"],
        "user_id": "u1",
        "functions": [
            {
                "name": "weather",
                "description": "The weather somewhere.",
                "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
            }
        ],
        "tool_choice": {"type": "function", "function": {"name": "weather"}},
        "response_format": "json_object",
    } == {name: value for name, value in body.items() if name not in ("messages", "stream")}
    assert {"seed", "reasoning", "metadata", "n"} == params(out.notes)


@pytest.mark.parametrize(
    ("choice", "offered", "lost"),
    [
        (ToolChoice("none"), False, set()),
        (ToolChoice("auto"), True, set()),
        (ToolChoice("required", parallel=True), True, {"tool_choice", "tool_choice.parallel"}),
    ],
)
def test_tool_choices(choice, offered, lost):
    """Without a word for `none`, no tool is offered. What a tool must have and this one has not is
    made up."""
    out, body = built(HALF, asked("hi", tools=[CLOCK], tool_choice=choice))
    function = {
        "name": "clock",
        "description": "clock",
        "parameters": {"type": "object", "properties": {}},
    }
    assert ([function] if offered else None, lost) == (body.get("functions"), params(out.notes))


def test_a_schema_and_strictness_are_noted():
    """The client's own keys go over ours."""
    strict = ToolSpec("weather", "x", WEATHER.parameters, strict=True)
    request = asked(
        "hi",
        tools=[strict],
        response_format={"type": "json_schema", "json_schema": {}},
        vendor={"disable_search": True},
    )
    out, body = built(HALF, request)
    assert ("json_object", True, {"response_format", "tools.strict"}) == (
        body["response_format"],
        body["disable_search"],
        params(out.notes),
    )

"""MiniMax's `chatcompletion_v2`. There are no recordings: the cases are of the documented shape."""

from typing import Any

import pytest

from proxy.dialects.minimax import DIALECT
from proxy.events import Usage
from proxy.request import ToolChoice
from tests.dialects.answers import asked, every_cut_is_an_error, folded, params, told
from tests.dialects.upstream_only import (
    EVERYTHING,
    LIMIT,
    PICTURE,
    WEATHER,
    WEATHER_OPENAI,
    built,
    data,
    events_of,
    failed,
    summed,
    talk,
)

HALF = DIALECT.upstream
assert HALF is not None
GOOD = {"status_code": 0, "status_msg": ""}


def chunk(finish: str | None = None, **delta: Any) -> dict[str, Any]:
    choice: dict[str, Any] = {
        "index": 0,
        "delta": {"role": "assistant", "name": "MiniMax AI", "audio_content": "", **delta},
    }
    if finish is not None:
        choice["finish_reason"] = finish
    flags = {
        "input_sensitive": False,
        "output_sensitive": False,
        "input_sensitive_type": 0,
        "output_sensitive_type": 0,
    }
    return {
        "id": "m1",
        "choices": [choice],
        "created": 1,
        "model": "M",
        "object": "chat.completion.chunk",
        "usage": None,
        **flags,
    }


def whole(text: str, finish: str = "stop", **more: Any) -> dict[str, Any]:
    message = {"content": text, "role": "assistant", "name": "MiniMax AI", "audio_content": ""}
    choices = [{"finish_reason": finish, "index": 0, "message": message}]
    usage = {
        "total_tokens": 9,
        "prompt_tokens": 5,
        "completion_tokens": 4,
        "completion_tokens_details": {"reasoning_tokens": 1},
    }
    return {
        "id": "m1",
        "object": "chat.completion",
        "choices": choices,
        "usage": usage,
        "base_resp": GOOD,
        **more,
    }


def test_the_text_is_not_said_twice():
    """The last event repeats it; what comes after that is not read."""
    events = events_of(
        HALF,
        data(chunk(content="Hel"), chunk("stop", content="lo"), whole("Hello"), chunk(content="!")),
    )
    assert ("Hello", "", [], "stop", "stop") == summed(events)
    assert Usage(5, 4, None, 1) == folded(events).usage
    assert [] == told(events)


def test_a_whole_answer_without_pieces_is_the_text():
    """From a gateway that gathers the answer."""
    assert "Hello" == summed(events_of(HALF, data(whole("Hello"))))[0]


def test_an_end_without_the_whole_answer():
    """A finish reason is enough, with `[DONE]` or without."""
    body = data(chunk("length", content="x"))
    assert (
        ("x", "", [], "length", "length")
        == summed(events_of(HALF, body))
        == summed(events_of(HALF, body + b"data: [DONE]\n\n"))
    )


def test_reasoning_in_either_form():
    """As OpenAI's imitators say it, or as details."""
    detail = [{"type": "reasoning.text", "text": "m", "index": 0}]
    body = data(
        chunk(reasoning_content="h"), chunk(reasoning_details=detail), chunk("stop", content="x")
    )
    assert ("x", "hm") == summed(events_of(HALF, body))[:2]


def test_calls_in_pieces():
    """The whole answer's calls are not called again."""
    first = {
        "index": 0,
        "id": "c1",
        "type": "function",
        "function": {"name": "f", "arguments": "{"},
    }
    body = data(
        chunk(tool_calls=[first]),
        chunk("tool_calls", tool_calls=[{"index": 0, "function": {"arguments": "}"}}]),
        whole("", "tool_calls"),
    )
    assert ("", "", [("c1", "f", "{}")], "tool_calls", "tool_calls") == summed(
        events_of(HALF, body)
    )


def test_what_a_search_found_is_no_text():
    """A delta of the role `tool` is told as the vendor's own."""
    body = data(
        chunk(role="tool", content='[{"link":"https://a"}]'),
        chunk(role="tool", content="odd"),
        chunk("stop", content="x"),
    )
    events = events_of(HALF, body)
    assert "x" == summed(events)[0]
    assert [
        {"role": "tool", "content": [{"link": "https://a"}]},
        {"role": "tool", "content": "odd"},
    ] == told(events)


def test_a_filter():
    """A sensitive answer ends as filtered, whatever its finish reason."""
    flags = {"output_sensitive": True, "output_sensitive_type": 3}
    events = events_of(HALF, data(chunk("stop", content="x") | flags))
    assert ("content_filter", "stop", [flags]) == (*summed(events)[3:], told(events))


def test_a_total_alone_is_told():
    """It is neither input nor output."""
    events = events_of(HALF, data(whole("x", usage={"total_tokens": 9})))
    assert (Usage(), [{"total_tokens": 9}]) == (folded(events).usage, told(events))


@pytest.mark.parametrize(
    ("code", "status"), [(1004, 401), (1002, 429), (2013, 400), (1027, 400), (1000, 502), (7, 502)]
)
def test_errors(code: int, status: int):
    """Under 200: in the stream, and as JSON in place of it."""
    wrong = {"base_resp": {"status_code": code, "status_msg": "No."}}
    expected = ("upstream_error", status, str(code), "No.")
    assert expected == failed(events_of(HALF, data(chunk(content="x"), wrong)))
    body = data(wrong).removeprefix(b"data: ").strip()
    assert expected == failed(events_of(HALF, body))
    why = HALF.parse_error(200, {}, body)
    assert why is not None
    assert (status, str(code)) == (why.status, why.code)


def test_a_good_document_is_no_error():
    """Its code is 0."""
    assert HALF.parse_error(200, {}, b'{"base_resp":{"status_code":0}}') is None


def test_every_cut_is_an_error():
    """A finish reason that came with the last piece is the first good end."""
    every_cut_is_an_error(
        lambda: HALF.decoder(LIMIT, {}), data(chunk(content="Hé"), chunk("stop")).rstrip()
    )


def test_a_first_turn():
    """Older keys want a group in the query."""
    out, body = built(HALF, asked("hi"), api_key="k", group_id=12)
    assert ("/text/chatcompletion_v2?GroupId=12", "Bearer k") == (
        out.path,
        out.headers["authorization"],
    )
    expected = {
        "model": "theirs",
        "messages": [{"role": "user", "content": "hi"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    assert expected == body
    assert "/text/chatcompletion_v2" == built(HALF, asked("hi"))[0].path


def test_a_talk_with_tools_and_an_image():
    """In OpenAI's form."""
    out, body = built(HALF, talk(system="S"))
    calls = [
        {
            "id": "c1",
            "type": "function",
            "function": {"name": "weather", "arguments": '{"city":"Rome"}'},
        },
        {"id": "c2", "type": "function", "function": {"name": "clock", "arguments": "{}"}},
    ]
    assert [
        {"role": "system", "content": "S"},
        {"role": "user", "content": "Rome?"},
        {"role": "assistant", "content": "Let me see.", "tool_calls": calls},
        {"role": "tool", "content": "sunny", "tool_call_id": "c1"},
        {"role": "tool", "content": "noon", "tool_call_id": "c2"},
        {"role": "user", "content": "And?"},
    ] == body["messages"]
    assert {"messages.reasoning", "tool_result.is_error"} == params(out.notes)
    picture = {"type": "image_url", "image_url": {"url": "https://h/x.png"}}
    assert [picture, {"type": "text", "text": "What is it?"}] == built(HALF, talk(PICTURE))[1][
        "messages"
    ][0]["content"]


def test_every_setting():
    """What has no word is noted; the client's own keys go over ours."""
    out, body = built(HALF, asked("hi", vendor={"mask_sensitive_info": True}, **EVERYTHING))
    assert {
        "max_tokens": 9,
        "temperature": 0.5,
        "top_p": 0.9,
        "tools": [WEATHER_OPENAI],
        "response_format": {"type": "json_object"},
        "mask_sensitive_info": True,
    } == {
        name: value
        for name, value in body.items()
        if name not in ("model", "messages", "stream", "stream_options")
    }
    assert {"stop", "seed", "user", "metadata", "n", "reasoning", "tool_choice"} == params(
        out.notes
    )
    none = asked("hi", tools=[WEATHER], tool_choice=ToolChoice("none", parallel=True))
    assert ("none", {"tool_choice.parallel"}) == (
        built(HALF, none)[1]["tool_choice"],
        params(built(HALF, none)[0].notes),
    )

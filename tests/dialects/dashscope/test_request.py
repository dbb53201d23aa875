"""What goes to DashScope, against bodies written by hand from its reference."""

import pytest

from proxy.dialects.dashscope import DIALECT
from proxy.errors import Refused
from proxy.request import Reasoning, ToolChoice
from tests.dialects.answers import asked, params
from tests.dialects.upstream_only import EVERYTHING, PICTURE, WEATHER, WEATHER_OPENAI, built, talk

HALF = DIALECT.upstream
assert HALF is not None


def test_a_first_turn():
    """The stream is asked for by a header."""
    out, body = built(HALF, asked("hi"), api_key="k")
    assert "/services/aigc/text-generation/generation" == out.path
    assert {"content-type", "accept", "authorization", "x-dashscope-sse"} == out.headers.keys()
    assert ("Bearer k", "enable") == (out.headers["authorization"], out.headers["x-dashscope-sse"])
    assert {
        "model": "theirs",
        "input": {"messages": [{"role": "user", "content": "hi"}]},
        "parameters": {"result_format": "message", "incremental_output": True},
    } == body
    assert () == out.notes


def test_a_talk_with_tools():
    """Calls and results keep their ids; reasoning, and that a tool failed, cannot be said."""
    out, body = built(HALF, talk(system="Be brief."))
    assert [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Rome?"},
        {
            "role": "assistant",
            "content": "Let me see.",
            "tool_calls": [
                {
                    "id": "c1",
                    "type": "function",
                    "function": {"name": "weather", "arguments": '{"city":"Rome"}'},
                },
                {"id": "c2", "type": "function", "function": {"name": "clock", "arguments": "{}"}},
            ],
        },
        {"role": "tool", "content": "sunny", "tool_call_id": "c1", "name": "weather"},
        {"role": "tool", "content": "noon", "tool_call_id": "c2", "name": "clock"},
        {"role": "user", "content": "And?"},
    ] == body["input"]["messages"]
    assert {"messages.reasoning", "tool_result.is_error"} == params(out.notes)


def test_every_setting():
    """Effort is on or off here; who the user is has no place."""
    out, body = built(HALF, asked("hi", **EVERYTHING))
    assert {
        "max_tokens": 9,
        "temperature": 0.5,
        "top_p": 0.9,
        "stop": ["END"],
        "seed": 7,
        "n": 2,
        "tools": [WEATHER_OPENAI],
        "tool_choice": {"type": "function", "function": {"name": "weather"}},
        "response_format": {"type": "json_object"},
        "enable_thinking": True,
        "result_format": "message",
        "incremental_output": True,
    } == body["parameters"]
    assert {("dropped", "user"), ("dropped", "metadata"), ("changed", "reasoning.effort")} == {
        (n.note, n.param) for n in out.notes
    }


@pytest.mark.parametrize(
    ("reasoning", "expected"),
    [
        (Reasoning("none"), {"enable_thinking": False}),
        (Reasoning(max_tokens=50), {"enable_thinking": True, "thinking_budget": 50}),
        (Reasoning(), {}),
    ],
)
def test_thinking(reasoning, expected):
    """By a switch and a budget, without a loss."""
    out, body = built(HALF, asked("hi", reasoning=reasoning))
    assert expected == {
        name: value for name, value in body["parameters"].items() if "thinking" in name
    }
    assert () == out.notes


def test_tool_choices():
    """`required` cannot be said; parallel calls can."""
    out, body = built(
        HALF, asked("hi", tools=[WEATHER], tool_choice=ToolChoice("required", parallel=False))
    )
    assert "tool_choice" not in body["parameters"]
    assert body["parameters"]["parallel_tool_calls"] is False
    assert {"tool_choice"} == params(out.notes)
    assert (
        "none"
        == built(HALF, asked("hi", tools=[WEATHER], tool_choice=ToolChoice("none")))[1][
            "parameters"
        ]["tool_choice"]
    )


def test_images_go_to_the_other_endpoint():
    """Where every content is a list of parts; an option says so for text too."""
    out, body = built(HALF, talk(PICTURE, system="S"))
    assert "/services/aigc/multimodal-generation/generation" == out.path
    assert [
        {"role": "system", "content": [{"text": "S"}]},
        {"role": "user", "content": [{"image": "https://h/x.png"}, {"text": "What is it?"}]},
    ] == body["input"]["messages"]
    assert out.path == built(HALF, asked("hi"), multimodal=True)[0].path


def test_the_clients_own_keys_go_over_ours_one_by_one():
    """But for how the answer comes, which the decoder must know."""
    vendor = {
        "parameters": {"enable_search": True, "incremental_output": False, "result_format": "text"},
        "x": 1,
    }
    _, body = built(HALF, asked("hi", seed=3, vendor=vendor))
    assert {
        "seed": 3,
        "enable_search": True,
        "incremental_output": True,
        "result_format": "message",
    } == body["parameters"]
    assert 1 == body["x"]


def test_options():
    """Whole texts may be asked for; an option that there is not is the operator's mistake."""
    assert (
        built(HALF, asked("hi"), incremental_output=False)[1]["parameters"]["incremental_output"]
        is False
    )
    with pytest.raises(Refused, match="options of upstream up are wrong") as caught:
        built(HALF, asked("hi"), incremental=True)
    assert "internal" == caught.value.failure.kind

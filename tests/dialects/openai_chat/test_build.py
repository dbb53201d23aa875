"""What goes to a vendor."""

import json
from typing import Any

import pytest

from proxy.codec.base import Outgoing, TargetConfig
from proxy.dialects.openai_chat import DIALECT
from proxy.errors import Refused
from proxy.request import (
    ChatRequest,
    ImagePart,
    Message,
    Part,
    Reasoning,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolChoice,
    ToolResultPart,
    ToolSpec,
)


def build(request: ChatRequest, **options: Any) -> Outgoing:
    assert DIALECT.upstream is not None
    return DIALECT.upstream.build_request(
        request,
        TargetConfig(
            "openai", options.pop("model", "gpt-4o-mini"), options.pop("api_key", "sk-1"), options
        ),
    )


def body(request: ChatRequest, **options: Any) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(build(request, **options).body)
    return said


def asking(content: str | list[Part] = "hi", **more: Any) -> ChatRequest:
    return ChatRequest(model="fast", messages=[Message("user", content)], **more)


def turns(*messages: Message, **options: Any) -> list[dict[str, Any]]:
    said: list[dict[str, Any]] = body(
        ChatRequest(model="fast", messages=list(messages)), **options
    )["messages"]
    return said


def dropped(outgoing: Outgoing) -> list[str]:
    return [note.param for note in outgoing.notes if note.note == "dropped"]


def test_the_smallest_request_asks_for_a_stream_with_usage() -> None:
    out = build(asking())
    assert ("POST", "/chat/completions") == (out.method, out.path)
    assert {
        "content-type": "application/json",
        "accept": "text/event-stream",
        "authorization": "Bearer sk-1",
    } == out.headers
    assert {
        "model": "gpt-4o-mini",
        "messages": [{"role": "user", "content": "hi"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    } == json.loads(out.body)
    assert () == out.notes


def test_everything_that_can_be_said_is_said() -> None:
    request = asking(
        system="Be brief.",
        max_tokens=9,
        temperature=0.0,
        top_p=0.5,
        stop=["."],
        seed=0,
        n=2,
        user="u",
        metadata={"k": "v"},
        response_format={"type": "json_object"},
        reasoning=Reasoning("low"),
        tools=[ToolSpec("f", "does f", {"type": "object"}, True), ToolSpec("g")],
        tool_choice=ToolChoice("tool", "f", False),
    )
    said = body(request)
    assert {"role": "system", "content": "Be brief."} == said["messages"][0]
    assert {
        "max_tokens": 9,
        "temperature": 0.0,
        "top_p": 0.5,
        "stop": ["."],
        "seed": 0,
        "n": 2,
        "user": "u",
        "metadata": {"k": "v"},
        "response_format": {"type": "json_object"},
        "reasoning_effort": "low",
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "f",
                    "description": "does f",
                    "parameters": {"type": "object"},
                    "strict": True,
                },
            },
            {"type": "function", "function": {"name": "g"}},
        ],
        "tool_choice": {"type": "function", "function": {"name": "f"}},
        "parallel_tool_calls": False,
    } == {
        key: value
        for key, value in said.items()
        if key not in ("model", "messages", "stream", "stream_options")
    }


@pytest.mark.parametrize("mode", ["auto", "none", "required"])
def test_a_tool_choice_that_is_a_word(mode: Any) -> None:
    said = body(asking(tools=[ToolSpec("f")], tool_choice=ToolChoice(mode)))
    assert mode == said["tool_choice"]
    assert "parallel_tool_calls" not in said


def test_a_tool_choice_without_tools_is_left_out_with_a_note() -> None:
    out = build(asking(tool_choice=ToolChoice("required")))
    assert "tool_choice" not in json.loads(out.body)
    assert ["tool_choice"] == dropped(out)


def test_a_turn_of_tools_goes_out_as_the_vendor_wants_it() -> None:
    calls = Message(
        "assistant",
        [TextPart("Let me see."), ToolCallPart("c1", "f", '{"a":1}'), ToolCallPart("c2", "g")],
    )
    results = Message(
        "user", [ToolResultPart("c1", "1"), ToolResultPart("c2", "2"), TextPart("Go on.")]
    )
    assert [
        {
            "role": "assistant",
            "content": "Let me see.",
            "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}},
                {"id": "c2", "type": "function", "function": {"name": "g", "arguments": "{}"}},
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "1"},
        {"role": "tool", "tool_call_id": "c2", "content": "2"},
        {"role": "user", "content": "Go on."},
    ] == turns(calls, results)


def test_a_tool_message_is_its_results_alone() -> None:
    assert [{"role": "tool", "tool_call_id": "c1", "content": "1"}] == turns(
        Message("tool", [ToolResultPart("c1", "1")])
    )


def test_calls_without_text_have_null_for_content() -> None:
    assert turns(Message("assistant", [ToolCallPart("c1", "f")]))[0]["content"] is None


def test_images_go_as_image_url_and_single_text_as_text() -> None:
    [only] = turns(Message("user", [TextPart("hi")]))
    assert "hi" == only["content"]
    [both] = turns(Message("user", [TextPart("what?"), ImagePart("data:image/png;base64,AA==")]))
    assert [
        {"type": "text", "text": "what?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
    ] == both["content"]


def test_what_cannot_be_said_is_noted_once() -> None:
    messages = [
        Message(
            "assistant",
            [ReasoningPart("hm", "sig"), TextPart("a"), ImagePart("https://x.example/i.png")],
        ),
        Message("assistant", [ReasoningPart("hm"), TextPart("b")]),
        Message("tool", [ToolResultPart("c", "oops", is_error=True)]),
    ]
    out = build(ChatRequest(model="fast", messages=messages, reasoning=Reasoning(max_tokens=100)))
    assert [
        "messages.reasoning",
        "messages.image_url",
        "tool_result.is_error",
        "reasoning.max_tokens",
    ] == dropped(out)
    assert "reasoning_effort" not in json.loads(out.body)


def test_earlier_reasoning_goes_back_where_the_vendor_wants_it() -> None:
    [turn] = turns(
        Message("assistant", [ReasoningPart("hm"), TextPart("a")]),
        send_reasoning="reasoning_content",
    )
    assert {"role": "assistant", "content": "a", "reasoning_content": "hm"} == turn


@pytest.mark.parametrize(
    ("model", "field"),
    [
        ("gpt-4o", "max_tokens"),
        ("o1", "max_completion_tokens"),
        ("o3-mini", "max_completion_tokens"),
        ("o4-mini", "max_completion_tokens"),
        ("gpt-5-nano", "max_completion_tokens"),
        ("openai/gpt-5.1", "max_completion_tokens"),
        ("o1mega", "max_tokens"),
        ("mistral-o3", "max_tokens"),
    ],
)
def test_the_name_of_max_tokens_follows_the_model(model: str, field: str) -> None:
    assert 5 == body(asking(max_tokens=5), model=model)[field]


def test_options_of_the_upstream() -> None:
    out = build(
        asking(max_tokens=5, seed=7, user="u"),
        max_tokens_field="max_completion_tokens",
        include_usage=False,
        organization="org",
        project="proj",
        api_key_header="api-key",
        rename={"seed": "random_seed"},
        omit=["user", "metadata"],
    )
    said = json.loads(out.body)
    assert (5, 7) == (said["max_completion_tokens"], said["random_seed"])
    assert {"stream_options", "seed", "user"}.isdisjoint(said)
    assert ("sk-1", "org", "proj") == (
        out.headers["api-key"],
        out.headers["openai-organization"],
        out.headers["openai-project"],
    )
    assert "authorization" not in out.headers
    assert ["user"] == dropped(out)


def test_an_option_that_is_none_says_so() -> None:
    with pytest.raises(Refused, match=r"options of upstream openai.*include_usge") as caught:
        build(asking(), include_usge=False)
    assert "internal" == caught.value.failure.kind


def test_without_a_key_nothing_is_sent_for_one() -> None:
    assert "authorization" not in build(asking(), api_key=None).headers


def test_vendor_keys_are_merged_last() -> None:
    said = body(asking(temperature=1.0, vendor={"temperature": 0.1, "top_k": 5}))
    assert (0.1, 5) == (said["temperature"], said["top_k"])


def test_the_clients_model_goes_through_where_the_target_names_none() -> None:
    assert "fast" == body(asking(), model="")["model"]

"""What goes to a vendor."""

import json
from typing import Any

import msgspec
import pytest

from proxy.codec.base import Outgoing, TargetConfig
from proxy.dialects.openai_chat import DIALECT
from proxy.errors import Refused
from proxy.request import (
    AudioPart,
    Cache,
    ChatRequest,
    DocumentPart,
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
from proxy.settings.rules import NAMES, RuleBook

CLOSED = {"type": "object", "properties": {}, "additionalProperties": False}


def build(request: ChatRequest, **options: Any) -> Outgoing:
    assert DIALECT.upstream is not None
    model, key = options.pop("model", "gpt-4o-mini"), options.pop("api_key", "sk-1")
    rules = RuleBook("openai_chat", options.pop("vendor", None), {}).of(model)
    given = {name: options.pop(name) for name in list(options) if name in NAMES}
    rules = msgspec.structs.replace(rules, **given)
    return DIALECT.upstream.build_request(
        request, TargetConfig("openai", model, key, options, rules)
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
        tools=[ToolSpec("f", "does f", CLOSED, True), ToolSpec("g")],
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
                    "parameters": CLOSED,
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
        "messages.image_url",
        "messages.reasoning",
        "tool_result.is_error",
    ] == dropped(out)


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


ENCRYPTED = ReasoningPart("", "AA", redacted=True, format="anthropic-claude-v1")
SUMMED = ReasoningPart("so", "BB", format="openai-responses-v1", id="rs_1")
SIGNED = ReasoningPart("hm", "sig", format="anthropic-claude-v1")


def test_a_budget_is_said_as_an_effort_with_a_note() -> None:
    out = build(asking(reasoning=Reasoning(max_tokens=3000)))
    assert "medium" == json.loads(out.body)["reasoning_effort"]
    assert [("changed", "reasoning.max_tokens")] == [(n.note, n.param) for n in out.notes]


@pytest.mark.parametrize(
    ("way", "reasoning", "said"),
    [
        ("object", Reasoning(max_tokens=3000), {"reasoning": {"max_tokens": 3000}}),
        ("object", Reasoning("low"), {"reasoning": {"effort": "low"}}),
        ("object", Reasoning(adaptive=True), {"reasoning": {"enabled": True}}),
        ("switch", Reasoning("high"), {"thinking": {"type": "enabled"}}),
        ("switch", Reasoning("none"), {"thinking": {"type": "disabled"}}),
        (
            "budget",
            Reasoning(max_tokens=3000),
            {"enable_thinking": True, "thinking_budget": 3000},
        ),
        ("budget", Reasoning("none"), {"enable_thinking": False}),
        ("template", Reasoning("none"), {"chat_template_kwargs": {"enable_thinking": False}}),
        (
            "template",
            Reasoning("xhigh"),
            {"chat_template_kwargs": {"enable_thinking": True}, "reasoning_effort": "high"},
        ),
        ("object", Reasoning("low", 3000), {"reasoning": {"max_tokens": 3000}}),
        ("switch", Reasoning(max_tokens=3000), {"thinking": {"type": "enabled"}}),
        ("switch", Reasoning(adaptive=True), {"thinking": {"type": "enabled"}}),
        ("budget", Reasoning("low"), {"enable_thinking": True}),
        (
            "template",
            Reasoning(max_tokens=3000),
            {"chat_template_kwargs": {"enable_thinking": True}, "reasoning_effort": "medium"},
        ),
        *((way, Reasoning(summary="auto"), {}) for way in ("object", "switch", "budget")),
        *((way, Reasoning(summary="auto"), {}) for way in ("template", "effort")),
    ],
)
def test_how_much_to_think_is_said_in_the_vendors_way(
    way: str, reasoning: Reasoning, said: dict[str, Any]
) -> None:
    sent = body(asking(reasoning=reasoning), ask_reasoning=way)
    assert said == {
        key: value
        for key, value in sent.items()
        if key not in ("model", "messages", "stream", "stream_options")
    }


def test_reasoning_goes_back_to_openrouter_in_details() -> None:
    """Each proof with the word that says whose it is, and the text beside them."""
    call = ToolCallPart("c1", "f", "{}", signature="GG", format="google-gemini-v1")
    [turn] = turns(
        Message("assistant", [SIGNED, ENCRYPTED, SUMMED, ReasoningPart("x"), call]),
        vendor="openrouter",
        send_reasoning="reasoning_details",
    )
    claude, openai = {"format": "anthropic-claude-v1"}, {"format": "openai-responses-v1"}
    assert [
        {"type": "reasoning.text", "text": "hm", "signature": "sig", **claude, "index": 0},
        {"type": "reasoning.encrypted", "data": "AA", **claude, "index": 1},
        {"type": "reasoning.summary", "summary": "so", **openai, "index": 2, "id": "rs_1"},
        {"type": "reasoning.encrypted", "data": "BB", **openai, "index": 3, "id": "rs_1"},
        {
            "type": "reasoning.encrypted",
            "data": "GG",
            "format": "google-gemini-v1",
            "index": 4,
            "id": "c1",
        },
    ] == turn["reasoning_details"]
    assert "hmsox" == turn["reasoning"]


def test_reasoning_goes_back_in_thinking_blocks() -> None:
    out = build(
        ChatRequest(model="m", messages=[Message("assistant", [SIGNED, ENCRYPTED, SUMMED])]),
        send_reasoning="thinking_blocks",
    )
    [turn] = json.loads(out.body)["messages"]
    assert [
        {"type": "thinking", "thinking": "hm", "signature": "sig"},
        {"type": "redacted_thinking", "data": "AA"},
    ] == turn["thinking_blocks"]
    assert "hmso" == turn["reasoning_content"]
    assert ["messages.reasoning"] == dropped(out)


def test_geminis_proof_of_a_call_goes_back_to_gemini_alone() -> None:
    call = ToolCallPart("c1", "f", "{}", signature="GG", format="google-gemini-v1")
    talk = ChatRequest(model="m", messages=[Message("assistant", [call])])
    [sent] = body(talk, vendor="gemini-openai")["messages"][0]["tool_calls"]
    assert {"google": {"thought_signature": "GG"}} == sent["extra_content"]
    out = build(talk)
    assert "extra_content" not in json.loads(out.body)["messages"][0]["tool_calls"][0]
    assert ["tool_calls.signature"] == dropped(out)


def test_media_of_users_and_of_results() -> None:
    """Files and sound as parts; what a tool gave behind its results, as they hold text only."""
    png = ImagePart("data:image/png;base64,AA", "high")
    said = turns(
        Message(
            "user",
            [
                png,
                DocumentPart("data:application/pdf;base64,BB", "a.pdf"),
                AudioPart("data:audio/mpeg;base64,CC"),
                DocumentPart("data:text/plain;base64,aGk=", "n"),
            ],
        ),
        Message("assistant", [ToolCallPart("c1", "f")]),
        Message("tool", [ToolResultPart("c1", [TextPart("here"), png])]),
    )
    picture = {
        "type": "image_url",
        "image_url": {"url": "data:image/png;base64,AA", "detail": "high"},
    }
    assert [
        picture,
        {
            "type": "file",
            "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,BB"},
        },
        {"type": "input_audio", "input_audio": {"data": "CC", "format": "mp3"}},
        {"type": "text", "text": "n:\nhi"},
    ] == said[0]["content"]
    assert {"role": "tool", "tool_call_id": "c1", "content": "here"} == said[2]
    assert picture in said[3]["content"]


def test_media_that_the_vendor_does_not_take_are_noted() -> None:
    out = build(asking([TextPart("x"), ImagePart("https://h/i.png")]), vendor="deepseek")
    assert ["messages.image_url"] == dropped(out)
    out = build(asking([DocumentPart("https://h/a.pdf")]))
    assert ["messages.document"] == dropped(out)


def test_cache_marks_go_to_those_who_take_them() -> None:
    mark = Cache("1h")
    request = ChatRequest(
        model="m",
        messages=[Message("user", [TextPart("a", mark)])],
        system="s",
        system_parts=[TextPart("s", mark)],
        tools=[ToolSpec("f", cache=mark)],
        cache_key="k",
    )
    said = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
    sent = body(request, vendor="openrouter")
    assert [{"type": "text", "text": "s", **said}] == sent["messages"][0]["content"]
    assert [{"type": "text", "text": "a", **said}] == sent["messages"][1]["content"]
    assert [{"type": "function", "function": {"name": "f"}, **said}] == sent["tools"]
    out = build(request)
    assert "cache_control" not in out.body.decode()
    assert "k" == json.loads(out.body)["prompt_cache_key"]
    assert ["cache"] == dropped(out)


def test_tools_with_free_text_where_the_vendor_has_them() -> None:
    grammar = {"type": "grammar", "syntax": "lark", "definition": "start: /.+/"}
    tool = ToolSpec("run", "runs", custom=grammar)
    call = ToolCallPart("c1", "run", '{"input":"ls"}', custom=True)
    request = ChatRequest(
        model="m",
        messages=[Message("assistant", [call])],
        tools=[tool, ToolSpec("any", custom={})],
        tool_choice=ToolChoice("tool", "run"),
    )
    sent = body(request)
    assert {
        "id": "c1",
        "type": "custom",
        "custom": {"name": "run", "input": "ls"},
    } == sent["messages"][0]["tool_calls"][0]
    inner = {"syntax": "lark", "definition": "start: /.+/"}
    assert [
        {
            "type": "custom",
            "custom": {
                "name": "run",
                "description": "runs",
                "format": {"type": "grammar", "grammar": inner},
            },
        },
        {"type": "custom", "custom": {"name": "any"}},
    ] == sent["tools"]
    assert {"type": "custom", "custom": {"name": "run"}} == sent["tool_choice"]


def test_settings_that_servers_of_open_models_know() -> None:
    request = asking(top_k=5, min_p=0.1, repetition_penalty=1.1)
    sent = body(request, takes_also=["top_k", "min_p"])
    assert (5, 0.1) == (sent["top_k"], sent["min_p"])
    sent = body(asking(top_k=0, min_p=0.0), takes_also=["top_k", "min_p"])
    assert (0, 0.0) == (sent["top_k"], sent["min_p"])
    assert "repetition_penalty" not in sent
    assert ["top_k", "min_p", "repetition_penalty"] == dropped(build(request))


def test_a_model_that_thinks_is_not_sent_what_it_refuses() -> None:
    out = build(asking(temperature=0.1, max_tokens=5), vendor="openai", model="o3-mini")
    sent = json.loads(out.body)
    assert 5 == sent["max_completion_tokens"]
    assert "temperature" not in sent
    assert ["refused"] == dropped(out)


def test_an_address_that_no_vendor_of_this_dialect_fetches_is_left_out() -> None:
    """Where it is known what the vendor takes."""
    parts: list[Part] = [ImagePart("gs://bucket/x.png"), TextPart("?")]
    call = build(asking(parts), vendor="openai")
    assert "?" == json.loads(call.body)["messages"][0]["content"]
    assert ["messages.image_url"] == [note.param for note in call.notes]

"""A client's request to ours, and ours to the vendor's."""

import base64
import json
from typing import Any

import pytest

from proxy.codec.base import Parsed
from proxy.codec.relaying import built
from proxy.dialects.ollama import DIALECT
from proxy.errors import Refused
from proxy.request import (
    ChatRequest,
    ImagePart,
    Message,
    Reasoning,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolChoice,
    ToolResultPart,
    ToolSpec,
)
from proxy.settings.rules import RuleBook
from tests.dialects.answers import asked, params, posted, target

USER = [{"role": "user", "content": "hi"}]
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
JPEG = base64.b64encode(b"\xff\xd8\xff\xe0").decode()
TOOLS = [ToolSpec("t", "does it", {"type": "object"}), ToolSpec("u", strict=True)]


def post(form: str, **body: Any) -> Parsed:
    assert DIALECT.client is not None
    return DIALECT.client.parse_request(
        posted(json.dumps({"model": "m", **body}).encode(), path={"form": form})
    )


def chat(**body: Any) -> Parsed:
    return post("chat", **{"messages": USER, **body})


def build(request: ChatRequest, **options: Any) -> tuple[dict[str, Any], set[str]]:
    assert DIALECT.upstream is not None
    out = DIALECT.upstream.build_request(request, target(**options))
    assert f"/api/{options.get('endpoint', 'chat')}" == out.path
    return json.loads(out.body), params(out.notes)


def talk(*messages: Message, **more: Any) -> ChatRequest:
    return ChatRequest(model="m", messages=list(messages), **more)


# The client's


def test_everything_that_can_be_carried_is() -> None:
    request, options, notes, *_ = chat(
        messages=[{"role": "system", "content": "be kind"}, *USER],
        tools=[
            {
                "type": "function",
                "function": {"name": "t", "description": "d", "parameters": {"type": "object"}},
            }
        ],
        format={"type": "object"},
        options={"num_predict": 5, "temperature": 0.5, "top_p": 0.9, "seed": 7, "stop": ["x"]},
        think="high",
        stream=False,
    )
    assert ((), False) == (notes, options.generate)
    assert ("be kind", [Message("user", "hi")], False) == (
        request.system,
        request.messages,
        request.stream,
    )
    assert (5, 0.5, 0.9, 7, ["x"]) == (
        request.max_tokens,
        request.temperature,
        request.top_p,
        request.seed,
        request.stop,
    )
    assert ([ToolSpec("t", "d", {"type": "object"})], Reasoning("high")) == (
        request.tools,
        request.reasoning,
    )
    assert request.response_format is not None
    assert {"type": "object"} == request.response_format["json_schema"]["schema"]


def test_a_prompt_is_a_user_turn() -> None:
    request, options, notes, *_ = post(
        "generate",
        prompt="hi",
        system="be kind",
        images=[PNG],
        format="json",
        options={"stop": "x"},
    )
    assert ((), True, True) == (notes, options.generate, request.stream)
    assert [
        Message("user", [TextPart("hi"), ImagePart(f"data:image/png;base64,{PNG}")])
    ] == request.messages
    assert ("be kind", {"type": "json_object"}, ["x"]) == (
        request.system,
        request.response_format,
        request.stop,
    )


def test_turns_with_calls_thoughts_and_images() -> None:
    calls = [
        {"function": {"name": "t", "arguments": {"a": 1}}},
        {"function": {"name": "u"}},
        {"function": {"name": "t"}},
    ]
    parsed = chat(
        messages=[
            {"role": "user", "content": "", "images": [JPEG, "data:image/gif;base64,R0lG"]},
            {"role": "assistant", "content": "", "thinking": "hm", "tool_calls": calls},
            {"role": "tool", "tool_name": "u", "content": "two"},
            {"role": "tool", "content": "one"},
            {"role": "tool", "name": "t", "content": "three"},
            {"role": "assistant", "content": "done"},
        ]
    )
    assert [
        Message(
            "user",
            [ImagePart(f"data:image/jpeg;base64,{JPEG}"), ImagePart("data:image/gif;base64,R0lG")],
        ),
        Message(
            "assistant",
            [
                ReasoningPart("hm"),
                ToolCallPart("call_1_t", "t", '{"a":1}'),
                ToolCallPart("call_2_u", "u", "{}"),
                ToolCallPart("call_3_t", "t", "{}"),
            ],
        ),
        Message("tool", [ToolResultPart("call_2_u", "two")]),
        Message("tool", [ToolResultPart("call_1_t", "one")]),
        Message("tool", [ToolResultPart("call_3_t", "three")]),
        Message("assistant", "done"),
    ] == parsed.request.messages


def test_ids_are_kept_where_there_are_any() -> None:
    call = {"id": "c9", "function": {"name": "t", "arguments": '{"as":"text"}'}}
    results = [
        {"role": "tool", "tool_call_id": "c9", "content": "a"},
        {"role": "tool", "tool_call_id": "far", "content": "b"},
    ]
    messages = chat(
        messages=[*USER, {"role": "assistant", "tool_calls": [call]}, *results]
    ).request.messages
    assert [ToolCallPart("c9", "t", '{"as":"text"}')] == messages[1].content
    assert ["c9", "far"] == [
        part.id
        for message in messages[2:]
        for part in message.parts
        if isinstance(part, ToolResultPart)
    ]


def test_what_cannot_be_carried_is_noted() -> None:
    notes = chat(keep_alive="5m", options={"num_ctx": 1, "top_k": 2}, think=True, brand_new=1).notes
    assert {"keep_alive", "options", "think", "unknown_key"} == params(notes)
    notes = post(
        "generate", prompt="a", suffix="b", template="c", context=[1], raw=True, keep_alive=None
    ).notes
    assert {"suffix", "template", "context", "raw"} == params(notes)
    assert (
        ()
        == post(
            "generate",
            prompt="a",
            suffix="",
            template="",
            context=[],
            raw=False,
            format="",
            think=None,
        ).notes
    )


@pytest.mark.parametrize(
    ("think", "reasoning"),
    [
        (True, Reasoning(adaptive=True)),
        (False, Reasoning("none")),
        ("low", Reasoning("low")),
        ("max", Reasoning("max")),
        ("deep", None),
    ],
)
def test_levels_of_thinking(think: Any, reasoning: Any) -> None:
    assert reasoning == chat(think=think).request.reasoning


def test_no_limit_is_none() -> None:
    assert chat(options={"num_predict": -1}).request.max_tokens is None


@pytest.mark.parametrize(
    ("form", "body", "said"),
    [
        ("chat", {}, "messages must hold at least one message"),
        (
            "chat",
            {"messages": [{"role": "system", "content": "a"}]},
            "messages must hold a turn beside the system's.",
        ),
        (
            "chat",
            {"messages": [{"role": "tool", "content": "a"}]},
            "messages[0].tool_name is required",
        ),
        (
            "chat",
            {"messages": [{"role": "user", "images": ["!"]}]},
            "messages[0].images[0] must be an image in base64.",
        ),
        (
            "chat",
            {"messages": USER, "options": {"seed": "a"}},
            "options.seed must be a whole number, not text.",
        ),
        ("chat", {"messages": USER, "model": 7}, "model must be text, not a whole number."),
        ("generate", {}, "prompt is required"),
        ("generate", {"prompt": "a", "images": ["!"]}, "images[0] must be an image in base64."),
    ],
)
def test_what_is_wrong_is_named(form: str, body: dict[str, Any], said: str) -> None:
    with pytest.raises(Refused) as caught:
        post(form, **body)
    assert caught.value.failure.message.startswith(said)


# The vendor's


def test_every_setting_has_its_name() -> None:
    request = asked(
        "hi",
        system="be kind",
        max_tokens=5,
        temperature=0.5,
        top_p=0.9,
        stop=["x"],
        seed=7,
        tools=TOOLS[:1],
        response_format={"type": "json_object"},
        reasoning=Reasoning("none"),
    )
    body, notes = build(request)
    assert set() == notes
    assert {
        "model": "theirs",
        "stream": True,
        "messages": [{"role": "system", "content": "be kind"}, {"role": "user", "content": "hi"}],
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "t",
                    "parameters": {"type": "object"},
                    "description": "does it",
                },
            }
        ],
        "think": False,
        "format": "json",
        "options": {"num_predict": 5, "temperature": 0.5, "top_p": 0.9, "seed": 7, "stop": ["x"]},
    } == body


def test_the_operators_options_come_first_and_the_clients_own_last() -> None:
    request = asked("hi", seed=7, vendor={"options": {"num_ctx": 3}, "keep_alive": 0})
    body, _ = build(request, options={"num_ctx": 1, "seed": 1, "top_k": 2}, keep_alive="10m")
    assert ({"num_ctx": 3, "seed": 7, "top_k": 2}, 0) == (body["options"], body["keep_alive"])


def test_wrong_options_are_the_operators() -> None:
    assert DIALECT.upstream is not None
    with pytest.raises(Refused) as caught:
        DIALECT.upstream.build_request(asked("hi"), target(endpoint="completions"))
    assert "internal" == caught.value.failure.kind
    assert (
        "Bearer k"
        == DIALECT.upstream.build_request(asked("hi"), target(api_key="k")).headers["authorization"]
    )


def test_calls_and_results_are_in_the_vendors_form() -> None:
    calls = [ToolCallPart("c1", "t", '{"a":1}'), ToolCallPart("c2", "u", "nonsense")]
    turns = [
        Message(
            "user",
            [TextPart("a"), ImagePart(f"data:image/png;base64,{PNG}"), ImagePart("https://i")],
        ),
        Message("assistant", [ReasoningPart("hm", "signed"), TextPart("b"), *calls]),
        Message(
            "tool", [ToolResultPart("c2", "two", is_error=True), ToolResultPart("far", "three")]
        ),
    ]
    body, notes = build(talk(*turns))
    assert [
        {"role": "user", "content": "a", "images": [PNG]},
        {
            "role": "assistant",
            "content": "b",
            "thinking": "hm",
            "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "t", "arguments": {"a": 1}}},
                {
                    "id": "c2",
                    "type": "function",
                    "function": {"name": "u", "arguments": {"arguments": "nonsense"}},
                },
            ],
        },
        {"role": "tool", "content": "two", "tool_name": "u", "tool_call_id": "c2"},
        {"role": "tool", "content": "three", "tool_call_id": "far"},
    ] == body["messages"]
    assert {
        "messages.image_url",
        "messages.reasoning",
        "messages.tool_call",
        "tool_result.is_error",
    } == notes


def test_what_the_vendor_cannot_say_is_noted() -> None:
    _, notes = build(
        asked("hi", user="u", metadata={"a": 1}, n=2, response_format={"type": "grammar"})
    )
    assert {"user", "metadata", "n", "response_format"} == notes


def test_tool_choice_is_said_by_the_tools_that_are_named() -> None:
    def names(choice: ToolChoice) -> tuple[list[str], set[str]]:
        body, notes = build(asked("hi", tools=TOOLS, tool_choice=choice))
        return [tool["function"]["name"] for tool in body.get("tools", [])], notes

    assert ([], {"tool_choice"}) == names(ToolChoice("none"))
    assert (["t"], {"tool_choice", "tool_choice.parallel"}) == names(
        ToolChoice("tool", "t", parallel=False)
    )
    assert (["t", "u"], {"tool_choice", "tools.strict"}) == names(ToolChoice("required"))
    assert (["t", "u"], {"tools.strict"}) == names(ToolChoice("auto"))


@pytest.mark.parametrize(
    ("reasoning", "options", "think", "notes"),
    [
        (Reasoning("high"), {}, True, {"reasoning.effort"}),
        (Reasoning("high"), {"think_levels": True}, "high", set()),
        (Reasoning("minimal"), {"think_levels": True}, "low", {"reasoning.effort"}),
        (Reasoning(max_tokens=9), {}, True, {"reasoning.max_tokens"}),
        (Reasoning(max_tokens=8000), {"think_levels": True}, "medium", {"reasoning.max_tokens"}),
        (Reasoning(adaptive=True), {}, True, set()),
        (Reasoning(), {}, None, set()),
    ],
)
def test_how_hard_to_think(
    reasoning: Reasoning, options: dict[str, Any], think: Any, notes: set[str]
) -> None:
    body, said = build(asked("hi", reasoning=reasoning), **options)
    assert (think, notes) == (body.get("think"), said)


def test_gpt_oss_takes_levels() -> None:
    assert DIALECT.upstream is not None
    rules = RuleBook("ollama", None, {}).of("gpt-oss:20b")
    for effort, said in (("low", "low"), ("max", "high")):
        request = asked("hi", reasoning=Reasoning(effort))
        out = built(DIALECT.upstream, request, target()._replace(rules=rules))
        assert said == json.loads(out.body)["think"]


def test_a_schema_goes_bare() -> None:
    named = {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}}}
    assert ({"type": "object"}, {"response_format.name"}) == (
        (sent := build(asked("hi", response_format=named)))[0]["format"],
        sent[1],
    )
    assert "format" not in build(asked("hi", response_format={"type": "text"}))[0]


def test_generate_takes_one_prompt_with_the_newest_images() -> None:
    request = talk(
        Message(
            "user",
            [TextPart("a"), ImagePart(f"data:image/png;base64,{PNG}"), ImagePart("https://i")],
        ),
        system="be kind",
        tools=TOOLS,
        seed=7,
    )
    body, notes = build(request, endpoint="generate")
    assert {
        "model": "theirs",
        "stream": True,
        "prompt": "a",
        "system": "be kind",
        "images": [PNG],
        "options": {"seed": 7},
    } == body
    assert {"tools", "tools.strict", "messages.image_url"} == notes
    assert (
        "User: a\n\nAssistant: b\n\nUser: c"
        == build(asked("a", "b", "c"), endpoint="generate")[0]["prompt"]
    )


def test_there_must_be_something_to_say() -> None:
    with pytest.raises(Refused):
        build(talk())


def test_settings_that_change_nothing_ask_for_nothing() -> None:
    """A repetition is multiplied by 1, and 0 is what no penalty is."""
    options = {"repeat_penalty": 1.0, "presence_penalty": 0.0, "frequency_penalty": 0}
    asked = chat(messages=[{"role": "user", "content": "hi"}], options=options).request
    assert (None, None, None) == (
        asked.repetition_penalty,
        asked.presence_penalty,
        asked.frequency_penalty,
    )

"""A client's request to ours, and ours to the vendor's."""

import json
from typing import Any

import pytest

from proxy.codec.base import Parsed
from proxy.codec.rules import Rules
from proxy.dialects.cohere import DIALECT
from proxy.dialects.cohere.models import lists
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
from tests.dialects.answers import asked, params, posted, target

USER = [{"role": "user", "content": "hi"}]
CALL = {"id": "c1", "type": "function", "function": {"name": "t", "arguments": '{"a":1}'}}
TOOLS = [ToolSpec("t", "does it", {"type": "object"}), ToolSpec("u")]


def parse(**body: Any) -> Parsed:
    assert DIALECT.client is not None
    return DIALECT.client.parse_request(
        posted(json.dumps({"model": "m", "messages": USER, **body}).encode())
    )


def refusal(**body: Any) -> str:
    with pytest.raises(Refused) as caught:
        parse(**body)
    return caught.value.failure.message


def build(
    request: ChatRequest, *, thinks: bool | None = None, **options: Any
) -> tuple[dict[str, Any], set[str]]:
    assert DIALECT.upstream is not None
    to = target(**options)._replace(rules=Rules(thinks_by_default=thinks))
    out = DIALECT.upstream.build_request(request, to)
    assert "/v2/chat" == out.path
    return json.loads(out.body), params(out.notes)


def talk(*messages: Message, **more: Any) -> ChatRequest:
    return ChatRequest(model="m", messages=list(messages), **more)


# The client's


def test_everything_that_can_be_carried_is() -> None:
    request, _, notes, *_ = parse(
        messages=[{"role": "system", "content": "be kind"}, *USER],
        max_tokens=5,
        temperature=0.5,
        p=0.9,
        stop_sequences=["x"],
        seed=7,
        k=3,
        frequency_penalty=0.5,
        presence_penalty=0.25,
        logprobs=True,
        tools=[
            {
                "type": "function",
                "function": {"name": "t", "description": "d", "parameters": {"type": "object"}},
            }
        ],
        strict_tools=True,
        tool_choice="REQUIRED",
        response_format={"type": "json_object", "json_schema": {"type": "object"}},
        thinking={"type": "enabled", "token_budget": 99},
        stream=True,
    )
    assert () == notes
    assert ("be kind", [Message("user", "hi")], 5, 0.5, 0.9) == (
        request.system,
        request.messages,
        request.max_tokens,
        request.temperature,
        request.top_p,
    )
    assert (["x"], 7, [ToolSpec("t", "d", {"type": "object"}, True)]) == (
        request.stop,
        request.seed,
        request.tools,
    )
    assert (ToolChoice("required"), Reasoning(None, 99), True) == (
        request.tool_choice,
        request.reasoning,
        request.stream,
    )
    assert (3, 0.5, 0.25, True) == (
        request.top_k,
        request.frequency_penalty,
        request.presence_penalty,
        request.logprobs,
    )
    assert request.response_format is not None
    assert {"type": "object"} == request.response_format["json_schema"]["schema"]


def test_it_is_not_streamed_unless_asked() -> None:
    assert not parse().request.stream


def test_turns_with_calls_thoughts_and_images() -> None:
    turns = parse(
        messages=[
            {
                "role": "USER",
                "content": [
                    {"type": "text", "text": "a"},
                    {"type": "image_url", "image_url": {"url": "https://i", "detail": "high"}},
                ],
            },
            {"role": "assistant", "tool_plan": "I will", "tool_calls": [CALL]},
            {
                "role": "tool",
                "tool_call_id": "c1",
                "content": [{"type": "document", "document": {"id": "1", "data": {"x": 2}}}],
            },
            {
                "role": "assistant",
                "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "b"}],
                "citations": [{}],
            },
            {"role": "system", "content": "late"},
        ]
    )
    assert [
        Message("user", [TextPart("a"), ImagePart("https://i", "high")]),
        Message("assistant", [TextPart("I will"), ToolCallPart("c1", "t", '{"a":1}')]),
        Message("tool", [ToolResultPart("c1", '{"x":2}')]),
        Message("assistant", [ReasoningPart("hm"), TextPart("b")]),
        Message("system", "late"),
    ] == turns.request.messages
    assert {"messages.document", "messages.citations"} == params(turns.notes)


def test_documents_are_said_as_text() -> None:
    request, _, notes, *_ = parse(
        documents=["one", {"id": "d2", "data": {"title": "two"}}, {"data": "three"}]
    )
    assert (
        'Document doc:0:\none\n\nDocument d2:\n{"title":"two"}\n\nDocument doc:2:\nthree'
        == request.system
    )
    assert {"documents"} == params(notes)


def test_what_cannot_be_carried_is_noted() -> None:
    notes = parse(
        citation_options={"mode": "FAST"},
        safety_mode="STRICT",
        priority=1,
        brand_new=1,
        thinking={"type": "on"},
        tool_choice="AUTO",
        response_format={"type": "xml"},
        messages=[
            {"role": "user", "content": [{"type": "video"}]},
        ],
    ).notes
    assert {
        "citation_options",
        "safety_mode",
        "priority",
        "unknown_key",
        "thinking",
        "tool_choice",
        "response_format",
        "unknown_part",
    } == params(notes)
    assert (
        ()
        == parse(
            citation_options={"mode": "OFF"},
            safety_mode="OFF",
            priority=None,
        ).notes
    )


def test_thinking_may_be_left_to_the_model_or_forbidden() -> None:
    assert (Reasoning(adaptive=True), {"thinking"}) == (
        parse(thinking={"type": "enabled"}).request.reasoning,
        params(parse(thinking={"type": "enabled"}).notes),
    )
    assert Reasoning("none") == parse(thinking={"type": "disabled"}).request.reasoning


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"messages": []}, "messages must hold at least one message."),
        (
            {"messages": [{"role": "system", "content": "a"}]},
            "messages must hold a turn beside the system's.",
        ),
        ({"messages": [{"role": "user"}]}, "messages[0].content must be text or a list of parts."),
        ({"messages": [{"role": "tool", "content": "a"}]}, "messages[0].tool_call_id is required"),
        (
            {"messages": [{"role": "user", "content": [{"type": "text"}]}]},
            "messages[0].content[0].text is required",
        ),
        (
            {
                "messages": [
                    {"role": "system", "content": [{"type": "image_url", "image_url": "u"}]}
                ]
            },
            "messages[0].content[0] must be text",
        ),
        ({"max_tokens": 0}, "max_tokens must be"),
        ({"model": None}, "model must be text, not null"),
    ],
)
def test_what_is_wrong_is_named(body: dict[str, Any], said: str) -> None:
    assert refusal(**body).startswith(said)


def test_its_sdks_are_known_by_their_headers() -> None:
    assert lists({"x-fern-sdk-name": "cohere-ai"})
    assert lists({"user-agent": "cohere/5.0"})
    assert not lists({"user-agent": "OpenAI/Python 2"})


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
        tools=TOOLS,
        tool_choice=ToolChoice("required"),
        reasoning=Reasoning(max_tokens=99),
        vendor={"safety_mode": "OFF"},
    )
    body, notes = build(request)
    assert set() == notes
    assert {
        "model": "theirs",
        "messages": [{"role": "system", "content": "be kind"}, {"role": "user", "content": "hi"}],
        "stream": True,
        "max_tokens": 5,
        "temperature": 0.5,
        "p": 0.9,
        "stop_sequences": ["x"],
        "seed": 7,
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "t",
                    "parameters": {"type": "object"},
                    "description": "does it",
                },
            },
            {
                "type": "function",
                "function": {"name": "u", "parameters": {"type": "object", "properties": {}}},
            },
        ],
        "tool_choice": "REQUIRED",
        "thinking": {"type": "enabled", "token_budget": 99},
        "safety_mode": "OFF",
    } == body


def test_the_key_and_the_clients_name_go_in_headers() -> None:
    assert DIALECT.upstream is not None
    out = DIALECT.upstream.build_request(asked("hi"), target(api_key="k", client_name="me"))
    assert ("Bearer k", "me") == (out.headers["authorization"], out.headers["x-client-name"])
    with pytest.raises(Refused) as caught:
        DIALECT.upstream.build_request(asked("hi"), target(client_nam="me"))
    assert "internal" == caught.value.failure.kind


def test_what_the_vendor_cannot_say_is_noted() -> None:
    body, notes = build(
        asked("hi", user="u", metadata={"a": 1}, n=2, top_p=1, reasoning=Reasoning("low"))
    )
    assert {"user", "metadata", "n", "top_p", "reasoning.effort"} == notes
    assert (0.99, {"type": "enabled", "token_budget": 2048}) == (body["p"], body["thinking"])
    most = asked("hi", reasoning=Reasoning(adaptive=True))
    assert {"type": "enabled"} == build(most)[0]["thinking"]
    assert {"type": "disabled"} == build(asked("hi", reasoning=Reasoning("none")))[0]["thinking"]
    assert "thinking" not in build(asked("hi", reasoning=Reasoning()))[0]


def test_a_tool_by_name_is_that_tool_alone() -> None:
    body, notes = build(
        asked("hi", tools=TOOLS, tool_choice=ToolChoice("tool", "u", parallel=False))
    )
    assert (["u"], "REQUIRED") == (
        [tool["function"]["name"] for tool in body["tools"]],
        body["tool_choice"],
    )
    assert {"tool_choice", "tool_choice.parallel"} == notes
    assert (
        "NONE" == build(asked("hi", tools=TOOLS, tool_choice=ToolChoice("none")))[0]["tool_choice"]
    )
    assert "tool_choice" not in build(asked("hi", tools=TOOLS, tool_choice=ToolChoice("auto")))[0]
    assert {"tool_choice"} == build(asked("hi", tool_choice=ToolChoice("required")))[1]


def test_strictness_is_for_all_tools() -> None:
    strict, loose = ToolSpec("t", strict=True), ToolSpec("u")
    assert (True, set()) == (
        (sent := build(asked("hi", tools=[strict])))[0]["strict_tools"],
        sent[1],
    )
    assert (True, {"tools.strict"}) == (
        (sent := build(asked("hi", tools=[strict, loose])))[0]["strict_tools"],
        sent[1],
    )
    assert "strict_tools" not in build(asked("hi", tools=[loose]))[0]


@pytest.mark.parametrize(
    ("wanted", "sent", "notes"),
    [
        ({"type": "json_object"}, {"type": "json_object"}, set()),
        (
            {"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object"}}},
            {"type": "json_object", "json_schema": {"type": "object"}},
            {"response_format.name"},
        ),
        ({"type": "text"}, None, set()),
        ({"type": "grammar"}, None, {"response_format"}),
    ],
)
def test_forms_of_the_answer(wanted: dict[str, Any], sent: Any, notes: set[str]) -> None:
    body, said = build(asked("hi", response_format=wanted))
    assert (sent, notes) == (body.get("response_format"), said)


def test_a_form_and_tools_do_not_go_together() -> None:
    body, notes = build(asked("hi", response_format={"type": "json_object"}, tools=TOOLS))
    assert "response_format" not in body
    assert {"response_format"} == notes


TURN = Message(
    "assistant", [ReasoningPart("hm", "signed"), TextPart("Let me see."), ToolCallPart("c1", "t")]
)
RESULT = Message("tool", [ToolResultPart("c1", "21", is_error=True)])


def test_text_beside_calls_is_a_plan() -> None:
    body, notes = build(talk(Message("user", "hi"), TURN, RESULT))
    call = {"id": "c1", "type": "function", "function": {"name": "t", "arguments": "{}"}}
    assert [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "tool_plan": "hm\n\nLet me see.", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "21"},
    ] == body["messages"]
    assert {"messages.reasoning", "messages.text", "tool_result.is_error"} == notes


def test_text_beside_calls_is_thinking_where_the_model_thinks() -> None:
    thought = [{"type": "thinking", "thinking": "hm\n\nLet me see."}]
    assert thought == build(talk(TURN), thinks=True)[0]["messages"][0]["content"]
    assert (
        thought == build(talk(TURN, reasoning=Reasoning(max_tokens=9)))[0]["messages"][0]["content"]
    )
    assert (
        "content"
        not in build(talk(TURN, reasoning=Reasoning("none")), thinks=True)[0]["messages"][0]
    )
    bare, notes = build(talk(TURN), tool_plan=False)
    assert {"role", "tool_calls"} == set(bare["messages"][0])
    assert "messages.tool_plan" in notes


def test_reasoning_goes_back_only_where_the_model_thinks() -> None:
    turn = Message("assistant", [ReasoningPart("hm"), TextPart("a")])
    body, notes = build(talk(turn), thinks=True)
    assert [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "a"}] == body[
        "messages"
    ][0]["content"]
    assert set() == notes
    body, notes = build(talk(turn))
    assert ("a", {"messages.reasoning"}) == (body["messages"][0]["content"], notes)


def test_images_are_the_users() -> None:
    picture = ImagePart("data:image/png;base64,AAAA")
    body, notes = build(
        talk(
            Message("user", [TextPart("a"), picture]),
            Message("assistant", [TextPart("b"), picture]),
        )
    )
    assert {"type": "image_url", "image_url": {"url": picture.url}} == body["messages"][0][
        "content"
    ][1]
    assert ("b", {"messages.image_url"}) == (body["messages"][1]["content"], notes)


def test_turns_that_say_nothing_are_left_out() -> None:
    body, _ = build(talk(Message("user", "hi"), Message("assistant", ""), Message("user", "again")))
    assert ["hi", "again"] == [message["content"] for message in body["messages"]]
    with pytest.raises(Refused):
        build(talk(Message("user", "")))


def test_a_schema_may_have_its_older_name() -> None:
    form = {"type": "json_object", "schema": {"type": "object"}}
    request = parse(response_format=form).request
    assert request.response_format is not None
    assert {"type": "object"} == request.response_format["json_schema"]["schema"]


def test_penalties_and_arguments_are_within_what_the_vendor_reads() -> None:
    turns = [
        Message("user", "hi"),
        Message("assistant", [ToolCallPart("c1", "t", "{")]),
        Message("tool", [ToolResultPart("c1", "42")]),
    ]
    body, notes = build(talk(*turns, frequency_penalty=1.5, presence_penalty=-1))
    assert (1, 0) == (body["frequency_penalty"], body["presence_penalty"])
    (call,) = body["messages"][1]["tool_calls"]
    assert {"arguments": "{"} == json.loads(call["function"]["arguments"])
    assert {"frequency_penalty", "presence_penalty", "messages.tool_call"} == notes


def test_k_of_0_asks_for_nothing() -> None:
    """It is the vendor's default."""
    assert None is parse(messages=[{"role": "user", "content": "hi"}], k=0).request.top_k

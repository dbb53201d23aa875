"""Requests to ConverseStream. botocore judges each of them in tests/oracle."""

import json
from typing import Any

import pytest

from proxy.codec.base import Outgoing, Signing, TargetConfig
from proxy.dialects.bedrock_converse import DIALECT
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

CLAUDE = "eu.anthropic.claude-sonnet-4-20250514-v1:0"
ARN = "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/a1b2.c3"
PNG = "data:image/png;base64,iVBORw0KGgo="
WEATHER = ToolSpec(
    "weather", "The weather", {"type": "object", "properties": {"city": {"type": "string"}}}
)
HI = [Message("user", "Hi")]


def built(request: ChatRequest, model: str = "amazon.nova-lite-v1:0", **target: Any) -> Outgoing:
    assert DIALECT.upstream is not None
    return DIALECT.upstream.build_request(request, TargetConfig("aws", model, **target))


def body(request: ChatRequest, model: str = "amazon.nova-lite-v1:0") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(built(request, model).body)
    return found


def ask(messages: list[Message] = HI, **more: Any) -> ChatRequest:
    return ChatRequest(model="asked", messages=messages, **more)


def notes(request: ChatRequest, model: str = "amazon.nova-lite-v1:0") -> list[tuple[str, str]]:
    return [(note.note, note.param) for note in built(request, model).notes]


def test_a_talk_with_all_that_it_can_hold() -> None:
    """System, images, calls, results and signed reasoning, in turns that alternate, results
    first."""
    talk = [
        Message("user", [TextPart("What is this?"), ImagePart(PNG)]),
        Message(
            "assistant",
            [ReasoningPart("Hm", "sig"), ToolCallPart("call|1", "weather", '{"city": "Oslo"}')],
        ),
        Message("user", "And?"),
        Message(
            "tool", [ToolResultPart("call|1", "rain", is_error=True), ToolResultPart("b", " ")]
        ),
    ]
    found = body(ask(talk, system="Be brief.", tools=[WEATHER]))
    assert [{"text": "Be brief."}] == found["system"]
    assert [
        {
            "role": "user",
            "content": [
                {"text": "What is this?"},
                {"image": {"format": "png", "source": {"bytes": "iVBORw0KGgo="}}},
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"reasoningContent": {"reasoningText": {"text": "Hm", "signature": "sig"}}},
                {"toolUse": {"toolUseId": "call_1", "name": "weather", "input": {"city": "Oslo"}}},
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "toolResult": {
                        "toolUseId": "call_1",
                        "content": [{"text": "rain"}],
                        "status": "error",
                    }
                },
                {"toolResult": {"toolUseId": "b", "content": [{"text": "(nothing)"}]}},
                {"text": "And?"},
            ],
        },
    ] == found["messages"]


def test_settings_have_their_own_names() -> None:
    """And what the service keeps beside the request is what may be kept."""
    request = ask(
        max_tokens=9,
        temperature=0.5,
        top_p=0.9,
        stop=["END"],
        metadata={"team": "a b", "bad": "ü", "n": 1},
    )
    found = body(request)
    assert {"maxTokens": 9, "temperature": 0.5, "topP": 0.9, "stopSequences": ["END"]} == found[
        "inferenceConfig"
    ]
    assert {"team": "a b"} == found["requestMetadata"]
    assert [("dropped", "metadata")] == notes(request)


def test_what_cannot_be_said_is_noted() -> None:
    """Each with the name of its field."""
    request = ask(
        [
            Message("user", [TextPart("Hi"), ImagePart("https://a.example/x.png")]),
            Message("assistant", [ReasoningPart("unsigned"), ToolCallPart("a", "f", "no json")]),
            Message("system", "Late."),
        ],
        tools=[WEATHER],
        temperature=1.5,
        seed=1,
        n=2,
        user="u",
        response_format={"type": "json_object"},
        tool_choice=ToolChoice("auto", parallel=False),
    )
    assert {
        ("dropped", "messages.image_url"),
        ("dropped", "messages.reasoning"),
        ("changed", "messages.tool_call"),
        ("changed", "messages.system"),
        ("changed", "temperature"),
        ("dropped", "seed"),
        ("dropped", "n"),
        ("dropped", "user"),
        ("dropped", "response_format"),
        ("dropped", "tool_choice.parallel"),
    } == set(notes(request))
    assert 1 == body(request)["inferenceConfig"]["temperature"]


@pytest.mark.parametrize(
    ("choice", "wire"),
    [
        (ToolChoice("auto"), {"auto": {}}),
        (ToolChoice("required"), {"any": {}}),
        (ToolChoice("tool", "weather"), {"tool": {"name": "weather"}}),
        (None, None),
    ],
)
def test_tools_and_their_choice(choice: ToolChoice | None, wire: dict[str, Any] | None) -> None:
    """A tool without parameters or description is one all the same."""
    found = body(ask(tools=[WEATHER, ToolSpec("now", "", strict=True)], tool_choice=choice))[
        "toolConfig"
    ]
    assert wire == found.get("toolChoice")
    schema = {"json": {"type": "object", "properties": {}}}
    assert {"toolSpec": {"name": "now", "inputSchema": schema, "strict": True}} == found["tools"][1]


def test_no_tool_at_all() -> None:
    """The service has no word for it: the tools stay away, unless earlier turns used them."""
    none = ToolChoice("none")
    assert "toolConfig" not in body(ask(tools=[WEATHER], tool_choice=none))
    assert [("changed", "tool_choice")] == notes(ask(tools=[WEATHER], tool_choice=none))
    used = [
        *HI,
        Message("assistant", [ToolCallPart("a", "weather")]),
        Message("tool", [ToolResultPart("a", "x")]),
    ]
    assert "toolChoice" not in body(ask(used, tools=[WEATHER], tool_choice=none))["toolConfig"]
    assert [("dropped", "tool_choice")] == notes(ask(used, tools=[WEATHER], tool_choice=none))


def test_tools_that_earlier_turns_used_are_named_where_the_client_names_none() -> None:
    """The service refuses such a talk otherwise."""
    used = [
        *HI,
        Message("assistant", [ToolCallPart("a", "f"), ToolCallPart("b", "f")]),
        Message("tool", [ToolResultPart("c", "x")]),
    ]
    assert ["f", "unknown"] == [
        tool["toolSpec"]["name"] for tool in body(ask(used))["toolConfig"]["tools"]
    ]
    assert [("defaulted", "tools")] == notes(ask(used))


def test_a_schema_for_the_answer() -> None:
    """It is said as JSON text."""
    form = {
        "type": "json_schema",
        "json_schema": {"name": "n", "schema": {"type": "object"}, "strict": True},
    }
    text = body(ask(response_format=form))["outputConfig"]["textFormat"]
    assert {
        "type": "json_schema",
        "structure": {"jsonSchema": {"schema": '{"type":"object"}', "name": "n"}},
    } == text


@pytest.mark.parametrize(
    ("model", "reasoning", "extra"),
    [
        (
            CLAUDE,
            Reasoning(max_tokens=2000),
            {"thinking": {"type": "enabled", "budget_tokens": 2000}},
        ),
        (CLAUDE, Reasoning("high"), {"thinking": {"type": "enabled", "budget_tokens": 16384}}),
        (
            CLAUDE,
            Reasoning(max_tokens=10),
            {"thinking": {"type": "enabled", "budget_tokens": 1024}},
        ),
        (
            "us.amazon.nova-2-lite-v1:0",
            Reasoning("medium"),
            {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "medium"}},
        ),
        (
            "us.amazon.nova-2-lite-v1:0",
            Reasoning(max_tokens=9000),
            {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "high"}},
        ),
        ("openai.gpt-oss-120b-1:0", Reasoning("minimal"), {"reasoning_effort": "low"}),
        ("meta.llama3-8b-instruct-v1:0", Reasoning("high"), None),
        (CLAUDE, Reasoning("none", 2000), None),
        (CLAUDE, Reasoning(), None),
    ],
)
def test_thinking_is_said_in_the_models_own_words(
    model: str, reasoning: Reasoning, extra: dict[str, Any] | None
) -> None:
    """Converse has none of its own."""
    assert extra == body(ask(reasoning=reasoning), model).get("additionalModelRequestFields")


def test_what_does_not_go_with_claudes_thinking() -> None:
    """The budget is put on top of the answer, temperature stays away, and a forced call forbids
    it."""
    request = ask(reasoning=Reasoning(max_tokens=2000), max_tokens=100, temperature=0.3)
    assert {"maxTokens": 2100} == body(request, CLAUDE)["inferenceConfig"]
    assert [("dropped", "temperature"), ("changed", "max_tokens")] == notes(request, CLAUDE)
    forced = ask(reasoning=Reasoning("low"), tools=[WEATHER], tool_choice=ToolChoice("required"))
    assert [("dropped", "reasoning")] == notes(forced, CLAUDE)


def test_the_clients_own_keys_go_over_ours() -> None:
    """The model's own fields one by one."""
    request = ask(
        reasoning=Reasoning(max_tokens=2000),
        vendor={"additionalModelRequestFields": {"top_k": 5}, "serviceTier": {"type": "flex"}},
    )
    found = body(request, CLAUDE)
    assert {"thinking", "top_k"} == set(found["additionalModelRequestFields"])
    assert {"type": "flex"} == found["serviceTier"]


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a",
        "data:image/png;base64,%%%",
        "data:image/png,x",
        "data:image/tiff;base64,AAAA",
        "s3://bucket/a.tiff",
        "data:image/png;base64,",
    ],
)
def test_images_that_have_no_form_here(url: str) -> None:
    """Refused, with the place named."""
    with pytest.raises(Refused, match=r"messages\[0\].content\[0\].url") as refused:
        built(ask([Message("user", [ImagePart(url)])]))
    assert "messages[0].content[0].url" == refused.value.failure.param


def test_an_image_in_s3() -> None:
    """The service reads it itself."""
    (turn,) = body(ask([Message("user", [ImagePart("s3://bucket/a/b.JPG")])]))["messages"]
    assert {"format": "jpeg", "source": {"s3Location": {"uri": "s3://bucket/a/b.JPG"}}} == turn[
        "content"
    ][0]["image"]


def test_nothing_to_say() -> None:
    """Refused."""
    with pytest.raises(Refused, match="not empty"):
        built(ask([Message("user", " ")]))


def test_the_path_of_an_arn_is_one_segment() -> None:
    """Slashes and colons are encoded, as botocore encodes them (which `built` has checked)."""
    assert (
        "/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A123456789012%3Aapplication-inference-profile%2Fa1b2.c3/converse-stream"
        == built(ask(), ARN).path
    )


def test_a_bedrock_api_key_is_sent_and_nothing_signed() -> None:
    """Without one the shell is asked for a signature, with what is configured."""
    call = built(ask(), api_key="bedrock-key")
    assert ("Bearer bedrock-key", None) == (call.headers["authorization"], call.sign)
    call = built(
        ask(),
        options={"region": "eu-west-1", "aws_access_key_id": "AK", "aws_secret_access_key": "SK"},
    )
    assert "authorization" not in call.headers
    assert Signing("bedrock", "eu-west-1", "AK", "SK") == call.sign


@pytest.mark.parametrize("options", [{"region": 123456789}, {"regio": 123456789}])
def test_wrong_options_are_the_operators_fault(options: dict[str, Any]) -> None:
    """The sentence names the option and not its value."""
    with pytest.raises(Refused, match="regio") as refused:
        built(ask(), options=options)
    assert "internal" == refused.value.failure.kind
    assert "123456789" not in refused.value.failure.message

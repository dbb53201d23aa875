"""Requests to ConverseStream. botocore judges each of them in tests/oracle."""

import json
from typing import Any

import pytest

from proxy.codec import proofs
from proxy.codec.base import Outgoing, Signing, TargetConfig
from proxy.codec.relaying import built as ruled
from proxy.codec.rules import Names
from proxy.dialects.bedrock_converse import DIALECT
from proxy.errors import Refused
from proxy.request import (
    Cache,
    ChatRequest,
    DocumentPart,
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

CLAUDE = "eu.anthropic.claude-sonnet-4-20250514-v1:0"
ARN = "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/a1b2.c3"
PNG = "data:image/png;base64,iVBORw0KGgo="
CALL_ID = Names(chars="a-zA-Z0-9_-", most=64).fitted("call|1")
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
                {"toolUse": {"toolUseId": CALL_ID, "name": "weather", "input": {"city": "Oslo"}}},
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "toolResult": {
                        "toolUseId": CALL_ID,
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


@pytest.mark.parametrize("choice", [ToolChoice("required"), ToolChoice("tool", "now")])
def test_a_choice_among_no_tools_is_noted(choice: ToolChoice) -> None:
    """As where the only tools were such as another vendor runs itself."""
    assert "toolConfig" not in body(ask(tool_choice=choice))
    assert [("dropped", "tool_choice")] == notes(ask(tool_choice=choice))


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
    """It is said as JSON text, and closed, as the service wants it."""
    closed = '{"type":"object","additionalProperties":false}'
    form = {
        "type": "json_schema",
        "json_schema": {"name": "n", "schema": {"type": "object"}, "strict": True},
    }
    text = body(ask(response_format=form))["outputConfig"]["textFormat"]
    assert {
        "type": "json_schema",
        "structure": {"jsonSchema": {"schema": closed, "name": "n"}},
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
    assert [("changed", "max_tokens"), ("dropped", "temperature")] == notes(request, CLAUDE)
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


BOOK = RuleBook("bedrock_converse", None, {})
HAIKU = "eu.anthropic.claude-haiku-4-5-20251001-v1:0"
OPUS = "global.anthropic.claude-opus-4-7-v1"
POINT = {"cachePoint": {"type": "default"}}


def under_rules(model: str, messages: list[Message] = HI, **more: Any) -> Outgoing:
    assert DIALECT.upstream is not None
    target = TargetConfig("aws", model, rules=BOOK.of(model))
    return ruled(DIALECT.upstream, ask(messages, **more), target)


def said(call: Outgoing) -> list[tuple[str, str]]:
    return [(note.note, note.param) for note in call.notes]


def test_marks_of_the_prompt_cache_are_points_behind_what_they_mark() -> None:
    """In the system text, the tools and the turns; also behind a result, which stands first."""
    talk = [
        Message("user", [TextPart("a", Cache()), ImagePart(PNG, cache=Cache("1h"))]),
        Message("assistant", [ToolCallPart("c", "f", cache=Cache())]),
        Message("user", "so"),
        Message("tool", [ToolResultPart("c", "r", cache=Cache())]),
    ]
    more: dict[str, Any] = {
        "system": "x\n\ny",
        "system_parts": [TextPart("x"), TextPart("y", Cache())],
        "tools": [ToolSpec("f", cache=Cache())],
    }
    call = under_rules(HAIKU, talk, **more)
    found = json.loads(call.body)
    assert [{"text": "x"}, {"text": "y"}, POINT] == found["system"]
    assert [POINT] == found["toolConfig"]["tools"][1:]
    user, assistant, results = (turn["content"] for turn in found["messages"])
    assert [POINT, {"cachePoint": {"type": "default", "ttl": "1h"}}] == user[1::2]
    assert POINT == assistant[1]
    assert ["toolResult", "cachePoint", "text"] == [next(iter(block)) for block in results]
    assert [] == said(call)
    llama = under_rules("meta.llama3-8b-instruct-v1:0", talk, **more)
    assert b"cachePoint" not in llama.body
    places = ("system", "messages", "tools")
    assert {("dropped", f"{place}.cache") for place in places} == set(said(llama))


def test_documents_and_media_of_results() -> None:
    """A document has a name of plain signs, and never stands without a text."""
    pdf = DocumentPart("data:application/pdf;base64,JVBERg==", "A  b_c.pdf", True)
    text = DocumentPart("data:text/plain;base64,aGk=")
    block = {"format": "pdf", "name": "A b c pdf", "source": {"bytes": "JVBERg=="}}
    cited = {"document": block | {"citations": {"enabled": True}}}
    plain = {"document": {"format": "txt", "name": "document", "source": {"bytes": "aGk="}}}
    found = body(ask([Message("user", [pdf, text])]))["messages"][0]["content"]
    assert [cited, plain, {"text": "(see the document)"}] == found
    image = {"image": {"format": "png", "source": {"bytes": "iVBORw0KGgo="}}}
    results = Message("tool", [ToolResultPart("c", [TextPart("see"), ImagePart(PNG), text])])
    result = body(ask([*HI, results]))["messages"][0]["content"][0]["toolResult"]
    assert [{"text": "see"}, image, plain] == result["content"]
    called_picture = ImagePart("data:application/pdf;base64,JVBERg==")
    as_document = body(ask([Message("user", [TextPart("x"), called_picture])]))
    assert "document" in as_document["messages"][0]["content"][1]
    odd = [Message("user", [TextPart("x"), DocumentPart("data:a/b;base64,aGk=")])]
    assert [("dropped", "messages.document")] == notes(ask(odd))


@pytest.mark.parametrize(
    ("model", "reasoning", "extra", "most"),
    [
        (
            OPUS,
            Reasoning("high"),
            {
                "thinking": {"type": "adaptive", "display": "summarized"},
                "output_config": {"effort": "high"},
            },
            32_000,
        ),
        (
            HAIKU,
            Reasoning(max_tokens=9000),
            {"thinking": {"type": "enabled", "budget_tokens": 9000}},
            41_000,
        ),
        ("anthropic.claude-opus-5", Reasoning("none"), {"thinking": {"type": "disabled"}}, None),
        (HAIKU, None, None, None),
    ],
)
def test_claude_thinks_as_its_model_can(
    model: str, reasoning: Reasoning | None, extra: dict[str, Any] | None, most: int | None
) -> None:
    """By what is known of it; where it thinks it gets room for the answer, too."""
    found = json.loads(under_rules(model, reasoning=reasoning).body)
    assert extra == found.get("additionalModelRequestFields")
    assert most == found.get("inferenceConfig", {}).get("maxTokens")


def test_what_a_claude_model_refuses() -> None:
    """Sampling, or one of two; names and ids; a forced tool; an answer that was begun."""
    more: dict[str, Any] = {"temperature": 0.2, "top_p": 0.9, "top_k": 4}
    assert "inferenceConfig" not in json.loads(under_rules(OPUS, **more).body)
    haiku = json.loads(under_rules(HAIKU, **more).body)
    assert {"temperature": 0.2} == haiku["inferenceConfig"]
    assert {"top_k": 4} == haiku["additionalModelRequestFields"]
    long = "x" * 70
    call = under_rules(HAIKU, tools=[ToolSpec(long)])
    (tool,) = json.loads(call.body)["toolConfig"]["tools"]
    assert {tool["toolSpec"]["name"]: long} == call.tool_names
    forced: dict[str, Any] = {"tools": [WEATHER], "tool_choice": ToolChoice("required")}
    free = under_rules("anthropic.claude-opus-5-5", **forced)
    assert {"auto": {}} == json.loads(free.body)["toolConfig"]["toolChoice"]
    assert [("changed", "tool_choice")] == said(free)
    begun = under_rules(OPUS, [*HI, Message("assistant", "{")])
    assert "user" == json.loads(begun.body)["messages"][-1]["role"]
    assert [("changed", "messages.prefill")] == said(begun)


def test_proofs_go_to_the_models_that_made_them() -> None:
    """Claude's to Claude, encrypted ones in base64; those of others to nobody here."""
    parts = [
        ReasoningPart("", "enc", redacted=True, format=proofs.ANTHROPIC),
        ReasoningPart("a", "sig", format=proofs.ANTHROPIC),
        ReasoningPart("b", "gAAA", format=proofs.OPENAI),
        ToolCallPart("c", "f", signature="g", format=proofs.GEMINI),
    ]
    talk = [*HI, Message("assistant", [*parts]), Message("tool", [ToolResultPart("c", "r")])]
    call = under_rules(HAIKU, talk, tools=[ToolSpec("f")])
    assert [
        {"reasoningContent": {"redactedContent": "ZW5j"}},
        {"reasoningContent": {"reasoningText": {"text": "a", "signature": "sig"}}},
        {"toolUse": {"toolUseId": "c", "name": "f", "input": {}}},
    ] == json.loads(call.body)["messages"][1]["content"]
    lost = [("dropped", "messages.reasoning"), ("dropped", "messages.tool_call.signature")]
    assert lost == said(call)
    nova = under_rules("amazon.nova-lite-v1:0", talk, tools=[ToolSpec("f")])
    assert b"reasoningContent" not in nova.body


def test_other_settings() -> None:
    """Service tiers have OpenAI's names; Nova has a top_k of its own; the rest is noted."""
    assert {"type": "flex"} == body(ask(service_tier="flex"))["serviceTier"]
    assert [("dropped", "service_tier")] == notes(ask(service_tier="scale"))
    extra = body(ask(top_k=3))["additionalModelRequestFields"]
    assert {"inferenceConfig": {"topK": 3}} == extra
    assert [("dropped", "top_k")] == notes(ask(top_k=3), "meta.llama3-8b-instruct-v1:0")
    assert [("dropped", "min_p"), ("dropped", "cache_key")] == notes(ask(min_p=0.1, cache_key="k"))


def test_the_user_begins_and_an_answer_that_was_begun_ends_in_no_white_space() -> None:
    """The API refuses both."""
    talk = [Message("assistant", "Hello"), *HI, Message("assistant", "So ")]
    found = body(ask(talk))["messages"]
    assert ["user", "assistant", "user", "assistant"] == [turn["role"] for turn in found]
    assert [{"text": "So"}] == found[3]["content"]
    assert ("changed", "messages") in notes(ask(talk))


def test_documents_of_one_name_in_turns_and_results_are_told_apart() -> None:
    pdf = DocumentPart("data:application/pdf;base64,JVBERi0xLjM=")
    talk = [
        Message("user", [pdf, pdf, TextPart("?")]),
        Message("assistant", [ToolCallPart("c", "f", "{}")]),
        Message("tool", [ToolResultPart("c", [pdf])]),
    ]
    first, _, result = body(ask(talk))["messages"]
    shown = [*first["content"], *result["content"][0]["toolResult"]["content"]]
    assert ["document", "document (2)", "document (3)"] == [
        block["document"]["name"] for block in shown if "document" in block
    ]

"""The request that the vendor gets: every field of ours in its place, and a note for what has
none."""

import json
from typing import Any

import msgspec
import pytest

from proxy.codec.base import Outgoing, TargetConfig
from proxy.codec.proofs import ANTHROPIC, GEMINI
from proxy.codec.relaying import built
from proxy.codec.rules import Rules
from proxy.dialects.gemini import DIALECT
from proxy.dialects.gemini.build import build_request
from proxy.dialects.gemini.signatures import NO_SIGNATURE
from proxy.errors import Refused
from proxy.request import (
    AudioPart,
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
from tests.dialects.answers import asked, params, target

VERTEX = {"project": "my-project", "location": "europe-west1"}


def sent(request: ChatRequest, model: str = "gemini-2.5-flash", **options: Any) -> Outgoing:
    """Under the rules that the catalogue has for the model."""
    assert DIALECT.upstream is not None
    rules = RuleBook("gemini", None, {}).of(model)
    return built(DIALECT.upstream, request, target(**options)._replace(model=model, rules=rules))


def body(request: ChatRequest, model: str = "gemini-2.5-flash", **options: Any) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(sent(request, model, **options).body)
    return said


def notes(request: ChatRequest, model: str = "gemini-2.5-flash", **options: Any) -> set[str]:
    return params(sent(request, model, **options).notes)


def test_the_plain_request():
    """Path, key and body; nothing that was not asked for."""
    out = build_request(asked("hi"), target(api_key="k")._replace(model="models/gemini-2.5-flash"))
    assert ("/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse", "k") == (
        out.path,
        out.headers["x-goog-api-key"],
    )
    assert {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]} == json.loads(out.body)
    assert () == out.notes


def test_vertex_and_the_array_form():
    """Another path and a Bearer token; no `alt`."""
    out = build_request(asked("hi"), target(api_key="t", vertex=VERTEX, form="array"))
    assert (
        "/v1/projects/my-project/locations/europe-west1/publishers/google/models/theirs:streamGenerateContent"
        == out.path
    )
    assert "Bearer t" == out.headers["authorization"]
    assert "x-goog-api-key" not in out.headers


@pytest.mark.parametrize(
    ("model", "path"),
    [
        ("a b@1+2", "a%20b%401%2B2"),
        ("vendor/x", "vendor/x"),
        ("tunedModels/x", None),
        ("a.b..c", "a.b..c"),
    ],
)
def test_models_are_quoted_in_the_path(model: str, path: str | None):
    out = build_request(asked("hi"), target()._replace(model=model))
    assert (
        f"/v1beta/{f'models/{path}' if path else model}:streamGenerateContent?alt=sse" == out.path
    )


@pytest.mark.parametrize(
    "model",
    [
        "../x",
        "a/../b",
        "..",
        ".",
        "a//b",
        "/a",
        "a/",
        "a?b",
        "a#b",
        "a%2e",
        "a\\b",
        "é",
        "a\nb",
        "models/",
        "x" * 99 + "?",
    ],
)
def test_models_that_lead_elsewhere_are_refused(model: str):
    """Wherever the name is from."""
    for request, place in (
        (asked("hi"), model),
        (ChatRequest(model=model, messages=[Message("user", "hi")]), ""),
    ):
        with pytest.raises(Refused) as caught:
            build_request(request, target()._replace(model=place or model))
        assert "model" == caught.value.failure.param


@pytest.mark.parametrize("options", [{"form": "xml"}, {"vertex": {"project": "p"}}, {"unknown": 1}])
def test_wrong_options_are_the_operators(options: dict[str, Any]):
    with pytest.raises(Refused) as caught:
        build_request(asked("hi"), target(**options))
    assert "internal" == caught.value.failure.kind


def test_settings():
    """Everything that the API has a word for."""
    request = asked(
        "hi",
        system="Be brief.",
        max_tokens=9,
        temperature=1.5,
        top_p=0.5,
        stop=["END"],
        seed=3,
        n=2,
        response_format={
            "type": "json_schema",
            "json_schema": {"name": "a", "schema": {"type": "object"}},
        },
        vendor={"generationConfig": {"topK": 4}, "labels": {"a": "b"}},
    )
    built = body(request, safety_settings=[{"category": "c", "threshold": "OFF"}])
    assert {"parts": [{"text": "Be brief."}]} == built["systemInstruction"]
    assert {
        "maxOutputTokens": 9,
        "temperature": 1.5,
        "topP": 0.5,
        "stopSequences": ["END"],
        "seed": 3,
        "candidateCount": 2,
        "responseMimeType": "application/json",
        "responseJsonSchema": {"type": "object"},
        "topK": 4,
    } == built["generationConfig"]
    assert ({"a": "b"}, [{"category": "c", "threshold": "OFF"}]) == (
        built["labels"],
        built["safetySettings"],
    )
    assert {"response_format.name"} == notes(request)


def test_what_cannot_be_said_is_noted():
    request = asked(
        "hi",
        user="u",
        metadata={"a": "b"},
        stop=list("abcdef"),
        response_format={"type": "grammar"},
        tools=[ToolSpec("f", strict=True)],
        tool_choice=ToolChoice("auto", None, False),
    )
    assert {
        "user",
        "metadata",
        "stop",
        "response_format",
        "tools.strict",
        "tool_choice.parallel",
    } == notes(request)


def test_tools():
    """Declarations, and which must be called."""
    tools = [ToolSpec("f", "does", {"type": "object"}), ToolSpec("g")]
    built = body(
        asked("hi", tools=tools, tool_choice=ToolChoice("tool", "f")), stream_arguments=True
    )
    declared = [
        {"name": "f", "description": "does", "parametersJsonSchema": {"type": "object"}},
        {"name": "g"},
    ]
    assert [{"functionDeclarations": declared}] == built["tools"]
    assert {
        "mode": "ANY",
        "allowedFunctionNames": ["f"],
        "streamFunctionCallArguments": True,
    } == built["toolConfig"]["functionCallingConfig"]
    assert "toolConfig" not in body(asked("hi", tools=tools))
    assert {"tool_choice"} == notes(asked("hi", tool_choice=ToolChoice("required")))


RESULT = Message("tool", [ToolResultPart("1", "21 degrees")])
CALLED = [
    Message("user", "weather?"),
    Message(
        "assistant",
        [ReasoningPart("think", "c2ln"), ToolCallPart("1", "f", '{"a":1}'), ToolCallPart("2", "g")],
    ),
    Message("tool", [ToolResultPart("1", "21 degrees"), ToolResultPart("2", '{"t":3}')]),
    Message("assistant", [ToolCallPart("3", "g")]),
    Message("tool", [ToolResultPart("3", "no", is_error=True)]),
]


def test_a_tool_loop_with_a_signature():
    """The signature is on the part behind its thought; results are named, objects, and the
    user's."""
    turns = body(ChatRequest(model="m", messages=CALLED))["contents"]
    assert ["user", "model", "user", "model", "user"] == [turn["role"] for turn in turns]
    assert [
        {"text": "think", "thought": True},
        {"functionCall": {"id": "1", "name": "f", "args": {"a": 1}}, "thoughtSignature": "c2ln"},
        {"functionCall": {"id": "2", "name": "g", "args": {}}},
    ] == turns[1]["parts"]
    assert [
        {"functionResponse": {"id": "1", "name": "f", "response": {"output": "21 degrees"}}},
        {"functionResponse": {"id": "2", "name": "g", "response": {"t": 3}}},
    ] == turns[2]["parts"]
    assert [
        {"functionResponse": {"id": "3", "name": "g", "response": {"error": "no"}}},
    ] == turns[4]["parts"]
    assert (
        "id"
        not in body(ChatRequest(model="m", messages=CALLED), vertex=VERTEX)["contents"][1]["parts"][
            1
        ]["functionCall"]
    )


def test_a_lost_signature_is_said_to_models_that_insist():
    """Of calls side by side on the first; older models do without."""
    lost = [
        CALLED[0],
        Message("assistant", [TextPart("so"), ToolCallPart("1", "f"), ToolCallPart("2", "g")]),
        CALLED[2],
    ]
    request = ChatRequest(model="m", messages=lost)
    parts = body(request, "gemini-3-flash-preview")["contents"][1]["parts"]
    assert [None, NO_SIGNATURE, None] == [part.get("thoughtSignature") for part in parts]
    assert {"messages.tool_call"} == notes(request, "gemini-3-flash-preview")
    assert all("thoughtSignature" not in part for part in body(request)["contents"][1]["parts"])
    signed = ChatRequest(model="m", messages=CALLED[:3])
    assert set() == notes(signed, "gemini-3-flash-preview")


def test_signatures_elsewhere():
    """Behind the last part, on a part of its own; two in a row, each on its own; other vendors' are
    left out."""
    parts = [
        ReasoningPart("", "c2ln"),
        ReasoningPart("", "c2lo"),
        TextPart("a"),
        ReasoningPart("", "c2lp"),
        ReasoningPart("x", "not base64!"),
    ]
    request = ChatRequest(
        model="m",
        messages=[Message("user", "hi"), Message("assistant", [*parts, ReasoningPart("y")])],
    )
    assert [
        {"text": "", "thoughtSignature": "c2ln"},
        {"text": "a", "thoughtSignature": "c2lo"},
        {"text": "", "thoughtSignature": "c2lp"},
    ] == body(request)["contents"][1]["parts"]
    assert {"messages.reasoning"} == notes(request)


def test_a_signature_before_a_signed_call_has_a_part_of_its_own():
    """The call keeps its own. Arguments that are no object are wrapped in one."""
    parts = [
        ReasoningPart("", "c2ln"),
        ToolCallPart("c1", "f", "[1]", signature="c2lo", format=GEMINI),
    ]
    request = ChatRequest(model="m", messages=[Message("user", "hi"), Message("assistant", parts)])
    first, second = body(request)["contents"][1]["parts"]
    assert {"text": "", "thoughtSignature": "c2ln"} == first
    assert ({"arguments": "[1]"}, "c2lo") == (
        second["functionCall"]["args"],
        second["thoughtSignature"],
    )
    assert {"messages.tool_call"} == notes(request)


def test_what_cannot_be_said_of_media_is_noted_once():
    parts = [
        ImagePart("data:image/png;base64,aGk=", "high"),
        ImagePart("data:image/png;base64,aGk=", "high"),
        ImagePart("https://a.test/b"),
        ImagePart("https://a.test/c"),
    ]
    request = ChatRequest(model="m", messages=[Message("user", parts)])
    assert [("dropped", "image_url.detail"), ("defaulted", "messages.image_url")] == [
        (note.note, note.param) for note in sent(request).notes
    ]


def test_what_newer_models_refuse():
    """Penalties, and more tokens than they can write; older ones take the former."""
    request = asked("hi", frequency_penalty=0.5, presence_penalty=0.25, max_tokens=99999, top_k=3)
    assert {"topK": 3, "maxOutputTokens": 65536} == body(request, "gemini-3-flash")[
        "generationConfig"
    ]
    assert {"refused", "max_tokens"} == notes(request, "gemini-2.5-pro")
    assert {
        "topK": 3,
        "maxOutputTokens": 8192,
        "presencePenalty": 0.25,
        "frequencyPenalty": 0.5,
    } == body(request, "gemini-2.0-flash")["generationConfig"]


def test_a_call_has_the_signature_that_it_came_with():
    """Its own, or that of the empty reasoning before it; one that says it twice says it once."""
    own = ToolCallPart("1", "f", signature="c2ln", format=GEMINI)
    for parts in ([own], [ReasoningPart("", "c2ln", format=GEMINI), own]):
        request = ChatRequest(
            model="m", messages=[Message("user", "hi"), Message("assistant", parts), RESULT]
        )
        assert [
            {"functionCall": {"id": "1", "name": "f", "args": {}}, "thoughtSignature": "c2ln"}
        ] == (body(request, "gemini-3-pro")["contents"][1]["parts"])
        assert set() == notes(request, "gemini-3-pro")
    other = ToolCallPart("1", "f", signature="c2ln", format=ANTHROPIC)
    request = ChatRequest(
        model="m", messages=[Message("user", "hi"), Message("assistant", [other]), RESULT]
    )
    assert (
        NO_SIGNATURE == body(request, "gemini-3-pro")["contents"][1]["parts"][0]["thoughtSignature"]
    )
    assert {"messages.reasoning", "messages.tool_call"} == notes(request, "gemini-3-pro")


def test_documents_and_sound():
    """In the request, or where they are."""
    parts = [
        DocumentPart("data:application/pdf;base64,JVBE", title="T"),
        DocumentPart("https://a.test/b.pdf"),
        AudioPart("data:audio/wav;base64,UklG"),
    ]
    request = ChatRequest(model="m", messages=[Message("user", parts)])
    assert [
        {"inlineData": {"mimeType": "application/pdf", "data": "JVBE"}},
        {"fileData": {"mimeType": "application/pdf", "fileUri": "https://a.test/b.pdf"}},
        {"inlineData": {"mimeType": "audio/wav", "data": "UklG"}},
    ] == body(request)["contents"][0]["parts"]
    assert {"messages.document.title"} == notes(request)


def test_pictures_of_a_tools_result():
    """In the response where the model takes them, else in the user's turn behind it."""
    picture = ImagePart("data:image/png;base64,AAAA")
    result = ToolResultPart("c1", [TextPart("seen"), picture])
    talk = [
        Message("user", "look"),
        Message("assistant", [ToolCallPart("c1", "look", "{}")]),
        Message("tool", [result]),
    ]
    request = ChatRequest(model="m", messages=talk)
    inline = {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}
    said = {"id": "c1", "name": "look", "response": {"output": "seen"}}
    assert [{"functionResponse": {**said, "parts": [inline]}}] == (
        body(request, "gemini-3-flash")["contents"][2]["parts"]
    )
    behind = body(request, "gemini-2.5-flash")["contents"][2]["parts"]
    assert [{"functionResponse": said}, inline] == [behind[0], behind[2]]
    assert {"tool_result.content"} == notes(request, "gemini-2.5-flash")


def test_images():
    """In the request, or where they are; the type is guessed from the name."""
    urls = ["data:image/png;base64,AAAA", "https://a.test/b.WEBP?c.png", "gs://bucket/x"]
    request = ChatRequest(model="m", messages=[Message("user", [ImagePart(url) for url in urls])])
    assert [
        {"inlineData": {"mimeType": "image/png", "data": "AAAA"}},
        {"fileData": {"mimeType": "image/webp", "fileUri": urls[1]}},
        {"fileData": {"mimeType": "image/jpeg", "fileUri": urls[2]}},
    ] == body(request)["contents"][0]["parts"]
    assert {"messages.image_url"} == notes(request)
    with pytest.raises(Refused):
        body(ChatRequest(model="m", messages=[Message("user", [ImagePart("file:///etc/passwd")])]))


def test_system_messages_and_neighbours():
    """The first are the system's, a later one the user's; neighbours of one role are one turn."""
    turns = [
        Message("system", "a"),
        Message("user", "b"),
        Message("system", "c"),
        Message("user", ""),
        Message("assistant", "d"),
    ]
    built = body(ChatRequest(model="m", messages=turns, system="s"))
    assert "s\n\na" == built["systemInstruction"]["parts"][0]["text"]
    assert [
        {"role": "user", "parts": [{"text": "b"}, {"text": "c"}]},
        {"role": "model", "parts": [{"text": "d"}]},
    ] == built["contents"]


@pytest.mark.parametrize(
    ("model", "reasoning", "config", "noted"),
    [
        (
            "gemini-3-pro",
            Reasoning("low"),
            {"thinkingLevel": "low", "includeThoughts": True},
            set(),
        ),
        ("gemini-3.1-pro", Reasoning("none"), {"thinkingLevel": "low"}, {"reasoning.effort"}),
        ("gemini-3-flash", Reasoning("none"), {"thinkingLevel": "minimal"}, {"reasoning.effort"}),
        (
            "gemini-3-pro",
            Reasoning("xhigh"),
            {"thinkingLevel": "high", "includeThoughts": True},
            {"reasoning.effort"},
        ),
        (
            "gemini-3-flash",
            Reasoning(adaptive=True, summary="auto"),
            {"includeThoughts": True},
            set(),
        ),
        (
            "gemini-2.5-pro",
            Reasoning(adaptive=True),
            {"thinkingBudget": -1, "includeThoughts": True},
            set(),
        ),
        ("gemini-2.5-pro", Reasoning("none"), {"thinkingBudget": 128}, {"reasoning.effort"}),
        (
            "gemini-2.5-flash",
            Reasoning(None, 99999),
            {"thinkingBudget": 24576, "includeThoughts": True},
            {"reasoning.max_tokens"},
        ),
        (
            "gemini-3-pro",
            Reasoning("low", 500),
            {"thinkingBudget": 500, "includeThoughts": True},
            {"reasoning.effort"},
        ),
        (
            "gemini-2.5-pro",
            Reasoning("high"),
            {"thinkingBudget": 24576, "includeThoughts": True},
            {"reasoning.effort"},
        ),
        ("gemini-2.5-flash", Reasoning("none"), {"thinkingBudget": 0}, set()),
        (
            "gemini-flash-latest",
            Reasoning(None, 99),
            {"thinkingBudget": 99, "includeThoughts": True},
            set(),
        ),
        ("gemini-2.0-flash", Reasoning("low"), None, {"reasoning"}),
        ("gemini-2.0-flash", Reasoning("none"), None, set()),
        ("gemini-3-pro", Reasoning(), None, set()),
    ],
)
def test_thinking(model: str, reasoning: Reasoning, config: dict[str, Any] | None, noted: set[str]):
    """By level or by budget, as the model knows it."""
    request = asked("hi", reasoning=reasoning)
    assert config == body(request, model).get("generationConfig", {}).get("thinkingConfig")
    assert noted == notes(request, model)


def test_thinking_as_configured():
    request = asked("hi", reasoning=Reasoning("low"))
    to = target(include_thoughts=False)._replace(model="alias", rules=Rules(thinking="level"))
    built = json.loads(build_request(request, to).body)
    assert {"thinkingLevel": "low"} == built["generationConfig"]["thinkingConfig"]


def test_the_operators_safety_settings_stand_whatever_the_client_says():
    """In either spelling, and where the request says nothing else of how to answer."""
    theirs = [{"category": "c", "threshold": "OFF"}]
    ours = [{"category": "c", "threshold": "BLOCK_NONE"}]
    vendor = {"safetySettings": theirs, "safety_settings": theirs, "generationConfig": {"topK": 4}}
    built = body(asked("hi", vendor=vendor), safety_settings=ours)
    assert (ours, {"topK": 4}) == (built["safetySettings"], built["generationConfig"])
    assert "safety_settings" not in built
    assert theirs == body(asked("hi", vendor=vendor))["safetySettings"]


def test_what_the_operator_refuses_of_a_clients_own_words_is_left_out_in_either_spelling():
    """A client of another dialect says them too (`extra_body.google` of a chat completion)."""
    request = asked("hi", own={"gemini": {"cachedContent": "c", "safetySettings": []}})
    rules = Rules(refuse=("cached_content",))
    assert DIALECT.upstream is not None
    call = built(DIALECT.upstream, request, target()._replace(rules=rules))
    assert ("cachedContent" in json.loads(call.body), {"refuse"}) == (False, params(call.notes))


def test_what_cannot_be_formed_is_refused():
    """No turn at all; a result whose function nobody knows."""
    for messages in ([Message("user", "")], [Message("tool", [ToolResultPart("1", "x")])]):
        with pytest.raises(Refused):
            build_request(ChatRequest(model="m", messages=messages), TargetConfig("up", "m"))


@pytest.mark.parametrize(
    ("model", "formed"), [("gemini-2.5-flash", False), ("gemini-3-flash-preview", True)]
)
def test_json_together_with_tools_is_asked_for_where_it_is_taken(model: str, formed: bool) -> None:
    request = asked("hi", tools=[ToolSpec("get")], response_format={"type": "json_object"})
    assert formed == ("generationConfig" in body(request, model))
    assert (set() if formed else {"response_format"}) == notes(request, model)


def test_a_conversation_does_not_begin_with_a_call() -> None:
    call, result = ToolCallPart("c1", "get", "{}"), ToolResultPart("c1", "42")
    request = asked("go")
    turns = [Message("assistant", [call]), Message("tool", [result]), *request.messages]
    contents = body(msgspec.structs.replace(request, messages=turns))["contents"]
    assert ["user", "model", "user"] == [each["role"] for each in contents]
    words = [Message("assistant", "Welcome."), *request.messages]
    contents = body(msgspec.structs.replace(request, messages=words))["contents"]
    assert ["model", "user"] == [each["role"] for each in contents]

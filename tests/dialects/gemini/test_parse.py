"""A client's request: every field in its place in ours, the losses noted, the faults named."""

import json
from typing import Any

import pytest

from proxy.codec.base import Parsed
from proxy.codec.proofs import GEMINI
from proxy.dialects.gemini import DIALECT
from proxy.errors import Refused
from proxy.request import (
    AudioPart,
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
from tests.dialects.answers import params, posted

HI = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}


def parsed(
    body: Any = HI,
    method: str = "streamGenerateContent",
    query: dict[str, str] | None = None,
    model: str = "m",
) -> Parsed:
    assert DIALECT.client is not None
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return DIALECT.client.parse_request(
        posted(data, path={"model": model, "method": method}, query=query)
    )


def turns(*contents: dict[str, Any]) -> list[Message]:
    return parsed({"contents": list(contents)}).request.messages


def test_path_and_query_say_the_rest():
    """Model, streaming, and its form."""
    streamed = parsed(query={"alt": "sse"}, model="models/vendor/x")
    assert ("vendor/x", True, True) == (
        streamed.request.model,
        streamed.request.stream,
        streamed.options.sse,
    )
    assert not parsed().options.sse
    assert not parsed(method="generateContent").request.stream


def test_settings():
    got = parsed(
        {
            **HI,
            "systemInstruction": {"role": "user", "parts": [{"text": "Be"}, {"text": "brief."}]},
            "generationConfig": {
                "temperature": 1.5,
                "topP": 0.5,
                "maxOutputTokens": 9,
                "stopSequences": ["END"],
                "seed": 3,
                "candidateCount": 2,
                "responseMimeType": "application/json",
                "thinkingConfig": {"thinkingBudget": 100},
            },
            "labels": {"team": "a_b"},
        }
    )
    request = got.request
    assert ("Be\n\nbrief.", 1.5, 0.5, 9, ["END"], 3, 2) == (
        request.system,
        request.temperature,
        request.top_p,
        request.max_tokens,
        request.stop,
        request.seed,
        request.n,
    )
    assert ({"type": "json_object"}, Reasoning(None, 100), {"team": "a_b"}) == (
        request.response_format,
        request.reasoning,
        request.metadata,
    )
    assert () == got.notes


def test_both_spellings():
    """As the vendor's own examples have it: snake_case, and plain forms of what may be a list or a
    turn."""
    got = parsed(
        {
            "contents": {"parts": [{"inline_data": {"mime_type": "image/png", "data": "-_8="}}]},
            "system_instruction": "s",
            "generation_config": {
                "max_output_tokens": 5,
                "response_mime_type": "application/json",
                "response_schema": {"type": "STRING"},
            },
            "tools": [
                {
                    "function_declarations": [
                        {
                            "name": "f",
                            "parameters": {
                                "type": "OBJECT",
                                "properties": {"a_b": {"type": "STRING"}},
                            },
                        }
                    ]
                }
            ],
        }
    )
    request = got.request
    assert [Message("user", [ImagePart("data:image/png;base64,+/8=")])] == request.messages
    assert ("s", 5) == (request.system, request.max_tokens)
    assert request.response_format is not None
    assert {"type": "string"} == request.response_format["json_schema"]["schema"]
    assert [
        ToolSpec("f", None, {"type": "object", "properties": {"a_b": {"type": "string"}}})
    ] == request.tools
    assert () == got.notes


def test_schemas_of_the_vendors_own_kind():
    """Types in lower case, null as a type, counts as numbers, all the way down; JSON Schema stays
    as it is."""
    theirs = {
        "type": "ARRAY",
        "nullable": True,
        "minItems": "1",
        "items": {"anyOf": [{"type": "INTEGER"}, {"type": "STRING", "enum": ["STRING"]}]},
        "propertyOrdering": ["a"],
    }
    plain = {"type": ["object", "null"], "$defs": {"X": {}}}
    declared = [{"name": "f", "parameters": theirs}, {"name": "g", "parametersJsonSchema": plain}]
    tools = parsed({**HI, "tools": [{"functionDeclarations": declared}]}).request.tools
    ours = {
        "type": ["array", "null"],
        "minItems": 1,
        "items": {"anyOf": [{"type": "integer"}, {"type": "string", "enum": ["STRING"]}]},
    }
    assert [ours, plain] == [tool.parameters for tool in tools]


def test_a_chats_history():
    """One content for each chunk of the answer: one turn; the signature joins the thought before
    its part."""
    history = turns(
        {"role": "user", "parts": [{"text": "a"}]},
        {"role": "model", "parts": [{"text": "I ", "thought": True}]},
        {"role": "model", "parts": [{"text": "think", "thought": True}]},
        {"role": "model", "parts": [{"text": "Hel", "thoughtSignature": "-_8"}]},
        {"role": "model", "parts": [{"text": "lo"}, {"text": ""}]},
        {
            "role": "model",
            "parts": [
                {"functionCall": {"name": "f", "args": {"x": 1}}, "thoughtSignature": "c2ln"}
            ],
        },
    )
    said = [
        ReasoningPart("I think", "+/8=", format=GEMINI),
        TextPart("Hello"),
        ToolCallPart("call_0", "f", '{"x":1}', signature="c2ln", format=GEMINI),
    ]
    assert [Message("user", [TextPart("a")]), Message("assistant", said)] == history


def test_results_find_their_calls():
    """By id; without one by name, in order. Results are turns of their own."""
    calls = [
        {"functionCall": {"name": "f"}},
        {"functionCall": {"name": "g", "id": "own"}},
        {"functionCall": {"name": "f"}},
    ]
    results = [
        {"functionResponse": {"name": "f", "response": {"result": "one"}}},
        {"functionResponse": {"name": "f", "response": {"error": {"code": 1}}}},
        {"functionResponse": {"id": "own", "name": "g", "response": {"a": 1, "b": 2}}},
        {"text": "so?"},
    ]
    history = turns({"role": "model", "parts": calls}, {"role": "user", "parts": results})
    assert [
        ToolResultPart("call_0", "one"),
        ToolResultPart("call_2", '{"code":1}', is_error=True),
        ToolResultPart("own", '{"a":1,"b":2}'),
    ] == history[1].content
    assert Message("user", [TextPart("so?")]) == history[2]


@pytest.mark.parametrize(
    ("config", "choice", "left"),
    [
        ({"mode": "AUTO"}, ToolChoice("auto"), 2),
        ({"mode": "NONE"}, ToolChoice("none"), 2),
        ({"mode": "ANY"}, ToolChoice("required"), 2),
        ({"mode": "any", "allowedFunctionNames": ["g"]}, ToolChoice("tool", "g"), 2),
        ({"mode": "VALIDATED", "allowedFunctionNames": ["f"]}, ToolChoice("auto"), 1),
        ({"mode": "MODE_UNSPECIFIED"}, None, 2),
    ],
)
def test_tool_choice(config: dict[str, Any], choice: ToolChoice | None, left: int):
    declared = [{"functionDeclarations": [{"name": "f"}, {"name": "g"}]}]
    request = parsed(
        {**HI, "tools": declared, "toolConfig": {"functionCallingConfig": config}}
    ).request
    assert (choice, left) == (request.tool_choice, len(request.tools))


@pytest.mark.parametrize(
    ("config", "reasoning", "shown"),
    [
        ({"thinkingLevel": "LOW", "includeThoughts": True}, Reasoning("low", summary="auto"), True),
        ({"thinkingLevel": "xhigh"}, Reasoning("xhigh"), True),
        ({"thinkingLevel": "most"}, None, True),
        ({"thinkingBudget": 0}, Reasoning("none"), True),
        (
            {"thinkingBudget": -1, "includeThoughts": False},
            Reasoning(adaptive=True),
            False,
        ),
        ({"includeThoughts": True}, Reasoning(adaptive=True, summary="auto"), True),
        ({}, None, True),
    ],
)
def test_thinking(config: dict[str, Any], reasoning: Reasoning | None, shown: bool):
    got = parsed({**HI, "generationConfig": {"thinkingConfig": config}})
    assert (reasoning, shown) == (got.request.reasoning, got.options.thoughts)


def test_media_in_turns_and_in_results():
    """Pictures, documents and sound, by their bytes or by their address."""
    wav = {"inlineData": {"mimeType": "audio/wav", "data": "AAAA"}}
    pdf = {"mimeType": "application/pdf", "displayName": "a"}
    by_bytes = {"inlineData": {**pdf, "data": "AAAA"}}
    by_address = {"fileData": {**pdf, "fileUri": "https://a.test/a"}}
    call = {"functionCall": {"name": "f", "id": "c1"}}
    result = {"name": "f", "id": "c1", "response": {"output": "1"}}
    got = turns(
        {"parts": [wav, by_bytes, by_address]},
        {"role": "model", "parts": [call]},
        {"parts": [{"functionResponse": {**result, "parts": [by_bytes, by_address, {}]}}]},
    )
    document = DocumentPart("data:application/pdf;base64,AAAA", "a")
    there = DocumentPart("https://a.test/a", "a")
    assert [AudioPart("data:audio/wav;base64,AAAA"), document, there] == got[0].content
    assert [ToolResultPart("c1", [TextPart("1"), document, there])] == got[2].content


def test_a_system_instruction_is_its_text():
    parts = [{"text": "Be"}, {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]
    got = parsed({**HI, "systemInstruction": {"parts": [*parts, {"text": "brief."}]}})
    assert ("Be\n\nbrief.", {"system"}) == (got.request.system, params(got.notes))


@pytest.mark.parametrize("key", ["generateContentRequest", "generate_content_request"])
def test_tokens_are_counted_of_contents_or_of_a_whole_request(key: str):
    """Which names its model, as the path does."""
    assert DIALECT.client is not None
    asking = DIALECT.client.counting
    assert asking is not None
    whole = {key: {**HI, "model": "models/m"}}
    for body in (HI, whole):
        data = json.dumps(body).encode()
        got = asking.parse(posted(data, path={"model": "m", "method": "countTokens"}))
        assert [Message("user", [TextPart("hi")])] == got.request.messages
        assert () == got.notes


def test_losses_are_noted():
    """What other vendors have no place for, by its name; what nobody knows, without."""
    parts = [
        {"text": "hi"},
        {"inlineData": {"mimeType": "video/mp4", "data": "AAAA"}},
        {"fileData": {"mimeType": "video/mp4", "fileUri": "https://a.test"}},
        {"executableCode": {"code": "1"}},
        {"hologram": 1},
    ]
    body = {
        "contents": [{"parts": parts}],
        "safetySettings": [{}],
        "tools": [{"googleSearch": {}}],
        "generationConfig": {
            "topK": 5,
            "presencePenalty": 0,
            "responseModalities": ["AUDIO"],
            "responseMimeType": "text/x.enum",
            "odd": 1,
            "thinkingConfig": {"thinkingLevel": "most"},
        },
        "toolConfig": {"functionCallingConfig": {"mode": "MAYBE"}},
    }
    assert {
        "inline_data",
        "file_data",
        "server_tools",
        "unknown_part",
        "safetySettings",
        "responseModalities",
        "thinkingConfig",
        "toolConfig",
        "responseMimeType",
        "unknown_key",
    } == params(parsed(body).notes)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "contents"),
        ({"contents": []}, "contents"),
        ({"contents": "hi"}, "contents"),
        ({"contents": [{"role": "critic", "parts": []}]}, "contents[0].role"),
        ({"contents": [{"parts": [{"text": 1}]}]}, "contents[0].parts[0].text"),
        (
            {"contents": [{"parts": [{"functionCall": {}}]}]},
            "contents[0].parts[0].functionCall.name",
        ),
        ({**HI, "generationConfig": {"temperature": "warm"}}, "generationConfig.temperature"),
        ({**HI, "tools": [{"functionDeclarations": 1}]}, "tools[0].functionDeclarations"),
        (
            {**HI, "tools": [{"functionDeclarations": [{}]}]},
            "tools[0].functionDeclarations[0].name",
        ),
    ],
)
def test_faults_are_named(body: dict[str, Any], param: str):
    with pytest.raises(Refused) as caught:
        parsed(body)
    assert ("bad_request", param) == (caught.value.failure.kind, caught.value.failure.param)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"a": "\xff"}', b"null", b'{"a":' * 100_000])
def test_what_is_no_request_is_refused(body: bytes):
    with pytest.raises(Refused) as caught:
        parsed(body)
    assert "bad_request" == caught.value.failure.kind


def test_a_path_without_a_model_is_refused():
    with pytest.raises(Refused) as caught:
        parsed(model="")
    assert "model" == caught.value.failure.param


def test_one_thing_may_stand_where_a_list_is_meant() -> None:
    """As the vendor's own guides write it."""
    request = parsed(
        {
            "contents": {"parts": {"text": "hi"}},
            "system_instruction": {"parts": {"text": "Be brief."}},
            "tools": {"function_declarations": {"name": "get"}},
        }
    ).request
    assert ("Be brief.", "hi") == (request.system, request.messages[0].text)
    assert ["get"] == [tool.name for tool in request.tools]


def test_answers_among_what_the_model_said_stand_behind_their_calls():
    """Some clients keep a whole loop in one content."""
    call = {"functionCall": {"name": "f", "args": {}}}
    result = {"functionResponse": {"name": "f", "response": {"output": "7"}}}
    contents = [
        {"role": "user", "parts": [{"text": "hi"}]},
        {"role": "model", "parts": [call, call, result, result, {"text": "So."}]},
        {"role": "model", "parts": [call, result]},
    ]
    assert ["user", "assistant", "tool", "assistant", "tool"] == [
        message.role for message in parsed({"contents": contents}).request.messages
    ]

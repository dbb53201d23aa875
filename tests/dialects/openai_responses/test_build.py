"""A request to the vendor's body: what is said where, what is lost, and what goes back from earlier
turns."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from proxy.codec.base import Outgoing, TargetConfig
from proxy.codec.proofs import ANTHROPIC, OPENAI, XAI
from proxy.codec.rules import Rules
from proxy.errors import Refused
from proxy.request import (
    AudioPart,
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
from tests.dialects.answers import asked, params, target
from tests.dialects.openai_responses import emit

SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}


def built(request: ChatRequest, **options: Any) -> tuple[dict[str, Any], Outgoing]:
    outgoing = emit.UPSTREAM.build_request(request, target(**options))
    return json.loads(outgoing.body), outgoing


def test_a_plain_request() -> None:
    """Nothing is kept at the vendor, and nothing is said that was not asked for."""
    body, outgoing = built(asked("hi", system="Be brief."), api_key="sk")
    assert {
        "model": "theirs",
        "input": [{"type": "message", "role": "user", "content": "hi"}],
        "instructions": "Be brief.",
        "stream": True,
        "store": False,
    } == body
    assert ("/responses", "Bearer sk") == (outgoing.path, outgoing.headers["authorization"])
    assert () == outgoing.notes


def test_every_setting() -> None:
    tools = [ToolSpec("weather", "Weather", SCHEMA, True), ToolSpec("time")]
    body, outgoing = built(
        asked(
            "hi",
            max_tokens=99,
            temperature=0.5,
            top_p=0.9,
            tools=tools,
            tool_choice=ToolChoice("tool", "weather", False),
            reasoning=Reasoning("low"),
            user="u1",
            metadata={"a": "b", "n": 1},
            response_format={
                "type": "json_schema",
                "json_schema": {"name": "city", "schema": SCHEMA, "strict": True},
            },
            vendor={"service_tier": "flex"},
        )
    )
    assert (99, 0.5, 0.9, "u1", "flex") == tuple(
        body[name] for name in ("max_output_tokens", "temperature", "top_p", "user", "service_tier")
    )
    assert {"a": "b", "n": "1"} == body["metadata"]
    assert {"effort": "low", "summary": "auto"} == body["reasoning"]
    assert ["reasoning.encrypted_content"] == body["include"]
    assert {
        "format": {"type": "json_schema", "name": "city", "schema": SCHEMA, "strict": True}
    } == body["text"]
    assert ({"type": "function", "name": "weather"}, False) == (
        body["tool_choice"],
        body["parallel_tool_calls"],
    )
    assert [
        {
            "type": "function",
            "name": "weather",
            "description": "Weather",
            "parameters": SCHEMA,
            "strict": True,
        },
        {
            "type": "function",
            "name": "time",
            "parameters": {"type": "object", "properties": {}},
            "strict": False,
        },
    ] == body["tools"]
    assert {"metadata"} == params(outgoing.notes)


def test_what_cannot_be_said_is_noted() -> None:
    lost = asked(
        "hi",
        stop=["x"],
        seed=1,
        n=2,
        reasoning=Reasoning(None, 1000),
        response_format={"type": "grammar"},
        tool_choice=ToolChoice("required"),
    )
    body, outgoing = built(lost)
    assert {
        "stop",
        "seed",
        "n",
        "reasoning.max_tokens",
        "response_format",
        "tool_choice",
    } == params(outgoing.notes)
    assert {"model", "input", "stream", "store", "reasoning", "include"} == set(body)
    assert "minimal" == body["reasoning"]["effort"]


@pytest.mark.parametrize(
    ("thinks", "options", "request_more", "included"),
    [
        (None, {}, {}, False),
        (False, {}, {}, False),
        (True, {}, {}, True),
        (None, {}, {"reasoning": Reasoning("high")}, True),
        (None, {"encrypted_reasoning": True}, {}, True),
        (True, {"encrypted_reasoning": False}, {}, False),
    ],
)
def test_encrypted_reasoning_is_asked_of_models_that_reason(
    thinks: bool | None,
    options: dict[str, Any],
    request_more: dict[str, Any],
    included: bool,
) -> None:
    """The others refuse to be asked for it."""
    outgoing = emit.UPSTREAM.build_request(
        asked("hi", **request_more),
        TargetConfig("up", "m", None, options, Rules(thinks_by_default=thinks)),
    )
    assert included == ("include" in json.loads(outgoing.body))


@pytest.mark.parametrize(
    ("model", "thinks"),
    [
        ("gpt-4o", None),
        ("gpt-5-chat-latest", False),
        ("gpt-5-mini", True),
        ("openai/o3", True),
        ("o4-mini-2025-04-16", True),
        ("gpt-5.6-sol", True),
    ],
)
def test_the_catalogue_knows_which_models_reason(model: str, thinks: bool | None) -> None:
    assert thinks == RuleBook("openai_responses", None, {}).of(model).thinks_by_default


def test_options() -> None:
    request = asked("hi", user="u", reasoning=Reasoning("low"))
    options = {
        "store": True,
        "reasoning_summary": "",
        "organization": "org",
        "project": "p",
        "api_key_header": "api-key",
        "omit": ["user"],
    }
    body, outgoing = built(request, api_key="k", **options)
    assert (True, {"effort": "low"}) == (body["store"], body["reasoning"])
    assert "user" not in body
    assert {"user"} == params(outgoing.notes)
    assert ("k", "org", "p") == tuple(
        outgoing.headers[name] for name in ("api-key", "openai-organization", "openai-project")
    )
    assert "authorization" not in outgoing.headers
    with pytest.raises(Refused, match="options of upstream up"):
        built(request, stor=True)


def test_earlier_turns_are_items_in_their_order() -> None:
    """Reasoning goes back encrypted, and without an id: nothing is kept under one."""
    turns = [
        Message("user", [TextPart("What is "), ImagePart("https://a.example/b.png")]),
        Message(
            "assistant",
            [
                ReasoningPart("Hm.", "sig"),
                TextPart("Let me see."),
                ToolCallPart("call_1", "weather", ""),
            ],
        ),
        Message("tool", [ToolResultPart("call_1", "21", is_error=True)]),
        Message("system", "Be brief."),
        Message("assistant", [ReasoningPart("", "sig2"), TextPart("It is "), TextPart("21.")]),
        Message("user", "Thanks."),
    ]
    body, outgoing = built(ChatRequest(model="m", messages=turns))
    assert [
        {
            "type": "message",
            "role": "user",
            "content": [
                {"type": "input_text", "text": "What is "},
                {"type": "input_image", "image_url": "https://a.example/b.png", "detail": "auto"},
            ],
        },
        {
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": "Hm."}],
            "encrypted_content": "sig",
        },
        {"type": "message", "role": "assistant", "content": "Let me see."},
        {"type": "function_call", "call_id": "call_1", "name": "weather", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "call_1", "output": "21"},
        {"type": "message", "role": "system", "content": "Be brief."},
        {"type": "reasoning", "summary": [], "encrypted_content": "sig2"},
        {"type": "message", "role": "assistant", "content": "It is 21."},
        {"type": "message", "role": "user", "content": "Thanks."},
    ] == body["input"]
    assert {"tool_result.is_error"} == params(outgoing.notes)


def test_what_cannot_go_back_is_noted_once() -> None:
    picture, thought = ImagePart("https://a.example/b.png"), ReasoningPart("Hm.")
    turns = [
        Message("user", "a"),
        Message("assistant", [thought, picture, thought, TextPart("b")]),
        Message("user", "c"),
    ]
    body, outgoing = built(ChatRequest(model="m", messages=turns))
    assert ["a", "b", "c"] == [item["content"] for item in body["input"]]
    assert ["messages.reasoning", "messages.image_url"] == [note.param for note in outgoing.notes]


def test_what_stands_where_it_has_no_place_is_noted() -> None:
    """Marks for a cache, proofs of calls, files and sound of the model's, citations, and thinking
    that is left to the model."""
    mark, pdf = Cache(), DocumentPart("data:application/pdf;base64,aGk=", "a", None)
    turns = [
        Message("user", [TextPart("a"), DocumentPart(pdf.url, "a", True)]),
        Message(
            "assistant",
            [
                TextPart("b"),
                pdf,
                AudioPart("data:audio/wav;base64,aGk="),
                ToolCallPart("c1", "f", "{}", cache=mark, signature="s"),
            ],
        ),
        Message("tool", [ToolResultPart("c1", "1", cache=mark)]),
    ]
    request = ChatRequest(
        model="m",
        messages=turns,
        system="s",
        system_parts=[TextPart("s", mark)],
        tools=[ToolSpec("f", cache=mark)],
        reasoning=Reasoning("low", adaptive=True),
    )
    body, outgoing = built(request)
    assert {
        "system.cache",
        "tools.cache",
        "cache",
        "tool_call.signature",
        "messages.document",
        "messages.audio",
        "document.citations",
        "reasoning.adaptive",
    } == params(outgoing.notes)
    assert ["message", "message", "function_call", "function_call_output"] == [
        item["type"] for item in body["input"]
    ]


def test_calls_side_by_side_may_be_forbidden_without_tools() -> None:
    body, outgoing = built(asked("hi", tool_choice=ToolChoice("auto", parallel=False)))
    assert (False, ()) == (body["parallel_tool_calls"], outgoing.notes)


def test_nothing_to_say_is_refused() -> None:
    with pytest.raises(Refused, match="a turn that is not empty"):
        built(ChatRequest(model="m", messages=[Message("user", "")]))


def test_the_clients_half_reads_what_the_upstreams_half_writes() -> None:
    """So a Mainstem may stand behind another one."""
    turns = [
        Message("user", [TextPart("What?"), ImagePart("https://a.example/b.png")]),
        Message(
            "assistant",
            [
                ReasoningPart("Hm.", "sig", format=OPENAI),
                TextPart("See."),
                ToolCallPart("call_1", "weather", '{"a":1}'),
            ],
        ),
        Message("tool", [ToolResultPart("call_1", "21")]),
        Message("user", "Thanks."),
    ]
    request = ChatRequest(
        model="theirs",
        messages=turns,
        system="Be brief.",
        max_tokens=9,
        temperature=0.5,
        tools=[ToolSpec("weather", "W", SCHEMA, True)],
        tool_choice=ToolChoice("required", None, False),
        reasoning=Reasoning("high", summary="auto"),
        response_format={
            "type": "json_schema",
            "json_schema": {"name": "a", "schema": SCHEMA, "strict": True},
        },
    )
    body, _ = built(request)
    again = emit.parsed(**body).request
    assert request == replace(again, original=None, store=None)


PDF = "data:application/pdf;base64,JVBERi0="
PNG = "data:image/png;base64,iVBORw0KGgo="


def test_media_stand_in_turns_and_in_results() -> None:
    turns = [
        Message(
            "user",
            [
                TextPart("Look."),
                ImagePart(PNG, "high"),
                DocumentPart(PDF),
                DocumentPart("https://a.example/b.pdf", "b.pdf"),
                AudioPart("data:audio/wav;base64,UklG"),
            ],
        ),
        Message("assistant", [ToolCallPart("c", "shoot", "{}")]),
        Message("tool", [ToolResultPart("c", [TextPart("here"), ImagePart(PNG)])]),
    ]
    body, outgoing = built(ChatRequest(model="m", messages=turns))
    said, _, result = body["input"]
    assert [
        {"type": "input_text", "text": "Look."},
        {"type": "input_image", "image_url": PNG, "detail": "high"},
        {"type": "input_file", "filename": "document.pdf", "file_data": PDF},
        {"type": "input_file", "file_url": "https://a.example/b.pdf", "filename": "b.pdf"},
        {"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}},
    ] == said["content"]
    assert [
        {"type": "input_text", "text": "here"},
        {"type": "input_image", "image_url": PNG, "detail": "auto"},
    ] == result["output"]
    assert () == outgoing.notes


def test_tools_with_free_text() -> None:
    grammar = {"type": "grammar", "syntax": "lark", "definition": "start: /.+/"}
    chats = {"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: /.+/"}}
    turns = [
        Message("user", "hi"),
        Message("assistant", [ToolCallPart("c", "sh", '{"input":"ls\\n"}', custom=True)]),
        Message("tool", [ToolResultPart("c", "a.txt")]),
    ]
    tools = [ToolSpec("sh", "Runs.", custom={}), ToolSpec("p", custom=grammar)]
    request = ChatRequest(
        model="m",
        messages=turns,
        tools=[*tools, ToolSpec("q", custom=chats)],
        tool_choice=ToolChoice("tool", "sh"),
    )
    body, outgoing = built(request)
    assert [
        {"type": "custom", "name": "sh", "description": "Runs."},
        {"type": "custom", "name": "p", "format": grammar},
        {"type": "custom", "name": "q", "format": grammar},
    ] == body["tools"]
    assert {"type": "custom", "name": "sh"} == body["tool_choice"]
    assert [
        {"type": "custom_tool_call", "call_id": "c", "name": "sh", "input": "ls\n"},
        {"type": "custom_tool_call_output", "call_id": "c", "output": "a.txt"},
    ] == body["input"][1:]
    assert () == outgoing.notes


@pytest.mark.parametrize(
    ("of", "own", "goes"),
    [(OPENAI, OPENAI, True), (None, OPENAI, True), (ANTHROPIC, OPENAI, False), (XAI, XAI, True)],
)
def test_reasoning_goes_back_to_its_own_vendor_only(of: str | None, own: str, goes: bool) -> None:
    thought = ReasoningPart("Hm.", "sig", format=of)
    turns = [Message("user", "a"), Message("assistant", [thought, TextPart("b")])]
    body, outgoing = built(ChatRequest(model="m", messages=turns), proof_format=own)
    assert goes == ("reasoning" in [item["type"] for item in body["input"]])
    assert (set() if goes else {"messages.reasoning.signature"}) == params(outgoing.notes)


@pytest.mark.parametrize("takes", [True, False])
def test_marks_for_the_cache_go_where_they_are_taken(takes: bool) -> None:
    request = asked("hi")
    marked = replace(
        request, messages=[Message("user", [TextPart("hi", Cache("1h")), ImagePart(PNG)])]
    )
    outgoing = emit.UPSTREAM.build_request(
        marked, TargetConfig("up", "m", rules=Rules(cache_marks=takes))
    )
    assert takes == ("prompt_cache_breakpoint" in outgoing.body.decode())
    assert (set() if takes else {"cache"}) == params(outgoing.notes)


def test_settings_that_only_some_vendors_know() -> None:
    body, outgoing = built(
        asked(
            "hi",
            verbosity="low",
            service_tier="flex",
            store=True,
            cache_key="k",
            safety_identifier="s",
            logprobs=True,
            top_logprobs=3,
        )
    )
    assert {"verbosity": "low"} == body["text"]
    assert ("flex", True, "k", "s", 3) == tuple(
        body[name]
        for name in (
            "service_tier",
            "store",
            "prompt_cache_key",
            "safety_identifier",
            "top_logprobs",
        )
    )
    assert ["message.output_text.logprobs"] == body["include"]
    assert () == outgoing.notes
    kept, configured = built(asked("hi", store=True), store=False)
    assert (False, {"store"}) == (kept["store"], params(configured.notes))

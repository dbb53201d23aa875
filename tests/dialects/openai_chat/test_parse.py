"""What clients send."""

import json
from typing import Any

import pytest

from proxy.codec.base import Incoming, Parsed
from proxy.dialects.openai_chat import DIALECT
from proxy.errors import Refused
from proxy.request import (
    AudioPart,
    Cache,
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

HI = [{"role": "user", "content": "hi"}]


def parse(body: Any) -> Parsed:
    assert DIALECT.client is not None
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return DIALECT.client.parse_request(Incoming("POST", {}, {}, {}, data))


def asked(**body: Any) -> Parsed:
    return parse({"model": "fast", "messages": HI, **body})


def refusal(body: Any) -> tuple[str | None, str]:
    with pytest.raises(Refused) as caught:
        parse(body)
    failure = caught.value.failure
    assert ("bad_request", 400) == (failure.kind, failure.status)
    return failure.param or None, failure.message


def params(parsed: Parsed) -> list[tuple[str, str]]:
    return [(note.note, note.param) for note in parsed.notes]


def test_the_smallest_request_is_not_a_stream() -> None:
    parsed = asked()
    assert ("fast", [Message("user", "hi")], False, False) == (
        parsed.request.model,
        parsed.request.messages,
        parsed.request.stream,
        parsed.options.include_usage,
    )
    assert () == parsed.notes


def test_every_parameter_finds_its_place() -> None:
    request = asked(
        max_tokens=5,
        temperature=0.5,
        top_p=1,
        stop="x",
        seed=3,
        n=2,
        user="u",
        metadata={"k": "v"},
        stream=True,
        response_format={"type": "json_object"},
        reasoning_effort="low",
        tools=[
            {
                "type": "function",
                "function": {
                    "name": "f",
                    "description": "d",
                    "parameters": {"type": "object"},
                    "strict": True,
                },
            }
        ],
        tool_choice="required",
        parallel_tool_calls=False,
    ).request
    assert (5, 0.5, 1, ["x"], 3, 2, "u", {"k": "v"}, True) == (
        request.max_tokens,
        request.temperature,
        request.top_p,
        request.stop,
        request.seed,
        request.n,
        request.user,
        request.metadata,
        request.stream,
    )
    assert {"type": "json_object"} == request.response_format
    assert Reasoning("low") == request.reasoning
    assert [ToolSpec("f", "d", {"type": "object"}, True)] == request.tools
    assert ToolChoice("required", None, False) == request.tool_choice


def test_max_completion_tokens_goes_before_max_tokens() -> None:
    assert 7 == asked(max_tokens=5, max_completion_tokens=7).request.max_tokens


def test_stop_may_be_a_list() -> None:
    assert ["a", "b"] == asked(stop=["a", "b"]).request.stop


def test_usage_is_asked_for_in_stream_options() -> None:
    assert asked(
        stream=True, stream_options={"include_usage": True, "include_obfuscation": False}
    ).options.include_usage


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("none", ToolChoice("none")),
        ("auto", ToolChoice("auto")),
        ({"type": "function", "function": {"name": "f"}}, ToolChoice("tool", "f")),
        ({"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [{"type": "function", "function": {"name": "f"}}]}}, ToolChoice("required")),
    ],
)  # fmt: skip
def test_every_form_of_tool_choice(said: Any, expected: ToolChoice) -> None:
    assert expected == asked(tool_choice=said).request.tool_choice


def test_allowed_tools_are_the_only_ones_named() -> None:
    tools = [{"type": "function", "function": {"name": name}} for name in "fg"]
    choice = {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": tools[1:]}}
    parsed = asked(tools=tools, tool_choice=choice)
    assert [ToolSpec("g")] == parsed.request.tools
    assert [("changed", "tool_choice")] == params(parsed)


def test_parallel_tool_calls_alone_is_a_choice() -> None:
    assert ToolChoice("auto", None, False) == asked(parallel_tool_calls=False).request.tool_choice


@pytest.mark.parametrize(
    ("said", "expected"), [("auto", ToolChoice("auto")), ({"name": "f"}, ToolChoice("tool", "f"))]
)
def test_the_old_functions_are_tools(said: Any, expected: ToolChoice) -> None:
    request = asked(functions=[{"name": "f", "parameters": {}}], function_call=said).request
    assert ([ToolSpec("f", None, {})], expected) == (request.tools, request.tool_choice)


def test_messages_before_the_first_turn_are_the_system() -> None:
    request = parse(
        {
            "model": "m",
            "messages": [
                {"role": "system", "content": "A"},
                {"role": "developer", "content": [{"type": "text", "text": "B"}]},
                *HI,
                {"role": "system", "content": "C"},
            ],
        }
    ).request
    assert "A\n\nB" == request.system
    assert [Message("user", "hi"), Message("system", "C")] == request.messages


def test_a_talk_with_tools_and_images() -> None:
    messages = parse(
        {
            "model": "m",
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "?"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}]},
                {"role": "assistant", "content": None, "refusal": None, "annotations": [], "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
                {"role": "tool", "tool_call_id": "c", "content": [{"type": "text", "text": "1"}, {"type": "text", "text": "2"}]},
                {"role": "assistant", "content": "so", "reasoning_content": "hm"},
                {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]},
            ],
        }
    ).request.messages  # fmt: skip
    assert [
        Message("user", [TextPart("?"), ImagePart("data:image/png;base64,AA==")]),
        Message("assistant", [ToolCallPart("c", "f", "{}")]),
        Message("tool", [ToolResultPart("c", "12")]),
        Message("assistant", [ReasoningPart("hm"), TextPart("so")]),
        Message("assistant", "no"),
    ] == messages


def test_old_function_messages_are_matched_by_their_name() -> None:
    messages = parse(
        {
            "model": "m",
            "messages": [
                *HI,
                {
                    "role": "assistant",
                    "content": None,
                    "function_call": {"name": "f", "arguments": "{}"},
                },
                {"role": "function", "name": "f", "content": "1"},
            ],
        }
    ).request.messages
    [call], [result] = messages[1].parts, messages[2].parts
    assert isinstance(call, ToolCallPart)
    assert isinstance(result, ToolResultPart)
    assert call.id == result.id


def test_what_cannot_be_carried_is_noted() -> None:
    parsed = asked(
        prediction={"type": "content", "content": "x"},
        frob=5,
        stream_options={"include_obfuscation": False},
        reasoning_effort="lots",
        tools=[{"type": "web_search"}, {"type": "function", "function": {"name": "f", "x": 1}}],
        tool_choice={"type": "web_search"},
        metadata={"a": "b"},
    )
    assert [
        ("dropped", "prediction"),
        ("dropped", "unknown_key"),
        ("dropped", "unknown_key"),
        ("dropped", "tool_choice"),
        ("dropped", "tools"),
        ("dropped", "reasoning_effort"),
    ] == params(parsed)
    assert "'frob'" in parsed.notes[1].message
    assert "stream_options.include_obfuscation, tools.function.x" in parsed.notes[2].message


def test_the_request_as_it_was_written_is_kept() -> None:
    """With the headers that belong to the dialect, and no others."""
    body = {"model": "fast", "messages": HI, "frob": [1], "stream": True}
    assert DIALECT.client is not None
    headers = {"openai-beta": "x=1", "authorization": "Bearer k", "openai-organization": "o"}
    parsed = DIALECT.client.parse_request(
        Incoming("POST", {}, {}, headers, json.dumps(body).encode())
    )
    original = parsed.request.original
    assert original is not None
    assert ("openai_chat", body, {"openai-beta": "x=1"}) == (
        original.dialect,
        original.body,
        original.headers,
    )


def test_what_only_its_vendor_knows_is_noted_and_not_refused() -> None:
    parsed = parse(
        {
            "model": "m",
            "messages": [
                {"role": "user", "content": [{"type": "video_url", "video_url": {"url": "u"}}]},
                {"role": "assistant", "content": "a", "tool_calls": [{"id": "c", "type": "mcp"}]},
                {"role": "user", "content": [{"type": "file", "file": {"file_id": "f"}}]},
            ],
        }
    )
    assert {
        "unknown_key",
        "messages.content",
        "tool_calls",
        "messages.file_id",
    } == {note.param for note in parsed.notes}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"reasoning_effort": "xhigh"}, Reasoning("xhigh")),
        ({"reasoning": {"effort": "low"}}, Reasoning("low")),
        ({"reasoning": {"max_tokens": 2000}}, Reasoning(None, 2000)),
        ({"reasoning": {"enabled": False}}, Reasoning("none")),
        ({"thinking": {"type": "disabled"}}, Reasoning("none")),
        ({"thinking": {"type": "enabled", "budget_tokens": 2000}}, Reasoning(None, 2000)),
        ({"enable_thinking": True, "thinking_budget": 500}, Reasoning(None, 500)),
        ({"chat_template_kwargs": {"enable_thinking": False}}, Reasoning("none")),
        ({"enable_thinking": True}, Reasoning("medium")),
    ],
)
def test_every_way_to_ask_for_reasoning(said: Any, expected: Reasoning) -> None:
    parsed = asked(**said)
    assert expected == parsed.request.reasoning
    assert () == parsed.notes


@pytest.mark.parametrize(
    ("said", "expected", "param"),
    [
        ({"thinking": {"type": "sometimes"}}, None, "thinking"),
        ({"reasoning_effort": "immense"}, None, "reasoning_effort"),
        ({"reasoning": {}}, None, None),
        (
            {"chat_template_kwargs": {"enable_thinking": True, "greeting": "hi"}},
            Reasoning("medium"),
            "chat_template_kwargs",
        ),
    ],
)
def test_what_is_not_known_of_reasoning_is_noted(
    said: Any, expected: Reasoning | None, param: str | None
) -> None:
    parsed = asked(**said)
    assert expected == parsed.request.reasoning
    assert [param] * (param is not None) == [note.param for note in parsed.notes]


def assistant(**said: Any) -> list[Any]:
    parsed = parse({"model": "m", "messages": [*HI, {"role": "assistant", **said}]})
    assert () == parsed.notes
    content = parsed.request.messages[1].content
    return content if isinstance(content, list) else [content]


CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def test_reasoning_details_are_read_back() -> None:
    """Pieces of one are joined, and a proof goes to what it belongs to."""
    claude = {"format": "anthropic-claude-v1", "index": 0}
    openai = {"format": "openai-responses-v1", "id": "rs_1", "index": 1}
    details = [
        {"type": "reasoning.text", "text": "h", **claude},
        {"type": "reasoning.text", "text": "m", "signature": "sig", **claude},
        {"type": "reasoning.summary", "summary": "so", **openai},
        {"type": "reasoning.encrypted", "data": "BB", **openai},
        {"type": "reasoning.encrypted", "data": "AA", "format": "anthropic-claude-v1"},
        {"type": "reasoning.encrypted", "data": "GG", "format": "google-gemini-v1", "id": "c1"},
    ]
    assert [
        ReasoningPart("hm", "sig", format="anthropic-claude-v1"),
        ReasoningPart("so", "BB", format="openai-responses-v1", id="rs_1"),
        ReasoningPart("", "AA", redacted=True, format="anthropic-claude-v1"),
        ToolCallPart("c1", "f", "{}", signature="GG", format="google-gemini-v1"),
    ] == assistant(reasoning_details=details, reasoning="hmso", tool_calls=[CALL])


def test_thinking_blocks_and_extra_content_are_read_back() -> None:
    blocks = [
        {"type": "thinking", "thinking": "hm", "signature": "sig"},
        {"type": "redacted_thinking", "data": "AA"},
    ]
    call = {**CALL, "extra_content": {"google": {"thought_signature": "GG"}}}
    assert [
        ReasoningPart("hm", "sig", format="anthropic-claude-v1"),
        ReasoningPart("", "AA", redacted=True, format="anthropic-claude-v1"),
        ToolCallPart("c1", "f", "{}", signature="GG", format="google-gemini-v1"),
    ] == assistant(thinking_blocks=blocks, reasoning_content="hm", tool_calls=[call])


def test_a_proof_without_its_text_finds_it_beside() -> None:
    blocks = [{"type": "thinking", "thinking": "", "signature": "sig"}]
    assert [ReasoningPart("hm", "sig", format="anthropic-claude-v1"), TextPart("a")] == assistant(
        content="a", thinking_blocks=blocks, reasoning_content="hm"
    )


def test_media_and_cache_marks_are_read() -> None:
    mark = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
    parsed = parse(
        {
            "model": "m",
            "messages": [
                {"role": "system", "content": [{"type": "text", "text": "s", **mark}]},
                {
                    "role": "user",
                    "content": [
                        {
                            "type": "image_url",
                            "image_url": {"url": "https://h/i.png", "detail": "low"},
                        },
                        {"type": "input_audio", "input_audio": {"data": "AA", "format": "mp3"}},
                        {"type": "file", "file": {"filename": "a.pdf", "file_data": "BB"}, **mark},
                    ],
                },
                {"role": "assistant", "tool_calls": [CALL]},
                {
                    "role": "tool",
                    "tool_call_id": "c1",
                    "content": [
                        {"type": "text", "text": "t"},
                        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}},
                    ],
                },
            ],
        }
    )
    assert () == parsed.notes
    request = parsed.request
    assert ("s", [TextPart("s", Cache("1h"))]) == (request.system, request.system_parts)
    assert [
        ImagePart("https://h/i.png", "low"),
        AudioPart("data:audio/mpeg;base64,AA"),
        DocumentPart("data:application/pdf;base64,BB", "a.pdf", None, Cache("1h")),
    ] == request.messages[0].content
    assert [
        ToolResultPart("c1", [TextPart("t"), ImagePart("data:image/png;base64,AA")])
    ] == request.messages[2].content


def test_tools_with_free_text() -> None:
    form = {"type": "text"}
    parsed = asked(
        messages=[
            *HI,
            {
                "role": "assistant",
                "tool_calls": [
                    {"id": "c", "type": "custom", "custom": {"name": "run", "input": "ls"}}
                ],
            },
        ],
        tools=[{"type": "custom", "custom": {"name": "run", "format": form}}],
        tool_choice={"type": "custom", "custom": {"name": "run"}},
    )
    assert () == parsed.notes
    assert [ToolSpec("run", custom=form)] == parsed.request.tools
    assert ToolChoice("tool", "run") == parsed.request.tool_choice
    assert [ToolCallPart("c", "run", '{"input":"ls"}', custom=True)] == parsed.request.messages[
        1
    ].content


def test_mistrals_words() -> None:
    """Those that we have under other names are carried; the rest is noted."""
    parsed = asked(
        messages=[
            *HI,
            {
                "role": "assistant",
                "content": [
                    {
                        "type": "thinking",
                        "thinking": [{"type": "text", "text": "hm"}],
                        "signature": "s",
                    }
                ],
            },
            {
                "role": "assistant",
                "tool_calls": [
                    {"id": "a1B2c3D4e", "function": {"name": "f", "arguments": {"city": "巴黎"}}}
                ],
            },
            {"role": "tool", "tool_call_id": "a1B2c3D4e", "name": "f", "content": "21"},
            {"role": "assistant", "content": "It is", "prefix": True},
        ],
        random_seed=7,
        tool_choice="any",
        safe_prompt=True,
        prompt_mode="reasoning",
        min_tokens=3,
        repetition_penalty=1.1,
        prompt_logprobs=False,
    )
    assert (7, ToolChoice("required")) == (parsed.request.seed, parsed.request.tool_choice)
    assert [ReasoningPart("hm", "s")] == parsed.request.messages[1].content
    assert [ToolCallPart("a1B2c3D4e", "f", '{"city":"巴黎"}')] == parsed.request.messages[2].content
    named = [
        "safe_prompt",
        "prompt_mode",
        "min_tokens",
        "messages.name",
        "messages.prefix",
    ]
    assert [("dropped", name) for name in named] == params(parsed)


def test_mistrals_sdks_are_known_by_their_name() -> None:
    """And nobody else is answered in their form."""
    body = json.dumps({"model": "fast", "messages": HI}).encode()
    assert DIALECT.client is not None
    for agent, expected in (
        ("mistral-client-python/3.7.0", True),
        ("mistral-client-typescript/2.0", True),
        ("OpenAI/Python 2.0", False),
    ):
        parsed = DIALECT.client.parse_request(Incoming("POST", {}, {}, {"user-agent": agent}, body))
        assert expected is parsed.options.mistral


def test_values_that_ask_for_nothing_are_not_noted() -> None:
    assert [] == params(
        asked(
            frequency_penalty=0,
            presence_penalty=0.0,
            logit_bias={},
            logprobs=False,
            service_tier="auto",
            modalities=["text"],
            audio=None,
            top_k=None,
        )
    )


def test_names_and_audio_of_messages_are_noted() -> None:
    image = {"type": "image_url", "image_url": {"url": "https://x.example/i.png", "detail": "high"}}
    parsed = parse(
        {
            "model": "m",
            "messages": [
                {"role": "user", "name": "ann", "content": [image, image]},
                {"role": "assistant", "content": "", "audio": {"id": "a"}},
            ],
        }
    )
    assert [
        ("dropped", "messages.name"),
        ("dropped", "messages.audio"),
    ] == params(parsed)


def test_parts_that_cannot_be_carried_as_they_are_are_noted() -> None:
    """Of a file its content is, of a picture its address; marks for a cache that nobody knows are
    left out, and so are pictures and proofs of nobody's form."""
    strange = {"type": "text", "text": "a", "cache_control": {"type": "eternal"}}
    file = {"file_id": "f", "filename": "a.txt", "file_data": "data:text/plain;base64,YQ=="}
    picture = {"type": "image_url", "image_url": {"url": "https://h/i.png"}}
    parsed = parse(
        {
            "model": "m",
            "messages": [
                {"role": "user", "content": [strange, {"type": "file", "file": {"file_id": "f"}}]},
                {
                    "role": "assistant",
                    "content": "b",
                    "refusal": "no",
                    "images": [picture, {"type": "image"}],
                    "tool_calls": [
                        {**CALL, "extra_content": {"elsewhere": 1}},
                        {"id": "c2", "type": "computer"},
                    ],
                },
                {"role": "tool", "tool_call_id": "c1", "content": "1"},
                {"role": "user", "content": [{"type": "file", "file": file}]},
            ],
        }
    )
    assert {
        ("dropped", "cache_control"),
        ("dropped", "messages.file_id"),
        ("dropped", "messages.images"),
        ("dropped", "tool_calls.extra_content"),
        ("dropped", "tool_calls"),
    } == set(params(parsed))
    first, second, _, last = parsed.request.messages
    assert [TextPart("a")] == first.content
    assert [TextPart("b"), TextPart("no"), ImagePart("https://h/i.png")] == second.parts[:3]
    assert ["c1"] == [part.id for part in second.parts if isinstance(part, ToolCallPart)]
    assert [DocumentPart("data:text/plain;base64,YQ==", "a.txt")] == last.content


BAD: list[tuple[Any, str | None, str]] = [
    (b"", None, "empty"),
    (b"{", None, "too early"),
    (b'{"model": nope}', None, "(byte 1"),
    (b'{"model": "\xff"}', None, "byte 11"),
    (b"[1]", None, "must be a JSON object, not a list"),
    (b'{"a":' + b"[" * 100_000, None, ""),
    ({"messages": HI}, "model", "required"),
    ({"model": "m"}, "messages", "required"),
    ({"model": "m", "messages": []}, "messages", "at least one"),
    ({"model": 5, "messages": HI}, "model", "must be text, not a whole number"),
    ({"model": "m", "messages": "hi"}, "messages", "must be a list, not text"),
    ({"model": "m", "messages": [{"role": "user", "content": 5}]}, "messages[0].content", "must be text or a list, not a whole number"),
    ({"model": "m", "messages": [{"role": "user"}]}, "messages[0].content", "must be text or a list of parts"),
    ({"model": "m", "messages": [{"role": 5, "content": "x"}]}, "messages[0].role", "must be text"),
    ({"model": "m", "messages": [{"role": "tool", "content": "x"}]}, "messages[0].tool_call_id", "required"),
    ({"model": "m", "messages": [{"role": "function", "content": "x"}]}, "messages[0].name", "required"),
    ({"model": "m", "messages": [{"role": "user", "content": [{"type": "input_audio"}]}]}, "messages[0].content[0].input_audio", "required"),
    ({"model": "m", "messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages[0].content[0].text", "required"),
    *(
        ({"model": "m", "messages": [{"role": "user", "content": [{"type": kind}]}]}, f"messages[0].content[0].{kind}", "required")
        for kind in ("refusal", "image_url", "thinking", "file")
    ),
    ({"model": "m", "messages": [*HI, {"role": "assistant", "tool_calls": [CALL]}, {"role": "tool", "tool_call_id": "c1", "content": [{"type": "thinking", "thinking": []}]}]}, "messages[2].content[0]", "cannot stand in a tool's result"),
    ({"model": "m", "messages": [{"role": "system", "content": [{"type": "image_url", "image_url": "x"}]}]}, "messages[0].content[0]", "must be text"),
    ({"model": "m", "messages": [*HI, {"role": "assistant", "tool_calls": [{"id": "c", "type": "custom"}]}]}, "messages[1].tool_calls[0].custom", "required"),
    ({"model": "m", "messages": HI, "max_tokens": 0}, "max_tokens", ">= 1"),
    ({"model": "m", "messages": HI, "n": "two"}, "n", "must be a whole number, not text"),
    ({"model": "m", "messages": HI, "stream": "yes"}, "stream", "true or false"),
    ({"model": "m", "messages": HI, "stop": [1]}, "stop[0]", "must be text"),
    ({"model": "m", "messages": HI, "tools": [{"type": "function"}]}, "tools[0].function", "required"),
    ({"model": "m", "messages": HI, "tools": [{"type": "custom"}]}, "tools[0].custom", "required"),
    ({"model": "m", "messages": HI, "tool_choice": 5}, "tool_choice", "must be text or an object"),
    ({"model": "m", "messages": HI, "reasoning_effort": 5}, "reasoning_effort", "must be text"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "param", "words"), BAD)
def test_a_bad_request_is_refused_with_its_field(body: Any, param: str | None, words: str) -> None:
    where, message = refusal(body)
    assert param == where
    assert words in message
    assert (param or "") in message

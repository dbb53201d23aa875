"""What useChat posts. Its shapes are those of the SDK's own types; the SDK itself posts in
tests/oracle."""

import json

import pytest

from proxy.codec.proofs import ANTHROPIC, GEMINI, OPENAI
from proxy.dialects.ai_sdk import DIALECT
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

CLIENT = DIALECT.client
HI = {"id": "u1", "role": "user", "parts": [{"type": "text", "text": "Hi"}]}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}


def parsed(*messages, query=None, **body):
    document = {"id": "c1", "trigger": "submit-message", "messages": [*messages], **body}
    return CLIENT.parse_request(posted(json.dumps(document).encode(), query=query))


def assistant(*parts):
    return {"id": "a1", "role": "assistant", "parts": [*parts]}


def call(number, state, name="tool-weather", **more):
    return {
        "type": name,
        "toolCallId": f"t{number}",
        "state": state,
        "input": {"n": number},
        **more,
    }


def test_a_question():
    """The page names the model in the transport's body or in the address; else an operator's row
    does."""
    got = parsed(HI)
    assert ([Message("user", "Hi")], "ai_sdk", True, ()) == (
        got.request.messages,
        got.request.model,
        got.request.stream,
        got.notes,
    )
    assert "fast" == parsed(HI, model="fast", query={"model": "slow"}).request.model
    assert "slow" == parsed(HI, query={"model": "slow"}).request.model


def test_settings_have_streamtexts_names():
    """Beside the messages, where the transport's `body` puts them."""
    asked = parsed(
        HI,
        system="Be brief.",
        maxOutputTokens=9,
        temperature=0.5,
        topP=0.9,
        stopSequences=["x"],
        seed=7,
        user="u",
        toolChoice="required",
        reasoning={"effort": "low"},
    ).request
    assert ("Be brief.", 9, 0.5, 0.9, ["x"], 7, "u") == (
        asked.system,
        asked.max_tokens,
        asked.temperature,
        asked.top_p,
        asked.stop,
        asked.seed,
        asked.user,
    )
    assert (ToolChoice("required"), Reasoning("low")) == (asked.tool_choice, asked.reasoning)


@pytest.mark.parametrize(
    "tools",
    [
        {"weather": {"description": "d", "inputSchema": SCHEMA}},
        {"weather": {"description": "d", "parameters": SCHEMA}},
        [{"name": "weather", "description": "d", "inputSchema": SCHEMA}],
    ],
)
def test_tools(tools):
    asked = parsed(HI, tools=tools, toolChoice={"type": "tool", "toolName": "weather"}).request
    assert ([ToolSpec("weather", "d", SCHEMA)], ToolChoice("tool", "weather")) == (
        asked.tools,
        asked.tool_choice,
    )


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"type": "text"}, None),
        ({"type": "json"}, {"type": "json_object"}),
        (
            {"type": "json", "schema": SCHEMA, "name": "n"},
            {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA}},
        ),
    ],
)
def test_the_form_of_the_answer(said, expected):
    assert expected == parsed(HI, responseFormat=said).request.response_format


def test_images_and_other_files():
    """Those of the user's are carried, by address or as data, where any vendor takes their kind."""
    files = [
        {"type": "file", "mediaType": "image/png", "url": "data:image/png;base64,AA=="},
        {"type": "file", "mediaType": "text/csv", "url": "https://x/f"},
        {
            "type": "file",
            "mediaType": "application/pdf",
            "url": "data:application/pdf;base64,AA==",
            "filename": "a.pdf",
        },
        {"type": "file", "mediaType": "audio/wav", "url": "data:audio/wav;base64,AA=="},
        {"type": "file", "mediaType": "application/zip", "url": "https://x/z"},
    ]
    got = parsed(
        {"role": "user", "parts": [{"type": "text", "text": "See"}, *files]},
        assistant(files[0]),
        HI,
    )
    assert [
        TextPart("See"),
        ImagePart("data:image/png;base64,AA=="),
        DocumentPart("https://x/f"),
        DocumentPart("data:application/pdf;base64,AA==", "a.pdf"),
        AudioPart("data:audio/wav;base64,AA=="),
    ] == got.request.messages[0].content
    assert (["messages.file"], 2) == ([note.param for note in got.notes], len(got.request.messages))


def test_a_step_is_a_turn():
    """What the model said and called, then what the page's tools answered, step by step."""
    got = parsed(
        HI,
        assistant(
            {"type": "step-start"},
            {
                "type": "reasoning",
                "text": "hm",
                "providerMetadata": {"mainstem": {"signature": "s"}},
            },
            {"type": "text", "text": "Let me look."},
            call(1, "output-available", output="21 degrees"),
            call(2, "output-error", "dynamic-tool", toolName="clock", errorText="broken"),
            {"type": "step-start"},
            call(3, "output-available", output={"degrees": 21}),
            {"type": "step-start"},
            {"type": "text", "text": "Done."},
        ),
    )
    assert [
        Message("user", "Hi"),
        Message(
            "assistant",
            [
                ReasoningPart("hm", "s"),
                TextPart("Let me look."),
                ToolCallPart("t1", "weather", '{"n":1}'),
                ToolCallPart("t2", "clock", '{"n":2}'),
            ],
        ),
        Message(
            "tool",
            [ToolResultPart("t1", "21 degrees"), ToolResultPart("t2", "broken", is_error=True)],
        ),
        Message("assistant", [ToolCallPart("t3", "weather", '{"n":3}')]),
        Message("tool", [ToolResultPart("t3", '{"degrees":21}')]),
        Message("assistant", "Done."),
    ] == got.request.messages
    assert ("a1", ()) == (got.options.message_id, got.notes)


@pytest.mark.parametrize(
    ("said", "part"),
    [
        (
            {"mainstem": {"signature": "s", "format": GEMINI, "redacted": True, "id": "r"}},
            ReasoningPart("", "s", True, GEMINI, "r"),
        ),
        ({"anthropic": {"signature": "s"}}, ReasoningPart("", "s", format=ANTHROPIC)),
        ({"anthropic": {"redactedData": "d"}}, ReasoningPart("", "d", True, ANTHROPIC)),
        (
            {"openai": {"itemId": "rs_1", "reasoningEncryptedContent": "e"}},
            ReasoningPart("", "e", False, OPENAI, "rs_1"),
        ),
        ({"google": {"thoughtSignature": "t"}}, ReasoningPart("", "t", format=GEMINI)),
        ({"other": {"signature": "s"}}, ReasoningPart("", "s")),
        ({"openai": {"itemId": "rs_1"}, "x": 1}, ReasoningPart("")),
    ],
)
def test_proofs_come_back_with_whose_they_are(said, part):
    """Ours, and those of the SDK's own providers."""
    thought = {"type": "reasoning", "text": "", "providerMetadata": said}
    assert [part] == parsed(HI, assistant(thought), HI).request.messages[1].parts


def test_a_calls_proof_comes_back():
    proof = {"mainstem": {"signature": "s", "format": GEMINI}}
    done = call(1, "output-available", output=1, callProviderMetadata=proof)
    (_, turn, _) = parsed(HI, assistant(done)).request.messages
    assert [ToolCallPart("t1", "weather", '{"n":1}', False, "s", GEMINI)] == turn.parts


def test_a_tools_output_may_hold_files():
    output = {
        "type": "content",
        "value": [
            {"type": "text", "text": "here"},
            {"type": "media", "data": "AA==", "mediaType": "image/png"},
            {"type": "file-url", "url": "https://x/f.pdf"},
            {"type": "custom"},
        ],
    }
    got = parsed(HI, assistant(call(1, "output-available", output=output)))
    (result,) = got.request.messages[2].parts
    assert [
        TextPart("here"),
        ImagePart("data:image/png;base64,AA=="),
        DocumentPart("https://x/f.pdf"),
    ] == result.parts
    assert {"messages.file"} == params(got.notes)


def test_arguments_that_are_no_object():
    """Those of a call that failed to parse go back as they were; none at all are {}."""
    broken = {
        "type": "tool-w",
        "toolCallId": "t",
        "state": "output-error",
        "rawInput": '{"a":',
        "errorText": "no JSON",
    }
    bare = {"type": "tool-w", "toolCallId": "u", "state": "output-available", "output": 1}
    calls = parsed(HI, assistant(broken, bare)).request.messages[1].content
    assert ['{"a":', "{}"] == [part.arguments for part in calls]


@pytest.mark.parametrize("state", ["input-streaming", "input-available", "approval-requested"])
def test_a_call_without_its_result_is_left_out(state):
    """No vendor goes on without it."""
    got = parsed(HI, assistant({"type": "text", "text": "a"}, call(1, state)), HI)
    assert ("a", {"messages.tool_call"}) == (got.request.messages[1].content, params(got.notes))


def test_a_call_that_the_user_denied():
    (_, _, results) = parsed(HI, assistant(call(1, "output-denied"))).request.messages
    assert results.content[0].is_error


def test_what_only_the_page_needs():
    """Sources, data and what is not known are left out, and said once each."""
    parts = [
        {"type": kind}
        for kind in ("source-url", "source-document", "data-weather", "data-x", "hologram")
    ]
    got = parsed(HI, assistant({"type": "text", "text": "a"}, *parts), HI)
    assert ["messages.source", "messages.data", "unknown_part"] == [
        note.param for note in got.notes
    ]


def test_system_messages():
    """Those before the first turn join the system text; a later one stays where it is."""
    rule = {"role": "system", "parts": [{"type": "text", "text": "Rule."}]}
    asked = parsed(rule, HI, rule, HI, instructions="First.").request
    assert ("First.\n\nRule.", ["user", "system", "user"]) == (
        asked.system,
        [turn.role for turn in asked.messages],
    )


def test_messages_of_before_version_5():
    """They had text in place of parts."""
    assert [Message("user", "Hi")] == parsed({"role": "user", "content": "Hi"}).request.messages


def test_keys_that_nobody_knows_are_noted():
    assert {"unknown_key"} == params(parsed(HI, temprature=1).notes)


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "system", "content": "a"}]}, "messages"),
        ({"messages": [{"role": "tool", "parts": []}]}, "messages[0].role"),
        ({"messages": [{"role": "user"}]}, "messages[0].parts"),
        ({"messages": [{"role": "user", "parts": [{}]}]}, "messages[0].parts[0].type"),
        (
            {"messages": [{"role": "user", "parts": [{"type": "text"}]}]},
            "messages[0].parts[0].text",
        ),
        (
            {"messages": [{"role": "user", "parts": [{"type": "file", "url": "x"}]}]},
            "messages[0].parts[0].mediaType",
        ),
        (
            {"messages": [{"role": "assistant", "parts": [{"type": "tool-x", "state": "y"}]}]},
            "messages[0].parts[0].toolCallId",
        ),
        (
            {
                "messages": [
                    {
                        "role": "assistant",
                        "parts": [{"type": "dynamic-tool", "toolCallId": "t", "state": "y"}],
                    }
                ]
            },
            "messages[0].parts[0].toolName",
        ),
        ({"messages": [HI], "maxOutputTokens": 0}, "maxOutputTokens"),
        ({"messages": [HI], "toolChoice": {"type": "tool"}}, "toolChoice.toolName"),
        ({"messages": [HI], "tools": [{}]}, "tools[0].name"),
    ],
)
def test_a_wrong_request_is_refused_by_name(body, param):
    with pytest.raises(Refused) as refused:
        CLIENT.parse_request(posted(json.dumps(body).encode()))
    assert param == refused.value.failure.param

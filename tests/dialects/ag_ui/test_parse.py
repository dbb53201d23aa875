"""What an AG-UI client posts becomes a ChatRequest."""

import json

import pytest

from proxy.dialects.ag_ui import DIALECT
from proxy.errors import Refused
from proxy.request import (
    AudioPart,
    DocumentPart,
    ImagePart,
    Message,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolChoice,
    ToolResultPart,
    ToolSpec,
)
from tests.dialects.answers import posted

CLIENT = DIALECT.client
ASK = {"id": "1", "role": "user", "content": "Hi"}
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}


def parsed(*messages, query=None, headers=None, **more):
    body = {"threadId": "t", "runId": "r", "messages": [*messages], **more}
    incoming = posted(json.dumps(body).encode(), query=query or {})
    return CLIENT.parse_request(incoming._replace(headers=headers or {}))


def turns(*messages):
    return parsed(*messages).request.messages


def refused(*messages, **more):
    with pytest.raises(Refused) as caught:
        parsed(*messages, **more)
    return caught.value.failure


def noted(*messages, **more):
    return [note.param for note in parsed(*messages, **more).notes]


def test_the_model_is_that_of_the_props_or_of_the_address():
    assert [
        parsed(ASK, forwardedProps={"model": "m"}, query={"model": "n"}).request.model,
        parsed(ASK, query={"model": "n"}).request.model,
        parsed(ASK).request.model,
    ] == ["m", "n", "ag_ui"]


def test_the_props_are_settings():
    props = {"maxTokens": 9, "temperature": 0.5, "topP": 0.4, "stop": "END", "seed": 3}
    asked = parsed(ASK, forwardedProps={**props, "toolChoice": "required"}).request
    assert (9, 0.5, 0.4, ["END"], 3, ToolChoice("required")) == (
        asked.max_tokens,
        asked.temperature,
        asked.top_p,
        asked.stop,
        asked.seed,
        asked.tool_choice,
    )


def test_one_tool_is_chosen_by_copilotkits_two_words():
    props = {"toolChoice": "function", "toolChoiceFunctionName": "f"}
    assert parsed(ASK, forwardedProps=props).request.tool_choice == ToolChoice("tool", "f")
    assert refused(ASK, forwardedProps={"toolChoice": "function"}).param == (
        "forwardedProps.toolChoiceFunctionName"
    )


def test_a_run_can_be_found_again_by_the_clients_own_name_for_it():
    """In the body, or in TanStack AI's header."""
    assert [
        parsed(ASK).chat,
        parsed(ASK, runId="", headers={"x-run-id": "r2"}).chat,
        parsed(ASK, runId="").chat,
    ] == ["r", "r2", ""]


def test_system_texts_and_context_stand_before_the_first_turn():
    asked = parsed(
        {"id": "0", "role": "developer", "content": "Be brief."},
        ASK,
        {"id": "2", "role": "system", "content": "Now in verse."},
        context=[{"description": "The page", "value": "A map."}],
    ).request
    assert asked.system == "Be brief.\n\nThe page:\nA map."
    assert asked.messages == [Message("user", "Hi"), Message("system", "Now in verse.")]


def test_reasoning_text_and_calls_are_one_turn():
    """And their proofs say whose they are."""
    thought = {"id": "2", "role": "reasoning", "content": "Hm."}
    thought["encryptedValue"] = "mainstem:anthropic-claude-v1:sig"
    answer = {"id": "3", "role": "assistant", "content": "I look.", "toolCalls": [CALL]}
    assert turns(ASK, thought, answer)[1] == Message(
        "assistant",
        [
            ReasoningPart("Hm.", "sig", format="anthropic-claude-v1"),
            TextPart("I look."),
            ToolCallPart("c1", "f", '{"a":1}'),
        ],
    )


def test_reasoning_without_text_is_encrypted_as_a_whole():
    thought = {"id": "2", "role": "reasoning", "content": "", "encryptedValue": "blob"}
    assert turns(ASK, thought)[1].parts == [ReasoningPart("", "blob", redacted=True)]


def test_a_calls_proof():
    call = {**CALL, "encryptedValue": "mainstem:google-gemini-v1:sig"}
    answer = {"id": "3", "role": "assistant", "toolCalls": [call]}
    expected = ToolCallPart("c1", "f", '{"a":1}', signature="sig", format="google-gemini-v1")
    assert turns(ASK, answer)[1].parts == [expected]


def test_what_a_tool_answered():
    said = [
        {"id": "4", "role": "tool", "toolCallId": "c1", "content": "r"},
        {"id": "5", "role": "tool", "toolCallId": "c2", "content": "", "error": "no"},
        {"id": "6", "role": "tool", "toolCallId": "c3", "content": [{"type": "text", "text": "p"}]},
    ]
    assert [turn.parts for turn in turns(ASK, *said)[1:]] == [
        [ToolResultPart("c1", "r")],
        [ToolResultPart("c2", "no", is_error=True)],
        [ToolResultPart("c3", [TextPart("p")])],
    ]
    assert refused(ASK, {"id": "4", "role": "tool", "content": "r"}).param == (
        "messages[1].toolCallId"
    )


def media(kind, **source):
    return {"type": kind, "source": source}


def test_pictures_documents_and_sound():
    """By the parts of 1.0, and by those of the drafts."""
    content = [
        media("image", type="data", value="AA==", mimeType="image/png"),
        media("image", type="url", value="https://a.example/a.png"),
        media("document", type="data", value="AA==", mimeType="application/pdf"),
        media("audio", type="data", value="AA==", mimeType="audio/wav"),
        {"type": "binary", "mimeType": "image/gif", "data": "AA=="},
        {"type": "binary", "mimeType": "application/pdf", "url": "https://a/b", "filename": "b"},
    ]
    assert turns({"id": "1", "role": "user", "content": content})[0].parts == [
        ImagePart("data:image/png;base64,AA=="),
        ImagePart("https://a.example/a.png"),
        DocumentPart("data:application/pdf;base64,AA=="),
        AudioPart("data:audio/wav;base64,AA=="),
        ImagePart("data:image/gif;base64,AA=="),
        DocumentPart("https://a/b", "b"),
    ]


def test_what_no_vendor_takes_is_left_out_and_said():
    content = [
        {"type": "text", "text": "a"},
        media("video", type="url", value="https://a.example/a.mp4"),
        media("image", type="file", value="f1"),
        {"type": "hologram"},
    ]
    message = {"id": "1", "role": "user", "content": content}
    assert turns(message)[0].parts == [TextPart("a")]
    assert noted(message) == ["messages.file", "unknown_part"]


def test_data_without_its_type_is_refused():
    message = {"id": "1", "role": "user", "content": [media("image", type="data", value="AA==")]}
    assert refused(message).param == "messages[0].content[0].source.mimeType"


def test_what_is_for_the_page_or_an_agent_alone_is_said():
    activity = {"id": "2", "role": "activity", "activityType": "plan", "content": {"a": 1}}
    told = noted(ASK, activity, {"id": "3", "role": "wizard"}, state={"a": 1}, resume=[{}], odd=1)
    assert sorted(told) == ["messages.activity", "messages.role", "resume", "state", "unknown_key"]


def test_what_tanstack_says_twice_is_no_loss():
    props = {"model": "m"}
    assert noted(ASK, state={}, context=[], forwardedProps=props, data=props) == []


def test_tools():
    tool = {"name": "f", "description": "d", "parameters": {"type": "object"}}
    assert parsed(ASK, tools=[tool]).request.tools == [ToolSpec("f", "d", {"type": "object"})]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": [{"id": "1", "role": "system", "content": "s"}]}, "messages"),
        ({"messages": [{"id": "1", "role": "user"}]}, "messages[0].content"),
        ({"messages": [ASK], "forwardedProps": {"maxTokens": 0}}, "forwardedProps.maxTokens"),
    ],
)
def test_what_is_no_request(body, param):
    with pytest.raises(Refused) as caught:
        CLIENT.parse_request(posted(json.dumps(body).encode(), query={}))
    assert caught.value.failure.param == param

"""Every tool call goes up with one result behind it, under an id of its own, whatever the client's
conversation looks like.
"""

import pytest

from proxy.codec.mended import mended
from proxy.codec.paired import paired
from proxy.codec.rules import NO_RULES
from proxy.events import Note
from proxy.request import (
    ChatRequest,
    ImagePart,
    Message,
    Part,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    ToolSpec,
)

HI = Message("user", "hi")
NONE = "There is no result of this call."


def asked(messages: list[Message]) -> ChatRequest:
    return ChatRequest(model="m", messages=messages)


def called(*ids: str) -> Message:
    return Message("assistant", [ToolCallPart(each, "f") for each in ids])


def told(*results: tuple[str, str]) -> Message:
    return Message("tool", [ToolResultPart(*each) for each in results])


def sent(messages: list[Message]) -> tuple[list[list[Part | str]], set[str]]:
    """The parts of each message, and what was noted."""
    notes: list[Note] = []
    out = [
        [part.text if isinstance(part, TextPart) else part for part in message.parts]
        for message in paired(asked([HI, *messages]), notes).messages
    ]
    return out[1:], {note.param for note in notes}


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [called("a"), told(("a", "1")), Message("assistant", "so")],
        [called("a", "b"), told(("b", "2"), ("a", "1"))],
        [called("a", "b"), told(("b", "2")), told(("a", "1")), Message("user", "go on")],
        [called("a"), called("b"), told(("a", "1"), ("b", "2"))],
        [Message("assistant", [ToolCallPart("a", "f"), TextPart("x")]), told(("a", "1"))],
        [called("a"), Message("user", [ToolResultPart("a", "1"), TextPart("and")])],
    ],
)
def test_what_is_paired_stays_as_it_is(messages: list[Message]) -> None:
    notes: list[Note] = []
    request = asked(messages)
    assert paired(request, notes) is request
    assert notes == []


def test_a_call_without_a_result_is_given_one() -> None:
    """Wherever it stands: before a turn of the user, of the assistant, or at the end."""
    messages = [called("a", "b"), told(("a", "1")), Message("user", "go on"), called("c")]
    parts, params = sent(messages)
    assert [
        [ToolCallPart("a", "f"), ToolCallPart("b", "f")],
        [ToolResultPart("a", "1"), ToolResultPart("b", NONE, is_error=True)],
        ["go on"],
        [ToolCallPart("c", "f")],
        [ToolResultPart("c", NONE, is_error=True)],
    ] == parts
    assert {"messages.tool_call"} == params


def test_a_result_without_a_call_is_text() -> None:
    picture = ImagePart("https://a.test/p.png")
    orphan = Message("tool", [ToolResultPart("z", [TextPart("42"), picture])])
    notes: list[Note] = []
    (_, said) = paired(asked([HI, orphan]), notes).messages
    heading = TextPart("The result of an earlier tool call (z):")
    assert Message("user", [heading, TextPart("42"), picture]) == said
    assert ["messages.tool_result"] == [note.param for note in notes]


def test_results_stand_behind_their_calls_and_nothing_is_lost_by_that() -> None:
    """A text before or between them, and one that comes after another turn of the assistant."""
    messages = [
        called("a", "b", "c"),
        Message("user", [TextPart("see"), ToolResultPart("b", "2")]),
        told(("a", "1")),
        Message("assistant", "waiting"),
        told(("c", "3")),
    ]
    parts, params = sent(messages)
    assert [
        [ToolCallPart(each, "f") for each in "abc"],
        [ToolResultPart("a", "1"), ToolResultPart("b", "2"), ToolResultPart("c", "3")],
        ["see"],
        ["waiting"],
    ] == parts
    assert set() == params


def test_of_two_results_the_last_counts() -> None:
    parts, params = sent([called("a"), told(("a", "1"), ("a", "2"))])
    assert [[ToolCallPart("a", "f")], [ToolResultPart("a", "2")]] == parts
    assert {"messages.tool_result"} == params


def test_an_id_names_one_call() -> None:
    """Where a server counts from 0 in each answer, gives two calls one id, or none."""
    messages = [
        called("call_0", "call_0"),
        told(("call_0", "1"), ("call_0", "2")),
        called("call_0"),
        told(("call_0", "3")),
        called(""),
        told(("", "4")),
    ]
    parts, params = sent(messages)
    assert [
        [ToolCallPart("call_0", "f"), ToolCallPart("call_0_2", "f")],
        [ToolResultPart("call_0", "1"), ToolResultPart("call_0_2", "2")],
        [ToolCallPart("call_0_3", "f")],
        [ToolResultPart("call_0_3", "3")],
        [ToolCallPart("call_2", "f")],
        [ToolResultPart("call_2", "4")],
    ] == parts
    assert set() == params


def test_a_longer_conversation_begins_as_the_shorter_one_did() -> None:
    """Or a vendor's prompt cache would not hit."""
    turn = [called("x", "x"), told(("x", "1"), ("x", "2")), Message("user", "go on")]
    short, long = sent(turn)[0], sent(turn * 3)[0]
    assert short == long[: len(short)]


def test_a_tool_has_its_name_alone_and_an_object_for_arguments() -> None:
    schemas = [None, {}, {"properties": {"a": {}}}, {"type": "object"}, {"anyOf": [{}]}]
    tools = [ToolSpec(f"t{number}", None, schema) for number, schema in enumerate(schemas)]
    twice = [ToolSpec("t0", "another"), ToolSpec("t3", None, {"type": "object"})]
    request = ChatRequest(model="m", messages=[HI], tools=[*tools, *twice])
    found = mended(request, NO_RULES)
    assert [
        None,
        {"type": "object", "properties": {}},
        {"type": "object", "properties": {"a": {}}},
        {"type": "object"},
        {"anyOf": [{}]},
    ] == [tool.parameters for tool in found.request.tools]
    assert ["tools"] == [note.param for note in found.notes]  # of the one that says something else

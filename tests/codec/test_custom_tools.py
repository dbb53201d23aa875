"""Free text as a call's arguments, and back."""

import json
import random

import pytest

from proxy.codec.base import Outgoing, TargetConfig
from proxy.codec.custom_tools import (
    ArgumentsToText,
    TextToArguments,
    arguments_of,
    as_functions,
    text_of,
)
from proxy.codec.halves import UpstreamHalf
from proxy.codec.relaying import built
from proxy.codec.rules import Rules
from proxy.events import Note
from proxy.request import ChatRequest, Message, ToolCallPart, ToolResultPart, ToolSpec

TEXTS = [
    "",
    "*** Begin Patch\n+ \"a\" \\ 'b'\n*** End Patch",
    "\\u0041 \\\\ \\n \\ud83d\\ud83d\\",
    "tab\tand\x00\x1f\x7f",
    "\U0001f600 é 名\u2028",
]
ASCII = json.JSONEncoder(ensure_ascii=True).encode


def cut(text: str, seed: int) -> list[str]:
    chance = random.Random(seed)
    pieces: list[str] = []
    while text:
        size = chance.randint(1, 4)
        pieces.append(text[:size])
        text = text[size:]
    return pieces


@pytest.mark.parametrize("text", TEXTS)
def test_free_text_becomes_arguments_in_any_pieces(text: str) -> None:
    for seed in range(5):
        machine = TextToArguments()
        written = "".join(map(machine.feed, cut(text, seed))) + machine.close()
        assert {"input": text} == json.loads(written)
        assert arguments_of(text) == written


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("write", [arguments_of, lambda text: ASCII({"input": text}) + " "])
def test_arguments_become_free_text_in_any_pieces(text: str, write: object) -> None:
    """However the model escapes it."""
    assert callable(write)
    arguments = write(text)
    for seed in range(20):
        machine = ArgumentsToText()
        assert text == "".join(map(machine.feed, cut(arguments, seed))) + machine.close()


def test_text_comes_as_soon_as_it_is_there() -> None:
    machine = ArgumentsToText()
    assert ["", "", "a", "\n", "b", ""] == [
        machine.feed(piece) for piece in (' {"in', 'put": "', "a", "\\n", "b\\", "u00e")
    ]
    assert ["é", ""] == [machine.feed('9"'), machine.feed(', "more": "x"}')]
    assert machine.close() == ""


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ("", ""),
        ("{}", ""),
        ('{"input', '{"input'),
        ('{"input": "cut he\\u00', "cut he"),
        ('{"input": "cut he\\', "cut he"),
        ('{"patch": "x"}', "x"),
        ('{"why": 1, "input": "x"}', "x"),
        ('{"a": "x", "b": "y"}', '{"a": "x", "b": "y"}'),
        ('"x"', "x"),
        ("ls -l\n", "ls -l\n"),
        ('{"input": 5}', '{"input": 5}'),
        ('{"input": "\\uZZ \\x \\/"}', "\\uZZ x /"),
        ('{"input": "\\ud83d!"}', "\ufffd!"),
    ],
)
def test_arguments_in_another_form_are_read_as_far_as_they_can_be(
    arguments: str, text: str
) -> None:
    for seed in range(5):
        machine = ArgumentsToText()
        assert text == "".join(map(machine.feed, cut(arguments, seed))) + machine.close()
    assert text == text_of(arguments)


def test_what_is_held_is_bounded() -> None:
    """Text that is in no known form is given as it is, once it is long."""
    machine = ArgumentsToText()
    given = [machine.feed("x" * 1000) for _ in range(3000)]
    assert max(map(len, given)) < 1_100_000
    assert 3_000_000 == sum(map(len, given)) + len(machine.close())


REQUEST = ChatRequest(
    model="m",
    messages=[
        Message("user", "hi"),
        Message("assistant", [ToolCallPart("c", "patch", arguments_of("+x"), custom=True)]),
        Message("tool", [ToolResultPart("c", "done")]),
    ],
    tools=[
        ToolSpec(
            "patch", "Edits.", custom={"type": "grammar", "syntax": "lark", "definition": "S"}
        ),
        ToolSpec("run", custom={}),
        ToolSpec("f"),
    ],
)


def test_a_tool_with_free_text_can_be_a_function_with_one_string() -> None:
    notes: list[Note] = []
    made = as_functions(REQUEST, notes)
    patch, run, function = made.tools
    for tool in (patch, run):
        assert tool.custom is None
        assert tool.parameters is not None
        assert ["input"] == tool.parameters["required"] == list(tool.parameters["properties"])
    assert "lark grammar:\nS" in patch.parameters["properties"]["input"]["description"]  # type: ignore[index]
    assert ToolSpec("f") == function
    assert ToolCallPart("c", "patch", '{"input":"+x"}') == made.messages[1].parts[0]
    assert ["tools.custom"] == [note.param for note in notes]


def test_a_request_without_such_tools_stays_as_it_is() -> None:
    request = ChatRequest(model="m", messages=[Message("user", "hi")], tools=[ToolSpec("f")])
    assert request is as_functions(request, [])


@pytest.mark.parametrize("takes", [True, False])
@pytest.mark.parametrize("rule", [None, True, False])
def test_the_targets_rules_go_before_its_dialects_habit(takes: bool, rule: bool | None) -> None:
    """The answer's calls are marked only where functions were sent."""
    seen: list[ChatRequest] = []

    def build(request: ChatRequest, _config: TargetConfig) -> Outgoing:
        seen.append(request)
        return Outgoing("/", b"{}", {})

    def nothing(*_: object) -> None:
        raise AssertionError

    half = UpstreamHalf(
        name="far",
        custom_tools=takes,
        build_request=build,
        decoder=nothing,  # type: ignore[arg-type]
        parse_error=nothing,
    )
    call = built(half, REQUEST, TargetConfig("up", "m", rules=Rules(custom_tools=rule)))
    free = takes if rule is None else rule
    assert free == (seen[0] is REQUEST)
    assert (frozenset() if free else {"patch", "run"}) == call.custom_tools
    assert free == (call.notes == ())

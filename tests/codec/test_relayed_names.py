"""Names and ids that a target refuses, in a client's own request."""

import pytest

from proxy.codec.relayed_names import RelayedNames
from proxy.codec.rules import NO_RULES, Names, Rules
from proxy.events import Note

RULES = Rules(tool_name=Names(chars="a-z_", most=12), call_id=Names(chars="a-z0-9", most=40))
TOOLS = [{"type": "function", "function": {"name": "mcp.get", "description": "d"}}]
TALK = [
    {"role": "user", "content": "hi"},
    {
        "role": "assistant",
        "tool_calls": [{"id": "c:1", "type": "function", "function": {"name": "mcp.get"}}],
    },
    {"role": "tool", "tool_call_id": "c:1", "tool_name": "mcp.get", "content": "42"},
]


def test_a_tool_has_one_name_and_a_call_one_id_wherever_they_stand() -> None:
    notes: list[Note] = []
    named = RelayedNames(RULES, notes)
    tools, talk = named.tools(TOOLS), named.messages(TALK)
    short = tools[0]["function"]["name"]
    assert {short: "mcp.get"} == named.names
    call, result = talk[1]["tool_calls"][0], talk[2]
    assert (short, short) == (call["function"]["name"], result["tool_name"])
    assert call["id"] == result["tool_call_id"] != "c:1"
    assert ["tools.name"] == [note.param for note in notes]
    assert "mcp.get" == TOOLS[0]["function"]["name"], "the client's own was changed"


@pytest.mark.parametrize("rules", [NO_RULES, Rules(tool_name=Names(chars="a-z.", most=12))])
def test_what_fits_stays_the_very_same(rules: Rules) -> None:
    notes: list[Note] = []
    named = RelayedNames(rules, notes)
    assert named.tools(TOOLS) is TOOLS
    assert named.messages(TALK) is TALK
    assert ({}, []) == (named.names, notes)


@pytest.mark.parametrize("odd", [None, "x", [None, "x", 1, {"tool_calls": [1, {}], "role": 1}]])
def test_what_is_none_stays(odd: object) -> None:
    named = RelayedNames(RULES, [])
    assert named.messages(odd) is odd
    assert named.tools(odd) is odd

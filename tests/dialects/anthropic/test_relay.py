"""A client's own request, over the same dialect: all of it arrives, and what the target refuses is
mended.
"""

import json
import random
from typing import Any

import pytest

from proxy.codec import proofs
from proxy.codec.base import Incoming, Outgoing, TargetConfig
from proxy.codec.relaying import built
from proxy.codec.rules import Rules
from proxy.dialects.anthropic import DIALECT
from proxy.settings.rules import RuleBook
from tests.dialects.anthropic.emit import ASK

BOOK = RuleBook("anthropic", "anthropic", {})
BUDGET = {"type": "enabled", "budget_tokens": 4000}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "42"}


def relayed(
    model: str = "m",
    headers: dict[str, str] | None = None,
    rules: Rules | None = None,
    options: dict[str, Any] | None = None,
    **more: Any,
) -> Outgoing:
    assert DIALECT.client is not None
    assert DIALECT.upstream is not None
    body = json.dumps({**ASK, **more}).encode()
    parsed = DIALECT.client.parse_request(Incoming("POST", {}, {}, headers or {}, body))
    target = TargetConfig("up", model, "key", options or {}, rules or BOOK.of(model))
    call = built(DIALECT.upstream, parsed.request, target)
    assert call.relayed
    return call


def body(model: str = "m", **more: Any) -> Any:
    return json.loads(relayed(model, **more).body)


def notes(call: Outgoing) -> list[tuple[str, str]]:
    return [(note.note, note.param) for note in call.notes]


def test_what_nobody_here_knows_arrives_as_it_was_written() -> None:
    """Keys, blocks, kinds of tools, roles and words, at every level and in their order."""
    more = {
        "zeta": {"b": [1, {"a": None}], "a": 1.0},
        "system": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}],
        "tools": [
            {"type": "mcp_toolset", "mcp_server_name": "x"},
            {"name": "f", "input_schema": {}, "defer_loading": True, "cache_control": None},
        ],
        "thinking": {"type": "musing", "depth": 3},
        "tool_choice": {"type": "whim"},
        "messages": [
            {"role": "narrator", "content": "once", "mood": "calm"},
            {"role": "user", "content": [{"type": "aura", "hue": 1}], "id": "u1"},
        ],
    }
    call = relayed(**more)
    sent = json.loads(call.body)
    assert {**ASK, **more, "model": "m", "stream": True} == sent
    assert [*ASK, *(key for key in more if key not in ASK), "stream"] == list(sent)
    assert ["b", "a"] == list(sent["zeta"])
    assert [] == notes(call)


def test_the_same_conversation_gives_the_same_bytes() -> None:
    """Or the vendor's prompt cache would not hit: what grows, grows at its end."""
    first = [{"role": "user", "content": [{"type": "text", "text": "a"}]}]
    more = [{"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}]
    short, again, longer = (relayed(messages=turns) for turns in (first, first, first + more))
    assert short.body == again.body
    assert longer.body.startswith(short.body[: short.body.index(b"]}]") + 2])


def test_headers_of_the_client_and_of_the_operator() -> None:
    """The version is the client's unless the operator says one; beta features are joined."""
    own = {"anthropic-version": "2024-01-01", "anthropic-beta": "a, b"}
    call = relayed(headers=own)
    assert ("2024-01-01", "a,b", "key") == tuple(
        call.headers[name] for name in ("anthropic-version", "anthropic-beta", "x-api-key")
    )
    ruled = relayed(headers=own, options={"version": "2025-01-01", "beta": ["b", "c"]})
    assert ("2025-01-01", "b,c,a") == (
        ruled.headers["anthropic-version"],
        ruled.headers["anthropic-beta"],
    )
    refused = relayed(headers=own, rules=Rules(refuse=("anthropic-beta",)))
    assert "anthropic-beta" not in refused.headers
    assert [("dropped", "refuse")] == notes(refused)


def test_what_the_operator_does_not_let_through() -> None:
    """Keys of the body, and kinds of tools with any date behind their name."""
    rules = Rules(refuse=("mcp_servers", "web_search"))
    tools = [{"type": "web_search_20250305", "name": "web_search"}, {"name": "f"}]
    call = relayed(rules=rules, mcp_servers=[{}], tools=tools)
    sent = json.loads(call.body)
    assert [{"name": "f"}] == sent["tools"]
    assert "mcp_servers" not in sent
    assert [("dropped", "refuse")] * 2 == notes(call)
    alone = body(rules=rules, tools=tools[:1], tool_choice={"type": "auto"})
    assert not {"tools", "tool_choice"} & set(alone)


@pytest.mark.parametrize(
    ("model", "more", "expected"),
    [
        ("claude-opus-4-8", {"thinking": BUDGET}, {"thinking": {"type": "adaptive"}}),
        ("claude-opus-4-8", {"thinking": BUDGET}, {"output_config": {"effort": "medium"}}),
        ("claude-opus-4-6", {"thinking": BUDGET}, {"thinking": BUDGET}),
        ("kimi-k2", {"thinking": BUDGET}, {"thinking": BUDGET}),
        (
            "claude-sonnet-4-5",
            {"thinking": {"type": "adaptive"}, "max_tokens": 9000},
            {"thinking": {"type": "enabled", "budget_tokens": 4500}},
        ),
        ("claude-sonnet-4-5", {"thinking": {"type": "adaptive"}}, {"thinking": None}),
        ("claude-3-5-haiku", {"thinking": BUDGET}, {"thinking": None}),
        ("claude-opus-5-5", {"thinking": {"type": "disabled"}}, {"thinking": None}),
        ("claude-opus-5", {"thinking": {"type": "disabled"}}, {"thinking": {"type": "disabled"}}),
        (
            "claude-sonnet-5-5",
            {"thinking": {"type": "disabled"}},
            {"thinking": {"type": "between_tools"}},
        ),
        ("claude-opus-4-6", {"output_config": {"effort": "xhigh"}}, {"output_config": None}),
        ("claude-haiku-4-5", {"output_config": {"effort": "low"}}, {"output_config": None}),
        (
            "claude-opus-5-5",
            {"tool_choice": {"type": "tool", "name": "f"}, "tools": [{"name": "f"}]},
            {"tool_choice": {"type": "auto"}},
        ),
        ("claude-opus-4-7", {"temperature": 0.2, "top_k": 3}, {"temperature": None, "top_k": None}),
        ("claude-opus-4-5", {"temperature": 0.2, "top_p": 0.9}, {"top_p": None}),
        ("claude-opus-4-1", {"max_tokens": 99_000}, {"max_tokens": 32_000}),
    ],
)
def test_what_a_model_refuses_is_said_as_it_takes_it(
    model: str, more: dict[str, Any], expected: dict[str, Any]
) -> None:
    """Kinds of thinking, efforts, sampling, forced tools and limits; with a note."""
    call = relayed(model, **more)
    sent = json.loads(call.body)
    if expected == {"output_config": None} and "opus" in model:
        expected = {"output_config": {"effort": "high"}}
    assert expected == {key: sent.get(key) for key in expected}
    changed = any(more.get(key) != expected[key] for key in expected)
    assert changed == bool(call.notes)


def test_ids_names_and_schemas_that_the_vendor_refuses() -> None:
    """They are changed alike on a call and on its result, and the answer gets the client's names
    back.
    """
    long = "mcp__" + "x" * 140
    schema = {"type": "object", "anyOf": [{"properties": {"a": {}}}, {"properties": {"b": {}}}]}
    call = relayed(
        "claude-x",
        tools=[{"name": long, "input_schema": schema}],
        tool_choice={"type": "tool", "name": long},
        messages=[
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": [{**CALL, "id": "functions.f:0", "name": long}]},
            {
                "role": "user",
                "content": [
                    {
                        **RESULT,
                        "tool_use_id": "functions.f:0",
                        "content": [{"type": "tool_reference", "tool_name": long}],
                    }
                ],
            },
        ],
    )
    sent = json.loads(call.body)
    use, result = (sent["messages"][at]["content"][0] for at in (1, 2))
    assert use["id"] == result["tool_use_id"] != "functions.f:0"
    assert use["id"].isalnum()
    short = sent["tools"][0]["name"]
    assert [short] * 3 == [
        use["name"],
        sent["tool_choice"]["name"],
        result["content"][0]["tool_name"],
    ]
    assert len(short) <= 128
    assert {short: long} == call.tool_names
    assert {"type": "object", "properties": {"a": {}, "b": {}}} == sent["tools"][0]["input_schema"]
    assert [("changed", "tools.name"), ("changed", "tools.parameters")] == notes(call)


def test_reasoning_goes_back_only_to_who_signed_it() -> None:
    """Its own as it was; another vendor's, and for Claude one without a signature, with a note; a
    model that wants its own unsigned reasoning gets it.
    """
    foreign = proofs.carried("sig", proofs.GEMINI, proofs.ANTHROPIC)
    own = {"type": "thinking", "thinking": "a", "signature": "s"}
    content = [
        own,
        {"type": "redacted_thinking", "data": "d"},
        {"type": "thinking", "thinking": "b", "signature": foreign},
        {"type": "redacted_thinking", "data": proofs.carried("s", None, None, call="toolu_1")},
        {"type": "thinking", "thinking": "c", "signature": ""},
        CALL,
    ]
    turns = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": content},
        {"role": "user", "content": [RESULT]},
    ]
    call = relayed("claude-sonnet-4-5", messages=turns, thinking=BUDGET)
    sent = json.loads(call.body)
    assert [own, content[1], CALL] == sent["messages"][1]["content"]
    assert BUDGET == sent["thinking"]
    assert [("dropped", "messages.reasoning")] * 2 == notes(call)
    kimi = body("kimi-k2", messages=turns)
    assert [own, content[1], content[4], CALL] == kimi["messages"][1]["content"]


def test_claude_does_not_think_on_where_its_reasoning_had_to_be_left_out() -> None:
    """It would refuse the request."""
    content = [{"type": "thinking", "thinking": "c", "signature": ""}, CALL]
    turns = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": content},
        {"role": "user", "content": [RESULT]},
    ]
    assert "thinking" not in body("claude-sonnet-4-5", messages=turns, thinking=BUDGET)
    alone = [turns[0], {"role": "assistant", "content": content[:1]}, turns[0]]
    assert [turns[0]] * 2 == body("claude-sonnet-4-5", messages=alone)["messages"]


def test_an_answer_that_was_begun_is_gone_on_with_by_a_turn_of_the_user() -> None:
    """Newer models refuse it; a turn of the vendor's own tools, which paused, is none."""
    begun = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "{"}]
    call = relayed("claude-opus-4-6", messages=begun)
    sent = json.loads(call.body)["messages"]
    assert begun == sent[:2]
    assert "user" == sent[2]["role"]
    assert [("changed", "messages.prefill")] == notes(call)
    assert begun == body("claude-opus-4-5", messages=begun)["messages"]
    paused = [begun[0], {"role": "assistant", "content": [{"type": "server_tool_use"}]}]
    assert paused == body("claude-opus-4-6", messages=paused)["messages"]


def test_an_answer_that_was_begun_ends_in_no_white_space() -> None:
    """The API refuses it."""
    user = {"role": "user", "content": "hi"}
    for begun, kept in (
        ("so ", "so"),
        ([{"type": "text", "text": "so\n"}], [{"type": "text", "text": "so"}]),
    ):
        messages = [user, {"role": "assistant", "content": begun}]
        sent = body("claude-opus-4-5", messages=messages)["messages"]
        assert [user, {"role": "assistant", "content": kept}] == sent


def test_an_id_of_the_user_that_is_too_long_is_a_digest() -> None:
    """The vendor takes 256 characters; Claude Code's 150 go up as they are."""
    assert "x" * 150 == body(metadata={"user_id": "x" * 150})["metadata"]["user_id"]
    call = relayed(metadata={"user_id": "x" * 300, "more": 1})
    sent = json.loads(call.body)["metadata"]
    assert (1, True) == (sent["more"], len(sent["user_id"]) <= 256)
    assert [("changed", "user")] == notes(call)


def test_what_the_vendor_looks_at_or_refuses_in_blocks() -> None:
    """A picture of another type than it is said to be, and a text that is empty."""
    wrong, right = (
        {"type": "image", "source": {"type": "base64", "media_type": kind, "data": "iVBORw0KGgo"}}
        for kind in ("image/jpeg", "image/png")
    )
    empty, text = ({"type": "text", "text": said} for said in ("", "hi"))
    said = [
        {"role": "user", "content": [wrong, empty, text]},
        {"role": "assistant", "content": [empty, CALL]},
        {"role": "user", "content": [{**RESULT, "content": [text, wrong]}]},
    ]
    assert [
        {"role": "user", "content": [right, text]},
        {"role": "assistant", "content": [CALL]},
        {"role": "user", "content": [{**RESULT, "content": [text, right]}]},
    ] == body(messages=said)["messages"]


def test_vertex_ai() -> None:
    """The model stands in the path, the version in the body, and the key is a token."""
    options = {"vertex": {"project": "p", "location": "europe-west1"}}
    call = relayed(
        "claude-sonnet-4-5@20250929",
        options=options,
        headers={"anthropic-beta": "b"},
        anthropic_version="mine",
    )
    assert (
        "/v1/projects/p/locations/europe-west1/publishers/anthropic/models/"
        "claude-sonnet-4-5@20250929:streamRawPredict" == call.path
    )
    sent = json.loads(call.body)
    assert ("vertex-2023-10-16", True) == (sent["anthropic_version"], sent["stream"])
    assert "model" not in sent
    assert {"authorization": "Bearer key", "anthropic-beta": "b"} == {
        name: value
        for name, value in call.headers.items()
        if name not in ("content-type", "accept")
    }


@pytest.mark.parametrize("seed", range(60))
def test_a_random_request_arrives_equal(seed: int) -> None:
    """But for model and stream, with the order of all keys."""
    choose = random.Random(seed)
    more = random_request(choose)
    call = relayed("some-model", **more)
    expected = {**ASK, **more, "model": "some-model", "stream": True}
    assert json.dumps(expected) == json.dumps(json.loads(call.body))
    assert () == call.notes


def random_request(choose: random.Random) -> dict[str, Any]:
    """A valid request, with keys of all kinds in any order and at any level."""

    def odd(depth: int = 0) -> Any:
        kinds = [1, -2.5, "text", "é\u2028", None, True]
        if depth < 3:
            kinds += [[odd(depth + 1)], {f"k{choose.randrange(9)}": odd(depth + 1)}]
        return choose.choice(kinds)

    def some(options: dict[str, Any]) -> dict[str, Any]:
        names = choose.sample(list(options), choose.randrange(len(options) + 1))
        return {name: options[name] for name in names} | {f"x{choose.randrange(99)}": odd()}

    mark = {"cache_control": {"type": "ephemeral"}}
    asked = {**CALL, "id": "toolu_0"}  # two calls of one id are changed
    blocks = [
        {"type": "text", "text": "t", **some(mark)},
        {"type": "image", "source": {"type": "url", "url": "https://a.test/i"}, **some(mark)},
        {"type": "document", "source": {"type": "file", "file_id": "f"}, **some(mark)},
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": odd()},
        {"type": "web_search_tool_result", "tool_use_id": "s", "content": odd()},
        {"type": "thinking", "thinking": "h", "signature": "s"},
        {"type": "redacted_thinking", "data": "d"},
        {**RESULT, "content": [{"type": "tool_reference", "tool_name": "f"}], **some(mark)},
        {"type": "tomorrow", **some({"a": 1})},
    ]
    turns = [
        {"role": role, "content": choose.sample([*blocks, called], 4), **some({"id": "m"})}
        for role, called in (("user", RESULT), ("assistant", CALL), ("user", asked))
    ]
    options: dict[str, Any] = {
        "system": choose.choice(["s", [{"type": "text", "text": "s", **mark}]]),
        "temperature": 0.5,
        "top_p": 1,
        "top_k": 3,
        "stop_sequences": ["a"],
        "stream": choose.choice([True, False]),
        "tools": [{"name": "f", "input_schema": {"type": "object"}, **some(mark)}],
        "tool_choice": {"type": "auto", **some({"disable_parallel_tool_use": True})},
        "thinking": {"type": "adaptive"},
        "output_config": some({"effort": "max", "format": {"type": "json_schema", "schema": {}}}),
        "metadata": some({"user_id": "u"}),
        "service_tier": "auto",
        "container": odd(),
        "mcp_servers": [odd()],
        "context_management": odd(),
    }
    return {**some(options), "messages": turns}


def test_calls_of_one_id_are_told_apart() -> None:
    """Some servers count their ids from 0 in every answer; this vendor refuses the second."""
    call, result = ({**of, key: "call_0"} for of, key in ((CALL, "id"), (RESULT, "tool_use_id")))
    turns = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": [call]},
        {"role": "user", "content": [result]},
        {"role": "assistant", "content": [call, call, {**call, "id": "call_0_2"}]},
        {"role": "user", "content": [result, result, {**result, "tool_use_id": "call_0_2"}]},
    ]
    sent = body(messages=turns)["messages"]
    calls = [block["id"] for at in (1, 3) for block in sent[at]["content"]]
    results = [block["tool_use_id"] for at in (2, 4) for block in sent[at]["content"]]
    assert (calls, 4) == (results, len(set(calls)))
    assert "call_0" == calls[0]


def test_calls_of_one_id_in_one_turn_have_their_results_in_their_order() -> None:
    """Also behind a turn that was broken off before its result came."""
    call, other = {**CALL, "id": "a"}, {**CALL, "id": "a_2"}
    first, second = ({**RESULT, "tool_use_id": "a", "content": said} for said in ("1", "2"))
    turns = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": [call, other]},
        {"role": "user", "content": [{"type": "text", "text": "go on"}]},
        {"role": "assistant", "content": [call, call]},
        {"role": "user", "content": [first, second]},
    ]
    sent = body(messages=turns)["messages"]
    assert turns[:3] == sent[:3]
    assert ["a_3", "a_4"] == [block["id"] for block in sent[3]["content"]]
    given = [(block["tool_use_id"], block["content"]) for block in sent[4]["content"]]
    assert [("a_3", "1"), ("a_4", "2")] == given

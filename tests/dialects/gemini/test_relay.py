"""A client of this dialect over an upstream of it: nothing of its request is lost."""

import base64
import json
import random
import re
from typing import Any

import pytest

from proxy.codec.base import Incoming, Outgoing, TargetConfig
from proxy.codec.proofs import ANTHROPIC
from proxy.codec.relaying import built
from proxy.codec.rules import NO_RULES, Names, Rules
from proxy.codec.tool_calls import made_id
from proxy.dialects.gemini import DIALECT
from proxy.dialects.gemini.signatures import NO_SIGNATURE, Signed, to_wire
from proxy.settings.rules import RuleBook
from tests.dialects.answers import params
from tests.dialects.requests import mixed

assert DIALECT.client is not None
assert DIALECT.upstream is not None
_CLIENT, _UPSTREAM = DIALECT.client, DIALECT.upstream
HI = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}


def relayed(
    body: dict[str, Any],
    rules: Rules = NO_RULES,
    headers: dict[str, str] | None = None,
    **options: Any,
) -> Outgoing:
    path = {"model": "asked", "method": "streamGenerateContent"}
    incoming = Incoming("POST", path, {"alt": "sse"}, headers or {}, json.dumps(body).encode())
    config = TargetConfig("up", "gemini-x", "key", options, rules)
    call = built(_UPSTREAM, _CLIENT.parse_request(incoming).request, config)
    assert call.relayed
    return call


def sent(body: dict[str, Any], rules: Rules = NO_RULES, **options: Any) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(relayed(body, rules, **options).body)
    return said


def _part(dice: random.Random) -> dict[str, Any]:
    parts: list[dict[str, Any]] = [
        {"text": "Look."},
        {"inlineData": {"mimeType": "video/mp4", "data": "AAAA"}, "videoMetadata": {"fps": 1}},
        {"inline_data": {"mime_type": "image/png", "data": "iVBO", "displayName": "a"}},
        {"fileData": {"mimeType": "video/mp4", "fileUri": "https://a.test/v"}},
        {"text": "Hm.", "thought": True, "thoughtSignature": "c2ln"},
        {"functionCall": {"name": "f", "args": {"x_y": [1]}}, "thought_signature": "c2ln"},
        {"functionResponse": {"name": "f", "response": {"a": 1}, "scheduling": "WHEN_IDLE"}},
        {"executableCode": {"language": "PYTHON", "code": "1"}},
        {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}},
        {"toolCall": {"toolType": "GOOGLE_SEARCH_WEB", "id": "a"}},
    ]
    return {**dice.choice(parts), **mixed(dice, {"mediaResolution": {"level": "LOW"}})}


def _content(dice: random.Random) -> dict[str, Any]:
    parts = [_part(dice) for _ in range(1 + dice.randrange(3))]
    role = dice.choice(("user", "model"))
    return {**mixed(dice, {}), "parts": [*parts, {"text": "so?"}], "role": role}


def _request(dice: random.Random) -> dict[str, Any]:
    config = {
        "temperature": 0.5,
        "topP": 0.25,
        "top_k": 7.0,
        "maxOutputTokens": 9,
        "stopSequences": ["a", "b"],
        "candidateCount": 2,
        "responseMimeType": "application/json",
        "response_schema": {"type": "OBJECT", "property_ordering": ["b", "a"]},
        "thinkingConfig": mixed(dice, {"thinkingLevel": "LOW", "includeThoughts": True}),
        "responseModalities": ["TEXT", "IMAGE"],
        "speechConfig": {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "Kore"}}},
        "imageConfig": {"aspectRatio": "1:1"},
        "mediaResolution": "MEDIA_RESOLUTION_LOW",
        "responseLogprobs": True,
        "logprobs": 3,
        "enableAffectiveDialog": True,
    }
    function = {"name": "f", "description": "F.", "parameters": {"type": "OBJECT"}}
    known = {
        "systemInstruction": {"parts": [{"text": "Be brief.", "x": 1}], "role": "system"},
        "tools": [
            {"functionDeclarations": [mixed(dice, {"behavior": "BLOCKING"}) | function]},
            {"googleSearch": {"timeRangeFilter": {}}},
            {"codeExecution": {}, "url_context": {}},
        ],
        "tool_config": {
            "functionCallingConfig": {"mode": "VALIDATED", "allowedFunctionNames": ["f"]},
            "retrievalConfig": {"languageCode": "en"},
        },
        "generationConfig": mixed(dice, config),
        "safetySettings": [{"category": "c", "threshold": "OFF", "method": "SEVERITY"}],
        "cachedContent": "cachedContents/1",
        "labels": {"a": "b"},
        "store": False,
        "serviceTier": "flex",
    }
    contents = [_content(dice) for _ in range(1 + dice.randrange(3))]
    return {**mixed(dice, known), "contents": contents, **mixed(dice, {})}


@pytest.mark.parametrize("seed", range(40))
def test_a_request_arrives_as_it_was_written(seed: int) -> None:
    """Every key at every level, known or not, in its order; twice the same bytes."""
    body = _request(random.Random(seed))
    call = relayed(body)
    assert json.dumps(body) == json.dumps(json.loads(call.body))
    assert call.body == relayed(body).body
    assert () == call.notes


def test_routing_decides_model_key_and_stream() -> None:
    """The path has the target's model, whatever the client's path and body say."""
    call = relayed({**HI, "model": "models/asked"}, headers={"x-goog-api-key": "client's"})
    assert HI == json.loads(call.body)
    assert "/v1beta/models/gemini-x:streamGenerateContent?alt=sse" == call.path
    assert "key" == call.headers["x-goog-api-key"]


def test_headers_of_the_dialect_go_along() -> None:
    """And no other."""
    own = {"x-vertex-ai-llm-request-type": "shared"}
    strange = {"authorization": "x", "cookie": "x", "x-goog-user-project": "x", "host": "x"}
    call = relayed(HI, headers=own | strange)
    assert {*own, "content-type", "accept", "x-goog-api-key"} == {*call.headers}


def test_the_operators_options_hold() -> None:
    """Over what the client says."""
    asked = {
        **HI,
        "safety_settings": [],
        "generationConfig": {"thinking_config": {"include_thoughts": True}},
    }
    got = sent(asked, safety_settings=[{"category": "c"}], include_thoughts=False)
    assert {
        **HI,
        "safety_settings": [{"category": "c"}],
        "generationConfig": {"thinking_config": {}},
    } == got


def test_what_the_target_refuses_is_left_out() -> None:
    """At the top and in the generationConfig, in both spellings, with a note."""
    rules = Rules(refused=("labels", "topK"), at_most_one=(("temperature", "topP"),))
    asked = {
        **HI,
        "labels": {"a": "b"},
        "generation_config": {"top_k": 1, "temperature": 1, "top_p": 1},
    }
    call = relayed(asked, rules)
    assert {**HI, "generation_config": {"temperature": 1}} == json.loads(call.body)
    assert {"refused", "at_most_one"} == params(call.notes)


def test_what_the_operator_does_not_let_through() -> None:
    """Keys of a request, kinds of tools, kinds of parts."""
    rules = Rules(refuse=("store", "googleSearch", "url_context", "fileData"))
    asked = {
        "contents": [{"parts": [{"file_data": {"fileUri": "https://a.test"}}, {"text": "hi"}]}],
        "store": True,
        "tools": [{"google_search": {}}, {"urlContext": {}}, {"codeExecution": {}}],
    }
    call = relayed(asked, rules)
    assert {
        "contents": [{"parts": [{"text": "hi"}]}],
        "tools": [{"codeExecution": {}}],
    } == json.loads(call.body)
    assert {"refuse"} == params(call.notes)


def test_what_the_operator_does_not_let_through_hides_nowhere() -> None:
    """Where the server takes one object for a list, in the system's text, and in a tool's result."""
    rules = Rules(refuse=("googleSearch", "fileData"))
    file = {"fileData": {"fileUri": "https://a.test"}}
    hidden: list[dict[str, Any]] = [
        {**HI, "tools": {"google_search": {}}},
        {"contents": {"parts": file}},
        {**HI, "systemInstruction": {"parts": [file, {"text": "s"}]}},
        {
            "contents": [
                {"parts": [{"functionCall": {"name": "f", "args": {}}}]},
                {"parts": [{"functionResponse": {"name": "f", "response": {}, "parts": [file]}}]},
            ]
        },
    ]
    for asked in hidden:
        call = relayed(asked, rules)
        assert {"refuse"} == params(call.notes), asked
        assert not re.search(b"google_search|a.test", call.body)
        assert asked == json.loads(relayed(asked).body)


def test_what_stands_in_both_spellings_goes_up_once() -> None:
    """As it is read here, in camelCase: the other one would pass by what is configured."""
    asked = {
        **HI,
        "safetySettings": [],
        "safety_settings": [{"category": "theirs"}],
        "generation_config": {"maxOutputTokens": 9000},
        "generationConfig": {"maxOutputTokens": 1, "max_output_tokens": 9000},
    }
    call = relayed(asked, safety_settings=[{"category": "ours"}])
    assert {
        **HI,
        "safetySettings": [{"category": "ours"}],
        "generationConfig": {"maxOutputTokens": 1},
    } == json.loads(call.body)
    names = {"safety_settings", "generation_config", "max_output_tokens"}
    assert names == params(call.notes)


@pytest.mark.parametrize(
    ("model", "said", "expected"),
    [
        ("gemini-3-flash", {"thinkingLevel": "LOW"}, {"thinkingLevel": "LOW"}),
        ("gemini-3-flash", {"thinkingBudget": 99}, {"thinkingBudget": 99}),
        (
            "gemini-3-flash",
            {"thinkingLevel": "LOW", "thinkingBudget": 9, "x": 1},
            {"thinkingLevel": "LOW", "x": 1},
        ),
        ("gemini-2.5-flash", {"thinking_level": "HIGH", "x": 1}, {"x": 1, "thinkingBudget": 24576}),
        ("gemini-2.0-flash", {"thinkingBudget": 99}, None),
    ],
)
def test_thinking_as_the_model_takes_it(model: str, said: Any, expected: Any) -> None:
    """The client may have thought of another one."""
    rules = RuleBook("gemini", None, {}).of(model)
    got = sent({**HI, "generationConfig": {"thinkingConfig": said}}, rules)
    assert expected == got["generationConfig"].get("thinkingConfig")


def test_bounds_of_the_target() -> None:
    """The nearest that is taken."""
    rules = Rules(largest_max_tokens=5, largest_temperature=1.0, stop_most=1)
    config = {"max_output_tokens": 9, "temperature": 2, "stopSequences": ["a", "b"]}
    assert {"max_output_tokens": 5, "temperature": 1.0, "stopSequences": ["a"]} == (
        sent({**HI, "generationConfig": config}, rules)["generationConfig"]
    )


def test_names_of_tools_that_do_not_fit() -> None:
    """Alike where they are declared, allowed, called and answered; the answer gets them back."""
    name = "mcp__" + "x" * 70
    rules = Rules(tool_name=Names(chars="a-zA-Z0-9_.:-", first="a-zA-Z_", most=64))
    body = {
        "contents": [
            {"role": "model", "parts": [{"functionCall": {"name": name, "args": {}}}]},
            {"parts": [{"function_response": {"name": name, "response": {}}}]},
        ],
        "tools": [{"functionDeclarations": [{"name": name}]}],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": [name]}},
    }
    call = relayed(body, rules)
    ((short, back),) = call.tool_names.items()
    assert name == back
    assert json.loads(json.dumps(body).replace(name, short)) == json.loads(call.body)


def test_what_another_vendor_signed() -> None:
    """It is sent without its signature; a call then with the vendor's own word for none."""
    foreign = to_wire(Signed("c2ln", ANTHROPIC))
    own = base64.b64encode(b"own").decode()
    call = {"functionCall": {"name": "f", "args": {}}}
    parts = [
        {"text": "Hm.", "thought": True, "thoughtSignature": foreign},
        {**call, "thoughtSignature": foreign},
        {"text": "a", "thoughtSignature": own},
        call,
    ]
    body = {
        "contents": [{"role": "user", "parts": [{"text": "x"}]}, {"role": "model", "parts": parts}]
    }
    rules = RuleBook("gemini", None, {}).of("gemini-3-pro")
    assert [
        {"text": "Hm.", "thought": True},
        {**call, "thoughtSignature": NO_SIGNATURE},
        {"text": "a", "thoughtSignature": own},
        {**call, "thoughtSignature": NO_SIGNATURE},
    ] == sent(body, rules)["contents"][1]["parts"]


def test_a_request_of_another_dialect_is_built() -> None:
    """Only this dialect's own clients are relayed."""
    assert frozenset({"gemini"}) == _UPSTREAM.relays


def test_an_id_that_we_made_up_is_not_shown_to_the_vendor() -> None:
    """A call without an id gets one on its way to the client, who sends it back."""
    made = made_id("answer", 0)
    call = {"functionCall": {"id": made, "name": "f", "args": {}}}
    response = {"functionResponse": {"id": made, "name": "f", "response": {}}}
    kept = {"functionCall": {"id": "call_of_theirs", "name": "f", "args": {}}}
    body = {"contents": [{"role": "model", "parts": [call, kept]}, {"parts": [response]}]}
    assert {
        "contents": [
            {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}}, kept]},
            {"parts": [{"functionResponse": {"name": "f", "response": {}}}]},
        ]
    } == sent(body)

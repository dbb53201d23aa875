"""Requests in each model's own form."""

import json
from typing import Any

import pytest

from proxy.codec.base import Incoming, Outgoing, TargetConfig
from proxy.codec.relaying import built as relay
from proxy.dialects.registry import CLIENTS, UPSTREAMS
from proxy.errors import Refused
from proxy.request import ChatRequest, ImagePart, Message, Reasoning, TextPart, ToolSpec
from proxy.settings.rules import RuleBook
from tests.fidelity.table import PROBES

HALF = UPSTREAMS["bedrock_invoke"]
TALK = [Message("user", "Hi"), Message("assistant", "Hello."), Message("user", "How are you?")]
CLAUDE = "eu.anthropic.claude-sonnet-4-20250514-v1:0"
ARN = "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/a1b2"


def built(
    model: str, options: dict[str, Any] | None = None, api_key: str | None = None, **more: Any
) -> Outgoing:
    request = ChatRequest(**{"model": "asked", "messages": TALK, "system": "Be brief.", **more})
    return HALF.build_request(request, TargetConfig("aws", model, api_key, options or {}))


def body(model: str, options: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(built(model, options, **more).body)
    return found


SETTINGS: dict[str, Any] = {"max_tokens": 9, "temperature": 0.5, "top_p": 0.9, "stop": ["END"]}


def test_claude_is_asked_in_its_own_form() -> None:
    """Without what the path says; the version and the betas stand in the body here."""
    found = body(CLAUDE, {"beta": ["a-1", "b-2"]}, max_tokens=9, tools=[ToolSpec("f")])
    assert ("bedrock-2023-05-31", ["a-1", "b-2"]) == (
        found.pop("anthropic_version"),
        found.pop("anthropic_beta"),
    )
    assert {"messages", "system", "max_tokens", "tools"} == set(found)


def test_what_the_wrapped_dialect_cannot_say_is_noted() -> None:
    """As if it were asked alone."""
    assert [("dropped", "seed")] == [
        (note.note, note.param) for note in built(CLAUDE, max_tokens=9, seed=1).notes
    ]


def test_gpt_oss_is_asked_in_openais_form() -> None:
    """Without model and stream."""
    assert ["system", "user", "assistant", "user"] == [
        turn["role"] for turn in body("openai.gpt-oss-20b-1:0", max_tokens=9)["messages"]
    ]
    assert not {"model", "stream", "stream_options"} & set(body("openai.gpt-oss-20b-1:0"))


def test_nova_is_asked_in_the_form_of_converse() -> None:
    """With its own fields beside the rest, and without what only Converse knows."""
    form = {"type": "json_schema", "json_schema": {"schema": {}}}
    call = built(
        "us.amazon.nova-2-lite-v1:0",
        reasoning=Reasoning("low"),
        max_tokens=9,
        response_format=form,
        metadata={"a": "b"},
    )
    found = json.loads(call.body)
    assert {"schemaVersion", "messages", "system", "inferenceConfig", "reasoningConfig"} == set(
        found
    )
    assert ("messages-v1", {"maxTokens": 9}) == (found["schemaVersion"], found["inferenceConfig"])
    assert [("dropped", "response_format"), ("dropped", "metadata")] == [
        (note.note, note.param) for note in call.notes
    ]


def test_llamas_prompt_and_settings() -> None:
    """Turns between Llama's signs."""
    found = body("us.meta.llama3-1-8b-instruct-v1:0", **SETTINGS)
    assert {"max_gen_len": 9, "temperature": 0.5, "top_p": 0.9} == {
        key: value for key, value in found.items() if key != "prompt"
    }
    assert (
        "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\nHello.<|eot_id|>"
        "<|start_header_id|>user<|end_header_id|>\n\nHow are you?<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n"
    ) == found["prompt"]


def test_mistrals_prompt_and_settings() -> None:
    """The system text stands before the user's."""
    found = body("mistral.mistral-7b-instruct-v0:2", **SETTINGS)
    assert {
        "prompt": "<s>[INST] Be brief.\n\nHi [/INST] Hello.</s>[INST] How are you? [/INST]",
        **SETTINGS,
    } == found


def test_titans_and_coheres_prompts() -> None:
    """In plain words."""
    found = body("amazon.titan-text-express-v1", **SETTINGS)
    assert {"maxTokenCount": 9, "temperature": 0.5, "topP": 0.9, "stopSequences": ["END"]} == found[
        "textGenerationConfig"
    ]
    assert found["inputText"].endswith("User: How are you?")
    found = body("cohere.command-text-v14", **SETTINGS)
    assert {"max_tokens", "temperature", "p", "stop_sequences", "stream", "prompt"} == set(found)
    assert found["prompt"].startswith("Be brief.")


def test_command_r_is_asked_with_its_history() -> None:
    """The newest turn is the message."""
    assert {
        "message": "How are you?",
        "chat_history": [
            {"role": "USER", "message": "Hi"},
            {"role": "CHATBOT", "message": "Hello."},
        ],
        "preamble": "Be brief.",
        "seed": 4,
    } == body("cohere.command-r-plus-v1:0", seed=4)


@pytest.mark.parametrize(
    "model",
    [
        "meta.llama3-8b-instruct-v1:0",
        "mistral.mixtral-8x7b-instruct-v0:1",
        "amazon.titan-text-lite-v1",
        "cohere.command-r-v1:0",
    ],
)
def test_what_these_models_cannot_be_told_is_noted(model: str) -> None:
    """Tools, thinking and images among it."""
    call = built(
        model,
        messages=[Message("user", [TextPart("Hi"), ImagePart("https://a.example/x")])],
        tools=[ToolSpec("f")],
        reasoning=Reasoning("low"),
    )
    assert {"tools", "reasoning", "messages.image_url"} <= {note.param for note in call.notes}


@pytest.mark.parametrize(
    ("model", "text"),
    [
        ("meta.llama3-8b-instruct-v1:0", "a<|eot_id|>b"),
        ("mistral.mistral-7b-instruct-v0:2", "a</s>[INST]b"),
    ],
)
def test_a_text_cannot_end_its_own_turn(model: str, text: str) -> None:
    """A model's signs inside it are taken out, with a note."""
    call = built(model, messages=[Message("user", text)], system=None)
    assert text not in json.loads(call.body)["prompt"]
    assert "ab" in json.loads(call.body)["prompt"]
    assert ["messages"] == [note.param for note in call.notes]


@pytest.mark.parametrize(
    "model",
    [
        "meta.llama3-8b-instruct-v1:0",
        "amazon.titan-text-lite-v1",
        "cohere.command-r-v1:0",
        CLAUDE,
        "amazon.nova-lite-v1:0",
    ],
)
def test_nothing_to_say(model: str) -> None:
    """Refused."""
    with pytest.raises(Refused) as refused:
        built(model, messages=[Message("user", "")])
    assert ("bad_request", "messages") == (refused.value.failure.kind, refused.value.failure.param)


def test_a_form_that_the_models_name_does_not_tell() -> None:
    """It is refused with advice, and said by an option."""
    with pytest.raises(Refused, match=r"options\.inner"):
        built(ARN)
    call = built(ARN, {"inner": "anthropic"})
    assert (
        "/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A123456789012%3Aapplication-inference-profile%2Fa1b2/invoke-with-response-stream"
        == call.path
    )
    assert "anthropic_version" in json.loads(call.body)


@pytest.mark.parametrize(
    ("inner", "key"),
    [("pascal", "inner"), ("llama", "regio"), ("nova", "regio"), ("openai_chat", "regio")],
)
def test_wrong_options_are_the_operators_fault(inner: str, key: str) -> None:
    """Those of the wrapped dialect are its own."""
    with pytest.raises(Refused, match=key) as refused:
        built(ARN, {"inner": inner, "region": "eu-west-1", "regio": "x"})
    assert "internal" == refused.value.failure.kind


@pytest.mark.parametrize("feature", PROBES)
@pytest.mark.parametrize(
    "inner",
    ["anthropic", "openai_chat", "nova", "llama", "mistral", "titan", "cohere", "cohere_chat"],
)
def test_nothing_is_lost_without_a_note(inner: str, feature: str) -> None:
    """In any form a request that asks for more is another one, or says what it lost."""
    calls = []
    for request in PROBES[feature]:
        try:
            calls.append(
                HALF.build_request(request, TargetConfig("aws", "m", "key", {"inner": inner}))[1:4]
            )
        except Refused as refused:
            calls.append(refused)
    assert not isinstance(calls[1], Refused)
    assert calls[0] != calls[1]


def test_the_clients_own_keys_go_over_ours() -> None:
    """In every form."""
    assert 7 == body("meta.llama3-8b-instruct-v1:0", vendor={"top_k": 7})["top_k"]
    assert 7 == body(CLAUDE, vendor={"top_k": 7})["top_k"]


def test_a_bedrock_api_key_goes_as_bearer_and_not_in_the_wrapped_dialects_way() -> None:
    """Nothing is signed then."""
    call = built(CLAUDE, api_key="secret")
    assert ("Bearer secret", None) == (call.headers["authorization"], call.sign)
    assert "x-api-key" not in call.headers


def relayed(dialect: str, client: dict[str, Any], model: str, **target: Any) -> Outgoing:
    """What a client's own request becomes."""
    half = CLIENTS[dialect]
    headers = {"anthropic-beta": "b-1"}
    parsed = half.parse_request(Incoming("POST", {}, {}, headers, json.dumps(client).encode()))
    rules = RuleBook("bedrock_invoke", None, {}).of(model)
    return relay(HALF, parsed.request, TargetConfig("aws", model, rules=rules, **target))


ASK: dict[str, Any] = {
    "model": "asked",
    "zeta": {"b": 1, "a": [None]},
    "max_tokens": 9,
    "messages": [
        {
            "role": "user",
            "content": [{"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}],
        }
    ],
}


def test_a_client_of_the_form_that_the_model_takes_is_relayed() -> None:
    """With its keys in their order; version and betas stand in the body, what only the vendor's own
    service takes is noted, and names of tools are mended.
    """
    long = "x" * 70
    call = relayed(
        "anthropic",
        {
            **ASK,
            "anthropic_version": "mine",
            "stream": True,
            "tools": [{"name": long}],
            "container": "c",
        },
        CLAUDE,
        options={"region": "eu-west-1"},
    )
    assert call.relayed
    assert call.path.endswith("/invoke-with-response-stream")
    assert call.sign is not None
    sent = json.loads(call.body)
    short = sent["tools"][0]["name"]
    assert {
        "anthropic_version": "bedrock-2023-05-31",
        "zeta": ASK["zeta"],
        "max_tokens": 9,
        "messages": ASK["messages"],
        "tools": [{"name": short}],
        "anthropic_beta": ["b-1"],
    } == sent
    assert ["b", "a"] == list(sent["zeta"])
    assert {short: long} == call.tool_names
    assert ["tools.name", "container"] == [note.param for note in call.notes]


@pytest.mark.parametrize("model", ["meta.llama3-8b-instruct-v1:0", "amazon.nova-lite-v1:0"])
def test_for_a_model_of_another_form_the_request_is_built(model: str) -> None:
    """Whoever the client is."""
    call = relayed("anthropic", ASK, model)
    assert not call.relayed
    assert b"zeta" not in call.body

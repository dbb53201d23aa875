"""What vendors of the catalogue take no more of is said within their bounds, of a client of their
own dialect and of another.
"""

from typing import Any

import pytest

from tests.dialects.asking import HI, ask

_CHAT = {"model": "m", "messages": [HI]}
_GEMINI = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}


@pytest.mark.parametrize(
    ("client", "body"),
    [
        ("openai_chat", {**_CHAT, "n": 3}),
        ("gemini", {**_GEMINI, "generationConfig": {"candidateCount": 3}}),
    ],
)
def test_groq_gives_one_answer(client: str, body: dict[str, Any]) -> None:
    sent = ask(client, body, "groq", "llama")
    assert (1, {("changed", "n")}) == (sent.body["n"], sent.notes)


def test_one_answer_is_asked_for_as_it_is() -> None:
    sent = ask("openai_chat", {**_CHAT, "n": 1}, "groq", "llama")
    assert (1, set()) == (sent.body["n"], sent.notes)


def test_groq_takes_no_names_of_authors() -> None:
    named = {"model": "m", "messages": [{**HI, "name": "Ada"}]}
    sent = ask("openai_chat", named, "groq", "llama")
    assert ([HI], {("dropped", "messages.refused")}) == (sent.body["messages"], sent.notes)


@pytest.mark.parametrize(
    ("client", "stop"), [("openai_chat", "stop"), ("cohere", "stop_sequences")]
)
def test_coheres_temperature_ends_at_1_and_it_takes_5_stops(client: str, stop: str) -> None:
    """Source: the vendor's page of errors, "temperature must be between 0 and 1.0 inclusive"."""
    texts = ["a", "b", "c", "d", "e", "f"]
    asked = {**_CHAT, "temperature": 1.5, stop: texts}
    sent = ask(client, asked, "cohere", "command-a")
    assert (1, texts[:5]) == (sent.body["temperature"], sent.body["stop_sequences"])
    assert {("changed", "temperature"), ("dropped", stop)} == sent.notes


@pytest.mark.parametrize(
    ("model", "taken"), [("gpt-5-mini", False), ("o3", False), ("o3-mini", True), ("gpt-5.1", True)]
)
def test_reasoning_models_of_openai_that_take_no_stops(model: str, *, taken: bool) -> None:
    """Agents that read the model's text send one with every request."""
    body = {**_CHAT, "stop": ["Observation:"]}
    relayed = ask("openai_chat", body, "openai", model)
    assert (taken, set() if taken else {("dropped", "refused")}) == (
        "stop" in relayed.body,
        relayed.notes,
    )
    said = {"model": "m", "max_tokens": 9, "messages": [HI], "stop_sequences": ["Observation:"]}
    assert taken == ("stop" in ask("anthropic", said, "azure", model).body)


@pytest.mark.parametrize(
    ("model", "effort", "taken"),
    [
        ("gpt-5.1", None, True),
        ("gpt-5.2", "none", True),
        ("gpt-5.2", "low", False),
        ("gpt-5.5", None, False),
        ("gpt-5.5", "none", True),
    ],
)
def test_openais_models_take_no_temperature_while_they_think(
    model: str, effort: str | None, *, taken: bool
) -> None:
    """Source: "Using GPT-5.2" of the vendor's guide: it is refused with any effort but none."""
    notes = set() if taken else {("dropped", "refused")}
    chat = {**_CHAT, "temperature": 0.3, **({"reasoning_effort": effort} if effort else {})}
    sent = ask("openai_chat", chat, "openai", model)
    assert (taken, notes) == ("temperature" in sent.body, sent.notes)
    thinks = {"reasoning": {"effort": effort}} if effort else {}
    own = {"model": "m", "input": "hi", "temperature": 0.3, **thinks}
    sent = ask("openai_responses", own, "openai-responses", model)
    assert (taken, notes) == ("temperature" in sent.body, sent.notes)
    assert taken == ("temperature" in ask("openai_chat", chat, "openai-responses", model).body)


@pytest.mark.parametrize(
    ("vendor", "model", "said", "sent"),
    [
        ("openai", "gpt-5.1", "minimal", "none"),
        ("openai", "gpt-5-mini", "none", "minimal"),
        ("groq", "openai/gpt-oss-120b", "minimal", "low"),
        ("gemini-openai", "gemini-3-flash-preview", "none", "low"),
        ("gemini-openai", "gemini-2.5-flash", "xhigh", "high"),
        ("mistral", "mistral-small-latest", "medium", "high"),
        ("mistral", "mistral-large-latest", "medium", None),
        ("openai", "gpt-5-chat-latest", "low", None),
    ],
)
def test_an_effort_in_the_words_that_the_model_takes(
    vendor: str, model: str, said: str, sent: str | None
) -> None:
    """Of a client of the vendor's dialect and of another."""
    relayed = ask("openai_chat", {**_CHAT, "reasoning_effort": said}, vendor, model)
    assert sent == relayed.body.get("reasoning_effort")
    built = ask("openai_responses", {"model": "m", "input": "hi", "reasoning": {"effort": said}}, vendor, model)  # fmt: skip
    assert sent == built.body.get("reasoning_effort")


@pytest.mark.parametrize("effort", ["none", "minimal"])
def test_gpt_oss_on_ollama_thinks_little_where_it_is_not_to(effort: str) -> None:
    """It passes over a plain false, and would think as much as it always does."""
    sent = ask("openai_chat", {**_CHAT, "reasoning_effort": effort}, "ollama", "gpt-oss:20b")
    assert "low" == sent.body["think"]


def test_cohere_takes_one_of_two_penalties() -> None:
    both = {"frequency_penalty": 0.5, "presence_penalty": 0.4}
    for client in ("openai_chat", "cohere"):
        sent = ask(client, {**_CHAT, **both}, "cohere", "command-a")
        assert (0.5, False) == (sent.body["frequency_penalty"], "presence_penalty" in sent.body)


@pytest.mark.parametrize("vendor", ["openai", "groq", "cerebras", "fireworks"])
def test_what_is_said_to_gemini_alone_is_said_to_nobody_else(vendor: str) -> None:
    google = {"google": {"thinking_config": {"thinking_level": "low"}}}
    for said in (google, {"extra_body": google}):
        sent = ask("openai_chat", {**_CHAT, **said}, vendor, "m")
        assert ("low", False) == (sent.body["reasoning_effort"], bool(sent.body.keys() & said))


def test_fireworks_takes_some_keys_of_other_servers() -> None:
    taken = {"top_k": 4, "min_p": 0.1, "ignore_eos": True}
    sent = ask("openai_chat", {**_CHAT, **taken, "best_of": 2}, "fireworks", "m")
    assert taken.items() <= sent.body.items()
    assert ("best_of" in sent.body, sent.notes) == (False, {("dropped", "refused")})


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        (None, {"type": "auto"}),
        ("required", {"type": "any"}),
        ({"type": "function", "function": {"name": "f"}}, {"type": "tool", "name": "f"}),
    ],
)
def test_claude_on_bedrock_is_held_to_one_call(choice: Any, said: dict[str, Any]) -> None:
    """The service's own choice of a tool may not stand beside the model's."""
    tools = [{"type": "function", "function": {"name": "f"}}]
    body = {**_CHAT, "tools": tools, "parallel_tool_calls": False, "tool_choice": choice}
    sent = ask("openai_chat", body, "bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0")
    own = {"tool_choice": {**said, "disable_parallel_tool_use": True}}
    assert (own, {"tools"}) == (
        sent.body["additionalModelRequestFields"],
        set(sent.body["toolConfig"]),
    )
    other = ask("openai_chat", body, "bedrock", "us.amazon.nova-pro-v1:0")
    assert ("dropped", "tool_choice.parallel") in other.notes


@pytest.mark.parametrize(("store", "taken"), [(None, False), (True, True)])
def test_openai_takes_metadata_of_answers_that_it_stores(
    store: bool | None,
    *,
    taken: bool,
) -> None:
    """A client of its own dialect says what it says."""
    asked = {"model": "m", "input": "hi", "metadata": {"k": "v"}, "store": store}
    sent = ask("openai_responses", asked, "openai", "gpt-4.1")
    assert (taken, taken) == ("metadata" in sent.body, ("dropped", "metadata") not in sent.notes)
    own = ask("openai_chat", {**_CHAT, "metadata": {"k": "v"}}, "openai", "gpt-4.1")
    assert {"k": "v"} == own.body["metadata"]


@pytest.mark.parametrize("vendor", ["openai", "openai-responses"])
@pytest.mark.parametrize("client", ["openai_chat", "openai_responses"])
def test_openais_names_of_users_and_caches_have_64_characters(client: str, vendor: str) -> None:
    """A digest is the same in each turn, so that what is cached is found again."""
    long = "client_d4a85a75-2483-4b2d-b15b-b97d182711ef:" + "x" * 40
    names = dict.fromkeys(("user", "safety_identifier", "prompt_cache_key"), long)
    said = {"messages": [HI]} if client == "openai_chat" else {"input": "hi"}
    first, again = (ask(client, {"model": "m", **said, **names}, vendor, "gpt-4.1") for _ in "ab")
    assert {True} == {len(first.body[name]) <= 64 for name in names}
    assert (first.body, 3) == (again.body, len(first.notes))
    short = dict.fromkeys(names, "x" * 64)
    sent = ask(client, {"model": "m", **said, **short}, vendor, "gpt-4.1")
    assert short.items() <= sent.body.items()


_TOOL = {"type": "function", "function": {"name": "f"}}


@pytest.mark.parametrize(
    ("vendor", "model", "more", "sent"),
    [
        ("moonshot", "kimi-k2.6", {}, {"thinking": {"type": "disabled"}, "tool_choice": "required"}),
        ("qwen", "qwen3.6-plus", {}, {"enable_thinking": False, "tool_choice": "required"}),
        ("moonshot", "kimi-k2-thinking", {}, {}),
        ("moonshot", "kimi-k3", {}, {"tool_choice": "required"}),
        ("moonshot", "kimi-k2.6", {"thinking": {"type": "enabled"}}, {"thinking": {"type": "enabled"}}),
        ("qwen", "qwen3-max", {}, {"tool_choice": "required"}),
    ],
)  # fmt: skip
def test_a_call_that_is_forced_of_models_that_think_by_default(
    vendor: str, model: str, more: dict[str, Any], sent: dict[str, Any]
) -> None:
    """They refuse it while they think; one that was not asked to think need not."""
    asked = {**_CHAT, "tools": [_TOOL], "tool_choice": "required", **more}
    body = ask("openai_chat", asked, vendor, model).body
    assert sent == {k: body[k] for k in ("thinking", "enable_thinking", "tool_choice") if k in body}


@pytest.mark.parametrize(
    ("drawn", "sent"),
    [
        ({"temperature": 0, "top_p": 0.9}, {"temperature": 0}),
        ({"temperature": 0, "top_p": 1}, {"temperature": 0, "top_p": 1}),
        ({"temperature": 0.1, "top_p": 0.9}, {"temperature": 0.1, "top_p": 0.9}),
        ({"temperature": 2}, {"temperature": 1.5}),
    ],
)
def test_how_mistral_draws(drawn: dict[str, Any], sent: dict[str, Any]) -> None:
    """Source: the vendor's reference, and its error "top_p must be 1 when using greedy sampling"."""
    for client in ("openai_chat", "ai_sdk"):
        asked = {"model": "m", "temperature": drawn["temperature"], "messages": [HI]}
        if "top_p" in drawn:
            asked["topP" if client == "ai_sdk" else "top_p"] = drawn["top_p"]
        body = ask(client, asked, "mistral", "mistral-large-latest").body
        assert sent == {name: body[name] for name in ("temperature", "top_p") if name in body}


@pytest.mark.parametrize(
    ("said", "response"),
    [
        ('{"a":1}', {"a": 1}),
        ('{"$ref":"#/$defs/A"}', {"output": '{"$ref":"#/$defs/A"}'}),
    ],
)
def test_a_tools_answer_that_holds_a_reference_is_text_to_gemini(
    said: str, response: dict[str, Any]
) -> None:
    """It looks for what is referred to, and refuses the request."""
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    talk = [
        HI,
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": said},
    ]
    (part,) = ask("openai_chat", {**_CHAT, "messages": talk}, "gemini", "m").body["contents"][-1][
        "parts"
    ]
    assert response == part["functionResponse"]["response"]

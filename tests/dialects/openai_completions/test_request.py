"""Both halves' requests."""

import json
from typing import Any

import msgspec
import pytest

from proxy.codec.base import Outgoing
from proxy.codec.relaying import built as asked_of
from proxy.dialects.openai_chat import DIALECT as CHAT
from proxy.dialects.openai_completions import DIALECT
from proxy.errors import Refused
from proxy.request import ChatRequest, Message, Reasoning, ToolSpec
from tests.dialects.answers import asked, params, posted, target

assert DIALECT.client is not None
assert DIALECT.upstream is not None
CLIENT, UPSTREAM = DIALECT.client, DIALECT.upstream


def built(request: ChatRequest, **options: Any) -> tuple[dict[str, Any], Outgoing]:
    outgoing = UPSTREAM.build_request(request, target(**options))
    return json.loads(outgoing.body), outgoing


def parsed(**body: Any) -> Any:
    return CLIENT.parse_request(
        posted(json.dumps({"model": "m", "prompt": "Once", **body}).encode())
    )


def test_a_prompt_goes_as_it_is() -> None:
    body, outgoing = built(asked("Once"), api_key="sk")
    assert {
        "model": "theirs",
        "prompt": "Once",
        "stream": True,
        "stream_options": {"include_usage": True},
    } == body
    assert ("/completions", "Bearer sk") == (outgoing.path, outgoing.headers["authorization"])
    assert () == outgoing.notes


def test_a_talk_is_written_into_the_prompt_and_calls_for_an_answer() -> None:
    body, outgoing = built(asked("Hi", "Hello.", "And now?", system="Be brief."))
    assert (
        "Be brief.\n\nUser: Hi\n\nAssistant: Hello.\n\nUser: And now?\n\nAssistant:"
        == body["prompt"]
    )
    assert {"messages", "system"} == params(outgoing.notes)


def test_settings_and_losses() -> None:
    said = {
        "max_tokens": 9,
        "temperature": 0.5,
        "top_p": 0.9,
        "stop": ["\n"],
        "seed": 7,
        "n": 2,
        "user": "u",
    }
    lost: dict[str, Any] = {
        "tools": [ToolSpec("a")],
        "reasoning": Reasoning("low"),
        "response_format": {"type": "json_object"},
        "metadata": {"a": 1},
    }
    body, outgoing = built(asked("Once", **said, **lost, vendor={"suffix": "end"}))
    assert said == {name: body[name] for name in said}
    assert "end" == body["suffix"]
    assert set(lost) == params(outgoing.notes)


def test_options() -> None:
    body, outgoing = built(
        asked("Once"), api_key="k", include_usage=False, api_key_header="api-key"
    )
    assert "stream_options" not in body
    assert "k" == outgoing.headers["api-key"]
    assert "authorization" not in outgoing.headers
    with pytest.raises(Refused, match="options of upstream up"):
        built(asked("Once"), includes=True)


def test_a_request_is_parsed() -> None:
    got = parsed(
        max_tokens=9,
        temperature=0.5,
        top_p=0.9,
        stop="\n",
        seed=7,
        n=2,
        user="u",
        stream=True,
        stream_options={"include_usage": True},
    )
    request = ChatRequest(
        model="m",
        messages=[Message("user", "Once")],
        max_tokens=9,
        temperature=0.5,
        top_p=0.9,
        stop=["\n"],
        seed=7,
        n=2,
        user="u",
    )
    assert (request, True, ()) == (
        msgspec.structs.replace(got.request, original=None),
        got.options.include_usage,
        got.notes,
    )
    assert [Message("user", "Once")] == parsed(prompt=["Once"]).request.messages
    assert not parsed().request.stream


@pytest.mark.parametrize(
    ("said", "noted"),
    [
        ({"suffix": "end"}, ["suffix"]),
        ({"echo": True}, ["echo"]),
        ({"best_of": 3}, ["best_of"]),
        ({"logprobs": 2}, ["logprobs"]),
        ({"frequency_penalty": 1, "presence_penalty": 1, "logit_bias": {"50256": -100}}, []),
        ({"shiny": 1}, ["unknown_key"]),
        (
            {"suffix": None, "echo": False, "best_of": 1, "frequency_penalty": 0, "logit_bias": {}},
            [],
        ),
    ],
)
def test_what_cannot_be_carried_is_noted(said: dict[str, Any], noted: list[str]) -> None:
    assert noted == [note.param for note in parsed(**said).notes]


@pytest.mark.parametrize(
    ("said", "param", "words"),
    [
        ({"prompt": None}, "prompt", "required"),
        ({"prompt": ""}, "prompt", "required"),
        ({"prompt": []}, "prompt", "required"),
        ({"prompt": {"a": 1}}, "prompt", "required"),
        ({"model": 5}, "model", "must be"),
        ({"n": 0}, "n", "must be"),
        ({"stop": 5}, "stop", "must be"),
    ],
)
def test_what_is_wrong_is_refused_by_name(said: dict[str, Any], param: str, words: str) -> None:
    with pytest.raises(Refused) as caught:
        parsed(**said)
    assert param == caught.value.failure.param
    assert words in caught.value.failure.message


@pytest.mark.parametrize("prompt", [["a", "b"], [1, 2, 3], [[1, 2, 3]], "Once"])
def test_a_request_arrives_as_it_was_written(prompt: Any) -> None:
    """At an upstream of this dialect: several prompts, tokens, and keys that we do not know."""
    got = parsed(prompt=prompt, suffix="end", echo=True, shiny={"a": [1]}, logprobs=2)
    call = asked_of(UPSTREAM, got.request, target())
    assert {
        "model": "theirs",
        "prompt": prompt,
        "suffix": "end",
        "echo": True,
        "shiny": {"a": [1]},
        "logprobs": 2,
        "stream": True,
        "stream_options": {"include_usage": True},
    } == json.loads(call.body)
    assert (True, ()) == (call.relayed, call.notes)


@pytest.mark.parametrize("prompt", [["a", "b"], [1, 2, 3], [[1, 2, 3]]])
def test_prompts_that_others_would_answer_wrongly_are_refused_there(prompt: Any) -> None:
    assert CHAT.upstream is not None
    with pytest.raises(Refused, match="cannot take prompt: send one text") as caught:
        asked_of(CHAT.upstream, parsed(prompt=prompt).request, target())
    assert "prompt" == caught.value.failure.param

"""What Mistral's SDKs get, frame by frame; the SDK itself judges it in
`tests/oracle/test_mistral_sdk.py`."""

import json
from typing import Any

from proxy.codec.base import Incoming
from proxy.codec.fold import WholeAnswer
from proxy.dialects.openai_chat import DIALECT
from proxy.dialects.openai_chat.encode import ChatEncoder
from proxy.dialects.openai_chat.mistral import MistralEncoder, mistral_whole
from proxy.dialects.openai_chat.shapes import PARTS
from proxy.dialects.openai_chat.whole import openai_whole
from proxy.errors import failure
from proxy.events import (
    BlockEnd,
    BlockStart,
    Event,
    Finish,
    ReasoningDelta,
    StreamEnd,
    StreamError,
    TextDelta,
    Tool,
    ToolCallDelta,
    Usage,
    Vendor,
)
from tests.dialects.openai_chat.emit import START

END = StreamEnd(Finish("tool_calls", "tool_calls"), Usage(3, 5))


def frames(events: list[Event]) -> list[Any]:
    encoder = MistralEncoder()
    data = b"".join(encoder.encode(event) for event in [START, *events])
    return [
        json.loads(part.removeprefix(b"data: "))
        for part in data.split(b"\n\n")
        if part and part != b"data: [DONE]"
    ]


def test_calls_are_whole_each_at_its_end() -> None:
    """Though their pieces are mixed; one without arguments has none."""
    f, g = Tool("c1", "f"), Tool("c2", "g")
    mixed = [
        BlockStart(0, "tool_call", tool=f),
        BlockStart(1, "tool_call", tool=g),
        ToolCallDelta(0, '{"a"'),
        BlockEnd(1),
    ]
    got = frames([*mixed, ToolCallDelta(0, ":1}"), BlockEnd(0), END])
    calls = [call for frame in got for call in frame["choices"][0]["delta"].get("tool_calls", ())]
    assert [
        {"index": 1, "id": "c2", "type": "function", "function": {"name": "g", "arguments": "{}"}},
        {
            "index": 0,
            "id": "c1",
            "type": "function",
            "function": {"name": "f", "arguments": '{"a":1}'},
        },
    ] == calls
    assert 4 == len(got)


def test_the_usage_stands_beside_the_finish() -> None:
    got = frames([BlockStart(0, "text"), TextDelta(0, "a"), BlockEnd(0), END])
    assert [False, False, True] == ["usage" in frame for frame in got]
    assert ("tool_calls", 8) == (
        got[-1]["choices"][0]["finish_reason"],
        got[-1]["usage"]["total_tokens"],
    )


def test_no_chunk_is_without_a_choice() -> None:
    """What an OpenAI says of the chunk alone is left out; log-probs of a choice are not."""
    logprobs = {"content": []}
    got = frames(
        [
            Vendor("openai_chat", {"system_fingerprint": "fp"}),
            Vendor("openai_chat", {"choices": [{"index": 0, "logprobs": logprobs}]}),
            END,
        ]
    )
    assert [None, logprobs, None] == [frame["choices"][0].get("logprobs") for frame in got]


def test_reasoning_is_content() -> None:
    got = frames([BlockStart(0, "reasoning"), ReasoningDelta(0, "hm"), BlockEnd(0), END])
    assert [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}] == got[1][
        "choices"
    ][0]["delta"]["content"]


def test_a_proof_of_reasoning_is_its_signature() -> None:
    """With whose it is, in a part of its own at the end; whole, in the part of the thinking."""
    proof = "mainstem:google-gemini-v1:c2ln"
    events = [
        BlockStart(0, "reasoning"),
        ReasoningDelta(0, "hm"),
        BlockEnd(0, "c2ln", "google-gemini-v1"),
        END,
    ]
    part = {"type": "thinking", "thinking": [], "signature": proof}
    assert [part] == frames(events)[2]["choices"][0]["delta"]["content"]
    answer = WholeAnswer()
    for event in [START, *events]:
        answer.add(event)
    content = json.loads(mistral_whole(answer).body)["choices"][0]["message"]["content"]
    assert [{**part, "thinking": [{"type": "text", "text": "hm"}]}] == content


def test_mistrals_form_is_for_mistrals_sdks() -> None:
    """Streamed and whole; every other client gets OpenAI's."""
    client = DIALECT.client
    assert client is not None
    asked = b'{"model":"m","messages":[{"role":"user","content":"hi"}]}'
    answer = WholeAnswer()
    reasoning = [BlockStart(0, "reasoning"), ReasoningDelta(0, "hm"), BlockEnd(0)]
    for event in [START, *reasoning, BlockStart(1, "text"), TextDelta(1, "a"), BlockEnd(1), END]:
        answer.add(event)
    for agent, is_mistral in (("mistral-client-python/1.9", True), ("curl/8", False)):
        parsed = client.parse_request(Incoming("POST", {}, {}, {"user-agent": agent}, asked))
        assert is_mistral is isinstance(client.encoder(parsed), MistralEncoder)
        message = json.loads(client.whole(parsed, answer).body)["choices"][0]["message"]
        assert is_mistral is (message["content"] != "a")


def test_an_error_in_a_call_leaves_the_call_out() -> None:
    call = [BlockStart(0, "tool_call", tool=Tool("c1", "f")), ToolCallDelta(0, '{"a"')]
    got = frames([*call, StreamError(failure("upstream_error", "Why."))])
    assert ["choices", "error"] == ["error" if "error" in frame else "choices" for frame in got]


def test_a_document_has_its_usage_and_reasoning_in_its_content() -> None:
    """Also where nothing is known of the first; and a text alone is a text."""
    for thinks in (True, False):
        answer = WholeAnswer()
        reasoning = (
            [BlockStart(0, "reasoning"), ReasoningDelta(0, "hm"), BlockEnd(0)] if thinks else []
        )
        for event in [
            START,
            *reasoning,
            BlockStart(1, "text"),
            TextDelta(1, "a"),
            BlockEnd(1),
            StreamEnd(Finish("stop")),
        ]:
            answer.add(event)
        said = json.loads(mistral_whole(answer).body)
        assert {} == said["usage"]
        parts = [
            {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
            {"type": "text", "text": "a"},
        ]
        assert (parts if thinks else "a") == said["choices"][0]["message"]["content"]


def test_parts_that_are_no_text_are_content_for_mistrals_clients_alone() -> None:
    """OpenAI's clients join the pieces of content as text."""
    reference = {"type": "reference", "reference_ids": [1]}
    events: list[Event] = [
        BlockStart(0, "text"),
        TextDelta(0, "a"),
        Vendor("openai_chat", {"choices": [{"index": 0, "delta": {"content": [reference]}}]}),
        BlockEnd(0),
        END,
    ]
    said = [frame["choices"][0]["delta"].get("content") for frame in frames(events)]
    assert [reference] in said
    encoder = ChatEncoder(include_usage=False)
    sent = b"".join(encoder.encode(event) for event in [START, *events])
    deltas = [json.loads(line[6:])["choices"][0]["delta"] for line in sent.split(b"\n\n")[:-2]]
    assert [reference] == next(delta[PARTS] for delta in deltas if PARTS in delta)
    assert all(isinstance(delta.get("content", ""), str) for delta in deltas)
    answer = WholeAnswer()
    for event in [START, *events]:
        answer.add(event)
    content = json.loads(mistral_whole(answer).body)["choices"][0]["message"]["content"]
    assert [{"type": "text", "text": "a"}, reference] == content
    message = json.loads(openai_whole(answer, frozenset()).body)["choices"][0]["message"]
    assert ("a", [reference]) == (message["content"], message[PARTS])

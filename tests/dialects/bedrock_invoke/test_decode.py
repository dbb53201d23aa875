"""What models say in their own forms, wrapped, to events."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.codec.base import Decoder
from proxy.codec.fold import WholeAnswer
from proxy.dialects.registry import UPSTREAMS
from proxy.errors import Failure
from proxy.events import Citation, Event, Finish, StreamError, Tool, Usage, Vendor
from tests.aws_frames import chunk, event, exception
from tests.properties import examples
from tests.support import decode, splits

METRICS = {
    "amazon-bedrock-invocationMetrics": {
        "inputTokenCount": 5,
        "outputTokenCount": 3,
        "invocationLatency": 10,
    }
}
BEGIN = {
    "type": "message_start",
    "message": {
        "id": "m",
        "role": "assistant",
        "content": [],
        "usage": {"input_tokens": 5, "output_tokens": 1},
    },
}
TEXT = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}}
CLAUDE = [
    BEGIN,
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    TEXT,
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 3}},
    {"type": "message_stop", **METRICS},
]
GPT = [
    {"id": "c", "choices": [{"index": 0, "delta": {"role": "assistant", "content": "Hi"}}]},
    {"id": "c", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], **METRICS},
]
LARGE = [  # Mistral's chat models
    {"choices": [{"index": 0, "message": {"role": "assistant", "content": "H"}}]},
    {"choices": [{"index": 0, "message": {"content": "i"}, "stop_reason": "stop"}], **METRICS},
]
DEEPSEEK = [
    {"choices": [{"text": "Hi", "stop_reason": None}]},
    {"choices": [{"text": "", "stop_reason": "length"}, 1], **METRICS},
]
MISTRAL = [
    {"outputs": [{"text": "Hi", "stop_reason": None}]},
    {"outputs": [{"text": "", "stop_reason": "stop"}], **METRICS},
]
LLAMA = [
    {"generation": "Hi", "prompt_token_count": 5, "generation_token_count": 1},
    {"generation": "", "stop_reason": "stop", **METRICS},
]


NOVA_END = {"messageStop": {"stopReason": "end_turn"}}


def decoder(most: int = 1 << 20) -> Decoder:
    return UPSTREAMS["bedrock_invoke"].decoder(most, {})


def events(*documents: Any, most: int = 1 << 20) -> list[Event]:
    return decode(decoder(most), [b"".join(map(chunk, documents))])


def folded(found: list[Event]) -> WholeAnswer:
    answer = WholeAnswer()
    for one in found:
        answer.add(one)
    return answer


def error(found: list[Event]) -> Failure:
    assert isinstance(found[-1], StreamError)
    return found[-1].error


@pytest.mark.parametrize(
    ("documents", "raw", "usage"),
    [
        (CLAUDE, "end_turn", Usage(5, 3)),
        (GPT, "stop", Usage(5, 3)),
        (LARGE, "stop", Usage(5, 3)),
        (DEEPSEEK, "length", Usage(5, 3)),
        (MISTRAL, "stop", Usage(5, 3)),
        (LLAMA, "stop", Usage(5, 3)),
    ],
    ids=["claude", "gpt", "large", "deepseek", "mistral", "llama"],
)
def test_each_form_is_told_by_its_first_document(
    documents: list[Any], raw: str, usage: Usage
) -> None:
    """And what the service measured is told as its own."""
    data = b"".join(map(chunk, documents))
    first = None
    for chunks in splits(data):
        found = decode(decoder(), chunks)
        first = first or found
        assert first == found
    answer = folded(first or [])
    reason = "length" if raw == "length" else "stop"
    assert ("Hi", Finish(reason, raw), usage) == (answer.text(), answer.finish, answer.usage)
    assert [METRICS] == [one.data for one in answer.vendor if one.dialect == "bedrock_invoke"]


@pytest.mark.parametrize(("letter", "expected"), [("\\ud83d", "\ufffd"), ("\x01", "\x01")])
@pytest.mark.parametrize(
    "documents",
    [GPT, LLAMA, CLAUDE, [{"contentBlockDelta": {"delta": {"text": "Hi"}}}, NOVA_END]],
    ids=["gpt", "llama", "claude", "nova"],
)
def test_letters_that_json_has_not_cost_no_answer(
    documents: list[Any], letter: str, expected: str
) -> None:
    """Half a surrogate pair, a control character as it is."""
    texts = [json.dumps(document).replace("Hi", f"H{letter}i") for document in documents]
    found = decode(decoder(), [b"".join(chunk(text.encode()) for text in texts)])
    assert f"H{expected}i" == folded(found).text()


def test_claudes_calls_and_thoughts_come_through() -> None:
    """With the signature."""
    found = events(
        BEGIN,
        {
            "type": "content_block_start",
            "index": 0,
            "content_block": {"type": "thinking", "thinking": ""},
        },
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "thinking_delta", "thinking": "Hm"},
        },
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "signature_delta", "signature": "sig"},
        },
        {"type": "content_block_stop", "index": 0},
        {
            "type": "content_block_start",
            "index": 1,
            "content_block": {"type": "tool_use", "id": "t", "name": "f", "input": {}},
        },
        {
            "type": "content_block_delta",
            "index": 1,
            "delta": {"type": "input_json_delta", "partial_json": '{"a":1}'},
        },
        {"type": "content_block_stop", "index": 1},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "tool_use"},
            "usage": {"output_tokens": 3},
        },
        {"type": "message_stop"},
    )
    answer = folded(found)
    assert ("Hm", "sig") == (answer.reasoning(), answer.blocks[0].signature)
    assert [(Tool("t", "f"), '{"a":1}')] == [(call.tool, call.text) for call in answer.tool_calls()]


def test_coheres_calls_citations_and_extras() -> None:
    """A call comes whole and without an id; a citation says where in the text."""
    found = events(
        {"event_type": "search-queries-generation", "search_queries": [{"text": "q"}]},
        {"event_type": "text-generation", "text": "Blue", "is_finished": False},
        {
            "event_type": "citation-generation",
            "citations": [{"start": 0, "end": 4, "text": "Blue", "document_ids": ["d"]}],
        },
        {
            "event_type": "tool-calls-generation",
            "tool_calls": [{"name": "f", "parameters": {"x": 1}}, {"name": "g"}],
        },
        {
            "event_type": "stream-end",
            "finish_reason": "COMPLETE",
            "is_finished": True,
            "response": {"text": "Blue", "meta": {"v": 1}},
            **METRICS,
        },
    )
    answer = folded(found)
    assert ("Blue", Finish("tool_calls", "COMPLETE")) == (answer.text(), answer.finish)
    assert [("f", '{"x":1}'), ("g", "{}")] == [
        (call.tool.name, call.text) for call in answer.tool_calls() if call.tool
    ]
    assert Citation(0, text="Blue", start=0, end=4) in found
    said = [one.data for one in found if isinstance(one, Vendor)]
    assert {"search_queries": [{"text": "q"}]} in said
    assert {"response": {"meta": {"v": 1}}} in said


@pytest.mark.parametrize(
    ("start", "end", "places"), [(4, 2, (None, None)), (-1, 2, (None, 2)), (2, 2, (2, 2))]
)
def test_odd_places_of_a_citation_are_unknown(
    start: int, end: int, places: tuple[int | None, int | None]
) -> None:
    """An end before its start, or a place before the text."""
    found = events(
        {
            "event_type": "citation-generation",
            "text": "Blue",
            "citations": [{"start": start, "end": end, "text": "B"}],
        }
    )
    assert [Citation(0, text="B", start=places[0], end=places[1])] == [
        one for one in found if isinstance(one, Citation)
    ]


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"outputText": "x", "completionReason": "FINISH"}, "stop"),
        ({"outputText": "x", "completionReason": "LENGTH"}, "length"),
        ({"outputText": "x", "completionReason": "CONTENT_FILTERED"}, "content_filter"),
        ({"text": "x", "finish_reason": "MAX_TOKENS"}, "length"),
        ({"text": "x", "finish_reason": "ERROR_TOXIC"}, "content_filter"),
        ({"generation": "x", "stop_reason": "length"}, "length"),
        ({"outputs": [{"text": "x", "stop_reason": "new"}]}, "other"),
    ],
)
def test_the_reasons(document: dict[str, Any], reason: str) -> None:
    """In the words of each vendor."""
    assert reason == folded(events(document)).finish.reason


def test_an_answer_that_its_model_gave_up() -> None:
    """It is an error, with the model's word."""
    why = error(events({"text": "x"}, {"finish_reason": "ERROR", "is_finished": True}))
    assert ("upstream_error", "ERROR") == (why.kind, why.code)


def test_a_whole_answer_that_repeats_the_pieces_is_not_said_twice() -> None:
    """Only where no piece came before is it the answer."""
    last = {"generations": [{"text": "Hello", "finish_reason": "COMPLETE"}]}
    assert "Hello" == folded(events({"text": "Hel"}, {"text": "lo"}, last)).text()
    assert "Hello" == folded(events(last)).text()


def test_tokens_so_far_are_counted_when_it_breaks() -> None:
    """Llama says them in every chunk; that is no event each time."""
    found = events(LLAMA[0])
    assert "upstream_truncated" == error(found).kind
    assert Usage(5, 1) == folded(found).usage
    assert 3 == len(found)


@pytest.mark.parametrize(
    "documents", [[], CLAUDE[:4], GPT[:1], MISTRAL[:1], [{"messageStart": {}}]]
)
def test_a_body_that_is_cut(documents: list[Any]) -> None:
    """In any form."""
    assert "upstream_truncated" == error(events(*documents)).kind


def test_a_body_that_is_cut_in_a_message() -> None:
    """Even behind the model's last word."""
    data = b"".join(map(chunk, MISTRAL)) + chunk({})[:9]
    assert "upstream_truncated" == error(decode(decoder(), [data])).kind


def test_exceptions_come_between_the_models_documents() -> None:
    """Usage that was counted stays."""
    found = decode(
        decoder(),
        [chunk(BEGIN) + chunk(TEXT) + exception("throttlingException", {"message": "Slow down."})],
    )
    assert ("upstream_error", 429) == (error(found).kind, error(found).status)
    assert Usage(5, 1) == folded(found).usage


def test_claudes_own_error() -> None:
    """It says it in its own form."""
    why = error(
        events(BEGIN, {"type": "error", "error": {"type": "overloaded_error", "message": "Busy."}})
    )
    assert ("Busy.", "overloaded_error") == (why.message, why.code)


@pytest.mark.parametrize(
    "data",
    [
        event("chunk", {"bytes": "%%"}),
        event("chunk", {"bytes": 1}),
        event("chunk", b"x"),
        chunk(b"no json"),
        chunk([1]),
        chunk({}) + chunk(b"no json"),
        chunk({"messageStart": {}}) + chunk(b"[]"),
        chunk(BEGIN) + chunk(b"\xff{"),
    ],
)
def test_what_cannot_be_read(data: bytes) -> None:
    """Of the wrapping or of what is wrapped."""
    assert "upstream_malformed" == error(decode(decoder(), [data])).kind


def test_documents_with_line_ends_inside() -> None:
    """They are white space to JSON."""
    pretty = b'{\n  "generation": "Hi",\r\n  "stop_reason": "stop"\n}'
    assert "Hi" == folded(events(pretty)).text()


def test_other_events_are_passed_on() -> None:
    """The model's answer goes on."""
    found = decode(
        decoder(), [event("newEvent", {"a": 1}) + event("empty", b"") + b"".join(map(chunk, LLAMA))]
    )
    assert Vendor("bedrock_invoke", {"newEvent": {"a": 1}}) == found[0]
    assert "Hi" == folded(found).text()


def test_a_text_that_speaks_of_the_metrics_is_a_text() -> None:
    """It is no measure of the service."""
    found = events({"generation": "amazon-bedrock-invocationMetrics", "stop_reason": "stop"})
    assert not [one for one in found if isinstance(one, Vendor)]


DOCUMENTS = st.sampled_from(
    [
        *CLAUDE,
        *GPT,
        *MISTRAL,
        *LLAMA,
        {"contentBlockDelta": {"delta": {"text": "x"}}},
        {"messageStop": {}},
        {},
    ]
)


@examples(100)
@given(st.lists(DOCUMENTS, max_size=8), st.integers(0, 1000))
def test_any_mixture_of_forms_keeps_the_grammar(documents: list[Any], seed: int) -> None:
    """And gives the same for every split of the bytes."""
    data = b"".join(map(chunk, documents))
    first, *others = (decode(decoder(), chunks) for chunks in splits(data, seed))
    assert [first] * len(others) == others


def test_base64_is_what_wraps_a_document() -> None:
    """The test's own wrapping is that of the service."""
    assert base64.b64encode(b'{"a": 1}') in chunk({"a": 1})


GUARDED = {"amazon-bedrock-guardrailAction": "INTERVENED"}


def test_claude_2_in_its_own_form() -> None:
    """A prompt and its completion."""
    found = events(
        {"completion": " North,", "stop_reason": None, "stop": None},
        {"completion": " west", "stop_reason": None},
        {"completion": "", "stop_reason": "stop_sequence", "stop": "\n\nHuman:", **METRICS},
    )
    assert " North, west" == folded(found).text()
    assert Finish("stop", "stop_sequence") == folded(found).finish
    assert Usage(5, 3) == folded(found).usage


@pytest.mark.parametrize("number", [float, str])
def test_counts_in_any_writing(number: Any) -> None:
    """Whole numbers as floats or as text."""
    found = events(
        {"outputText": "Hi", "index": number(0), "inputTextTokenCount": number(5)},
        {
            "outputText": "",
            "totalOutputTextTokenCount": number(3),
            "completionReason": "FINISH",
        },
    )
    assert ("Hi", Usage(5, 3)) == (folded(found).text(), folded(found).usage)


def test_a_guardrail_that_blocks_the_answer_is_its_end() -> None:
    """Titan's text comes in one chunk then, without a finish; without the guardrail it was cut."""
    blocked = {"outputText": "Not that.", "index": 0}
    found = events(blocked | GUARDED)
    assert ("Not that.", Finish("content_filter", "INTERVENED")) == (
        folded(found).text(),
        folded(found).finish,
    )
    none = {"amazon-bedrock-guardrailAction": "NONE"}
    assert "upstream_truncated" == error(events(blocked | none)).kind


@pytest.mark.parametrize("action", ["INTERVENED", "NONE"])
def test_what_a_guardrail_did_is_told_once(action: str) -> None:
    """It stands in every document, of Nova, of Claude and of others; that it did nothing is no
    news.
    """
    said = {"amazon-bedrock-guardrailAction": action}
    nova = [
        {"messageStart": {"role": "assistant"}, **said},
        {"contentBlockDelta": {"delta": {"text": "Call "}, "contentBlockIndex": 0}, **said},
        {"contentBlockStop": {"contentBlockIndex": 0}, **said},
        {"contentBlockDelta": {"delta": {"text": "{PHONE}"}, "contentBlockIndex": 1}, **said},
        {"messageStop": {"stopReason": "end_turn"}, **said},
        {"metadata": {"usage": {"inputTokens": 5, "outputTokens": 3}}, **said},
    ]
    answers = {
        "Call {PHONE}": nova,
        "Hi": [document | said for document in CLAUDE],
    }
    for text, documents in answers.items():
        found = events(*documents)
        assert (text, "stop") == (folded(found).text(), folded(found).finish.reason)
        told = [
            one.data
            for one in found
            if isinstance(one, Vendor) and said.items() <= one.data.items()
        ]
        assert ([said] if action == "INTERVENED" else []) == told


def test_the_trace_of_a_guardrail_is_told() -> None:
    """It says what was found."""
    trace = {"amazon-bedrock-trace": {"guardrail": {"input": {"g": {}}}}}
    found = events(*CLAUDE[:-1], CLAUDE[-1] | trace)
    assert any(isinstance(one, Vendor) and trace.items() <= one.data.items() for one in found)

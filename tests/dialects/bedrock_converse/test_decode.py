"""Events of ConverseStream to ours, beyond what was recorded."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.codec.base import Decoder
from proxy.codec.fold import WholeAnswer
from proxy.codec.proofs import ANTHROPIC
from proxy.dialects.bedrock_converse import DIALECT
from proxy.errors import Failure
from proxy.events import (
    BlockEnd,
    BlockStart,
    Citation,
    Event,
    Finish,
    Image,
    StreamEnd,
    StreamError,
    TextDelta,
    Tool,
    ToolCallDelta,
    Usage,
    Vendor,
)
from tests.aws_frames import event, exception, message
from tests.properties import examples
from tests.support import decode, splits

START = event("messageStart", {"role": "assistant", "p": "abc"})
HELLO = event("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "Hello"}})
STOP = event("messageStop", {"stopReason": "end_turn"})
USAGE = event(
    "metadata",
    {"usage": {"inputTokens": 3, "outputTokens": 2, "totalTokens": 5}, "metrics": {"latencyMs": 7}},
)
NAME = "bedrock_converse"


def decoder(most: int = 1 << 20) -> Decoder:
    assert DIALECT.upstream is not None
    return DIALECT.upstream.decoder(most, {})


def events(*messages: bytes, most: int = 1 << 20) -> list[Event]:
    return decode(decoder(most), [b"".join(messages)])


def delta(index: int, **delta: Any) -> bytes:
    return event("contentBlockDelta", {"contentBlockIndex": index, "delta": delta})


def begin(index: int, **start: Any) -> bytes:
    return event("contentBlockStart", {"contentBlockIndex": index, "start": start})


def end(index: int) -> bytes:
    return event("contentBlockStop", {"contentBlockIndex": index})


def error(found: list[Event]) -> Failure:
    assert isinstance(found[-1], StreamError)
    return found[-1].error


def folded(found: list[Event]) -> WholeAnswer:
    answer = WholeAnswer()
    for one in found:
        answer.add(one)
    return answer


def told(found: list[Event]) -> list[Any]:
    return [one.data for one in found if isinstance(one, Vendor)]


def test_an_answer_and_what_is_said_beside_it() -> None:
    """The latency has no place of its own; padding is nothing."""
    found = events(START, HELLO, end(0), STOP, USAGE)
    assert [BlockStart(0, "text"), TextDelta(0, "Hello"), BlockEnd(0)] == found[:3]
    assert [{"metadata": {"metrics": {"latencyMs": 7}}}] == told(found)
    assert StreamEnd(Finish("stop", "end_turn"), Usage(3, 2)) == found[-1]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_calls"),
        ("guardrail_intervened", "content_filter"),
        ("content_filtered", "content_filter"),
        ("something_new", "other"),
    ],
)
def test_the_reasons(raw: str, reason: str) -> None:
    """Ours, and the service's own."""
    found = events(HELLO, event("messageStop", {"stopReason": raw}), USAGE)
    assert (reason, raw) == (folded(found).finish.reason, folded(found).finish.raw)


@pytest.mark.parametrize("raw", ["malformed_model_output", "malformed_tool_use"])
def test_an_answer_that_cannot_be_used_is_an_error(raw: str) -> None:
    """Its usage still counts."""
    found = events(HELLO, event("messageStop", {"stopReason": raw}), USAGE)
    assert ("upstream_error", raw) == (error(found).kind, error(found).code)
    assert Usage(3, 2) == folded(found).usage


def test_calls_in_parallel_with_and_without_arguments() -> None:
    """Pieces go to their own call by its index, even between one another's."""
    found = events(
        begin(1, toolUse={"toolUseId": "a", "name": "one"}),
        begin(2, toolUse={"toolUseId": "b", "name": "two"}),
        delta(1, toolUse={"input": '{"x":'}),
        delta(2, toolUse={"input": ""}),
        delta(1, toolUse={"input": "1}"}),
        end(1),
        end(2),
        event("messageStop", {"stopReason": "end_turn"}),
        USAGE,
    )
    answer = folded(found)
    assert [(Tool("a", "one"), '{"x":1}'), (Tool("b", "two"), "")] == [
        (call.tool, call.text) for call in answer.tool_calls()
    ]
    assert Finish("tool_calls", "end_turn") == answer.finish


def test_a_piece_of_a_call_that_never_began() -> None:
    """It gets a name and an id of ours, so that nothing is lost."""
    found = events(delta(4, toolUse={"input": "{}"}), STOP, USAGE)
    assert isinstance(found[0], BlockStart)
    assert "tool_call" == found[0].kind
    assert ToolCallDelta(0, "{}") == found[1]


def test_reasoning_its_signature_and_what_is_encrypted() -> None:
    """The signature goes with the block's end; encrypted reasoning is a block without text, whose
    proof is the text that Anthropic's own API gives. What holds none is the vendor's own.
    """
    found = events(
        delta(0, reasoningContent={"text": "Hm"}),
        delta(0, reasoningContent={"signature": "sig"}),
        end(0),
        delta(1, reasoningContent={"redactedContent": "cXE="}),
        end(1),
        delta(3, reasoningContent={"redactedContent": "/w=="}),
        end(3),
        delta(2, text="Yes"),
        end(2),
        STOP,
        USAGE,
    )
    assert ("Hm", "Yes") == (folded(found).reasoning(), folded(found).text())
    assert BlockEnd(0, "sig", ANTHROPIC) in found
    assert BlockEnd(1, "qq", ANTHROPIC, True) in found
    assert {"reasoningContent": {"redactedContent": "/w=="}} in told(found)


def test_citations_belong_to_their_text() -> None:
    """With the address of a page on the web, or the name of the source."""
    found = events(
        delta(0, text="Sky is blue"),
        delta(
            0,
            citation={
                "title": "T",
                "location": {"web": {"url": "https://a.example/"}},
                "sourceContent": [{"text": "bl"}, {"text": "ue"}],
            },
        ),
        delta(0, citation={"source": "doc", "location": {"documentChar": {"start": 1}}}),
        end(0),
        STOP,
        USAGE,
    )
    assert [Citation(0, "https://a.example/", "T", "blue"), Citation(0, "doc")] == [
        one for one in found if isinstance(one, Citation)
    ]


def test_what_is_not_known_is_passed_on() -> None:
    """An event, a delta, a block, and fields of the last events."""
    found = events(
        event("newEvent", {"x": 1, "p": "ab"}),
        delta(0, newKind={"y": 2}),
        begin(1, hologram={"format": "png"}),
        delta(1, hologram={"source": {"bytes": "AA=="}}),
        end(1),
        event("messageStop", {"stopReason": "end_turn", "additionalModelResponseFields": {"z": 3}}),
        event(
            "metadata",
            {
                "usage": {"inputTokens": 1, "outputTokens": 1, "cacheWriteInputTokens": 4},
                "trace": {"guardrail": {}},
            },
        ),
    )
    assert [
        {"newEvent": {"x": 1}},
        {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"newKind": {"y": 2}}}},
        {
            "contentBlockStart": {"hologram": {"format": "png"}},
            "contentBlockDelta": [{"hologram": {"source": {"bytes": "AA=="}}}],
        },
        {
            "messageStop": {"additionalModelResponseFields": {"z": 3}},
            "metadata": {"trace": {"guardrail": {}}},
        },
    ] == told(found)
    assert Usage(5, 1, cache_write_tokens=4) == folded(found).usage


def test_the_cache_is_part_of_the_input() -> None:
    """The service counts it beside."""
    usage = {
        "inputTokens": 10,
        "outputTokens": 2,
        "cacheReadInputTokens": 100,
        "cacheWriteInputTokens": 5,
        "totalTokens": 117,
    }
    assert (
        Usage(115, 2, 100, None, 5)
        == folded(events(HELLO, STOP, event("metadata", {"usage": usage}))).usage
    )


def test_the_end_without_metadata_is_a_good_end() -> None:
    """The message was complete; only nobody knows what it cost."""
    assert StreamEnd(Finish("stop", "end_turn")) == events(HELLO, STOP)[-1]


@pytest.mark.parametrize(
    "data", [b"", START, HELLO, HELLO + end(0), HELLO + STOP[:-1], HELLO + STOP + USAGE[:20]]
)
def test_a_body_that_is_cut(data: bytes) -> None:
    """Before the stop, and also in the middle of the message behind it: the connection broke."""
    assert "upstream_truncated" == error(events(data)).kind


@pytest.mark.parametrize(
    ("kind", "status", "retryable"),
    [
        ("throttlingException", 429, True),
        ("validationException", 400, False),
        ("internalServerException", 502, True),
        ("serviceUnavailableException", 502, True),
        ("modelTimeoutException", 408, True),
        ("modelStreamErrorException", 424, True),
        ("newException", 502, True),
    ],
)
def test_exceptions_in_the_stream(kind: str, status: int, retryable: bool) -> None:
    """Each is one error, with its name as the code; nothing comes after it."""
    why = error(events(HELLO, exception(kind, {"message": "Too much."}), STOP, USAGE))
    assert ("upstream_error", "Too much.", kind, status, retryable) == (
        why.kind,
        why.message,
        why.code,
        why.status,
        why.retryable,
    )


def test_the_models_own_error_is_told() -> None:
    """With the status that it gave."""
    said = {"message": "The model failed.", "originalStatusCode": 500, "originalMessage": "CUDA"}
    assert (
        "The model failed. (500: CUDA)"
        == error(events(exception("modelStreamErrorException", said))).message
    )


def test_an_error_of_the_stream_itself() -> None:
    """It has no payload: all is in the headers."""
    why = error(
        events(
            HELLO,
            message(
                {":message-type": "error", ":error-code": "Internal", ":error-message": "Broken."},
                b"",
            ),
        )
    )
    assert ("upstream_error", "Broken.", "Internal") == (why.kind, why.message, why.code)


@pytest.mark.parametrize("payload", [b"", b"{", b"\xff", b"[]", b"1", b"[" * 5000])
def test_a_payload_that_cannot_be_read(payload: bytes) -> None:
    """The frame was whole, so it is garbled, not cut."""
    assert "upstream_malformed" == error(events(event("contentBlockDelta", payload))).kind


def test_a_damaged_message() -> None:
    """Its checksum tells."""
    assert "upstream_malformed" == error(events(HELLO, STOP[:-1] + b"x")).kind


@pytest.mark.parametrize("cut", [1, 7, 500])
def test_a_document_in_the_place_of_a_stream(cut: int) -> None:
    """What it says is told, however it is cut."""
    body = b'{"message": "This operation does not stream."}'
    found = decode(decoder(), [body[at : at + cut] for at in range(0, len(body), cut)])
    assert "upstream_malformed" == error(found).kind
    assert "This operation does not stream." in error(found).message


def test_an_error_document_in_the_place_of_a_stream() -> None:
    """It names its exception, so it is the service's word."""
    why = error(
        decode(
            decoder(),
            [
                b'{"__type": "com.amazon.coral.service#ThrottlingException", "message": "Slow down."}'
            ],
        )
    )
    assert ("upstream_error", "Slow down.", "ThrottlingException") == (
        why.kind,
        why.message,
        why.code,
    )


def test_nothing_is_held_without_bound() -> None:
    """Neither one large message nor countless open blocks or pieces."""
    assert "upstream_malformed" == error(events(delta(0, text="x" * 3000), most=2000)).kind
    assert (
        "upstream_malformed"
        == error(events(*(begin(at, toolUse={"name": "f"}) for at in range(20)), most=2000)).kind
    )
    opaque = begin(0, toolResult={"toolUseId": "x"})
    assert (
        "upstream_malformed"
        == error(events(opaque, *(delta(0, toolResult=[]) for _ in range(20)), most=2000)).kind
    )


BLOCKS = st.integers(0, 3)
PIECES = st.one_of(
    st.builds(lambda at, text: delta(at, text=text), BLOCKS, st.text(max_size=5)),
    st.builds(lambda at, text: delta(at, toolUse={"input": text}), BLOCKS, st.text(max_size=5)),
    st.builds(
        lambda at, text: delta(at, reasoningContent={"text": text}), BLOCKS, st.text(max_size=5)
    ),
    st.builds(
        lambda at: delta(at, reasoningContent={"signature": "s", "redactedContent": "AA=="}), BLOCKS
    ),
    st.builds(lambda at: delta(at, citation={"title": "t", "sourceContent": [None]}), BLOCKS),
    st.builds(lambda at: delta(at, toolResult=[{"text": "r"}]), BLOCKS),
    st.builds(
        lambda at, kind: begin(at, toolUse={"name": "f", "type": kind}),
        BLOCKS,
        st.sampled_from([None, "server_tool_use", 1]),
    ),
    st.builds(lambda at: begin(at, toolResult={}, image=[]), BLOCKS),
    st.builds(end, BLOCKS),
    st.sampled_from(
        [
            START,
            STOP,
            USAGE,
            exception("throttlingException", {}),
            event("metadata", {"usage": {"inputTokens": -1}}),
        ]
    ),
)


@examples(150)
@given(st.lists(PIECES, max_size=12), st.integers(0, 1000))
def test_any_order_of_messages_keeps_the_grammar(pieces: list[bytes], seed: int) -> None:
    """And gives the same for every split of the bytes."""
    data = b"".join(pieces)
    first, *others = (decode(decoder(), chunks) for chunks in splits(data, seed))
    assert [first] * len(others) == others


def test_pictures() -> None:
    """Their pieces are whole bytes each, in base64; one that cannot be read is the vendor's own."""
    found = events(
        begin(0, image={"format": "png"}),
        delta(0, image={"source": {"bytes": "aGk="}}),
        delta(0, image={"source": {"bytes": "IQ=="}}),
        end(0),
        begin(1, image={"format": "png"}),
        delta(1, image={"error": {"message": "no"}}),
        end(1),
        STOP,
        USAGE,
    )
    images = [one for one in found if isinstance(one, Image)]
    assert [Image("data:image/png;base64,aGkh")] == images
    assert [{"image": {"error": {"message": "no"}}}] == told(found)[0]["contentBlockDelta"]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("Max-Tokens", "length"),
        ("guardrailIntervened", "content_filter"),
        ("END_TURN", "stop"),
        ("whim", "other"),
    ],
)
def test_words_for_the_end_in_any_writing(word: str, expected: str) -> None:
    """Without case, hyphens and underscores."""
    found = events(HELLO, event("messageStop", {"stopReason": word}), USAGE)
    assert expected == folded(found).finish.reason


def test_a_call_that_is_ended_with_end_turn_waits_for_its_result() -> None:
    """Whatever was said behind it."""
    use = begin(0, toolUse={"toolUseId": "a", "name": "f"})
    found = events(use, end(0), delta(1, text="Wait."), end(1), STOP, USAGE)
    assert "tool_calls" == folded(found).finish.reason


_WRONG: tuple[Any, ...] = (None, 7, 1.5, "text", True, [], [1], {}, {"a": 1})


def test_a_field_of_a_wrong_type_costs_that_field_only() -> None:
    """Any field of any event, with a value of any other type: the answer has its end."""
    whole: list[tuple[str, dict[str, Any]]] = [
        ("messageStart", {"role": "assistant"}),
        ("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": "Left right"}}),
        ("contentBlockStop", {"contentBlockIndex": 0}),
        (
            "contentBlockStart",
            {"contentBlockIndex": 1, "start": {"toolUse": {"toolUseId": "a", "name": "f"}}},
        ),
        ("contentBlockDelta", {"contentBlockIndex": 1, "delta": {"toolUse": {"input": "{}"}}}),
        (
            "contentBlockDelta",
            {"contentBlockIndex": 2, "delta": {"reasoningContent": {"text": "h"}}},
        ),
        ("messageStop", {"stopReason": "end_turn", "additionalModelResponseFields": {}}),
        ("metadata", {"usage": {"inputTokens": 3, "outputTokens": 2}, "metrics": {"latencyMs": 1}}),
    ]
    for at, (kind, payload) in enumerate(whole):
        for path in _paths(payload):
            for wrong in _WRONG:
                said = [*whole]
                said[at] = (kind, _with(payload, path, wrong))
                found = events(*(event(*one) for one in said))
                assert isinstance(found[-1], StreamEnd), (kind, path, wrong)
                if at != 1:
                    assert "Left right" == folded(found).text(), (kind, path, wrong)


def _paths(value: Any) -> list[tuple[str, ...]]:
    if not isinstance(value, dict):
        return []
    return [
        path
        for key, inner in value.items()
        for path in [(key,), *((key, *rest) for rest in _paths(inner))]
    ]


def _with(value: dict[str, Any], path: tuple[str, ...], wrong: Any) -> dict[str, Any]:
    key, *rest = path
    return {**value, key: _with(value[key], tuple(rest), wrong) if rest else wrong}

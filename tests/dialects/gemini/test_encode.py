"""What clients get, judged by the vendor's SDK where it can read it, and by a JSON parser where it
cannot."""

import json
from typing import Any

import pytest

from proxy.codec.base import Listed, Parsed
from proxy.codec.fold import WholeAnswer
from proxy.codec.proofs import ANTHROPIC, GEMINI
from proxy.dialects.gemini import DIALECT
from proxy.dialects.gemini.decode import GeminiDecoder
from proxy.dialects.gemini.parse import Options
from proxy.dialects.gemini.signatures import Signed, from_wire
from proxy.dialects.gemini.wire import NAME
from proxy.errors import failure
from proxy.events import (
    BlockEnd,
    BlockStart,
    Citation,
    Event,
    Finish,
    FinishReason,
    Image,
    ReasoningDelta,
    StreamEnd,
    StreamError,
    TextDelta,
    Tool,
    ToolCallDelta,
    Usage,
    Vendor,
)
from proxy.request import ChatRequest
from tests.dialects.answers import BROKEN, ending, folded, reasoning_block, text_block
from tests.dialects.gemini import emit
from tests.support import decode

END = StreamEnd(Finish("stop"), Usage(5, 9, 2, 4))


def call_block(block: int, *pieces: str, name: str = "f") -> list[Event]:
    return [
        BlockStart(block, "tool_call", Tool(f"id{block}", name)),
        *(ToolCallDelta(block, p) for p in pieces),
        BlockEnd(block),
    ]


def whole(events: list[Event], *, thoughts: bool = True) -> dict[str, Any]:
    answer = WholeAnswer()
    for event in [emit.START, *events]:
        answer.add(event)
    assert DIALECT.client is not None
    parsed = Parsed(ChatRequest(model="m", messages=[]), Options(thoughts=thoughts))
    document: dict[str, Any] = json.loads(DIALECT.client.whole(parsed, answer).body)
    return document


def in_array(events: list[Event]) -> list[dict[str, Any]]:
    chunks: list[dict[str, Any]] = json.loads(emit.encoded(events, sse=False))
    return chunks


def parts(chunks: list[dict[str, Any]], choice: int = 0) -> list[dict[str, Any]]:
    return [
        part
        for chunk in chunks
        for c in chunk.get("candidates", ())
        if c["index"] == choice
        for part in c.get("content", {}).get("parts", ())
    ]


def test_a_chunk_on_the_wire():
    """As the vendor frames it, to the byte."""
    first = emit.encoded(text_block("Hi")).decode()
    body = '{"candidates":[{"content":{"parts":[{"text":"Hi"}],"role":"model"},"index":0}],"modelVersion":"asked","responseId":"s1"}'
    assert f"data: {body}\r\n\r\n" == first


def test_the_last_chunk_has_finish_and_usage():
    """Thoughts are counted beside the answer. What is not known is left out."""
    last = in_array([*text_block("Hi"), END])[-1]
    assert "STOP" == last["candidates"][0]["finishReason"]
    assert {
        "promptTokenCount": 5,
        "candidatesTokenCount": 5,
        "thoughtsTokenCount": 4,
        "cachedContentTokenCount": 2,
        "totalTokenCount": 14,
    } == last["usageMetadata"]
    assert "usageMetadata" not in in_array([*text_block("Hi"), ending()])[-1]


ANSWER = [
    *reasoning_block("Hm", "m", block=0)[:-1],
    BlockEnd(0, "c2ln"),
    *call_block(1, '{"a"', ":1}"),
    *text_block("x", "y", block=2),
    END,
]


def test_it_reads_back_as_it_was():
    """Our own decoder, on both forms."""
    for sse in (True, False):
        answer = folded(decode(GeminiDecoder(1 << 16), [emit.encoded(ANSWER, sse=sse)]))
        assert ("xy", "Hmm", '{"a":1}') == (
            answer.text(),
            answer.reasoning(),
            answer.tool_calls()[0].text,
        )
        assert (["c2ln"], Usage(5, 9, 2, 4)) == (
            [b.signature for b in answer.blocks.values() if b.signature],
            answer.usage,
        )


def test_thoughts_are_hidden_where_they_were_not_wanted():
    """But not their signature, without which the next turn fails."""
    for got in (
        parts(json.loads(emit.encoded(ANSWER, sse=False, thoughts=False))),
        parts([whole(ANSWER, thoughts=False)]),
    ):
        assert not any("thought" in part for part in got)
        assert "c2ln" == got[0]["thoughtSignature"]


def test_signatures_without_a_part_behind_them():
    """Two in a row, and one at the end, are on empty parts; one that is no base64 is wrapped."""
    events = [
        BlockStart(0, "reasoning"),
        BlockEnd(0, "c2ln"),
        BlockStart(1, "reasoning"),
        BlockEnd(1, "not base64!"),
        ending(),
    ]
    for got in (parts(in_array(events)), parts([whole(events)])):
        assert ["", ""] == [part["text"] for part in got]
        assert ["c2ln", "dGV4dDpub3QgYmFzZTY0IQ=="] == [part["thoughtSignature"] for part in got]


def test_pictures_stand_where_they_stood():
    """Between the texts, with the signature of the reasoning before them."""
    events = [
        *text_block("a", block=0),
        BlockStart(1, "reasoning"),
        BlockEnd(1, "c2ln", GEMINI),
        Image("data:image/png;base64,AAAA"),
        *text_block("b", block=2),
        ending(),
    ]
    picture = {"inlineData": {"mimeType": "image/png", "data": "AAAA"}, "thoughtSignature": "c2ln"}
    for got in (parts(in_array(events)), parts([whole(events)])):
        assert [{"text": "a"}, picture, {"text": "b"}] == got[:3]


def test_a_signature_of_a_call_is_on_the_call():
    """One of the reasoning before it stands by itself; another vendor's says which call's it is."""
    events = [
        BlockStart(0, "reasoning"),
        BlockEnd(0, "c2lh", GEMINI),
        *call_block(1, "{}")[:-1],
        BlockEnd(1, "c2li", GEMINI),
        *call_block(2, "{}")[:-1],
        BlockEnd(2, "x", ANTHROPIC),
        ending(),
    ]
    for got in (parts(in_array(events)), parts([whole(events)])):
        assert [None, "id1", "id2"] == [part.get("functionCall", {}).get("id") for part in got[:3]]
        assert [
            Signed("c2lh", GEMINI, of_call=True),
            Signed("c2li", GEMINI, of_call=True),
            Signed("x", ANTHROPIC, of_call=True),
        ] == [from_wire(part["thoughtSignature"]) for part in got[:3]]


@pytest.mark.parametrize(
    ("arguments", "args"),
    [
        ("", {}),
        ('{"n":1.50}', {"n": 1.5}),
        ('{"cut', {"arguments": '{"cut'}),
        ("[1]", {"arguments": "[1]"}),
    ],
)
def test_arguments(arguments: str, args: dict[str, Any]):
    """Always an object."""
    events = [*call_block(0, *filter(None, [arguments])), ending("tool_calls")]
    for got in (in_array(events), [whole(events)]):
        assert args == parts(got)[0]["functionCall"]["args"]
        assert "STOP" == got[-1]["candidates"][0]["finishReason"]


def test_calls_side_by_side():
    """Calls whose pieces come interleaved go out one by one, whole."""
    one, other = call_block(0, "{", "}"), call_block(1, "{", "}", name="g")
    mixed = [one[0], other[0], one[1], other[1], other[2], other[3], one[2], one[3]]
    assert ["g", "f"] == [
        part["functionCall"]["name"]
        for part in parts(in_array([*mixed, ending()]))
        if "functionCall" in part
    ]


@pytest.mark.parametrize(
    ("finish", "word"),
    [
        (Finish("stop", "end_turn"), "STOP"),
        (Finish("length"), "MAX_TOKENS"),
        (Finish("tool_calls", "tool_use"), "STOP"),
        (Finish("content_filter"), "SAFETY"),
        (Finish("content_filter", "RECITATION"), "RECITATION"),
        (Finish("refusal"), "SAFETY"),
        (Finish("other", "LANGUAGE"), "LANGUAGE"),
        (Finish("other", "new"), "OTHER"),
        (Finish("stop", "SAFETY"), "STOP"),
    ],
)
def test_finishes(finish: Finish, word: str):
    """The vendor's own word where it was one."""
    assert word == in_array([StreamEnd(finish)])[-1]["candidates"][0]["finishReason"]


def test_several_choices():
    """Each is a candidate; one's own finish is kept."""
    other: list[Event] = [BlockStart(1, "text", choice=1), TextDelta(1, "b"), BlockEnd(1)]
    told = Vendor(NAME, {"candidates": [{"index": 1, "finishReason": "SAFETY"}]})
    events = [*text_block("a"), *other, told, ending()]
    for got in (in_array(events), [whole(events)]):
        assert ["a", "b"] == [
            "".join(part["text"] for part in parts(got, choice)) for choice in (0, 1)
        ]
        assert ["STOP", "SAFETY"] == [
            candidate["finishReason"] for candidate in got[-1]["candidates"]
        ]


def test_sources_are_grounding():
    """Each source once; with its place in the whole answer where that is known."""
    cited = [
        Citation(1, "https://a.test", "A", "two", 0, 3),
        Citation(1, "https://a.test", "A"),
        Citation(1, None, "B"),
    ]
    events = [
        *text_block("One "),
        BlockStart(1, "text"),
        TextDelta(1, "two"),
        *cited,
        BlockEnd(1),
        ending(),
    ]
    segment = {"startIndex": 4, "endIndex": 7, "text": "two"}
    for got in (in_array(events), [whole(events)]):
        assert {
            "groundingChunks": [
                {"web": {"uri": "https://a.test", "title": "A"}},
                {"web": {"title": "B"}},
            ],
            "groundingSupports": [{"segment": segment, "groundingChunkIndices": [0]}],
        } == got[-1]["candidates"][0]["groundingMetadata"]


def test_the_vendors_own_words_are_in_their_places():
    """And its sources are not said a second time; other vendors' extras have no place here."""
    grounding = {"groundingChunks": [{"web": {"uri": "https://a.test"}}]}
    image = {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}
    events: list[Event] = [
        *text_block("a"),
        Vendor(
            NAME, {"candidates": [{"index": 0, "content": {"role": "model", "parts": [image]}}]}
        ),
        BlockStart(1, "text"),
        TextDelta(1, "b"),
        Vendor(NAME, {"candidates": [{"index": 0, "groundingMetadata": grounding}]}),
        Citation(1, "https://a.test"),
        BlockEnd(1),
        Vendor(NAME, {"usageMetadata": {"trafficType": "ON_DEMAND"}}),
        Vendor("other", {"candidates": [{"index": 0, "safetyRatings": []}]}),
        ending(),
    ]
    for got in (in_array(events), [whole(events)]):
        assert [{"text": "a"}, image, {"text": "b"}] == [
            part for part in parts(got) if part != {"text": ""}
        ]
        assert [grounding] == [
            c["groundingMetadata"]
            for chunk in got
            for c in chunk["candidates"]
            if "groundingMetadata" in c
        ]
        assert {"trafficType": "ON_DEMAND"} == got[-1]["usageMetadata"]
        assert "safetyRatings" not in json.dumps(got)


@pytest.mark.parametrize(("sse", "beat"), [(True, b""), (False, b"\n")])
def test_heartbeats_are_nothing_to_a_reader(sse: bool, beat: bytes):
    """None where the SDK would take a comment for a broken chunk; white space between an array's
    items."""
    assert DIALECT.client is not None
    encoder = DIALECT.client.encoder(Parsed(ChatRequest(model="m", messages=[]), Options(sse=sse)))
    assert beat == encoder.heartbeat
    if not sse:
        frames = [encoder.encode(event) for event in [emit.START, *text_block("a", "b"), ending()]]
        assert json.loads(beat + beat.join(frames))


@pytest.mark.parametrize(
    ("kind", "status", "word"),
    [
        ("bad_request", 400, "INVALID_ARGUMENT"),
        ("unauthorized", 401, "UNAUTHENTICATED"),
        ("forbidden", 403, "PERMISSION_DENIED"),
        ("model_not_found", 404, "NOT_FOUND"),
        ("too_large", 413, "INVALID_ARGUMENT"),
        ("rate_limited", 429, "RESOURCE_EXHAUSTED"),
        ("internal", 500, "INTERNAL"),
        ("upstream_truncated", 502, "UNAVAILABLE"),
        ("overloaded", 503, "UNAVAILABLE"),
        ("idle_timeout", 504, "DEADLINE_EXCEEDED"),
    ],
)
def test_errors_before_the_stream(kind: Any, status: int, word: str):
    """Google's shape, with its word for the status, our kind as the reason, and when to come
    again."""
    assert DIALECT.client is not None
    assert DIALECT.upstream is not None
    reply = DIALECT.client.render_error(failure(kind, "No.", param="model", retry_after_s=2.5))
    said = json.loads(reply.body)["error"]
    assert (status, status, word, "No.") == (
        reply.status,
        said["code"],
        said["status"],
        said["message"],
    )
    assert kind.upper() == said["details"][0]["reason"]
    assert ("3s", "3") == (said["details"][1]["retryDelay"], reply.headers["retry-after"])
    found = DIALECT.upstream.parse_error(reply.status, {}, reply.body)
    assert found is not None
    assert ("No.", 3.0) == (found.message, found.retry_after_s)


def test_listing():
    assert DIALECT.client is not None
    (row,) = json.loads(DIALECT.client.models([Listed("fast")], 0))["models"]
    assert ("models/fast", "fast") == (row["name"], row["displayName"])


def test_a_reasoning_block_alone_is_an_answer():
    """A document always has a part."""
    reason: FinishReason = "length"
    assert [{"text": ""}] == parts(
        [
            whole(
                [BlockStart(0, "reasoning"), ReasoningDelta(0, "a"), BlockEnd(0), ending(reason)],
                thoughts=False,
            )
        ]
    )
    assert isinstance(BROKEN, StreamError)

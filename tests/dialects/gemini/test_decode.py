"""The decoder on cases of our own: both forms, signatures, streamed arguments, sources, and ends of
every kind."""

import json
from typing import Any

import pytest

from proxy.codec.proofs import GEMINI
from proxy.dialects.gemini import candidates
from proxy.dialects.gemini.decode import GeminiDecoder
from proxy.dialects.gemini.wire import NAME
from proxy.events import (
    BlockEnd,
    BlockStart,
    Citation,
    Event,
    Finish,
    Image,
    ReasoningDelta,
    StreamEnd,
    StreamError,
    TextDelta,
    Tool,
    ToolCallDelta,
    Usage,
    UsageEvent,
    Vendor,
)
from tests.dialects.answers import every_cut_is_an_error, folded, same_however_cut, told
from tests.support import decode

LIMIT = 1 << 16


def chunk(*parts: dict[str, Any], finish: str | int | None = None, **more: Any) -> dict[str, Any]:
    candidate: dict[str, Any] = {
        "content": {"role": "model", "parts": list(parts)},
        "index": 0,
        **more,
    }
    return {"candidates": [{**candidate, **({} if finish is None else {"finishReason": finish})}]}


def text(said: str, **more: Any) -> dict[str, Any]:
    return chunk({"text": said}, **more)


def sse(*chunks: dict[str, Any]) -> bytes:
    return b"".join(
        b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\r\n\r\n" for value in chunks
    )


def array(*chunks: dict[str, Any]) -> bytes:
    return b"[" + b"\n,\r\n".join(json.dumps(value, indent=2).encode() for value in chunks) + b"\n]"


def events(data: bytes) -> list[Event]:
    return same_however_cut(lambda: GeminiDecoder(LIMIT), data)


@pytest.mark.parametrize("form", [sse, array])
def test_text_thoughts_usage_and_the_end(form: Any) -> None:
    """In both forms alike. Of the usage the first is told, and the last with what was counted
    beside it."""
    early = {
        **chunk({"text": "Hm", "thought": True}),
        "usageMetadata": {"promptTokenCount": 7, "totalTokenCount": 7},
    }
    late = {
        **text("o!", finish="STOP"),
        "usageMetadata": {
            "promptTokenCount": 7,
            "candidatesTokenCount": 3,
            "thoughtsTokenCount": 5,
            "cachedContentTokenCount": 2,
            "trafficType": "ON_DEMAND",
        },
    }
    expected = [
        UsageEvent(7),
        BlockStart(0, "reasoning"),
        ReasoningDelta(0, "Hm"),
        BlockEnd(0),
        BlockStart(1, "text"),
        TextDelta(1, "Hell"),
        TextDelta(1, "o!"),
        UsageEvent(7, 8, 2, 5),
        BlockEnd(1),
        Vendor(NAME, {"usageMetadata": {"trafficType": "ON_DEMAND"}}),
        StreamEnd(Finish("stop", "STOP"), Usage(7, 8, 2, 5)),
    ]
    assert expected == events(form(early, text("Hell"), late))


def test_a_finish_is_no_terminator() -> None:
    """Old models finish every chunk; text and usage may follow."""
    answer = folded(
        events(
            sse(
                text("a", finish="STOP"),
                text("b", finish="STOP"),
                {"usageMetadata": {"promptTokenCount": 1}},
            )
        )
    )
    assert ("ab", 1) == (answer.text(), answer.usage.input_tokens)


def test_calls_are_whole_and_get_ids() -> None:
    """Arguments lose their line ends and blanks and nothing else; missing ones are an empty object;
    a call turns STOP into tool_calls."""
    args = '{\n "n": 1.50,\n "s": "a b"\n}'
    parts = f'{{"functionCall": {{"name": "f", "args": {args}}}}}, {{"functionCall": {{"name": "g", "id": "own"}}}}'
    body = f'[{{"candidates": [{{"content": {{"parts": [{parts}]}}, "finishReason": "STOP"}}], "responseId": "r1"}}]'.encode()
    answer = folded(events(body))
    assert [("f", '{"n":1.50,"s":"a b"}'), ("g", "{}")] == [
        (call.tool.name, call.text) for call in answer.tool_calls() if call.tool
    ]
    ids = [call.tool.id for call in answer.tool_calls() if call.tool]
    assert "own" == ids[1]
    assert ids[0].startswith("call_")
    assert ids != [
        call.tool.id
        for call in folded(events(body.replace(b"r1", b"r2"))).tool_calls()
        if call.tool
    ]
    assert Finish("tool_calls", "STOP") == answer.finish


def test_arguments_that_are_text() -> None:
    """They hold the object, as OpenAI's do; other text stays what it is."""
    for args, expected in (('{"a": 1}', '{"a":1}'), ("{a", '"{a"')):
        body = sse(chunk({"functionCall": {"name": "f", "args": args}}, finish="STOP"))
        assert [expected] == [call.text for call in folded(events(body)).tool_calls()]


def test_chunks_in_a_list_in_an_event() -> None:
    """Each is read, up to an error among them; what is no list of chunks is malformed."""

    def listed(*chunks: Any) -> bytes:
        return b"data: %b\n\n" % json.dumps(chunks).encode()

    answer = events(listed(text("Hi"), text("!", finish="STOP")))
    assert "Hi!" == folded(answer).text()
    assert isinstance(answer[-1], StreamEnd)
    error = {"error": {"code": 429, "message": "Too many", "status": "RESOURCE_EXHAUSTED"}}
    last = events(listed(error, text("Hi")))[-1]
    assert isinstance(last, StreamError)
    assert ("Too many", 429) == (last.error.message, last.error.status)
    for odd in (listed([]), b"data: [x]\n\n"):
        assert isinstance(events(odd)[-1], StreamError)


def test_a_signature_ends_the_reasoning_before_its_part() -> None:
    """On a call behind a thought; on a text behind text; on an empty part at the end; on the
    thought itself."""
    data = sse(
        chunk({"text": "why", "thought": True}),
        chunk({"functionCall": {"name": "f"}, "thoughtSignature": "c2ln"}),
        text("a"),
        chunk({"text": "b", "thoughtSignature": "c2lo"}),
        chunk(
            {"text": "", "thoughtSignature": "c2lp"},
            {"text": "x", "thought": True, "thoughtSignature": "c2lq"},
            finish="STOP",
        ),
    )
    expected = [
        BlockStart(0, "reasoning"),
        ReasoningDelta(0, "why"),
        BlockEnd(0),
        BlockStart(1, "tool_call", Tool("call_", "f")),
        ToolCallDelta(1, "{}"),
        BlockEnd(1, "c2ln", GEMINI),
        BlockStart(2, "text"),
        TextDelta(2, "a"),
        BlockEnd(2),
        BlockStart(3, "reasoning"),
        BlockEnd(3, "c2lo", GEMINI),
        BlockStart(4, "text"),
        TextDelta(4, "b"),
        BlockEnd(4),
        BlockStart(5, "reasoning"),
        BlockEnd(5, "c2lp", GEMINI),
        BlockStart(6, "reasoning"),
        ReasoningDelta(6, "x"),
        BlockEnd(6, "c2lq", GEMINI),
        StreamEnd(Finish("tool_calls", "STOP")),
    ]
    got = events(data)
    assert isinstance(got[3], BlockStart)
    assert isinstance(got[3].tool, Tool)
    expected[3] = BlockStart(1, "tool_call", Tool(got[3].tool.id, "f"))
    assert expected == got


def test_streamed_arguments_are_one_json_text() -> None:
    """Piece by piece as they come; the empty call that ends them may be missing."""

    def call(**more: Any) -> dict[str, Any]:
        return chunk({"functionCall": more})

    data = sse(
        call(name="f", willContinue=True),
        call(
            partialArgs=[{"jsonPath": "$.a", "stringValue": 'x"', "willContinue": True}],
            willContinue=True,
        ),
        call(
            partialArgs=[
                {"jsonPath": "$.a", "stringValue": "y"},
                {"jsonPath": "$.n", "numberValue": 2.50},
            ],
            willContinue=True,
        ),
        call(willContinue=True),
        call(),
        call(name="g", willContinue=True),
        call(partialArgs=[{"jsonPath": "$['b c'][0]", "boolValue": True}], willContinue=True),
        {"candidates": [{"finishReason": "STOP"}]},
    )
    got = events(data)
    assert ['{"a":"x\\"', "y", '","n":2.5', "}", '{"b c":[true', "]}"] == [
        e.arguments for e in got if isinstance(e, ToolCallDelta)
    ]
    assert ['{"a":"x\\"y","n":2.5}', '{"b c":[true]}'] == [
        call.text for call in folded(got).tool_calls()
    ]


def test_other_parts_are_the_vendors_own() -> None:
    """Sound, drafts of pictures, code that the vendor ran: whole, in the shape of a chunk."""
    code = {"executableCode": {"language": "PYTHON", "code": "1+1"}}
    sound = {"inlineData": {"mimeType": "audio/wav", "data": "AAAA"}, "thoughtSignature": "c2ln"}
    draft = {"inlineData": {"mimeType": "image/png", "data": "AAAA"}, "thought": True}
    got = events(sse(chunk({"text": "a"}, code), chunk(sound, draft, finish="STOP")))
    assert [code, sound, draft] == [
        said["candidates"][0]["content"]["parts"][0] for said in told(got)
    ]
    assert "a" == folded(got).text()


def test_a_picture_is_an_event() -> None:
    """It parts the text; its signature is the end of a reasoning before it."""
    image = {"inlineData": {"mimeType": "image/png", "data": "AAAA"}, "thoughtSignature": "c2ln"}
    got = events(sse(chunk({"text": "a"}, image, {"text": "b"}, finish="STOP")))
    assert [
        BlockStart(0, "text"),
        TextDelta(0, "a"),
        BlockEnd(0),
        BlockStart(1, "reasoning"),
        BlockEnd(1, "c2ln", GEMINI),
        Image("data:image/png;base64,AAAA"),
        BlockStart(2, "text"),
        TextDelta(2, "b"),
        BlockEnd(2),
        StreamEnd(Finish("stop", "STOP")),
    ] == got


def test_sound_is_counted_by_its_name() -> None:
    """Within the tokens of the prompt and of the answer."""
    counts = {
        "promptTokenCount": 9,
        "candidatesTokenCount": 7,
        "promptTokensDetails": [
            {"modality": "TEXT", "tokenCount": 4},
            {"modality": "AUDIO", "tokenCount": 5},
        ],
        "candidatesTokensDetails": [{"modality": "AUDIO", "tokenCount": 7}, 3],
    }
    got = events(sse({**chunk({"text": "a"}, finish="STOP"), "usageMetadata": counts}))
    usage = folded(got).usage
    assert (9, 7, 5, 7) == (
        usage.input_tokens,
        usage.output_tokens,
        usage.audio_input_tokens,
        usage.audio_output_tokens,
    )


def test_what_is_said_of_a_candidate_is_told_once() -> None:
    """Each chunk repeats the safety ratings."""
    ratings = [{"category": "HARM_CATEGORY_HARASSMENT", "probability": "LOW"}]
    got = events(
        sse(
            text("a", safetyRatings=ratings),
            text("b", safetyRatings=ratings),
            text("c", safetyRatings=ratings, finish="STOP"),
        )
    )
    assert [{"candidates": [{"index": 0, "safetyRatings": ratings}]}] == told(got)


def test_what_is_said_beside_the_answer_is_told_once() -> None:
    """When it was made, and what becomes of the model."""
    status = {"modelStage": "DEPRECATED"}
    beside = {"createTime": "2026-11-30T00:00:00Z", "modelStatus": status}
    data = sse(
        text("a") | beside, text("b") | beside | {"modelStatus": None}, text("c", finish="STOP")
    )
    said = [event for event in events(data) if isinstance(event, Vendor)]
    assert [
        Vendor(NAME, {"createTime": "2026-11-30T00:00:00Z"}),
        Vendor(NAME, {"modelStatus": status}),
    ] == said


def test_sources_become_citations() -> None:
    """Each once; with a place as long as bytes are code points; and all of them as the vendor's
    own."""
    first = {
        "citations": [{"endIndex": 2, "uri": "https://a.test", "title": "A", "license": "mit"}]
    }
    both = {
        "citationSources": [
            *first["citations"],
            {"startIndex": 1, "endIndex": 900, "uri": "https://b.test"},
        ]
    }
    got = events(
        sse(text("One", citationMetadata=first), text("é", citationMetadata=both, finish="STOP"))
    )
    assert [Citation(0, "https://a.test", "A", None, 0, 2), Citation(0, "https://b.test")] == [
        e for e in got if isinstance(e, Citation)
    ]
    assert [first, both] == [said["candidates"][0]["citationMetadata"] for said in told(got)]


def test_grounding_becomes_citations() -> None:
    """A source for each piece of text that it supports, and those that support none."""
    grounding = {
        "groundingChunks": [
            {"web": {"uri": "https://a.test", "title": "A"}},
            {"web": {"uri": "https://b.test"}},
        ],
        "groundingSupports": [
            {"segment": {"endIndex": 3, "text": "One"}, "groundingChunkIndices": [0, 7]}
        ],
        "webSearchQueries": ["one"],
    }
    got = events(sse(text("One two"), chunk(finish="STOP", groundingMetadata=grounding)))
    cited = [event for event in got if isinstance(event, Citation)]
    assert [Citation(0, "https://a.test", "A", "One", 0, 3), Citation(0, "https://b.test")] == cited
    assert grounding == told(got)[0]["candidates"][0]["groundingMetadata"]


def test_several_candidates() -> None:
    """Each has its own blocks; the finish of the first is the stream's, that of the other is
    told."""
    both = {
        "candidates": [
            {"index": i, "content": {"parts": [{"text": "ab"[i]}]}, "finishReason": f}
            for i, f in enumerate(("STOP", "SAFETY"))
        ]
    }
    got = events(sse(both))
    answer = folded(got)
    assert ("a", "b") == (answer.text(0), answer.text(1))
    assert [{"candidates": [{"index": 1, "finishReason": "SAFETY"}]}] == told(got)
    assert "stop" == answer.finish.reason


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("MAX_TOKENS", "length"),
        ("SPII", "content_filter"),
        ("IMAGE_SAFETY", "content_filter"),
        ("LANGUAGE", "other"),
        ("NEW_WORD", "other"),
    ],
)
def test_finishes(word: str, reason: str) -> None:
    assert Finish(reason, word) == folded(events(sse(text("a", finish=word)))).finish  # type: ignore[arg-type]


@pytest.mark.parametrize(("number", "raw"), [(1, "STOP"), (3, "SAFETY"), (77, "77")])
def test_finishes_as_numbers(number: int, raw: str) -> None:
    assert raw == folded(events(array(text("a", finish=number)))).finish.raw


@pytest.mark.parametrize("form", [sse, array])
def test_names_that_are_spelt_with_underscores(form: Any) -> None:
    """All of an answer; but what stands in arguments is the tool's own."""
    parts = [
        {"text": "hm", "thought": True, "thought_signature": "s1"},
        {"text": "a"},
        {"function_call": {"name": "f", "args": {"a_b": {"c_d": 1}}}},
    ]
    last = {
        "candidates": [{"content": {"parts": parts}, "finish_reason": "MAX_TOKENS", "index": 0}],
        "usage_metadata": {"prompt_token_count": 3, "candidates_token_count": 2},
        "response_id": "r1",
    }
    answer = folded(events(form(text("o"), last)))
    assert ("oa", "hm") == (answer.text(), answer.reasoning())
    assert [("f", {"a_b": {"c_d": 1}})] == [
        (block.tool.name, json.loads(block.text)) for block in answer.tool_calls() if block.tool
    ]
    assert (Finish("length", "MAX_TOKENS"), Usage(3, 2)) == (answer.finish, answer.usage)


def test_a_prompt_that_is_blocked_with_underscores() -> None:
    """As in the API's own spelling."""
    answer = folded(events(sse({"prompt_feedback": {"block_reason": "SAFETY"}})))
    assert Finish("content_filter", "SAFETY") == answer.finish


def test_an_answer_that_is_none_is_an_error() -> None:
    """The model called a function wrongly: nothing that a client could act on."""
    last = events(sse(text("a"), chunk(finish="MALFORMED_FUNCTION_CALL", finishMessage="bad")))[-1]
    assert isinstance(last, StreamError)
    assert ("upstream_error", "MALFORMED_FUNCTION_CALL") == (last.error.kind, last.error.code)


def test_a_blocked_prompt_is_filtered() -> None:
    """No candidate comes; why is told."""
    feedback = {"blockReason": "PROHIBITED_CONTENT", "blockReasonMessage": "no"}
    got = events(sse({"promptFeedback": feedback, "usageMetadata": {"promptTokenCount": 4}}))
    assert [{"promptFeedback": feedback}] == told(got)
    assert StreamEnd(Finish("content_filter", "PROHIBITED_CONTENT"), Usage(4)) == got[-1]


ERROR = {"error": {"code": 503, "message": "Overloaded.", "status": "UNAVAILABLE"}}


@pytest.mark.parametrize(
    "data",
    [
        sse(text("a"), ERROR),
        sse(text("a")) + json.dumps(ERROR, indent=2).encode(),
        sse(text("a")) + b"[" + json.dumps(ERROR, indent=2).encode() + b"]\n",
        array(text("a"), ERROR),
        array(text("a", finish="STOP"), ERROR),
    ],
)
def test_an_error_in_the_stream(data: bytes) -> None:
    """Framed, or bare over many lines, or as an item of the array; after a finish, too."""
    got = events(data)
    assert isinstance(got[-1], StreamError)
    assert ("upstream_error", "Overloaded.", "UNAVAILABLE", True) == (
        got[-1].error.kind,
        got[-1].error.message,
        got[-1].error.code,
        got[-1].error.retryable,
    )
    assert "a" == folded(got).text()


@pytest.mark.parametrize(
    "data",
    [json.dumps(ERROR).encode(), b"\xef\xbb\xbf [" + json.dumps(ERROR, indent=1).encode() + b"]"],
)
def test_an_error_instead_of_a_stream(data: bytes) -> None:
    last = events(data)[-1]
    assert isinstance(last, StreamError)
    assert "Overloaded." == last.error.message


@pytest.mark.parametrize("form", [sse, array])
def test_a_cut_answer_is_truncated(form: Any) -> None:
    """Wherever it is cut before its finish. An array's closing bracket may be missing."""
    whole = form(text("a"), text("b", finish="STOP"))
    every_cut_is_an_error(lambda: GeminiDecoder(LIMIT), whole[: whole.rindex(b"finishReason")])
    assert "ab" == folded(events(whole.rstrip(b"]\r\n"))).text()


@pytest.mark.parametrize(
    "data",
    [
        b"<html><body>502</body></html>",
        b"no stream",
        b"data: 7\n\n",
        b"data: nonsense\n\n",
    ],
)
def test_what_is_no_answer_is_malformed(data: bytes) -> None:
    last = events(data)[-1]
    assert isinstance(last, StreamError)
    assert "upstream_malformed" == last.error.kind


def test_arguments_out_of_order_are_malformed() -> None:
    """What was closed cannot be written any more."""
    pieces = [{"jsonPath": path, "stringValue": "x"} for path in ("$.a.b", "$.c", "$.a.d")]
    last = events(
        sse(chunk({"functionCall": {"name": "f", "partialArgs": pieces}}, finish="STOP"))
    )[-1]
    assert isinstance(last, StreamError)
    assert "upstream_malformed" == last.error.kind


def test_broken_utf8_is_mended() -> None:
    """In a text, and in what is only passed on."""
    data = sse(text("a?", safetyRatings=[{"category": "?"}], finish="STOP")).replace(b"?", b"\xff")
    got = events(data)
    assert "a�" == folded(got).text()
    assert "�" == told(got)[0]["candidates"][0]["safetyRatings"][0]["category"]


def test_nothing_is_held_beyond_the_bound() -> None:
    """Of either form."""
    for endless in (b"data: ", b"[{"):
        decoder = GeminiDecoder(1000)
        fed = 0
        while not decoder.done:
            decoder.feed(endless if fed == 0 else b"x" * 100)
            fed += 100
            assert fed < 3000


def test_unknown_chunks_are_the_vendors_own() -> None:
    """And keep-alive comments are nothing."""
    got = decode(
        GeminiDecoder(LIMIT), [b": hi\r\n\r\n" + sse({"news": 1}, text("a", finish="STOP"))]
    )
    assert [{"news": 1}] == told(got)


def test_blanks_and_byte_order_marks_before_the_first_chunk_are_not_held() -> None:
    """However many, and however they are cut: to look at all of them again with every read would
    cost their square."""
    decoder = GeminiDecoder(1000)
    for piece in (b" " * 5000, b"\xef\xbb", b"\xbf\r\n", b"\xef\xbb\xbf", b"\n" * 5000):
        assert [] == decoder.feed(piece)
    assert b"" == decoder._frames._start
    assert [BlockStart(0, "text"), TextDelta(0, "a")] == decoder.feed(
        b'[{"candidates":[{"content":{"parts":[{"text":"a"}]}}]}'
    )


def test_a_call_with_endless_arguments_is_malformed() -> None:
    """Their names are remembered, so that none is given twice."""
    begun = chunk({"functionCall": {"name": "f", "willContinue": True}})
    pieces = [
        chunk(
            {
                "functionCall": {
                    "partialArgs": [{"jsonPath": f"$.k{n}", "numberValue": n}],
                    "willContinue": True,
                }
            }
        )
        for n in range(5000)
    ]
    last = decode(GeminiDecoder(LIMIT), [sse(begun, *pieces)])[-1]
    assert isinstance(last, StreamError)
    assert "more than 4096 arguments" in last.error.message


def test_a_chunk_of_many_parts_is_read_again_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many of them are the vendor's own, and must be given whole."""
    read = []
    monkeypatch.setattr(candidates, "loads", lambda data: read.append(data) or json.loads(data))
    sound = {"inlineData": {"mimeType": "audio/wav", "data": "AAAA"}}
    assert 50 == len(told(decode(GeminiDecoder(LIMIT), [sse(chunk(*[sound] * 50, finish="STOP"))])))
    assert 1 == len(read)

"""What useChat is sent. The SDK's own schema judges it in tests/oracle; here is what each event
becomes."""

import json

import pytest

from proxy.codec.proofs import ANTHROPIC, GEMINI
from proxy.dialects.ai_sdk import DIALECT
from proxy.errors import failure
from proxy.events import (
    BlockEnd,
    BlockStart,
    Citation,
    Finish,
    Image,
    Note,
    ReasoningDelta,
    StreamEnd,
    StreamStart,
    TextDelta,
    Tool,
    ToolCallDelta,
    Usage,
    UsageEvent,
    Vendor,
)
from tests.dialects.answers import (
    BROKEN,
    START,
    answered,
    encoded,
    ending,
    posted,
    text_block,
)
from tests.sse_reader import read_sse
from tests.support import needs_recordings, recordings_dir

CLIENT = DIALECT.client
BODY = {"messages": [{"role": "user", "content": "Hi"}]}


def asked(*messages, **query):
    body = {"messages": [*BODY["messages"], *messages]}
    return CLIENT.parse_request(posted(json.dumps(body).encode(), query=query))


def sent(*events, parsed=None):
    """The parts between the start of the step and the end of the stream."""
    data = [
        frame
        for _, frame, _ in read_sse(encoded(CLIENT.encoder(parsed or asked()), [START, *events]))
    ]
    assert ["start", "start-step"] == [json.loads(frame)["type"] for frame in data[:2]]
    return [frame if frame == "[DONE]" else json.loads(frame) for frame in data[2:]]


def calling(*pieces, block=0):
    return [
        BlockStart(block, "tool_call", tool=Tool("t1", "weather")),
        *(ToolCallDelta(block, piece) for piece in pieces),
        BlockEnd(block),
    ]


def test_the_start():
    """The message's id is the stream's, unless the answer goes on with a message; what was lost is
    said in its metadata."""
    note = Note("dropped", "seed", "No seed.")
    start = StreamStart("s1", "asked", "up", "theirs", 1, [note])
    first = read_sse(CLIENT.encoder(asked()).encode(start))[0][1]
    notes = [{"note": "dropped", "param": "seed", "message": "No seed."}]
    assert {
        "type": "start",
        "messageId": "s1",
        "messageMetadata": {"model": "asked", "notes": notes},
    } == json.loads(first)
    called = {
        "id": "a7",
        "role": "assistant",
        "parts": [{"type": "tool-w", "toolCallId": "t", "state": "output-available", "output": 1}],
    }
    assert (
        "a7" == json.loads(read_sse(CLIENT.encoder(asked(called)).encode(start))[0][1])["messageId"]
    )


def test_a_text():
    """A block with an id; then the step's end, the message's, and the terminator."""
    finish = {
        "type": "finish",
        "finishReason": "stop",
        "messageMetadata": {
            "finishReason": "stop",
            "usage": {"inputTokens": 3, "outputTokens": 2, "totalTokens": 5},
        },
    }
    assert [
        {"type": "text-start", "id": "0"},
        {"type": "text-delta", "id": "0", "delta": 'H"é'},
        {"type": "text-end", "id": "0"},
        {"type": "finish-step"},
        finish,
        "[DONE]",
    ] == sent(
        BlockStart(0, "text"),
        TextDelta(0, 'H"é'),
        UsageEvent(3),
        BlockEnd(0),
        StreamEnd(Finish("stop"), Usage(3, 2)),
    )


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("tool_calls", "tool-calls"),
        ("content_filter", "content-filter"),
        ("refusal", "content-filter"),
        ("other", "other"),
    ],
)
def test_finish_reasons(reason, word):
    """What is not counted is left out."""
    assert {
        "type": "finish",
        "finishReason": word,
        "messageMetadata": {"finishReason": word},
    } == sent(ending(reason))[1]


def test_the_first_releases_of_version_5():
    """Know no finish reason, and fail on what they do not know: the page says so in the address."""
    assert {"type": "finish", "messageMetadata": {"finishReason": "stop"}} == sent(
        ending(), parsed=asked(strict="true")
    )[1]


def test_reasoning_and_its_signature():
    said = sent(
        BlockStart(3, "reasoning"),
        ReasoningDelta(3, "hm"),
        BlockEnd(3, "sig"),
        BlockStart(4, "reasoning"),
        BlockEnd(4),
        ending(),
    )
    assert {"type": "reasoning-delta", "id": "3", "delta": "hm"} == said[1]
    assert {
        "type": "reasoning-end",
        "id": "3",
        "providerMetadata": {"mainstem": {"signature": "sig"}},
    } == said[2]
    assert {"type": "reasoning-end", "id": "4"} == said[4]


def test_proofs_say_whose_they_are():
    """Of reasoning that is only a proof, and of a call."""
    events = calling("{}")
    events[-1] = BlockEnd(0, "s", GEMINI)
    said = sent(
        BlockStart(3, "reasoning"),
        BlockEnd(3, "data", ANTHROPIC, redacted=True, id="r"),
        *events,
        ending("tool_calls"),
    )
    proof = {"signature": "data", "format": ANTHROPIC, "redacted": True, "id": "r"}
    assert {"mainstem": proof} == said[1]["providerMetadata"]
    assert {"mainstem": {"signature": "s", "format": GEMINI}} == said[4]["providerMetadata"]


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("data:image/webp;base64,AA==", "image/webp"),
        ("https://x/a.JPG?s=1", "image/jpeg"),
        ("https://x/a", "image/png"),
    ],
)
def test_a_picture_is_a_file(url, kind):
    part = {"type": "file", "url": url, "mediaType": kind}
    assert part == sent(Image(url), ending())[0]
    parsed = asked()
    message = json.loads(CLIENT.whole(parsed, answered(parsed, [Image(url)])).body)
    assert part == message["parts"][1]


def test_all_counts_have_a_place():
    said = sent(*text_block("a"), StreamEnd(Finish("stop"), Usage(20, 9, 8, 4, 3, 2, 1)))
    assert {
        "inputTokens": 20,
        "outputTokens": 9,
        "totalTokens": 29,
        "cachedInputTokens": 8,
        "reasoningTokens": 4,
        "inputTokenDetails": {"cacheReadTokens": 8, "cacheWriteTokens": 3, "audioTokens": 2},
        "outputTokenDetails": {"reasoningTokens": 4, "audioTokens": 1},
    } == said[-2]["messageMetadata"]["usage"]


def test_a_tool_call():
    """Its arguments in pieces, and once more as a value."""
    assert [
        {"type": "tool-input-start", "toolCallId": "t1", "toolName": "weather"},
        {"type": "tool-input-delta", "toolCallId": "t1", "inputTextDelta": '{"a"'},
        {"type": "tool-input-delta", "toolCallId": "t1", "inputTextDelta": ":1}"},
        {
            "type": "tool-input-available",
            "toolCallId": "t1",
            "toolName": "weather",
            "input": {"a": 1},
        },
    ] == sent(*calling('{"a"', ":1}"), ending("tool_calls"))[:4]
    assert {} == sent(*calling(), ending())[1]["input"]


def test_arguments_that_are_no_json():
    """Cut by a limit, say: the page gets them as they are, as an error."""
    part = sent(*calling('{"a":'), ending("length"))[2]
    assert ("tool-input-error", '{"a":') == (part["type"], part["input"])
    assert part["errorText"]


def test_sources():
    """With an address, or with a title; one that has neither is none."""
    cited = [Citation(0, "https://x", "T"), Citation(0, None, None, "words"), Citation(0)]
    said = sent(BlockStart(0, "text"), *cited, BlockEnd(0), ending())
    assert [
        {"type": "source-url", "sourceId": "source-0", "url": "https://x", "title": "T"},
        {
            "type": "source-document",
            "sourceId": "source-1",
            "mediaType": "text/plain",
            "title": "words",
        },
    ] == said[1:3]
    assert "text-end" == said[3]["type"]


def test_a_vendors_extras():
    """Data parts that are not kept in the message."""
    part = sent(Vendor("sider", {"remain": 3}), ending())[0]
    assert {
        "type": "data-vendor",
        "data": {"dialect": "sider", "data": {"remain": 3}},
        "transient": True,
    } == part


def test_overlapping_blocks_and_other_choices():
    """Ids tell blocks apart; a message has one answer."""
    events = [BlockStart(0, "text"), *calling("{}", block=1), TextDelta(0, "b"), BlockEnd(0)]
    other = [BlockStart(2, "text", choice=1), TextDelta(2, "no"), BlockEnd(2)]
    other += [
        BlockStart(3, "tool_call", tool=Tool("x", "y"), choice=1),
        ToolCallDelta(3, "{}"),
        BlockEnd(3),
    ]
    kinds = [part["type"] for part in sent(*events, *other, ending())[:-1]]
    assert [
        "text-start",
        "tool-input-start",
        "tool-input-delta",
        "tool-input-available",
        "text-delta",
        "text-end",
        "finish-step",
        "finish",
    ] == kinds


def test_a_failed_answer():
    """One error, and nothing that says it was complete."""
    said = sent(*text_block("a"), BROKEN)
    assert {"type": "error", "errorText": "The upstream broke off."} == said[-1]
    assert not {"finish", "finish-step"} & {part["type"] for part in said}


def test_an_error_before_the_stream_is_a_sentence():
    """The SDK throws an Error with the body as its message."""
    reply = CLIENT.render_error(failure("rate_limited", "Slow down."))
    assert (429, b"Slow down.") == (reply.status, reply.body)
    assert "v1" == CLIENT.encoder(asked()).headers["x-vercel-ai-ui-message-stream"]


def test_one_message():
    """For a page that asks without streaming: what the parts add up to."""
    parsed = asked()
    events = [
        BlockStart(9, "reasoning"),
        ReasoningDelta(9, "hm"),
        BlockEnd(9, "s"),
        *text_block("Hi"),
        *calling('{"a":1}', block=1),
        *calling("{", block=2),
    ]
    message = json.loads(
        CLIENT.whole(
            parsed, answered(parsed, [*events[:4], Citation(0, "https://x"), *events[4:]])
        ).body
    )
    assert ("s1", "assistant", {"model": "asked", "finishReason": "stop"}) == (
        message["id"],
        message["role"],
        message["metadata"],
    )
    kinds = [(part["type"], part.get("state")) for part in message["parts"]]
    assert [
        ("step-start", None),
        ("reasoning", "done"),
        ("text", "done"),
        ("tool-weather", "input-available"),
        ("tool-weather", "output-error"),
        ("source-url", None),
    ] == kinds


@needs_recordings
def test_the_documented_parts():
    """The vendor's sample holds every part there is; each that we send is one of these, with no key
    that it has not.

    It leaves out what is optional, which these add: the SDK's schema names them.
    """
    optional = {
        "start": {"messageMetadata"},
        "finish": {"finishReason", "messageMetadata"},
        "reasoning-end": {"providerMetadata"},
        "tool-input-available": {"providerMetadata"},
        "source-url": {"title"},
        "data-vendor": {"transient"},
    }
    (path,) = (recordings_dir() / "vercel-ui").glob("*.sse")
    frames = [json.loads(data) for _, data, _ in read_sse(path.read_bytes()) if data != "[DONE]"]
    known = {frame["type"]: set(frame) for frame in frames}
    known["data-vendor"] = known["data-weather"]
    cited = [
        BlockStart(7, "text"),
        Citation(7, "https://x", "T"),
        Citation(7, None, "T"),
        BlockEnd(7),
    ]
    reasoned = [BlockStart(8, "reasoning"), ReasoningDelta(8, "a"), BlockEnd(8, "s")]
    everything = [*text_block("a"), *calling("{}", block=1), *reasoned, *cited, Vendor("x", 1)]
    for part in [*sent(*everything, StreamEnd(Finish("stop"), Usage(1, 1)))[:-1], *sent(BROKEN)]:
        assert set(part) <= known[part["type"]] | optional.get(part["type"], set()), part


def test_a_call_in_a_document_has_the_proof_that_its_vendor_must_see_again():
    parsed = asked()
    call = [
        BlockStart(0, "tool_call", tool=Tool("c1", "f")),
        ToolCallDelta(0, "{}"),
        BlockEnd(0, "c2ln", "google-gemini-v1"),
    ]
    message = json.loads(CLIENT.whole(parsed, answered(parsed, call)).body)
    (part,) = [each for each in message["parts"] if each["type"] == "tool-f"]
    assert "c2ln" in json.dumps(part["callProviderMetadata"])

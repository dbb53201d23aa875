"""What an AG-UI client is sent. The protocol's own client judges it in tests/oracle; here is what
each event becomes."""

import json

from proxy.codec.base import Incoming
from proxy.codec.proofs import ANTHROPIC, GEMINI
from proxy.codec.resuming import Wanted
from proxy.dialects.ag_ui import DIALECT
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
    StreamError,
    StreamStart,
    TextDelta,
    Tool,
    ToolCallDelta,
    Usage,
    Vendor,
)
from tests.dialects.answers import START, encoded, ending, folded, posted, text_block
from tests.sse_reader import read_sse

CLIENT = DIALECT.client
BODY = {"threadId": "t", "runId": "r", "messages": [{"id": "1", "role": "user", "content": "Hi"}]}
S = START.stream


def asked(**more):
    return CLIENT.parse_request(posted(json.dumps({**BODY, **more}).encode(), query={}))


def frames(*events):
    return read_sse(encoded(CLIENT.encoder(asked()), [START, *events]))


def sent(*events):
    """The events behind the start of the run."""
    said = [json.loads(data) for _, data, _ in frames(*events)]
    assert said[0]["type"] == "RUN_STARTED"
    return said[1:]


def test_the_start():
    start = StreamStart("s1", "asked", "up", "theirs", 1, [Note("dropped", "seed", "No seed.")])
    first = read_sse(CLIENT.encoder(asked(parentRunId="p")).encode(start))[0][1]
    notes = [{"note": "dropped", "param": "seed", "message": "No seed."}]
    assert json.loads(first) == {
        "type": "RUN_STARTED",
        "threadId": "t",
        "runId": "r",
        "protocolVersion": "1.0",
        "parentRunId": "p",
        "metadata": {"mainstem": {"notes": notes}},
    }


def test_who_only_watches_gets_the_streams_own_names():
    encoder = CLIENT.encoder(asked()._replace(options=CLIENT.watching))
    said = json.loads(read_sse(encoder.encode(START))[0][1])
    assert (said["threadId"], said["runId"]) == (S, S)


def test_every_frame_has_a_number():
    ids = [id_ for _, _, id_ in frames(*text_block("a", "b"), ending())]
    assert ids == [f"{S}:{number}" for number in range(6)]


def test_text():
    assert sent(*text_block("a", "b")) == [
        {"type": "TEXT_MESSAGE_START", "messageId": S, "role": "assistant"},
        {"type": "TEXT_MESSAGE_CONTENT", "messageId": S, "delta": "a"},
        {"type": "TEXT_MESSAGE_CONTENT", "messageId": S, "delta": "b"},
        {"type": "TEXT_MESSAGE_END", "messageId": S},
    ]


def test_texts_that_overlap_are_one_message():
    """Its start and its end come once; of further choices nothing does."""
    said = sent(
        BlockStart(0, "text"),
        BlockStart(1, "text"),
        BlockStart(2, "text", choice=1),
        TextDelta(1, "b"),
        TextDelta(2, "never"),
        BlockEnd(0),
        TextDelta(1, "c"),
        BlockEnd(1),
        BlockEnd(2),
    )
    assert [each["type"].removeprefix("TEXT_MESSAGE_") for each in said] == [
        "START",
        "CONTENT",
        "CONTENT",
        "END",
    ]


def test_reasoning_and_what_its_vendor_must_see_again():
    thought = {"messageId": f"{S}-r0"}
    assert sent(
        BlockStart(0, "reasoning"),
        ReasoningDelta(0, "Hm."),
        BlockEnd(0, signature="sig", format=ANTHROPIC),
    ) == [
        {"type": "REASONING_START", **thought},
        {"type": "REASONING_MESSAGE_START", **thought, "role": "reasoning"},
        {"type": "REASONING_MESSAGE_CONTENT", **thought, "delta": "Hm."},
        {"type": "REASONING_MESSAGE_END", **thought},
        {
            "type": "REASONING_ENCRYPTED_VALUE",
            "subtype": "message",
            "entityId": f"{S}-r0",
            "encryptedValue": f"mainstem:{ANTHROPIC}:sig",
        },
        {"type": "REASONING_END", **thought},
    ]


def test_a_call_is_of_the_answers_message():
    """Its proof stands before its end, which makes some pages run the tool."""
    assert sent(
        BlockStart(0, "tool_call", tool=Tool("c1", "f")),
        ToolCallDelta(0, '{"a":'),
        ToolCallDelta(0, "1}"),
        BlockEnd(0, signature="sig", format=GEMINI),
    ) == [
        {
            "type": "TOOL_CALL_START",
            "toolCallId": "c1",
            "toolCallName": "f",
            "parentMessageId": S,
        },
        {"type": "TOOL_CALL_ARGS", "toolCallId": "c1", "delta": '{"a":'},
        {"type": "TOOL_CALL_ARGS", "toolCallId": "c1", "delta": "1}"},
        {
            "type": "REASONING_ENCRYPTED_VALUE",
            "subtype": "tool-call",
            "entityId": "c1",
            "encryptedValue": f"mainstem:{GEMINI}:sig",
        },
        {"type": "TOOL_CALL_END", "toolCallId": "c1"},
    ]


def test_what_the_protocol_has_no_word_for():
    said = sent(
        BlockStart(0, "text"),
        Citation(0, url="https://a.example", title="A"),
        Image("https://a.example/a.png"),
        Vendor("chatglm", {"a": 1}),
    )
    citation = {"url": "https://a.example", "title": "A", "text": None, "start": None, "end": None}
    assert said[1:] == [
        {"type": "CUSTOM", "name": "citation", "value": citation},
        {"type": "CUSTOM", "name": "image", "value": {"url": "https://a.example/a.png"}},
        {"type": "RAW", "event": {"a": 1}, "source": "chatglm"},
    ]


def test_the_end_says_why_and_how_much():
    end = StreamEnd(Finish("length"), Usage(3, 4, 1, reasoning_tokens=2))
    assert sent(end) == [
        {
            "type": "RUN_FINISHED",
            "threadId": "t",
            "runId": "r",
            "result": {"finishReason": "length"},
            "metadata": {"tanstack": {"finishReason": "length"}},
            "usage": [
                {
                    "model": START.model,
                    "inputTokens": 3,
                    "outputTokens": 4,
                    "totalTokens": 7,
                    "reasoningTokens": 2,
                    "cachedInputTokens": 1,
                }
            ],
        }
    ]


def test_a_failure_is_the_last_event():
    error = StreamError(failure("idle_timeout", "Too slow."), Usage(3))
    assert sent(BlockStart(0, "text"), error)[1:] == [
        {
            "type": "RUN_ERROR",
            "message": "Too slow.",
            "code": "idle_timeout",
            "usage": [{"model": START.model, "inputTokens": 3}],
        }
    ]


def test_an_error_before_the_first_byte():
    reply = CLIENT.render_error(failure("rate_limited", "Too many."))
    said = {"type": "RUN_ERROR", "message": "Too many.", "code": "rate_limited"}
    assert (reply.status, json.loads(reply.body)) == (429, said)


def test_one_document_has_the_messages_of_the_run():
    answer = folded(
        [
            START,
            BlockStart(0, "reasoning"),
            ReasoningDelta(0, "Hm."),
            BlockEnd(0, signature="sig", format=ANTHROPIC),
            *text_block("a", block=1),
            BlockStart(2, "tool_call", tool=Tool("c1", "f")),
            ToolCallDelta(2, "{}"),
            BlockEnd(2),
            Vendor("chatglm", {"a": 1}),
            ending(),
        ]
    )
    document = json.loads(CLIENT.whole(asked(forwardedProps={"stream": False}), answer).body)
    assert (document["type"], document["events"]) == (
        "RUN_FINISHED",
        [{"type": "RAW", "event": {"a": 1}, "source": "chatglm"}],
    )
    assert document["messages"] == [
        {
            "id": f"{S}-r0",
            "role": "reasoning",
            "content": "Hm.",
            "encryptedValue": f"mainstem:{ANTHROPIC}:sig",
        },
        {
            "id": S,
            "role": "assistant",
            "content": "a",
            "toolCalls": [
                {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
            ],
        },
    ]


def comes(query=None, **headers):
    said = {name.replace("_", "-"): value for name, value in headers.items()}
    return CLIENT.resuming.wanted(Incoming("GET", {}, query or {}, said, b""))


def test_where_a_client_goes_on():
    """A page joins by the run's name, from the start or behind a frame; a line that broke by the
    last frame. What is no id of ours is found nowhere."""
    assert [
        comes({"runId": "r", "offset": "-1"}),
        comes({"runId": "r"}),
        comes({"runId": "r", "offset": "s:4"}),
        comes({"runId": "r", "offset": "-1"}, last_event_id="s:4"),
        comes(last_event_id="s:0", x_run_id="r"),
        comes(last_event_id="s:-2"),
        comes(last_event_id="s:" + "9" * 40),
    ] == [
        Wanted("r", ended=True),
        Wanted("r", ended=True),
        Wanted("s", 5, ended=True),
        Wanted("s", 5, ended=True),
        Wanted("s", 1, ended=True),
        Wanted(""),
        Wanted(""),
    ]

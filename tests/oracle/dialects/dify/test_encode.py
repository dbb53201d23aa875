"""What Dify's clients are sent. The judge is an SDK of Dify's API, whose models read every
event."""

import json

from dify_client import models

from proxy.dialects.dify import DIALECT
from proxy.events import (
    BlockEnd,
    BlockStart,
    Citation,
    Finish,
    StreamEnd,
    TextDelta,
    TextRewrite,
    Tool,
    ToolCallDelta,
    Usage,
    Vendor,
)
from tests.dialects.answers import (
    BROKEN,
    START,
    answered,
    encoded,
    ending,
    posted,
    reasoning_block,
    text_block,
)
from tests.sse_reader import read_sse

CLIENT = DIALECT.client
ASKED = CLIENT.parse_request(
    posted(b'{"query":"a","conversation_id":"c9","response_mode":"streaming"}')
)


def sent(*events):
    """Each event as the SDK reads it."""
    frames = [
        json.loads(data)
        for _, data, _ in read_sse(encoded(CLIENT.encoder(ASKED), [START, *events]))
    ]
    return [models.build_chat_stream_response(frame) for frame in frames]


def test_a_text():
    """Deltas, then the counts. The client's conversation keeps its id."""
    said = sent(*text_block("Hé", "llo"), StreamEnd(Finish("stop"), Usage(3, 2)))
    assert ["Hé", "llo"] == [event.answer for event in said[:-1]]
    assert ("message_end", "c9", 3, 2, 5) == (
        said[-1].event,
        said[-1].conversation_id,
        said[-1].metadata.usage.prompt_tokens,
        said[-1].metadata.usage.completion_tokens,
        said[-1].metadata.usage.total_tokens,
    )


def test_nothing_is_made_up():
    """No counts, no metadata."""
    assert sent(*text_block("a"), ending())[-1].metadata is None


def test_reasoning():
    """As chatflows send it, the last piece marked."""
    said = sent(*reasoning_block("hm", "so"), *text_block("a", block=1), ending())
    assert [("hm", False), ("so", False), ("", True)] == [
        (event.data["reasoning"], event.data["is_final"]) for event in said[:3]
    ]


def test_text_taken_back():
    """The whole text again, other blocks' included."""
    said = sent(
        *text_block("Good "),
        BlockStart(1, "text"),
        TextDelta(1, "bye"),
        TextRewrite(1, 0, "day"),
        BlockEnd(1),
        ending(),
    )
    assert ("message_replace", "Good day") == (said[2].event, said[2].answer)


def test_sources():
    """They come with the end."""
    cited = Citation(0, "https://x/1", "A page", "words")
    (resource,) = sent(BlockStart(0, "text"), TextDelta(0, "a"), cited, BlockEnd(0), ending())[
        -1
    ].metadata.retriever_resources
    assert (1, "A page", "words", "https://x/1") == (
        resource.position,
        resource.document_name,
        resource.content,
        resource.document_id,
    )


def test_an_upstream_of_dify_speaks_for_itself():
    """Its ids, its events and its counts go through as they came."""
    thought = {
        "event": "agent_thought",
        "id": "1",
        "message_id": "m",
        "conversation_id": "c",
        "position": 1,
    }
    thought |= {
        "thought": "",
        "observation": "",
        "tool": "dalle3",
        "tool_input": "{}",
        "created_at": 1,
    }
    usage = {
        "prompt_tokens": 1,
        "completion_tokens": 1,
        "total_tokens": 2,
        "latency": 1.5,
        "currency": "USD",
    }
    usage |= {
        f"{kind}_{what}": "1"
        for kind in ("prompt", "completion")
        for what in ("unit_price", "price_unit", "price")
    } | {"total_price": "2"}
    own = Vendor("dify", {"event": "message_end", "metadata": {"usage": usage}})
    ids = Vendor("dify", {"task_id": "t", "message_id": "m", "conversation_id": "c"})
    said = sent(
        ids,
        Vendor("dify", thought),
        Vendor("other", {"event": "x"}),
        *text_block("a"),
        own,
        ending(),
    )
    assert ["agent_thought", "message", "message_end"] == [event.event for event in said]
    assert ("t", "m", "c", "2") == (
        said[1].task_id,
        said[1].message_id,
        said[1].conversation_id,
        said[2].metadata.usage.total_price,
    )


def test_a_failed_answer():
    """One `error`, and no end."""
    said = sent(*text_block("a"), BROKEN)
    assert ["message", "error"] == [event.event for event in said]
    assert ("internal_server_error", 502) == (said[-1].code, said[-1].status)


def test_only_the_first_choice_and_no_calls():
    """An app has one answer, and runs its tools itself."""
    call = [BlockStart(1, "tool_call", tool=Tool("i", "n")), ToolCallDelta(1, "{}"), BlockEnd(1)]
    other = [BlockStart(2, "text", choice=1), TextDelta(2, "x"), BlockEnd(2)]
    assert ["message", "message_end"] == [
        event.event for event in sent(*text_block("a"), *call, *other, ending())
    ]


def test_one_document():
    """For `response_mode: blocking`."""
    parsed = CLIENT.parse_request(posted(b'{"query":"a"}'))
    reply = CLIENT.whole(
        parsed, answered(parsed, [*reasoning_block("hm"), *text_block("Hi", block=1)])
    )
    document = models.ChatResponse(**json.loads(reply.body))
    assert ("Hi", "s1", START.created) == (
        document.answer,
        document.message_id,
        document.created_at,
    )

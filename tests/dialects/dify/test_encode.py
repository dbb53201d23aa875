"""What Dify's clients are sent, frame by frame. An SDK of Dify's API judges it in tests/oracle."""

import json
from typing import Any

from proxy.dialects.dify import DIALECT
from proxy.events import Event, Finish, StreamEnd, Usage, Vendor
from tests.dialects.answers import (
    BROKEN,
    START,
    answered,
    encoded,
    posted,
    reasoning_block,
    text_block,
)
from tests.sse_reader import read_sse

CLIENT = DIALECT.client
assert CLIENT is not None
ASKED = CLIENT.parse_request(
    posted(b'{"query":"a","conversation_id":"c9","response_mode":"streaming"}')
)


def sent(*events: Event) -> list[dict[str, Any]]:
    return [
        json.loads(data)
        for _, data, _ in read_sse(encoded(CLIENT.encoder(ASKED), [START, *events]))
    ]


def test_a_text() -> None:
    """Deltas, then the counts. Every frame has the ids that a page keeps."""
    frames = sent(*text_block("Hé", "llo"), StreamEnd(Finish("stop"), Usage(3, 2)))
    assert ["message", "message", "message_end"] == [frame["event"] for frame in frames]
    assert ["Hé", "llo"] == [frame["answer"] for frame in frames[:-1]]
    assert {("c9", "s1")} == {(frame["conversation_id"], frame["message_id"]) for frame in frames}
    counts = frames[-1]["metadata"]["usage"]
    assert (3, 2, 5) == (
        counts["prompt_tokens"],
        counts["completion_tokens"],
        counts["total_tokens"],
    )


def test_reasoning_and_an_error() -> None:
    """An answer that fails ends with one `error` and has no `message_end`."""
    frames = sent(*reasoning_block("hm"), *text_block("a", block=1), BROKEN)
    assert "message_end" not in [frame["event"] for frame in frames]
    assert ("error", 502) == (frames[-1]["event"], frames[-1]["status"])


def test_one_document() -> None:
    """For `response_mode: blocking`: the text, the counts, the ids that a page keeps."""
    parsed = CLIENT.parse_request(posted(b'{"query":"a"}'))
    reply = CLIENT.whole(parsed, answered(parsed, text_block("Hi")))
    document = json.loads(reply.body)
    assert (200, "message", "Hi", "s1") == (
        reply.status,
        document["event"],
        document["answer"],
        document["message_id"],
    )


def test_a_document_of_a_dify_upstream_keeps_its_ids_and_its_counts() -> None:
    parsed = CLIENT.parse_request(posted(b'{"query":"a"}'))
    ids = {"task_id": "t", "message_id": "m", "conversation_id": "c"}
    counts = {"usage": {"total_price": "0.1"}}
    events = [
        Vendor("dify", ids),
        *text_block("Hi"),
        Vendor("dify", {"event": "agent_thought"}),
        Vendor("dify", {"event": "message_end", "metadata": counts}),
    ]
    document = json.loads(CLIENT.whole(parsed, answered(parsed, events)).body)
    assert {**ids, "id": "m", "answer": "Hi", "metadata": counts} == {
        name: document[name] for name in (*ids, "id", "answer", "metadata")
    }

"""Events to the vendor's stream, and whole answers to one document; the openai SDK reads both."""

import json
from typing import Any

import pytest
from msgspec import UNSET

from proxy.codec.proofs import ANTHROPIC, GEMINI, OPENAI
from proxy.events import (
    BlockEnd,
    BlockStart,
    Event,
    Finish,
    FinishReason,
    Image,
    ReasoningDelta,
    StreamEnd,
    TextDelta,
    Tool,
    ToolCallDelta,
    Usage,
)
from proxy.request import ReasoningPart, ToolCallPart
from tests.dialects.answers import folded, reasoning_block, text_block
from tests.dialects.openai_responses import emit
from tests.dialects.openai_responses.frames import BEGUN, frame, new
from tests.dialects.openai_responses.frames import USAGE as WIRE_USAGE
from tests.support import decode

USAGE = Usage(20, 9, 8, 4)


def call(block: int, *pieces: str, call_id: str = "call_1", name: str = "weather") -> list[Event]:
    deltas = [ToolCallDelta(block, piece) for piece in pieces]
    return [BlockStart(block, "tool_call", tool=Tool(call_id, name)), *deltas, BlockEnd(block)]


def end(reason: FinishReason = "stop", raw: str | None = None, usage: Usage = USAGE) -> StreamEnd:
    return StreamEnd(Finish(reason, raw), usage)


def test_the_events_name_is_its_type() -> None:
    """Clients go by the one or the other."""
    body = emit.encoded([*text_block("a"), *call(1), end()])
    frames = [frame.split("\n") for frame in body.decode().split("\n\n") if frame]
    assert [name.removeprefix("event: ") for name, _ in frames] == [
        json.loads(data.removeprefix("data: "))["type"] for _, data in frames
    ]


def test_our_own_decoder_finds_the_same_answer() -> None:
    events = [
        *reasoning_block("Hm."),
        *text_block("Hel", "lo", block=1),
        *call(2, '{"a"', ":1}"),
        end("tool_calls", "completed"),
    ]
    there = folded(decode(new(), [emit.encoded(events)]))
    here = folded(events)
    assert (here.text(), here.reasoning(), here.finish, here.usage) == (
        there.text(),
        there.reasoning(),
        there.finish,
        there.usage,
    )
    assert [(block.tool, block.text) for block in here.tool_calls()] == [
        (block.tool, block.text) for block in there.tool_calls()
    ]


def spoken(events: list[Event], **body: Any) -> list[dict[str, Any]]:
    said = [
        json.loads(line.removeprefix("data: "))
        for line in emit.encoded(events, **body).decode().split("\n")
        if line.startswith("data: ")
    ]
    assert list(range(len(said))) == [event["sequence_number"] for event in said]
    return said


def output(events: list[Event], **body: Any) -> list[dict[str, Any]]:
    """The items of the answer: the same streamed and whole."""
    streamed = spoken(events, **body)[-1]["response"]
    whole = json.loads(emit.CLIENT.whole(emit.parsed(**body), folded([emit.START, *events])).body)
    assert streamed == whole
    items: list[dict[str, Any]] = streamed["output"]
    return items


SHELL = Tool("call_1", "sh", custom=True)


def test_a_call_with_free_text() -> None:
    events: list[Event] = [
        BlockStart(0, "tool_call", tool=SHELL),
        ToolCallDelta(0, '{"inp'),
        ToolCallDelta(0, 'ut": "ls '),
        ToolCallDelta(0, '-l\\n"}'),
        BlockEnd(0),
        end("tool_calls"),
    ]
    item = {
        "id": "ctc_s1_0",
        "type": "custom_tool_call",
        "status": "completed",
        "call_id": "call_1",
        "name": "sh",
        "input": "ls -l\n",
    }
    assert [item] == output(events)
    said = [(e["type"], e.get("delta", e.get("input"))) for e in spoken(events)[2:-1]]
    assert [
        ("response.output_item.added", None),
        ("response.custom_tool_call_input.delta", "ls "),
        ("response.custom_tool_call_input.delta", "-l\n"),
        ("response.custom_tool_call_input.done", "ls -l\n"),
        ("response.output_item.done", None),
    ] == said


def test_a_tool_gets_its_namespace_back() -> None:
    tools = [
        {"type": "namespace", "name": name, "tools": [{"type": "function", "name": "wait"}]}
        for name in ("a", "b")
    ]
    (item,) = output([*call(0, "{}", name="b__wait"), end("tool_calls")], tools=tools)
    assert ("b", "wait") == (item["namespace"], item["name"])


def test_a_refusal_is_a_part_of_its_own() -> None:
    events: list[Event] = [
        BlockStart(0, "text", refusal=True),
        TextDelta(0, "No."),
        BlockEnd(0),
        end("refusal", "stop"),
    ]
    (item,) = output(events)
    assert [{"type": "refusal", "refusal": "No."}] == item["content"]
    kinds = [event["type"] for event in spoken(events)]
    assert {"response.refusal.delta", "response.refusal.done"} <= set(kinds)
    assert "response.output_text.delta" not in kinds


def test_a_picture_is_an_item_of_the_image_tool() -> None:
    url = "data:image/png;base64,iVBORw0KGgo="
    (item,) = output([Image(url), end()])
    assert ("image_generation_call", "completed", "iVBORw0KGgo=", "png") == (
        item["type"],
        item["status"],
        item["result"],
        item["output_format"],
    )


@pytest.mark.parametrize(
    "proof",
    [
        BlockEnd(0, "SIG", ANTHROPIC),
        BlockEnd(0, "SIG", ANTHROPIC, redacted=True),
        BlockEnd(0, "SIG", OPENAI, id="rs_9"),
        BlockEnd(0, "SIG", GEMINI, id="a b"),
        BlockEnd(0, "SIG"),
    ],
)
def test_a_proof_comes_back_with_whose_it_is(proof: BlockEnd) -> None:
    """What a client of this dialect sends in its next turn is what the vendor gave."""
    (item,) = output([BlockStart(0, "reasoning"), ReasoningDelta(0, "Hm."), proof, end()])
    (turn, _) = emit.parsed(input=[item, {"role": "user", "content": "and?"}]).request.messages
    (part,) = turn.parts
    assert isinstance(part, ReasoningPart)
    assert ("Hm.", "SIG", proof.redacted is True) == (part.text, part.signature, part.redacted)
    assert (None if proof.format is UNSET else proof.format) == part.format
    if proof.format == OPENAI:
        assert "SIG" == item["encrypted_content"]
    if proof.format == GEMINI:
        assert "a b" == part.id


def test_a_calls_proof_comes_back_to_its_call() -> None:
    events = [*call(0, "{}"), *call(1, "{}", call_id="call_2"), end("tool_calls")]
    events[2] = BlockEnd(0, "SIG", GEMINI)
    items = output(events)
    assert ["function_call", "reasoning", "function_call"] == [item["type"] for item in items]
    (turn,) = emit.parsed(input=items).request.messages
    first, second = turn.parts
    assert isinstance(first, ToolCallPart)
    assert isinstance(second, ToolCallPart)
    assert ("SIG", GEMINI, None) == (first.signature, first.format, second.signature)


def test_all_counts_have_their_place() -> None:
    usage = Usage(20, 9, 8, 4, 3, 2, 1)
    last = spoken([*text_block("a"), end(usage=usage)])[-1]["response"]
    assert {
        "input_tokens": 20,
        "input_tokens_details": {"cached_tokens": 8, "cache_write_tokens": 3, "audio_tokens": 2},
        "output_tokens": 9,
        "output_tokens_details": {"reasoning_tokens": 4, "audio_tokens": 1},
        "total_tokens": 29,
    } == last["usage"]


# A vendor's answer through the same dialect.

VENDORS = [
    {"id": "rs_1", "type": "reasoning", "summary": []},
    {
        "id": "rs_2",
        "type": "reasoning",
        "status": "completed",
        "summary": [{"type": "summary_text", "text": "Hm."}],
        "encrypted_content": "gAA",
    },
    {
        "id": "rs_3",
        "type": "reasoning",
        "status": "completed",
        "summary": [],
        "content": [{"type": "reasoning_text", "text": "Raw."}],
    },
    {
        "id": "rs_4",
        "type": "reasoning",
        "status": "completed",
        "summary": [{"type": "summary_text", "text": word} for word in ("One.", "Two.")],
        "content": [{"type": "reasoning_text", "text": "Raw."}],
    },
    {"id": "ws_1", "type": "web_search_call", "status": "completed", "action": {"query": "x"}},
    {
        "id": "msg_1",
        "type": "message",
        "status": "completed",
        "role": "assistant",
        "phase": "commentary",
        "content": [
            {
                "type": "output_text",
                "text": "See",
                "annotations": [
                    {
                        "type": "url_citation",
                        "url": "https://a.example",
                        "title": "A",
                        "start_index": 0,
                        "end_index": 3,
                    },
                    {"type": "file_citation", "file_id": "f", "index": 1, "filename": "f.txt"},
                ],
                "logprobs": [],
            }
        ],
    },
    {
        "id": "ig_1",
        "type": "image_generation_call",
        "status": "completed",
        "output_format": "png",
        "size": "8x8",
        "result": "iVBORw0KGgo=",
    },
    {
        "id": "fc_1",
        "type": "function_call",
        "status": "completed",
        "call_id": "call_1",
        "name": "weather",
        "namespace": "n",
        "arguments": "{}",
    },
    {
        "id": "ctc_1",
        "type": "custom_tool_call",
        "status": "completed",
        "call_id": "call_2",
        "name": "sh",
        "input": "ls",
    },
    {"id": "mcp_1", "type": "mcp_approval_request", "name": "x", "server_label": "y"},
]
ENDING = {
    "id": "resp_9",
    "object": "response",
    "status": "completed",
    "service_tier": "flex",
    "store": True,
    "usage": {**WIRE_USAGE, "cost": 0.5},
}


def vendors_stream() -> bytes:
    body = BEGUN.replace(b"resp_1", b"resp_9")
    for at, item in enumerate(VENDORS):
        empty = {
            key: item[key] for key in ("id", "type", "call_id", "name", "phase") if key in item
        }
        body += frame("response.output_item.added", output_index=at, item=empty)
        body += frame("response.output_item.done", output_index=at, item=item)
    return body + frame("response.completed", response={**ENDING, "output": VENDORS})


@pytest.mark.parametrize("document", [True, False])
def test_a_vendors_answer_comes_through_its_own_dialect_whole(document: bool) -> None:
    """Ids, items that say nothing, its own tools, and what it says beside."""
    said = json.dumps({**ENDING, "output": VENDORS}).encode() if document else vendors_stream()
    events = decode(new(), [said])
    assert VENDORS == output(events)
    last = spoken(events)[-1]["response"]
    assert ("resp_s1~resp_9", "flex", True, 0.5) == (
        last["id"],
        last["service_tier"],
        last["store"],
        last["usage"]["cost"],
    )
    assert last["id"] == spoken(events)[0]["response"]["id"]


def test_raw_reasoning_stays_raw_in_its_own_dialect() -> None:
    place = {"item_id": "rs_1", "output_index": 0, "content_index": 0}
    body = (
        BEGUN
        + frame("response.output_item.added", output_index=0, item={"type": "reasoning", "id": "r"})
        + frame("response.reasoning_text.delta", **place, delta="Hm")
        + frame("response.reasoning_text.delta", **place, delta=".")
        + frame("response.completed", response=ENDING)
    )
    events = decode(new(), [body])
    assert [{"type": "reasoning_text", "text": "Hm."}] == output(events)[0]["content"]
    kinds = [event["type"] for event in spoken(events)]
    assert 2 == kinds.count("response.reasoning_text.delta")
    assert {"response.content_part.added", "response.reasoning_text.done"} <= set(kinds)

"""The encoder, judged by the vendor's SDK and by the order of the frames."""

import json
from typing import Any

from proxy.codec import proofs
from proxy.codec.base import Incoming
from proxy.codec.fold import WholeAnswer
from proxy.dialects.anthropic import DIALECT, encode
from proxy.dialects.anthropic.encode import AnthropicEncoder
from proxy.events import (
    BlockEnd,
    BlockStart,
    Citation,
    Event,
    Finish,
    Image,
    ReasoningDelta,
    StreamEnd,
    TextDelta,
    TextRewrite,
    Tool,
    ToolCallDelta,
    Usage,
    UsageEvent,
    Vendor,
)
from proxy.request import ReasoningPart, ToolCallPart
from tests.dialects.anthropic.emit import ASK, PARSED, START, encoded

END = StreamEnd(Finish("stop", "stop"), Usage(10, 5, 4, 2))
TEXT = [BlockStart(0, "text"), TextDelta(0, "Hel"), TextDelta(0, 'lo "世界"\n'), BlockEnd(0)]
THINKING = [BlockStart(1, "reasoning"), ReasoningDelta(1, "I think."), BlockEnd(1, "c2ln")]


def frames(data: bytes) -> list[dict[str, Any]]:
    """The frames' JSON, after checking that each is one event line and one data line that agree."""
    found = []
    for frame in data.decode().split("\n\n")[:-1]:
        event, text = frame.split("\n")
        value = json.loads(text.removeprefix("data: "))
        assert value["type"] == event.removeprefix("event: ")
        found.append(value)
    return found


def order(data: bytes) -> list[str]:
    return [f"{f['type']}:{f['index']}" if "index" in f else f["type"] for f in frames(data)]


def test_frames_come_in_the_vendors_order() -> None:
    """message_start, each block whole, message_delta, message_stop."""
    blocks = [
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
    ]
    signed = [f"{name}:0" for name in blocks]  # the second delta is the signature
    assert [
        "message_start",
        *signed,
        *[f"{name}:1" for name in blocks],
        "message_delta",
        "message_stop",
    ] == order(encoded([*THINKING, *TEXT, END]))


def streamed(events: list[Event]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The blocks of a stream put together, and its message_delta: a reading of our own."""
    blocks: dict[int, dict[str, Any]] = {}
    last: dict[str, Any] = {}
    for frame in frames(encoded(events)):
        if frame["type"] == "content_block_start":
            blocks[frame["index"]] = frame["content_block"]
        elif frame["type"] == "content_block_delta":
            _add(blocks[frame["index"]], frame["delta"])
        elif frame["type"] == "message_delta":
            last = frame
    for block in blocks.values():
        if isinstance(block.get("input"), str):
            block["input"] = json.loads(block["input"])
    return list(blocks.values()), last


def _add(block: dict[str, Any], delta: dict[str, Any]) -> None:
    for key, piece in delta.items():
        if key == "partial_json":
            block["input"] = (block["input"] or "") + piece
        elif key == "citation":
            block.setdefault("citations", []).append(piece)
        elif key != "type":
            block[key] = block.get(key, "") + piece


def whole(events: list[Event]) -> dict[str, Any]:
    assert DIALECT.client is not None
    answer = WholeAnswer()
    for event in (START, *events):
        answer.add(event)
    document: dict[str, Any] = json.loads(DIALECT.client.whole(PARSED, answer).body)
    return document


def test_what_this_vendor_answers_comes_out_as_it_came() -> None:
    """Streamed and whole: encrypted thinking, sources with their places, who called a tool, server
    tools, blocks of kinds that nobody here knows, and the counts of the cache from the start.
    """
    assert DIALECT.upstream is not None
    content: list[dict[str, Any]] = [
        {"type": "thinking", "thinking": "Hm", "signature": "sig"},
        {"type": "redacted_thinking", "data": "enc"},
        {"type": "thinking", "thinking": "", "signature": "unseen"},
        {
            "type": "text",
            "text": "Teal.",
            "citations": [
                {"type": "char_location", "document_index": 0, "start_char_index": 3},
                {"type": "page_location", "start_page_number": 1, "cited_text": "q"},
            ],
        },
        {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"q": 1}},
        {"type": "web_search_tool_result", "tool_use_id": "s1", "content": [{"x": 1}]},
        {"type": "hologram", "depth": 3},
        {
            "type": "tool_use",
            "id": "t1",
            "name": "f",
            "input": {"x": 1},
            "caller": {"type": "direct"},
        },
    ]
    message = {
        "type": "message",
        "content": content,
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "container": {"id": "c1"},
        "usage": {
            "input_tokens": 11,
            "cache_creation_input_tokens": 4400,
            "cache_read_input_tokens": 9,
            "output_tokens": 5,
            "service_tier": "standard",
        },
    }
    decoder = DIALECT.upstream.decoder(1 << 20, {})
    events = [*decoder.feed(json.dumps(message).encode()), *decoder.close()]
    blocks, last = streamed(events)
    found = whole(events)
    assert content == blocks
    assert content == found["content"]
    for said in ({**last, **last["delta"]}, found):
        assert ("tool_use", {"id": "c1"}) == (said["stop_reason"], said["container"])
        assert message["usage"] == {key: said["usage"][key] for key in message["usage"]}  # type: ignore[index, union-attr]


def test_counts_of_the_cache_are_taken_out_of_the_input_from_the_start() -> None:
    """Or a client that adds what message_start and message_delta say counts them twice."""
    usage = Usage(4420, 5, 9, None, 4400)
    early = UsageEvent(4420, 1, 9, None, 4400)
    start, *_, delta, _ = frames(encoded([early, *TEXT, StreamEnd(Finish("stop"), usage)]))
    said = {
        "input_tokens": 11,
        "cache_read_input_tokens": 9,
        "cache_creation_input_tokens": 4400,
    }
    assert {**said, "output_tokens": 1} == start["message"]["usage"]
    assert {**said, "output_tokens": 5} == delta["usage"]


def test_proofs_of_other_vendors_reach_the_client_and_come_back() -> None:
    """Encrypted reasoning with its name, with and without a text, and the proof of a call, which
    stands in a block of its own behind it: what the client sends back is read as it was given.
    """
    assert DIALECT.client is not None
    events: list[Event] = [
        BlockStart(0, "reasoning"),
        ReasoningDelta(0, "I think."),
        BlockEnd(0, "gAAA", proofs.OPENAI, id="rs_1"),
        BlockStart(1, "reasoning"),
        BlockEnd(1, "enc", proofs.XAI, redacted=True),
        BlockStart(2, "tool_call", Tool("call:1", "f")),
        ToolCallDelta(2, "{}"),
        BlockEnd(2, "c2ln", proofs.GEMINI),
        StreamEnd(Finish("tool_calls")),
    ]
    blocks, _ = streamed(events)
    assert blocks == whole(events)["content"]
    assert ["thinking", "redacted_thinking", "tool_use", "redacted_thinking"] == [
        block["type"] for block in blocks
    ]
    turns = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": blocks}]
    body = json.dumps({**ASK, "messages": turns}).encode()
    parsed = DIALECT.client.parse_request(Incoming("POST", {}, {}, {}, body))
    assert [
        ReasoningPart("I think.", "gAAA", format=proofs.OPENAI, id="rs_1"),
        ReasoningPart("", "enc", redacted=True, format=proofs.XAI),
        ToolCallPart("call:1", "f", "{}", signature="c2ln", format=proofs.GEMINI),
    ] == parsed.request.messages[1].parts


def test_a_picture_is_a_block_as_requests_have_it() -> None:
    """Also amid an open block, and no part of the text."""
    url = "data:image/png;base64,aGk="
    events: list[Event] = [
        BlockStart(0, "text"),
        Image(url),
        Image("https://a.test/(x)", choice=1),
        TextDelta(0, "x"),
        BlockEnd(0),
        Image("https://a.test/y"),
        StreamEnd(Finish("stop")),
    ]
    sources = (
        {"type": "base64", "media_type": "image/png", "data": "aGk="},
        {"type": "url", "url": "https://a.test/y"},
    )
    pictures = [{"type": "image", "source": source} for source in sources]
    expected = [{"type": "text", "text": "x"}, *pictures]
    assert expected == streamed(events)[0] == whole(events)["content"]


def test_a_refusal_is_text_and_a_stop_reason() -> None:
    """The vendor's own word for it."""
    events: list[Event] = [
        BlockStart(0, "text", refusal=True),
        TextDelta(0, "No."),
        BlockEnd(0),
        StreamEnd(Finish("stop", "stop")),
    ]
    blocks, last = streamed(events)
    assert [{"type": "text", "text": "No."}] == blocks == whole(events)["content"]
    assert "refusal" == last["delta"]["stop_reason"] == whole(events)["stop_reason"]


def test_a_source_of_a_block_that_waits_is_given_once() -> None:
    """As the vendor gave it, behind the text that it belongs to."""
    own = {"type": "char_location", "cited_text": "q"}
    events: list[Event] = [
        BlockStart(0, "text"),
        BlockStart(1, "text"),
        TextDelta(1, "b"),
        Vendor("anthropic", {"type": "citations_delta", "block": 1, "citation": own}),
        Citation(1, url="https://a.test"),
        TextDelta(0, "a"),
        BlockEnd(1),
        BlockEnd(0),
        StreamEnd(Finish("stop")),
    ]
    expected = [{"type": "text", "text": "a"}, {"type": "text", "text": "b", "citations": [own]}]
    assert expected == streamed(events)[0]


def test_a_frame_of_a_kind_that_is_not_known_keeps_its_name() -> None:
    """In one line, whatever the name holds."""
    for word, line in (("news", b"event: news"), ("a\nevent: error", b"event: a?event: error")):
        frame = {"type": word, "x": 1}
        data = encoded([Vendor("anthropic", {"type": "unknown_frame", "frame": frame})])
        expected = [line, b"data: " + json.dumps(frame, separators=(",", ":")).encode()]
        assert expected == data.split(b"\n\n")[-2].split(b"\n")


def test_unknown_usage_is_nought_only_where_the_sdk_insists() -> None:
    """message_start has integers; message_delta leaves an unknown input out; what was known early
    is said early."""
    start, delta, _ = frames(encoded([StreamEnd(Finish("stop"))]))
    assert {"input_tokens": 0, "output_tokens": 0} == start["message"]["usage"]
    assert {"output_tokens": 0} == delta["usage"]
    early = frames(encoded([UsageEvent(7, 1), *TEXT, StreamEnd(Finish("stop"), Usage(7, 9))]))
    assert {"input_tokens": 7, "output_tokens": 1} == early[0]["message"]["usage"]
    assert {"input_tokens": 7, "output_tokens": 9} == early[-2]["usage"]


def test_waiting_blocks_are_bounded() -> None:
    """Beyond the bound a waiting block is sent at once, interleaved."""
    encoder = AnthropicEncoder()
    encoder.encode(START)
    for event in (BlockStart(0, "text"), BlockStart(1, "text")):
        encoder.encode(event)
    sent = b""
    pieces = 0
    while not sent:
        sent = encoder.encode(TextDelta(1, "z" * 10_000))
        pieces += 1
    assert pieces <= encode.MAX_HELD_BYTES // 10_000 + 1
    assert 10_000 * pieces == sent.count(b"z")
    assert b'"index":1' in encoder.encode(TextDelta(1, "y"))


def test_text_is_never_garbled_by_a_rewrite() -> None:
    """The dialect cannot take text back: the relay settles rewrites before, and one that comes all
    the same sends nothing."""
    assert encoded([*TEXT[:2]]) == encoded([*TEXT[:2], TextRewrite(0, 0, "other")])

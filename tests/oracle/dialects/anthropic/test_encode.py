"""The encoder, judged by the vendor's SDK and by the order of the frames."""

from typing import Any

import anthropic
import pytest

from proxy.dialects.anthropic import encode
from proxy.dialects.anthropic.encode import AnthropicEncoder
from proxy.errors import failure
from proxy.events import (
    BlockEnd,
    BlockStart,
    Citation,
    Event,
    Finish,
    StreamEnd,
    StreamError,
    TextDelta,
    Tool,
    ToolCallDelta,
    Usage,
    Vendor,
)
from tests.dialects.anthropic.test_encode import END, TEXT, THINKING, frames
from tests.oracle.dialects.anthropic.sdk import ASK, client, encoded, streamed, whole

CALL = [
    BlockStart(2, "tool_call", Tool("toolu_1", "get_weather")),
    ToolCallDelta(2, '{"city":'),
    ToolCallDelta(2, ' "Paris"}'),
    BlockEnd(2),
]


@pytest.mark.parametrize("read", [streamed, whole])
def test_text_thinking_and_a_call_reach_the_sdk(read: Any) -> None:
    """Text, reasoning with its signature, arguments, stop reason and usage are what the events
    said, streamed and whole."""
    message = read(
        [*THINKING, *TEXT, *CALL, StreamEnd(Finish("tool_calls", "tool_calls"), Usage(10, 5, 4, 2))]
    )
    thinking, text, call = message.content
    assert ("thinking", "I think.", "c2ln") == (
        thinking.type,
        thinking.thinking,
        thinking.signature,
    )
    assert ("text", 'Hello "世界"\n') == (text.type, text.text)
    assert ("tool_use", "toolu_1", "get_weather", {"city": "Paris"}) == (
        call.type,
        call.id,
        call.name,
        call.input,
    )
    assert ("msg_st1", "some-model", "tool_use") == (message.id, message.model, message.stop_reason)
    assert (6, 5, 4) == (
        message.usage.input_tokens,
        message.usage.output_tokens,
        message.usage.cache_read_input_tokens,
    )
    assert message.usage.output_tokens_details.thinking_tokens == 2


@pytest.mark.parametrize("read", [streamed, whole])
def test_a_call_without_arguments_has_empty_input(read: Any) -> None:
    """No argument text stands for an empty object."""
    message = read(
        [BlockStart(0, "tool_call", Tool("t", "now")), BlockEnd(0), StreamEnd(Finish("tool_calls"))]
    )
    assert {} == message.content[0].input


@pytest.mark.parametrize("limit", [None, 0], ids=["held back", "degraded to interleaving"])
def test_interleaved_blocks_keep_their_content(
    limit: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blocks that overlap arrive complete and in the order in which they began, also when too much
    is waiting to be held."""
    if limit is not None:
        monkeypatch.setattr(encode, "MAX_HELD_BYTES", limit)
    events: list[Event] = [
        BlockStart(0, "tool_call", Tool("a", "first")),
        BlockStart(1, "tool_call", Tool("b", "second")),
        ToolCallDelta(1, '{"n":2'),
        ToolCallDelta(0, '{"n":1'),
        BlockStart(2, "text"),
        TextDelta(2, "later"),
        ToolCallDelta(1, "}"),
        BlockEnd(1),
        ToolCallDelta(0, "}"),
        BlockEnd(0),
        TextDelta(2, " on"),
        BlockEnd(2),
        StreamEnd(Finish("tool_calls")),
    ]
    message = streamed(events)
    assert [{"n": 1}, {"n": 2}] == [block.input for block in message.content[:2]]
    assert "later on" == message.content[2].text
    if limit is None:
        indices = [f["index"] for f in frames(encoded(events)) if "index" in f]
        assert sorted(indices) == indices


def test_an_error_in_the_stream_raises_in_the_sdk() -> None:
    """The text before it arrives; then the SDK raises, with the type that the failure has in this
    dialect."""
    error = StreamError(failure("overloaded", "Too busy.", upstream="up"))
    with client(encoded([*TEXT[:2], error])) as api, api.messages.stream(**ASK) as stream:
        texts = iter(stream.text_stream)
        assert "Hel" == next(texts)
        with pytest.raises(anthropic.APIStatusError) as caught:
            next(texts)
    assert {
        "type": "error",
        "error": {"type": "overloaded_error", "message": "Too busy."},
    } == caught.value.body
    assert b"message_stop" not in encoded([*TEXT[:2], error])


def test_the_heartbeat_is_the_vendors_ping() -> None:
    """The SDK skips it, also before message_start."""
    body = AnthropicEncoder.heartbeat + encoded([*TEXT, END])
    with client(body) as api, api.messages.stream(**ASK) as stream:
        assert 'Hello "世界"\n' == stream.get_final_text()


@pytest.mark.parametrize(
    ("finish", "expected"),
    [
        (Finish("stop", "stop"), "end_turn"),
        (Finish("stop", "stop_sequence"), "stop_sequence"),
        (Finish("length", "length"), "max_tokens"),
        (Finish("length", "model_context_window_exceeded"), "model_context_window_exceeded"),
        (Finish("tool_calls", "tool_calls"), "tool_use"),
        (Finish("tool_calls", "end_turn"), "tool_use"),
        (Finish("content_filter", "content_filter"), "refusal"),
        (Finish("refusal", None), "refusal"),
        (Finish("other", "pause_turn"), "pause_turn"),
        (Finish("other", "weird"), "end_turn"),
    ],
)
def test_finish_reasons(finish: Finish, expected: str) -> None:
    """The vendor's own word stays; other vendors' reasons get the nearest one."""
    assert expected == streamed([*TEXT, StreamEnd(finish)]).stop_reason


@pytest.mark.parametrize("read", [streamed, whole])
def test_citations_with_an_address_are_sent(read: Any) -> None:
    """A source with a URL takes the one shape that can be formed; one without is left out."""
    events = [
        BlockStart(0, "text"),
        TextDelta(0, "x"),
        Citation(0, url="https://a.test", title="A", text="quoted"),
        Citation(0, title="B"),
        BlockEnd(0),
    ]
    (found,) = read([*events, END]).content[0].citations
    assert ("web_search_result_location", "https://a.test", "A", "quoted") == (
        found.type,
        found.url,
        found.title,
        found.cited_text,
    )


@pytest.mark.parametrize("read", [streamed, whole])
def test_the_vendors_own_blocks_are_given_back_where_they_stood(read: Any) -> None:
    """Blocks that came whole from this vendor are blocks again; what other dialects or unknown
    frames said is not."""
    search = {
        "type": "server_tool_use",
        "id": "srvtoolu_1",
        "name": "web_search",
        "input": {"query": "x"},
    }
    events = [
        Vendor("anthropic", {"type": "redacted_thinking", "data": "abc"}),
        *TEXT[:2],
        Vendor("anthropic", search),
        BlockEnd(0),
        Vendor("openai_chat", {"type": "redacted_thinking", "data": "no"}),
        Vendor("anthropic", {"type": "unknown_frame", "frame": {"type": "some_new_event"}}),
    ]
    redacted, text, tool = read([*events, END]).content
    assert ("abc", "Hel", {"query": "x"}) == (redacted.data, text.text, tool.input)


def test_what_the_vendor_said_with_its_stop_reason_is_given_back() -> None:
    """stop_sequence and extra counts survive the way from this vendor to this dialect's clients."""
    said = {
        "type": "message_delta",
        "delta": {"stop_sequence": "END"},
        "usage": {"server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 0}},
    }
    begun = {"type": "message_start", "usage": {"service_tier": "priority"}}
    message = streamed(
        [
            Vendor("anthropic", begun),
            *TEXT,
            Vendor("anthropic", said),
            StreamEnd(Finish("stop", "stop_sequence"), Usage(10, 5, 4, None, 3)),
        ]
    )
    assert ("stop_sequence", "END") == (message.stop_reason, message.stop_sequence)
    assert (3, 3, 4) == (
        message.usage.input_tokens,
        message.usage.cache_creation_input_tokens,
        message.usage.cache_read_input_tokens,
    )
    assert ("priority", 2) == (
        message.usage.service_tier,
        message.usage.server_tool_use.web_search_requests,
    )


def test_only_the_first_choice_is_sent() -> None:
    """This dialect has one answer; the others are not mixed into it."""
    other = [BlockStart(5, "text", choice=1), TextDelta(5, "no"), BlockEnd(5)]
    assert ["Hel"] == [
        block.text for block in streamed([*TEXT[:2], *other, BlockEnd(0), END]).content
    ]

"""Another Mainstem as upstream: its requests are ones that our own client half takes, its events
come back as they were."""

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from proxy.codec.base import Decoder, Incoming, TargetConfig
from proxy.codec.relaying import built
from proxy.codec.rules import Rules
from proxy.dialects.native import DIALECT
from proxy.errors import failure
from proxy.events import (
    BlockEnd,
    BlockStart,
    Citation,
    Cost,
    Finish,
    StreamEnd,
    StreamError,
    StreamStart,
    TextDelta,
    Usage,
    UsageEvent,
    Vendor,
)
from proxy.request import (
    Cache,
    ChatRequest,
    Message,
    Reasoning,
    TextPart,
    ToolCallPart,
    ToolChoice,
    ToolResultPart,
    ToolSpec,
)
from tests.dialects.native.test_encode import END, EVENTS, START, encoded
from tests.properties import examples
from tests.support import decode, splits

FULL = ChatRequest(
    model="m",
    messages=[
        Message("user", [TextPart("a")]),
        Message("assistant", [ToolCallPart("t", "f", "{}")]),
        Message("tool", [ToolResultPart("t", "1")]),
    ],
    system="s",
    max_tokens=5,
    temperature=0,
    top_p=0.5,
    stop=["END"],
    seed=0,
    tools=[ToolSpec("f")],
    tool_choice=ToolChoice("tool", "f", parallel=False),
    response_format={"type": "json_object"},
    reasoning=Reasoning("low"),
    user="u",
    metadata={"k": 1},
    vendor={"top_k": 5},
    on_loss="refuse",
    system_parts=[TextPart("s", Cache())],
    top_k=1,
    min_p=0.1,
    frequency_penalty=0.2,
    presence_penalty=0.3,
    repetition_penalty=1.1,
    logit_bias={"1": 2},
    logprobs=True,
    top_logprobs=2,
    verbosity="low",
    service_tier="flex",
    store=False,
    cache_key="k",
    safety_identifier="i",
)


def decoder(max_event_bytes: int = 1 << 16) -> Decoder:
    assert DIALECT.upstream is not None
    return DIALECT.upstream.decoder(max_event_bytes, {})


def sse(*values: Any) -> bytes:
    return b"".join(b"data: %b\n\n" % json.dumps(value).encode() for value in values)


def test_a_request_says_the_same_to_the_far_side() -> None:
    """What we build is what our own client half reads, with the target's model and the key."""
    assert DIALECT.upstream is not None
    assert DIALECT.client is not None
    call = DIALECT.upstream.build_request(FULL, TargetConfig("far", "", "key"))
    assert ("POST", "/v1/stream", "Bearer key") == (
        call.method,
        call.path,
        call.headers["authorization"],
    )
    there = DIALECT.client.parse_request(Incoming("POST", {}, {}, {}, call.body)).request
    assert FULL == replace(there, original=None)
    small = DIALECT.upstream.build_request(
        ChatRequest(model="m", messages=[Message("user", "a")], n=2), TargetConfig("far", "other")
    )
    assert {"model": "other", "messages": [{"role": "user", "content": "a"}]} == json.loads(
        small.body
    )
    assert ("n",) == tuple(note.param for note in small.notes)
    assert "authorization" not in small.headers


def test_a_native_clients_request_goes_to_the_far_side_as_it_is() -> None:
    """But for the model, the key and whether it is streamed, and for what the operator keeps."""
    assert DIALECT.upstream is not None
    assert DIALECT.client is not None
    body = {
        "store": True,
        "model": "m",
        "messages": [{"content": [{"text": "a", "type": "text"}], "role": "user"}],
        "on_loss": "refuse",
        "vendor": {"store": True},
        "stream": False,
    }
    asked = Incoming("POST", {}, {}, {}, json.dumps(body).encode())
    request = DIALECT.client.parse_request(asked).request
    call = built(DIALECT.upstream, request, TargetConfig("far", "theirs", "key"))
    assert json.dumps({**body, "model": "theirs", "stream": True}) == json.dumps(
        json.loads(call.body)
    )
    kept = TargetConfig("far", "theirs", "key", rules=Rules(refuse=("store",)))
    call = built(DIALECT.upstream, request, kept)
    assert b"store" not in call.body
    assert ["refuse", "refuse"] == [note.param for note in call.notes]


def test_events_come_back_as_they_were() -> None:
    """For every split; only the start stays behind, its notes as a vendor event, and the far side's
    timing."""
    notes = Vendor(
        "native", {"notes": [{"note": "dropped", "param": "seed", "message": "No seed."}]}
    )
    expected = [notes, *EVENTS[1:-1], StreamEnd(END.finish, END.usage)]
    for chunks in splits(encoded(EVENTS)):
        assert expected == decode(decoder(), chunks)


def test_one_wrong_field_costs_that_field() -> None:
    """Counts, places and names of a wrong type are left out; the answer goes on."""
    body = sse(
        {"type": "block.start", "block": "0", "kind": "text", "choice": "odd"},
        {"type": "text.delta", "block": 0.0, "text": "a"},
        {"type": "citation", "block": 0, "url": 5, "title": "T", "start": 4, "end": 1},
        {"type": "usage", "input_tokens": -1, "output_tokens": "2", "reasoning_tokens": []},
        {
            "type": "stream.end",
            "finish": {"reason": "stop", "raw": 7},
            "usage": {"input_tokens": 3.0},
        },
    )
    assert [
        BlockStart(0, "text"),
        TextDelta(0, "a"),
        Citation(0, title="T"),
        UsageEvent(output_tokens=2),
        BlockEnd(0),
        StreamEnd(Finish("stop"), Usage(3)),
    ] == decode(decoder(), [body])


@pytest.mark.parametrize(
    ("said", "cost"),
    [
        ({"amount": 0.25, "currency": "USD"}, Cost(0.25, "USD")),
        ({"amount": 0, "currency": "EUR"}, Cost(0, "EUR")),
        ({"amount": -1, "currency": "USD"}, None),
        ({"amount": 1e300, "currency": "USD"}, None),
        ({"amount": 1, "currency": "dollars"}, None),
        ({"amount": "1", "currency": 5}, None),
        ({"amount": 1}, None),
        ([1], None),
        (None, None),
    ],
)
def test_what_the_far_side_says_of_its_cost_is_kept_if_it_is_money(
    said: Any, cost: Cost | None
) -> None:
    usage = {"input_tokens": 3, "cost": said}
    body = sse({"type": "stream.end", "finish": {"reason": "stop"}, "usage": usage})
    assert [StreamEnd(Finish("stop"), Usage(3, cost=cost))] == decode(decoder(), [body])


def test_an_error_in_the_stream() -> None:
    """The far side's kind is the code; its status, advice and counts are kept."""
    far = failure("rate_limited", "Slow.", upstream="theirs", retry_after_s=3)
    last = decode(decoder(), [encoded([START, UsageEvent(3, 4), StreamError(far, Usage(3, 5))])])[
        -1
    ]
    assert isinstance(last, StreamError)
    assert ("upstream_error", "rate_limited", "Slow.", 429, True, 3) == (
        last.error.kind,
        last.error.code,
        last.error.message,
        last.error.status,
        last.error.retryable,
        last.error.retry_after_s,
    )
    assert Usage(3, 5) == last.usage


def test_newer_events_are_kept() -> None:
    """A far side of a later version says things that we do not know."""
    new = {"type": "image.delta", "block": 9, "data": "x"}
    assert (
        Vendor("native", new)
        == decode(
            decoder(), [sse(new, {"type": "stream.end", "finish": {"reason": "stop"}, "future": 1})]
        )[0]
    )


def test_blocks_left_open_are_closed() -> None:
    """stream.end closes every block."""
    body = sse(
        {"type": "block.start", "block": 4, "kind": "text"},
        {"type": "text.delta", "block": 4, "text": "a"},
        {"type": "stream.end", "finish": {"reason": "stop"}},
    )
    assert [
        BlockStart(4, "text"),
        TextDelta(4, "a"),
        BlockEnd(4),
        StreamEnd(Finish("stop")),
    ] == decode(decoder(), [body])


OPEN = {"type": "block.start", "block": 0, "kind": "text"}


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([], "upstream_truncated"),
        ([OPEN, {"type": "text.delta", "block": 0, "text": "a"}], "upstream_truncated"),
        ([{"type": "text.delta", "block": 0, "text": "a"}], "upstream_malformed"),
        ([OPEN, {"type": "reasoning.delta", "block": 0, "text": "a"}], "upstream_malformed"),
        ([OPEN, OPEN], "upstream_malformed"),
        (
            [OPEN, {"type": "text.rewrite", "block": 0, "keep": 1, "text": "a"}],
            "upstream_malformed",
        ),
        ([{**OPEN, "kind": "reasoning", "refusal": True}], "upstream_malformed"),
        ([{"type": "image", "url": ""}], "upstream_malformed"),
        ([{"type": "block.start", "block": 0, "kind": "tool_call"}], "upstream_malformed"),
        ([{"type": "stream.end"}], "upstream_malformed"),
        ([5], "upstream_malformed"),
        ([{"type": "stream.error"}], "upstream_error"),
        ([{"error": {"message": "no"}}], "upstream_error"),
    ],
)
def test_what_breaks_the_grammar_is_the_upstreams_fault(values: list[Any], kind: str) -> None:
    """Nothing that a far side sends can make this side send a broken stream."""
    last = decode(decoder(), [sse(*values)])[-1]
    assert isinstance(last, StreamError)
    assert kind == last.error.kind


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (
            b'{"error": {"kind": "forbidden", "message": "No.", "status": 403, "retryable": false}}',
            "upstream_error",
        ),
        (b"<html></html>", "upstream_malformed"),
        (sse(OPEN) + b"data: {no\n\n", "upstream_malformed"),
        (sse(OPEN) + b'data: {"type": "text.de', "upstream_truncated"),
        (b"data: " + b"x" * 70_000, "upstream_malformed"),
    ],
)
def test_bodies_that_are_no_stream(body: bytes, kind: str) -> None:
    """Problems under 200, pages, garbage, cuts and floods."""
    last = decode(decoder(), [body])[-1]
    assert isinstance(last, StreamError)
    assert kind == last.error.kind


@pytest.mark.parametrize(
    ("status", "body", "message", "code"),
    [
        (
            403,
            b'{"error": {"kind": "forbidden", "message": "No.", "retryable": false, "status": 403}}',
            "No.",
            "forbidden",
        ),
        (500, b"", "HTTP 500: an empty body", None),
        (429, b'{"detail": "slow"}', "HTTP 429: slow", None),
    ],
)
def test_error_bodies(status: int, body: bytes, message: str, code: str | None) -> None:
    """A problem keeps its words; anything else is still a failure."""
    assert DIALECT.upstream is not None
    found = DIALECT.upstream.parse_error(status, {"retry-after": "4"}, body)
    assert found is not None
    assert (message, code, 4) == (found.message, found.code or None, found.retry_after_s)
    assert None is DIALECT.upstream.parse_error(200, {}, b'{"text": "fine"}')


def test_an_error_body_that_does_not_say_whether_to_try_again_is_judged_by_its_status() -> None:
    """Not as an error within a stream would be."""
    assert DIALECT.upstream is not None
    found = DIALECT.upstream.parse_error(400, {}, b'{"error": {"message": "No."}}')
    assert found is not None
    assert not found.retryable


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-2, 3)
    | st.text(max_size=3)
    | st.sampled_from(["text", "reasoning", "tool_call", "stop"])
)
junk = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["type", "id", "name", "reason"]), inner, max_size=3)
    ),
    max_leaves=4,
)
frames = st.fixed_dictionaries(
    {
        "type": st.sampled_from(
            [
                json.loads(line[6:])["type"]
                for line in encoded(EVENTS).decode().splitlines()
                if line.startswith("data")
            ]
        )
        | junk
    },
    optional={
        key: st.integers(0, 2) | junk
        if key in ("block", "keep")
        else st.text(min_size=1, max_size=3) | junk
        for key in (
            "block",
            "keep",
            "kind",
            "text",
            "arguments",
            "tool",
            "signature",
            "finish",
            "usage",
            "error",
            "dialect",
            "data",
            "start",
            "end",
        )
    },
)


@given(st.lists(frames, max_size=8))
@examples(200)
def test_frames_of_wrong_shapes(values: list[Any]) -> None:
    """Any JSON at all: no exception, the grammar kept, one terminal event."""
    events = decode(decoder(), [sse(*values)])
    encoded([StreamStart("s", "m", "u", "v", 1), *events])


@given(st.integers(0, 2**32))
@examples(150)
def test_mutated_bytes(seed: int) -> None:
    """Our own bytes, changed, cut and doubled."""
    rng = random.Random(seed)
    data = bytearray(encoded(EVENTS))
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(len(data))
        match rng.randrange(3):
            case 0:
                data[at] = rng.randrange(256)
            case 1:
                del data[at : at + rng.randint(1, 80)]
            case _:
                data[at:at] = data[at : at + rng.randint(1, 80)]
        if not data:
            return
    decode(decoder(), [bytes(data)])

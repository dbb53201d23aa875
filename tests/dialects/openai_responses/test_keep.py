"""What a request asks of its own answer where answers are kept, and what is told of one."""

import json
from typing import Any

import msgspec
import pytest

from proxy.codec.base import Incoming, Keeping, KeptStream, TargetConfig
from proxy.codec.relaying import built
from proxy.dialects.openai_responses import DIALECT, kept
from proxy.dialects.openai_responses.decode import decoder
from proxy.dialects.openai_responses.parse import Kept, Options
from proxy.errors import Refused, failure
from proxy.events import (
    BlockEnd,
    BlockStart,
    Event,
    Finish,
    ReasoningDelta,
    StreamEnd,
    StreamError,
    StreamStart,
    TextDelta,
    TextRewrite,
    Usage,
)

STREAM = "0123456789abcdef" * 2
START = StreamStart(STREAM, "m", "up", "v", 7)
NAME = f"resp_{STREAM}"
ANSWER: list[Event] = [
    START,
    BlockStart(0, "reasoning"),
    ReasoningDelta(0, "hm"),
    BlockEnd(0),
    BlockStart(1, "text"),
    TextDelta(1, "Hel"),
    TextDelta(1, "lo"),
    BlockEnd(1),
    StreamEnd(Finish("stop", "stop"), Usage(), {}),  # type: ignore[arg-type]
]


def keeping(**body: Any) -> Keeping:
    said = json.dumps({"model": "m", "input": "hi", **body}).encode()
    assert DIALECT.client is not None
    found = DIALECT.client.parse_request(Incoming("POST", {}, {}, {}, said)).keeping
    assert found is not None
    return found()


def sent(asked: Keeping, **options: Any) -> dict[str, Any]:
    assert DIALECT.upstream is not None
    config = TargetConfig("up", "v", "k", options)
    said: dict[str, Any] = json.loads(built(DIALECT.upstream, asked.parsed.request, config).body)
    return said


def behind(asked: Keeping, events: list[Event], earlier: Keeping) -> Keeping:
    assert asked.earlier is not None
    return asked.earlier.behind({STREAM: KeptStream(earlier.parsed.options, events)}, ())


def of_a_vendor(*, store: bool) -> list[Event]:
    """The same answer, of a vendor of this dialect."""
    item = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed"}
    part = {"type": "output_text", "text": "Hello", "annotations": []}
    response = {"id": "resp_theirs", "status": "completed", "store": store, "output": []}
    place = {"output_index": 0, "item_id": "msg_1", "content_index": 0}
    said = [
        {"type": "response.created", "response": response | {"status": "in_progress"}},
        {"type": "response.output_item.added", "output_index": 0, "item": item | {"content": []}},
        {"type": "response.output_text.delta", **place, "delta": "Hello"},
        {
            "type": "response.output_item.done",
            "output_index": 0,
            "item": item | {"content": [part]},
        },
        {"type": "response.completed", "response": response},
    ]
    reads = decoder(1 << 20, {})
    body = "".join(f"data: {json.dumps(each)}\n\n" for each in said).encode()
    return [START, *reads.feed(body), *reads.close()]


def test_the_background_is_no_matter_of_the_upstream_s() -> None:
    asked = keeping(background=True, background_options={"x": 1})
    assert asked.background
    assert {"model": "v", "input": "hi", "stream": True} == sent(asked)
    assert (None, ()) == (asked.parsed.request.only_relayed, asked.parsed.notes)
    assert (True, True) == (
        asked.parsed.options.repeated["background"],
        asked.parsed.options.repeated["store"],
    )


def test_what_is_not_stored_is_neither_kept_nor_made_in_the_background() -> None:
    asked = keeping(store=False)
    assert (None, False) == (asked.parsed.options.kept, asked.parsed.options.repeated["store"])
    with pytest.raises(Refused, match="needs store"):
        keeping(store=False, background=True)


def test_the_whole_conversation_goes_to_a_vendor_that_does_not_keep_it() -> None:
    """Of the earlier answer without what only its keeper knows: ids, and reasoning it cannot read."""
    first = keeping(instructions="Be brief.")
    second = behind(keeping(input="more", previous_response_id=NAME), ANSWER, first)
    said = sent(second)
    assert "previous_response_id" not in said
    assert "instructions" not in said  # as the vendor has it
    assert [
        {"type": "message", "role": "user", "content": "hi"},
        {
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [
                {"type": "output_text", "text": "Hello", "annotations": [], "logprobs": []}
            ],
        },
        {"type": "message", "role": "user", "content": "more"},
    ] == said["input"]
    assert NAME == second.parsed.options.repeated["previous_response_id"]
    assert ["user", "assistant", "user"] == [
        message.role for message in second.parsed.request.messages
    ]
    third = behind(keeping(input="yet more", previous_response_id=NAME), ANSWER, second)
    assert 5 == len(third.parsed.request.messages)
    assert third.bytes > second.bytes > 0


@pytest.mark.parametrize(
    ("upstream", "store", "options", "whole"),
    [
        ("up", True, {}, False),
        ("up", False, {}, True),
        ("up", True, {"store": False}, True),
        ("other", True, {}, True),
    ],
)
def test_the_vendor_that_keeps_the_answer_gets_its_own_id(
    upstream: str, store: bool, options: dict[str, Any], whole: bool
) -> None:
    events = of_a_vendor(store=store)
    events[0] = msgspec.structs.replace(START, upstream=upstream)
    said = sent(
        behind(keeping(input="more", previous_response_id=NAME), events, keeping()), **options
    )
    if whole:
        assert 3 == len(said["input"])
        assert "previous_response_id" not in said
    else:
        assert ("more", "resp_theirs") == (said["input"], said["previous_response_id"])


@pytest.mark.parametrize(
    ("last", "status"),
    [
        (StreamError(failure("cancelled", "stopped")), "cancelled"),
        (StreamError(failure("upstream_truncated", "cut")), "failed"),
    ],
)
def test_who_goes_on_from_an_answer_that_is_not_complete_is_refused(
    last: Event, status: str
) -> None:
    asked = keeping(input="more", previous_response_id=NAME)
    with pytest.raises(Refused, match=status):
        behind(asked, [*ANSWER[:6], last], keeping())


def test_an_answer_of_a_request_that_was_not_to_be_stored_is_unknown() -> None:
    asked = keeping(input="more", previous_response_id=NAME)
    with pytest.raises(Refused) as caught:
        behind(asked, ANSWER, keeping(store=False))
    assert "previous_response_not_found" == caught.value.failure.code


@pytest.mark.parametrize(
    ("said", "stream"),
    [(NAME, STREAM), (f"{NAME}~resp_theirs", STREAM), ("resp_theirs", None), (None, None)],
)
def test_an_earlier_answer_has_a_stream_of_ours_or_is_the_vendor_s(
    said: str | None, stream: str | None
) -> None:
    found = keeping(previous_response_id=said).earlier
    assert stream == (None if found is None else found.streams[0])


@pytest.mark.parametrize(("theirs", "kept_by_vendor"), [("", False), ("~resp_theirs", True)])
def test_an_answer_that_is_not_kept_any_more_may_be_the_vendor_s(
    theirs: str, kept_by_vendor: bool
) -> None:
    asked = keeping(input="more", previous_response_id=NAME + theirs).earlier
    assert asked is not None
    if kept_by_vendor:
        said = sent(asked.behind({}, ()))
        assert ("more", "resp_theirs") == (said["input"], said["previous_response_id"])
    for anothers in ((), (STREAM,)):
        if not kept_by_vendor or anothers:
            with pytest.raises(Refused) as caught:
                asked.behind({}, anothers)
            assert "previous_response_not_found" == caught.value.failure.code


def test_who_goes_on_from_an_answer_that_has_not_begun_is_refused() -> None:
    with pytest.raises(Refused, match="queued"):
        behind(keeping(input="more", previous_response_id=NAME), [], keeping())


def test_names_of_items_that_are_none_are_let_be() -> None:
    for odd in (["x"], {}, 5, None):
        given = [{"type": "item_reference", "id": odd}, {"role": "user", "content": "hi"}]
        assert keeping(input=given).earlier is None
        asked = keeping(input=given, previous_response_id=NAME)
        assert given[0] == sent(behind(asked, ANSWER, keeping()))["input"][-2]


def test_an_item_that_is_named_alone_is_told() -> None:
    """As the AI SDK's provider for OpenAI names what an earlier answer said."""
    name = f"msg_{STREAM}_1"
    given = [
        {"role": "user", "content": "hi"},
        {"type": "item_reference", "id": f"rs_{STREAM}_0"},
        {"type": "item_reference", "id": name},
        {"role": "user", "content": "more"},
    ]
    asked = keeping(input=given)
    assert asked.parsed.request.only_relayed is not None
    found = behind(asked, ANSWER, keeping())
    assert found.parsed.request.only_relayed is None
    assert ["user", "assistant", "user"] == [each.role for each in found.parsed.request.messages]
    said = sent(found)["input"]
    assert [None, "Hello", None] == [
        item["content"][0]["text"] if item["role"] == "assistant" else None for item in said
    ]
    assert "id" not in said[1]
    assert given == json.loads(msgspec.json.encode(sent(behind(asked, [], keeping()))["input"]))


@pytest.mark.parametrize("after", [-1, 0, 3, 8, 100])
def test_a_client_gets_what_comes_behind_the_number_that_it_has(after: int) -> None:
    """To the letter, wherever it was."""
    options = Options({}, {}, Kept(True, []))
    every = kept.resumed(options, -1)
    frames = b"".join(every.encode(event) for event in ANSWER).split(b"\n\n")
    resumed = kept.resumed(options, after)
    got = b"".join(resumed.encode(event) for event in ANSWER)
    assert b"\n\n".join(frames[after + 1 :]) == got


def test_text_that_was_taken_back_is_told_as_it_came_to_be() -> None:
    said = [START, BlockStart(0, "text"), TextDelta(0, "Helo"), TextRewrite(0, 2, "llo")]
    more: list[Event] = [*said, TextDelta(0, "!"), BlockEnd(0), ANSWER[-1]]
    told = kept.told(Options({}, {}, Kept(False, [])), more)
    assert "Hello!" == told.response["output"][0]["content"][0]["text"]


def test_items_are_listed_in_pages() -> None:
    given = [{"role": "user", "content": str(n)} for n in range(5)]
    found = keeping(input=given).parsed.options.kept

    def page(**query: str) -> tuple[list[str], bool, str]:
        said = json.loads(kept.input_items(found, "s", query))
        return (
            [item["content"][0]["text"] for item in said["data"]],
            said["has_more"],
            said["last_id"],
        )

    assert (["4", "3", "2", "1", "0"], False, "s_in0") == page()
    assert (["0", "1"], True, "s_in1") == page(order="asc", limit="2")
    assert (["2", "3"], True, "s_in3") == page(order="asc", limit="2", after="s_in1")
    for query in ({"limit": "0"}, {"limit": "x"}, {"order": "up"}):
        with pytest.raises(Refused):
            kept.input_items(found, "s", query)

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.codec import settle as module
from proxy.codec.base import Encoder
from proxy.codec.cumulative import Cumulative
from proxy.codec.settle import REWRITE_NOTE, Settler, settled
from proxy.dialects.chatglm import DIALECT as CHATGLM
from proxy.events import (
    BlockEnd,
    BlockStart,
    Event,
    ReasoningDelta,
    StreamEnd,
    StreamError,
    TextDelta,
    TextRewrite,
)
from tests.dialects.answers import BROKEN, LIMIT, START, ending, folded, unhurried
from tests.support import check_grammar, decode, needs_recordings, seed_bytes


class Spy(Encoder):
    """An encoder that cannot take text back, and remembers what it was told."""

    content_type = "text/spy"
    heartbeat = b"beat"
    headers = {"x-spy": "1"}  # noqa: RUF012

    def __init__(self) -> None:
        self.events: list[Event] = []

    def encode(self, event: Event) -> bytes:
        assert not isinstance(event, TextRewrite), "a rewrite got through"
        self.events.append(event)
        return b"x"


def settle(events: list[Event]) -> list[Event]:
    spy = Spy()
    settler = Settler(spy)
    for event in events:
        settler.encode(event)
    check_grammar(spy.events)
    return spy.events


def block(*deltas: Event, end: Event | None = None) -> list[Event]:
    return [BlockStart(0, "text"), *deltas, BlockEnd(0), end or ending()]


@pytest.mark.parametrize(
    ("text", "chars"),
    [
        ("plain", 5),
        ("", 0),
        ("Python,", 6),
        ("what?", 4),
        ("why?!", 4),
        ("so:", 2),
        ("如下，", 3),  # full-width punctuation stays as it is
        ("a[", 1),
        ("a[[", 1),
        ("截至[[训练时间", 2),
        ("截至[[训练时间]", 2),
        ("[[1, 2], [3, 4]]", 16),
        ("[[1,", 0),
        ("[[" + "x" * 40, 42),  # too long for a placeholder: a list in code
        ("[[" + "x" * 40 + ",", 42),
    ],
)
def test_what_is_settled(text, chars):
    """The unsettled end is held back, and nothing more."""
    assert chars == settled(text)


@needs_recordings
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("c-chatglm1-report.body.bin", "今天天气不错，Python，适合出门！对吗？"),
        (
            "c-chatglm2-report.body.bin",
            "根据您提供的数据,报告如下:\n\n1. 销售额同比增长12.5%。\n2. 截至2023年,样本为 1,024 条。完。",
        ),
    ],
)
def test_both_rewrites_of_the_recordings_touch_only_unsent_text(name, text):
    """What ChatGLM takes back never went out: a client that cannot take text back gets the exact
    text, as plain deltas."""
    events = settle(decode(CHATGLM.upstream.decoder(LIMIT, {}), [seed_bytes(name)]))
    assert text == folded(events).text()
    assert isinstance(events[-1], StreamEnd)
    assert len([event for event in events if isinstance(event, TextDelta)]) > 8


def test_text_flows_at_once_when_it_is_settled():
    """Nothing is held back without a reason: the same event goes through."""
    delta = TextDelta(0, "hello")
    spy = Spy()
    settler = Settler(spy)
    settler.encode(BlockStart(0, "text"))
    assert settler.encode(delta) == b"x"
    assert spy.events[-1] is delta


def test_the_held_end_goes_out_with_what_follows_or_at_the_blocks_end():
    """A comma waits for its neighbour; the last one for the end of the block."""
    events = settle(block(TextDelta(0, "a,"), TextDelta(0, "b!")))
    assert [TextDelta(0, "a"), TextDelta(0, ",b"), TextDelta(0, "!")] == [
        e for e in events if isinstance(e, TextDelta)
    ]


def test_a_rewrite_of_sent_text_ends_in_an_error_and_never_in_a_garbled_text():
    """What is sent stays a beginning of what the vendor once said; nothing is added behind a gap;
    the end is an error."""
    events = settle(
        block(TextDelta(0, "hello world"), TextRewrite(0, 5, " moon"), TextDelta(0, " and stars"))
    )
    assert "hello world" == folded(events).text()
    assert isinstance(events[-1], StreamError)
    assert "upstream_error" == events[-1].error.kind
    assert "without streaming" in events[-1].error.message


def test_the_keeper_of_the_record_can_ask():
    """The end that the client gets is not the one that the decoder gave."""
    settler = Settler(Spy())
    for event in block(TextDelta(0, "hello"), TextRewrite(0, 0, "x")):
        settler.encode(event)
    assert settler.failed
    settler = Settler(Spy())
    settler.encode(ending())
    assert not settler.failed


def test_a_retraction_ends_as_the_content_filter_that_it_is():
    """A moderator withdrew the text: the finish says so, and it gets through."""
    events = settle(
        block(TextDelta(0, "hello"), TextRewrite(0, 0, ""), end=ending("content_filter"))
    )
    assert ending("content_filter") == events[-1]


def test_text_that_comes_back_is_no_loss():
    """A vendor that takes text back and says it again leaves nothing wrong."""
    events = settle(
        block(
            TextDelta(0, "hello"), TextRewrite(0, 2, ""), TextDelta(0, "llo"), TextDelta(0, " you")
        )
    )
    assert "hello you" == folded(events).text()
    assert ending() == events[-1]


def test_a_rewrite_that_says_the_same_again_is_no_loss():
    """`keep` need not be the longest common prefix."""
    events = settle(block(TextDelta(0, "hello"), TextRewrite(0, 0, "hello you")))
    assert "hello you" == folded(events).text()
    assert ending() == events[-1]


def test_a_long_text_is_remembered_up_to_a_bound(monkeypatch):
    """Beyond it what was not sent may still change; a rewrite of what was sent can no longer be
    followed, and is an error."""
    monkeypatch.setattr(module, "REMEMBERED_CHARS", 1000)
    long = [TextDelta(0, "word ") for _ in range(600)]
    settler = Settler(Spy())
    for event in (BlockStart(0, "text"), *long):
        settler.encode(event)
    assert settler._blocks[0].said is None
    good = settle(block(*long, TextDelta(0, "so,"), TextRewrite(0, 3002, "，")))
    assert ("word " * 600 + "so，", True) == (folded(good).text(), isinstance(good[-1], StreamEnd))
    bad = settle(block(*long, TextRewrite(0, 2990, "x"), TextDelta(0, "y")))
    assert ("word " * 600, True) == (folded(bad).text(), isinstance(bad[-1], StreamError))


def test_other_events_and_blocks_pass_untouched():
    """Reasoning is no text, and each text block is settled by itself."""
    given_ = [
        START,
        BlockStart(0, "reasoning"),
        ReasoningDelta(0, "hm,"),
        BlockEnd(0),
        BlockStart(1, "text"),
        BlockStart(2, "text", choice=1),
        TextDelta(1, "a,"),
        TextDelta(2, "b"),
        BlockEnd(1),
        BlockEnd(2),
        ending(),
    ]
    expected = [*given_[:6], TextDelta(1, "a"), TextDelta(2, "b"), TextDelta(1, ","), *given_[8:]]
    assert expected == settle(given_)


def test_an_error_gives_no_unsettled_text():
    """The stream broke: what was held back may have been wrong."""
    spy = Spy()
    settler = Settler(spy)
    for event in (BlockStart(0, "text"), TextDelta(0, "a [[训"), BROKEN):
        settler.encode(event)
    assert [BlockStart(0, "text"), TextDelta(0, "a "), BROKEN] == spy.events


def test_it_speaks_as_the_encoder_inside():
    """Content type, heartbeat and headers are the client's dialect's."""
    settler = Settler(Spy())
    assert ("text/spy", b"beat", {"x-spy": "1"}) == (
        settler.content_type,
        settler.heartbeat,
        settler.headers,
    )
    assert ("changed", "text.rewrite") == (REWRITE_NOTE.note, REWRITE_NOTE.param)


@unhurried
@given(st.lists(st.text("ab,[]!", max_size=10), max_size=10))
def test_what_is_sent_is_the_whole_text_or_the_end_is_an_error(snapshots):
    """For any vendor: either the client has exactly the last snapshot, or it is told that the
    answer failed."""
    cumulative = Cumulative()
    deltas = [
        event for snapshot in snapshots if (event := cumulative.update(0, snapshot)) is not None
    ]
    events = settle(block(*deltas))
    if isinstance(events[-1], StreamEnd):
        assert cumulative.text == folded(events).text()
    else:
        assert any(snapshot.startswith(folded(events).text()) for snapshot in snapshots)

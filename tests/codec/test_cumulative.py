from hypothesis import given
from hypothesis import strategies as st

from proxy.codec.cumulative import Cumulative, common_prefix
from proxy.events import BlockEnd, BlockStart, TextDelta, TextRewrite
from tests.dialects.answers import ending, folded, unhurried


def test_a_longer_snapshot_is_a_delta():
    """Only what is new is said."""
    cumulative = Cumulative()
    assert TextDelta(3, "根据") == cumulative.update(3, "根据")
    assert TextDelta(3, "您") == cumulative.update(3, "根据您")


def test_a_repeated_snapshot_says_nothing():
    """The vendor strips white space, so snapshots repeat."""
    cumulative = Cumulative()
    assert cumulative.update(0, "") is None
    cumulative.update(0, "a")
    assert cumulative.update(0, "a") is None


def test_a_changed_snapshot_keeps_the_common_prefix():
    """Code points are counted, not bytes and not UTF-16 units."""
    cumulative = Cumulative()
    cumulative.update(0, "😀截至[[训练时间")
    assert TextRewrite(0, 3, "2023年") == cumulative.update(0, "😀截至2023年")


def test_a_shorter_snapshot_takes_text_back():
    """A prefix of what was said is a rewrite that adds nothing."""
    cumulative = Cumulative()
    cumulative.update(0, "abc")
    assert TextRewrite(0, 1, "") == cumulative.update(0, "a")


@unhurried
@given(st.text("ab", max_size=40), st.text("ab", max_size=40))
def test_common_prefix_is_what_a_loop_finds(one, other):
    """The halving finds what comparing one character after the other finds."""
    expected = next(
        (at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b),
        min(len(one), len(other)),
    )
    assert expected == common_prefix(one, other)


@unhurried
@given(st.lists(st.text("ab[", max_size=12), max_size=12))
def test_applied_in_order_the_events_give_the_last_snapshot(snapshots):
    """Whatever the snapshots are, a reader who follows the events has the newest one."""
    cumulative = Cumulative()
    events = [
        event for snapshot in snapshots if (event := cumulative.update(0, snapshot)) is not None
    ]
    answer = folded([BlockStart(0, "text"), *events, BlockEnd(0), ending()])
    assert (snapshots[-1] if snapshots else "") == answer.text()

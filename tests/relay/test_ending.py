"""The outcome and the status of a stream, from how its log ended and what became of its reader."""

from itertools import product
from typing import get_args

import pytest

from proxy.errors import failure
from proxy.events import Finish, StreamEnd, StreamError
from proxy.relay.ending import ENDINGS, End, Reading, answered, ended, row_of
from proxy.settings.sections import OnDisconnect

COMPLETE = StreamEnd(Finish("stop"))
FAILED = StreamError(failure("idle_timeout", "silent"))
REFUSAL = failure("rate_limited", "too many")


@pytest.mark.parametrize(
    ("end", "reading", "policy", "outcome"),
    [
        (COMPLETE, "whole", "cancel", "completed"),
        (COMPLETE, "withheld", "cancel", "upstream_error"),
        (COMPLETE, "left", "cancel", "client_gone"),
        (COMPLETE, "left", "grace", "completed"),
        (COMPLETE, "left", "finish", "completed"),
        (FAILED, "whole", "cancel", "idle_timeout"),
        (FAILED, "left", "cancel", "idle_timeout"),
        (FAILED, "left", "grace", "idle_timeout"),
        (FAILED, "withheld", "finish", "idle_timeout"),
        (None, "left", "finish", "client_gone"),
        (None, "unasked", "cancel", None),
        (None, "broken", "cancel", "internal"),
        (COMPLETE, "broken", "finish", "internal"),
        (None, "refused", "cancel", "rate_limited"),
        (FAILED, "refused", "cancel", "rate_limited"),
    ],
)
def test_the_outcome(end, reading: Reading, policy: OnDisconnect, outcome: str | None) -> None:
    assert outcome == ended(end, reading, policy, status=200, refusal=REFUSAL).outcome


@pytest.mark.parametrize(("sent", "status"), [(0, 499), (200, 200), (204, 204)])
def test_the_status_is_that_of_the_head_or_of_a_client_that_had_none(
    sent: int, status: int
) -> None:
    assert status == ended(None, "left", "cancel", status=sent).status


def test_every_stream_whose_reader_has_something_to_say_ends_in_one_row() -> None:
    never = {
        ("none", "whole"),
        ("none", "withheld"),
        ("complete", "unasked"),
        ("failed", "unasked"),
    }
    for end, reading, policy in product(get_args(End), get_args(Reading), get_args(OnDisconnect)):
        if (end, reading) not in never:
            assert row_of(end, reading, policy) in ENDINGS


def test_no_row_is_idle() -> None:
    used = {
        row_of(end, row.reading, policy)
        for row in ENDINGS
        for end in row.ends
        for policy in row.policies
    }
    assert set(ENDINGS) == used


def test_a_request_for_no_stream() -> None:
    """The status is that of the head that was sent, else the failure's own."""
    assert [("completed", 200), ("rate_limited", 429), ("idle_timeout", 200)] == [
        answered(None, 200),
        answered(REFUSAL, 0),
        answered(FAILED.error, 200),
    ]

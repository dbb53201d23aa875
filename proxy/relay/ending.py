"""How a stream has ended, decided once, from one table: for the metrics, the log line and the
documents.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Literal, NamedTuple, get_args

from proxy.errors import Failure
from proxy.events import StreamEnd, StreamError
from proxy.observe.record import Outcome
from proxy.settings.sections import OnDisconnect

# How the log ended: no answer had begun or it was still going on; completely; in an error.
End = Literal["none", "complete", "failed"]
# What became of the reader: the request was refused, with a status; it was never one for a stream;
# it has everything, or was told why not; it could not take back what the upstream took back; it
# left, or was cut; serving it failed by a defect of ours.
Reading = Literal["refused", "unasked", "whole", "withheld", "left", "broken"]
# Where the outcome is a kind that only the moment knows: of the refusal, or of the log's error.
Told = Literal["the refusal's kind", "the error's kind", "none"]

_ANY: tuple[OnDisconnect, ...] = get_args(OnDisconnect)


class Row(NamedTuple):
    """For these ends, this reading and these policies: the outcome."""

    ends: tuple[End, ...]
    reading: Reading
    policies: tuple[OnDisconnect, ...]
    outcome: Outcome | Told


# The first row that fits counts.
ENDINGS: Sequence[Row] = (
    Row(get_args(End), "refused", _ANY, "the refusal's kind"),
    Row(("none",), "unasked", _ANY, "none"),
    Row(get_args(End), "broken", _ANY, "internal"),
    Row(("failed",), "whole", _ANY, "the error's kind"),
    Row(("failed",), "withheld", _ANY, "the error's kind"),
    Row(("failed",), "left", _ANY, "the error's kind"),
    Row(("none",), "left", _ANY, "client_gone"),
    Row(("complete",), "left", ("cancel",), "client_gone"),
    Row(("complete",), "left", ("grace", "finish"), "completed"),
    Row(("complete",), "withheld", _ANY, "upstream_error"),
    Row(("complete",), "whole", _ANY, "completed"),
)
# nginx's: nobody is there to read it, but the log and the metrics want a number
_LEFT = 499


class Ended(NamedTuple):
    """`outcome` None: there was no stream. `status` is what the client got, or would have got."""

    outcome: Outcome | None
    status: int


def ended(
    end: StreamEnd | StreamError | None,
    reading: Reading,
    policy: OnDisconnect,
    *,
    status: int,
    refusal: Failure | None = None,
) -> Ended:
    """How a stream has ended whose log has this `end`. `status` is that of the head that was sent,
    0 if none was; `refusal` goes with the reading `refused`.
    """
    row = row_of(_end_of(end), reading, policy)
    outcome: Outcome | None
    if row.outcome == "the refusal's kind":
        assert refusal is not None
        outcome = refusal.kind
    elif row.outcome == "the error's kind":
        assert isinstance(end, StreamError)
        outcome = end.error.kind
    else:
        outcome = None if row.outcome == "none" else row.outcome
    return Ended(outcome, status or _LEFT)


def answered(why: Failure | None, status: int) -> Ended:
    """How a request has ended that is for no stream of events. `why` it failed, if it did; `status`
    is that of the head that was sent, 0 if none was.
    """
    if why is None:
        return Ended("completed", status)
    return Ended(why.kind, status or why.status)


@lru_cache  # there are few of each
def row_of(end: End, reading: Reading, policy: OnDisconnect) -> Row:
    """The row that decides."""
    return next(
        row
        for row in ENDINGS
        if end in row.ends and reading == row.reading and policy in row.policies
    )


def _end_of(end: StreamEnd | StreamError | None) -> End:
    if end is None:
        return "none"
    return "complete" if isinstance(end, StreamEnd) else "failed"

"""What is observed about one stream: plain numbers, written while it runs, read once at its end.

The relay writes the attributes and calls the small methods; `Metrics.flush` and `logs.stream_line`
read the record when its stream has ended. Nothing here takes a lock, looks up a label or reads a
clock: every `now` is the caller's monotonic clock, in seconds. A histogram is kept as counts per
bucket, in lists that are made with the first observation: an idle open stream costs under 1.5 KB.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import msgspec

from proxy.errors import Kind
from proxy.events import Finish, Note, Usage, UsageEvent

# Upper bounds in seconds; a value falls into the first bucket whose bound is not below it, beyond
# the last into +Inf.
EVENT_GAP_S = (
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
    30.0,
    60.0,
)
RELAY_DELAY_S = (
    0.00001,
    0.000025,
    0.00005,
    0.0001,
    0.00025,
    0.0005,
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
)

Outcome = Literal["completed"] | Kind
# Who ended a stream. `proxy` is us: a time-out, a limit, a defect, the end of the drain.
EndedBy = Literal["upstream", "client", "proxy", "operator"]
# What was asked for: an answer, the number of tokens of a request for one, or a vendor's own path.
Work = Literal["stream", "count", "pass"]
NONE = "none"  # the label where a request named no configured model, or reached no upstream


_ENDED_BY: Mapping[Outcome, EndedBy] = {
    "completed": "upstream",
    "connect_failed": "upstream",
    "upstream_status": "upstream",
    "upstream_error": "upstream",
    "upstream_malformed": "upstream",
    "upstream_truncated": "upstream",
    "client_gone": "client",
    "cancelled": "client",
    "shutdown": "operator",
    "connect_timeout": "proxy",
    "first_event_timeout": "proxy",
    "idle_timeout": "proxy",
    "total_timeout": "proxy",
    "internal": "proxy",
}


class Attempt(NamedTuple):
    """A target that was asked, or that nothing was sent to. `result`: "ok", a kind, or why nothing
    was sent. `began_s` is since the request, `took_s` until its first content or its failure.
    """

    upstream: str
    result: str
    model: str
    began_s: float
    took_s: float


_OF_ONE_ANSWER = (
    *(
        "upstream",
        "upstream_dialect",
        "upstream_model",
        "upstream_status",
        "vendor_request_id",
        "response_id",
        "asked",
        "error",
        "error_code",
        "finish",
        "usage",
        "first_byte_s",
        "first_content_s",
    ),
    *("events", "gap_counts", "gap_total_s", "delay_counts", "delay_total_s", "_last_content"),
)


class StreamRecord(msgspec.Struct, eq=False):
    """One request and the stream that answers it. Of the attributes that begin unset, what stays
    unset is not counted.
    """

    request_id: str
    client_dialect: str
    started: float
    work: Work = "stream"
    stream: str = ""  # the stream's id, as in stream.start
    model: str = ""  # as the client asked: for the log only
    model_label: str = NONE  # its configured name, or "*": for metrics (Routed.label)
    upstream: str = ""  # the last one tried
    upstream_dialect: str = ""
    upstream_model: str = ""
    asked: str = ""  # its host and path
    upstream_status: int | None = None  # its HTTP status
    # its own names for the request, out of a header, and for the answer
    vendor_request_id: str = ""
    response_id: str = ""
    error: str = ""  # why it failed, as far as that may stand in a log
    error_code: str = ""  # the vendor's word for it
    origin: str = ""  # of the page that asked, as its browser says
    key: str = ""  # the configured name of the client's key
    key_label: str = ""  # the same for metrics, where that is wanted
    status: int = 0  # the HTTP status that the client got, or would have got
    outcome: Outcome | None = None
    finish: Finish | None = None
    usage: Usage | UsageEvent | None = None
    # where an answer broke off and another target went on: the upstream, and the usage until
    # then, of all targets so far
    earlier: Sequence[tuple[str, Usage | UsageEvent | None]] = ()
    notes: Sequence[Note] = ()
    attempts: list[Attempt] = []
    fallbacks: list[tuple[str, str, str]] = []  # (from, to, kind)
    retries: Sequence[tuple[str, str]] = ()  # (upstream, kind of the failure before)
    hedges: Sequence[tuple[str, str]] = ()  # (upstream, "won" or "lost")
    first_byte_s: float | None = None  # since `started`: the upstream's first bytes
    first_content_s: float | None = None  # since `started`: its first content event
    # since `started`: the client left, and the answer went on without it (on_disconnect)
    left_s: float | None = None
    ended_s: float | None = None  # since `started`
    span: Any = None  # of a trace, and when it began in unix time, where those are made
    span_began_ns: int = 0
    ended_by: EndedBy | None = None  # if not the one that the outcome tells of
    chunks: int = 0
    bytes_in: int = 0  # from the upstream
    bytes_out: int = 0  # to the client
    heartbeats: int = 0
    events: dict[type[Any], int] = {}  # event class -> how many
    gap_counts: list[int] | None = None
    gap_total_s: float = 0.0
    delay_counts: list[int] | None = None
    delay_total_s: float = 0.0
    _last_content: float = 0.0
    _target_began_s: float = 0.0

    def chunk(self, size: int, now: float) -> None:
        """The upstream sent `size` bytes of its answer."""
        if self.first_byte_s is None:
            self.first_byte_s = now - self.started
        self.chunks += 1
        self.bytes_in += size

    def content(self, now: float) -> None:
        """A content event came."""
        if self.first_content_s is None:
            self.first_content_s = now - self.started
        else:
            counts = self.gap_counts
            if counts is None:
                counts = self.gap_counts = [0] * (len(EVENT_GAP_S) + 1)
            gap = now - self._last_content
            counts[bisect_left(EVENT_GAP_S, gap)] += 1
            self.gap_total_s += gap
        self._last_content = now

    def piece(self, size: int, now: float) -> None:
        """The upstream sent `size` bytes that were one content event, and not the first: as `chunk`
        and `content` note it.
        """
        self.chunks += 1
        self.bytes_in += size
        counts = self.gap_counts
        if counts is None:
            counts = self.gap_counts = [0] * (len(EVENT_GAP_S) + 1)
        gap = now - self._last_content
        counts[bisect_left(EVENT_GAP_S, gap)] += 1
        self.gap_total_s += gap
        self._last_content = now

    def content_beside(self, more: int) -> None:
        """So many more content events came with the last one, in the same chunk."""
        counts = self.gap_counts
        if counts is None:
            counts = self.gap_counts = [0] * (len(EVENT_GAP_S) + 1)
        counts[0] += more

    @property
    def speaking_s(self) -> float:
        """From the first content event to the last."""
        if self.first_content_s is None:
            return 0.0
        return self._last_content - self.started - self.first_content_s

    def relayed(self, size: int, seconds: float) -> None:
        """A chunk was read, and the `size` bytes that it gave were written `seconds` later."""
        self.bytes_out += size
        counts = self.delay_counts
        if counts is None:
            counts = self.delay_counts = [0] * (len(RELAY_DELAY_S) + 1)
        counts[bisect_left(RELAY_DELAY_S, seconds)] += 1
        self.delay_total_s += seconds

    def begin_target(self, now: float) -> None:
        """Another target is asked: why the one before it failed is said no more."""
        self.asked = self.error = self.error_code = ""
        self.vendor_request_id = self.response_id = ""
        self.upstream_status = None
        self._target_began_s = now - self.started

    def attempted(self, upstream: str, result: str, now: float) -> None:
        """What came of the target that `begin_target` told of."""
        began_s = self._target_began_s
        took_s = now - self.started - began_s
        self.attempts.append(Attempt(upstream, result, self.upstream_model, began_s, took_s))

    def start_over(self) -> None:
        """What the answer of a target that failed has left behind is not of the next one's."""
        self.usage = self.first_byte_s = self.first_content_s = None

    def set_aside(self) -> "StreamRecord":
        """What is known of an answer that broke off after commit, while another target is asked to
        go on with it.
        """
        before = self.fork()
        for name in _OF_ONE_ANSWER:
            setattr(before, name, getattr(self, name))
        self.usage = None
        return before

    def take_back(self, before: "StreamRecord") -> None:
        """No other target went on with it."""
        for name in _OF_ONE_ANSWER:
            setattr(self, name, getattr(before, name))

    def go_on(self, before: "StreamRecord") -> None:
        """Another target goes on: the stream began with the first one."""
        self.first_byte_s, self.first_content_s = before.first_byte_s, before.first_content_s
        self.earlier = (*self.earlier, (before.upstream, before.usage))

    def fork(self) -> "StreamRecord":
        """A record for one of several targets that are asked at once."""
        return StreamRecord(self.request_id, self.client_dialect, self.started)

    def add(self, own: "StreamRecord") -> None:
        """What a target that lost has sent all the same."""
        self.attempts += own.attempts
        self.chunks += own.chunks
        self.bytes_in += own.bytes_in

    def adopt(self, own: "StreamRecord") -> None:
        """The record of the target that won. What follows is written here."""
        self.add(own)
        for name in _OF_ONE_ANSWER:
            setattr(self, name, getattr(own, name))

    def who_ended(self) -> EndedBy | None:
        """Whose doing its end was; None where there was no stream."""
        outcome = self.outcome
        if self.ended_by is not None or outcome is None:
            return self.ended_by
        if outcome in _ENDED_BY:
            return _ENDED_BY[outcome]
        # what is refused may be refused by either
        of_upstream = self.attempts and self.attempts[-1].result == outcome
        return "upstream" if of_upstream else "proxy"

    def end(self, outcome: Outcome | None, status: int, now: float) -> None:
        """The stream is over, and ended so (`proxy/relay/ending.py` decides it)."""
        self.outcome, self.status = outcome, status
        self.ended_s = now - self.started

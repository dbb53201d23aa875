"""The table: every fault, and what must come out of it. docs/FAULTS.md is written from it, and
test_matrix.py holds the proxy to it."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from proxy.errors import Kind
from tests.dialects.sample import TEXT
from tests.faults import plays
from tests.faults.stage import Play
from tests.samples import SAMPLES

Moment = Literal["before", "after"]
MOMENTS: tuple[Moment, ...] = ("before", "after")
Outcome = Literal["completed"] | Kind
# Where an upstream is found; what is not the stage never gets to play anything.
Target = Literal["stage", "closed", "nowhere", "full", "tls_untrusted", "tls_to_plain", "tls_mute"]
MENDED = TEXT.replace("ö", "\ufffd")


class Unlike(NamedTuple):
    """Where a dialect cannot do as the others do. An outcome of None: there this fault cannot
    be."""

    dialects: tuple[str, ...]
    why: str
    before: Outcome | None = None
    after: Outcome | None = None


class Fault(NamedTuple):
    """`before`, `after`: the outcome if it happens before or after commit, None where it cannot.

    `status`, `retryable`: what the client is told before commit, where it is not what the kind
    says. `vendors_word`: it may be the vendor who says whether to try again, and by which status.
    `text`: of an answer that is completed all the same. `at_head`: of a dialect whose answer says
    where its stream is, the fault is that answer's.
    """

    says: str
    play: Play | None = None
    before: Outcome | None = None
    after: Outcome | None = None
    unlike: tuple[Unlike, ...] = ()
    place: Target = "stage"
    at_head: bool = False
    status: int | None = None
    retryable: bool | None = None
    vendors_word: bool = False
    retry_after_s: int | None = None
    text: str = TEXT


UNBEGUN = tuple(name for name, sample in SAMPLES.items() if not sample.begins)
BINARY = tuple(name for name, sample in SAMPLES.items() if sample.binary)
UNENDED = tuple(name for name, sample in SAMPLES.items() if not sample.over)

CONNECTION: dict[str, Fault] = {
    "refused": Fault(
        "Nobody listens at the upstream's port.", before="connect_failed", place="closed"
    ),
    "no such host": Fault(
        "The upstream's name is not in the DNS.", before="connect_failed", place="nowhere"
    ),
    "certificate": Fault(
        "The upstream's TLS certificate is not trusted.",
        before="connect_failed",
        place="tls_untrusted",
    ),
    "no TLS": Fault(
        "`base_url` says https, and the upstream does not speak TLS.",
        before="connect_failed",
        place="tls_to_plain",
    ),
    "connect stall": Fault(
        "The upstream's machine does not answer the connection.",
        before="connect_timeout",
        place="full",
    ),
    "TLS stall": Fault(
        "The upstream takes the connection and does not answer the TLS handshake.",
        before="connect_timeout",
        place="tls_mute",
    ),
    "hang up": Fault(
        "The upstream takes the request and closes the connection.",
        plays.hang_up,
        "connect_failed",
        at_head=True,
    ),
    "early reset": Fault(
        "The upstream takes the request and resets the connection.",
        plays.reset,
        "connect_failed",
        at_head=True,
    ),
    "no HTTP": Fault(
        "The upstream answers in another protocol.",
        plays.other_protocol,
        "upstream_malformed",
        at_head=True,
    ),
    "huge head": Fault(
        "The head of the answer has 200 kB.", plays.huge_head, "upstream_malformed", at_head=True
    ),
}
STATUS: dict[str, Fault] = {
    "400": Fault(
        "The upstream refuses the request.",
        plays.status("400 Bad Request"),
        "bad_request",
        at_head=True,
    ),
    "401": Fault(
        "The upstream refuses the configured key.",
        plays.status("401 Unauthorized"),
        "upstream_status",
        at_head=True,
        status=401,
        retryable=False,
    ),
    "403": Fault(
        "The upstream forbids it to the configured key.",
        plays.status("403 Forbidden"),
        "upstream_status",
        at_head=True,
        status=403,
        retryable=False,
    ),
    "404": Fault(
        "The upstream does not know the model.",
        plays.status("404 Not Found"),
        "model_not_found",
        at_head=True,
    ),
    "404 of no API": Fault(
        "Nothing is served at this path: `base_url` is wrong.",
        plays.page("404 Not Found"),
        "upstream_status",
        at_head=True,
        retryable=False,
    ),
    "413": Fault(
        "The request is too large for the upstream.",
        plays.status("413 Content Too Large"),
        "too_large",
        at_head=True,
    ),
    "422": Fault(
        "The upstream cannot do what the request says.",
        plays.status("422 Unprocessable Content"),
        "bad_request",
        at_head=True,
        status=422,
    ),
    "429": Fault(
        "The upstream's rate limit, with a `Retry-After`.",
        plays.status("429 Too Many Requests", f"Retry-After: {plays.RETRY_AFTER_S}"),
        "rate_limited",
        at_head=True,
        retry_after_s=plays.RETRY_AFTER_S,
    ),
    "500": Fault(
        "The upstream failed.",
        plays.status("500 Internal Server Error"),
        "upstream_status",
        at_head=True,
    ),
    "503": Fault(
        "The upstream is overloaded.",
        plays.status("503 Service Unavailable"),
        "overloaded",
        at_head=True,
    ),
    "529": Fault(
        "The upstream is overloaded, in Anthropic's number.",
        plays.status("529 Overloaded"),
        "overloaded",
        at_head=True,
    ),
    "HTML under 502": Fault(
        "A gateway's error page.", plays.page("502 Bad Gateway"), "upstream_status", at_head=True
    ),
    "redirect": Fault(
        "The upstream redirects to another address, which is never asked.",
        plays.redirect,
        "upstream_status",
        at_head=True,
    ),
}
NO_STREAM: dict[str, Fault] = {
    "HTML under 200": Fault(
        "A web page in place of the stream: a login, a wrong `base_url`.",
        plays.page("200 OK"),
        "upstream_malformed",
        at_head=True,
    ),
    "empty": Fault("A body without a byte.", plays.empty, "upstream_truncated"),
    "JSON error": Fault(
        "An error document under status 200.",
        plays.json_error,
        "upstream_error",
        at_head=True,
        vendors_word=True,
    ),
    "comments": Fault(
        "Only what keeps a connection alive, and then a clean end.",
        plays.comments,
        "upstream_truncated",
        unlike=(Unlike(BINARY, "AWS's messages know no comments"),),
    ),
    "unsaid gzip": Fault(
        "The answer in gzip, and its head does not say so.",
        plays.compressed(said=False),
        "upstream_malformed",
    ),
}
STREAM: dict[str, Fault] = {
    "error": Fault(
        "The vendor's own error in the stream.",
        plays.in_band,
        "upstream_error",
        "upstream_error",
        vendors_word=True,
    ),
    "garbage": Fault(
        "Bytes that mean nothing, in front of a frame.",
        plays.garbage,
        "upstream_malformed",
        "upstream_malformed",
    ),
    "half a frame": Fault(
        "The body ends, cleanly, within a frame.",
        plays.half_frame,
        "upstream_truncated",
        "upstream_truncated",
    ),
    "no terminator": Fault(
        "The body ends, cleanly, before the answer does.",
        plays.no_terminator,
        "upstream_truncated",
        "upstream_truncated",
        unlike=(
            Unlike(
                ("chatglm",),
                "it has no terminator: a clean end is its end",
                "upstream_truncated",
                "completed",
            ),
            Unlike(
                ("plain",),
                "a clean end is its end, unless `options.done` says what the last frame must be",
                "upstream_truncated",
                "completed",
            ),
        ),
    ),
    "cut": Fault(
        "The connection ends within the body.",
        plays.cut,
        "upstream_truncated",
        "upstream_truncated",
    ),
    "reset": Fault(
        "The connection is reset within the body.",
        plays.reset_midway,
        "upstream_truncated",
        "upstream_truncated",
    ),
    "unsized reset": Fault(
        "The connection is reset within a body that has neither a length nor chunks.",
        plays.reset_unsized,
        "upstream_truncated",
        "upstream_truncated",
    ),
    "short body": Fault(
        "The body is shorter than its `Content-Length`.",
        plays.short_body,
        "upstream_truncated",
        "upstream_truncated",
    ),
    "bad chunking": Fault(
        "The body breaks the rules of HTTP's chunks.",
        plays.bad_chunking,
        "upstream_malformed",
        "upstream_malformed",
    ),
    "huge event": Fault(
        "One event is larger than `limits.max_event_bytes`.",
        plays.huge_event,
        "upstream_malformed",
        "upstream_malformed",
    ),
    "broken gzip": Fault(
        "A body that is gzip by its head, and turns into something else.",
        plays.broken_gzip,
        "upstream_malformed",
        "upstream_malformed",
    ),
}
TIME: dict[str, Fault] = {
    "no head": Fault(
        "The upstream takes the request and says nothing.",
        plays.silence,
        "first_event_timeout",
        at_head=True,
    ),
    "no event": Fault("After the head nothing comes.", plays.silent_stream, "first_event_timeout"),
    "stall": Fault(
        "The stream falls silent: before its content, or within it.",
        plays.stall,
        "idle_timeout",
        "idle_timeout",
        unlike=(
            Unlike(
                UNBEGUN,
                "nothing that opens its stream is an event",
                "first_event_timeout",
                "idle_timeout",
            ),
        ),
    ),
    "drip": Fault(
        "A byte at a time: each puts `idle_s` off, none the other timeouts.",
        plays.drip,
        "first_event_timeout",
        "total_timeout",
    ),
    "endless": Fault("Content without an end.", plays.endless, after="total_timeout"),
    "comment flood": Fault(
        "Nothing but what keeps a connection alive, without an end.",
        plays.comment_flood,
        "upstream_malformed",
        "total_timeout",
        unlike=(Unlike(BINARY, "AWS's messages know no comments"),),
    ),
}
HARMLESS: dict[str, Fault] = {
    "wrong type": Fault(
        "A good stream under a wrong `Content-Type`.", plays.wrong_type, "completed"
    ),
    "byte order mark": Fault(
        "A BOM before the stream.",
        plays.byte_order_mark,
        "completed",
        unlike=(
            Unlike(
                BINARY,
                "AWS's messages are no text: these are bytes where a message must begin",
                "upstream_malformed",
            ),
        ),
    ),
    "split CRLF": Fault(
        "Lines end in CR LF, and each pair comes in two reads.", plays.split_line_ends, "completed"
    ),
    "invalid UTF-8": Fault(
        "A byte in the text that no UTF-8 has: it becomes U+FFFD.",
        plays.spoiled_text,
        "completed",
        "completed",
        text=MENDED,
    ),
    "gzip": Fault(
        "Compression that nobody asked for, and the head says so.",
        plays.compressed(said=True),
        "completed",
    ),
    "trailing bytes": Fault(
        "Garbage behind the answer's end.",
        plays.trailing,
        after="completed",
        unlike=(
            Unlike(
                ("chatglm",),
                "it has no terminator, so that what comes late is a part of the answer",
                after="upstream_malformed",
            ),
        ),
    ),
    "left open": Fault(
        "The answer is over, and the body does not end.",
        plays.left_open,
        after="completed",
        unlike=(
            Unlike(UNENDED, "the end of the body is the end of its answer", after="idle_timeout"),
        ),
    ),
}
SECTIONS: dict[str, Mapping[str, Fault]] = {
    "The connection": CONNECTION,
    "HTTP errors": STATUS,
    "No stream": NO_STREAM,
    "A damaged stream": STREAM,
    "Time": TIME,
    "What harms nothing": HARMLESS,
}
FAULTS: dict[str, Fault] = {
    name: fault for section in SECTIONS.values() for name, fault in section.items()
}


def outcome(fault: Fault, dialect: str, moment: Moment) -> Outcome | None:
    """What must come out, None where the fault cannot happen at this moment."""
    row = next((unlike for unlike in fault.unlike if dialect in unlike.dialects), fault)
    return row.before if moment == "before" else row.after

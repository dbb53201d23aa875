"""The plays of the soak: what its upstream does, how often, and how a stream must end then. A
client names the play in its prompt, so that it is known beforehand.
"""

from collections.abc import Mapping
from typing import NamedTuple

from tests.load import scripts
from tests.load.scripts import Script, status


class Play(NamedTuple):
    """`outcomes`: how a stream ends whose client reads it all. `weight`: how often it is drawn.
    `moves`: it fails before there is any content, and another target may do better. `whole`: how
    many pieces make the text; None: as many as were asked for.
    """

    script: Script
    outcomes: frozenset[str]
    weight: int
    moves: bool = False
    whole: int | None = None


def _well(script: Script, weight: int, whole: int | None = None) -> Play:
    return Play(script, frozenset({"completed"}), weight, whole=whole)


def _ill(script: Script, weight: int, *outcomes: str) -> Play:
    """It breaks off midway, or the request is at fault: no other target is tried."""
    return Play(script, frozenset(outcomes), weight)


def _moves(script: Script, weight: int, *outcomes: str) -> Play:
    return Play(script, frozenset(outcomes), weight, moves=True)


_BROKEN = ("upstream_truncated", "upstream_malformed")
PLAYS: Mapping[str, Play] = {
    "good": _well(scripts.good, 60),
    "at_once": _well(scripts.at_once, 4),
    "byte_by_byte": _well(scripts.byte_by_byte, 1),
    "large_events": _well(scripts.large_events, 3),
    "bulk": _well(scripts.bulk, 1, scripts.BULK),
    "slow_head": _well(scripts.slow_head, 4),
    "pause": _well(scripts.pause, 4),
    "no_end_of_body": _well(scripts.no_end_of_body, 3),
    "end_and_hang_up": _well(scripts.end_and_hang_up, 3),
    "says_400": _ill(status(400), 1, "bad_request"),
    "says_401": _moves(status(401), 1, "upstream_status"),
    "says_404": _moves(status(404), 1, "model_not_found"),
    "says_429": _moves(status(429, "retry-after: 1"), 2, "rate_limited"),
    "says_500": _moves(status(500), 2, "upstream_status"),
    "says_503": _moves(status(503), 2, "overloaded"),
    "says_529": _moves(status(529), 1, "overloaded"),
    "redirects": _moves(status(302, "location: http://127.0.0.1:1/"), 1, "upstream_status"),
    "html_200": _moves(status(200, html=True), 1, "upstream_malformed"),
    "html_502": _moves(status(502, html=True), 1, "upstream_status"),
    "error_first": _moves(scripts.error_first, 1, "upstream_error"),
    "error_midway": _ill(scripts.error_midway, 2, "upstream_error"),
    "empty": _moves(scripts.empty, 1, "upstream_truncated"),
    "no_terminator": _ill(scripts.no_terminator, 2, "upstream_truncated"),
    "half_frame": _ill(scripts.half_frame, 2, *_BROKEN),
    "cut": _ill(scripts.cut, 2, "upstream_truncated"),
    "reset": _ill(scripts.reset, 3, "upstream_truncated"),
    "reset_at_once": _moves(scripts.reset_at_once, 2, "connect_failed"),
    "garbage": _moves(scripts.garbage, 2, *_BROKEN),
    "no_http": _moves(scripts.no_http, 1, "upstream_malformed"),
    "huge_event": _ill(scripts.huge_event, 1, "upstream_malformed"),
    "no_head": _moves(scripts.no_head, 2, "first_event_timeout"),
    "silence": _moves(scripts.silence, 1, "first_event_timeout"),
    "stall": _ill(scripts.stall, 2, "idle_timeout"),
    "endless": _ill(scripts.endless, 1, "total_timeout"),
    "flood": _ill(scripts.flood, 0, "upstream_truncated"),
}

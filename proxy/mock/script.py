"""A script: what a vendor does with one request, step by step. Sans-IO: `player` plays it, `faults`
spoil it.

    script = pause* status (send | pause)* last        last = end | close | cut | stall

Nothing after the first `last` step is played, so a fault may end a script early simply by putting
one in its middle. A script is any iterable of steps: a list when it was loaded from a file, a
generator when it is written while it is played (see `from_events`).
"""

import difflib
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import msgspec

from proxy.codec.base import SSE, Encoder, Reply
from proxy.events import CONTENT, Event, ReasoningDelta, TextDelta

# A pace beyond this is no pace: a million events a second is more than any machine sends.
MAX_RATE = 1_000_000.0


class MockError(Exception):
    """A script, scenario or fault that cannot be played. The message is a sentence for whoever
    wrote it.
    """


class Status(msgspec.Struct, frozen=True):
    """The head of the answer. Header names are lower case."""

    status: int
    headers: Mapping[str, str]


class Send(msgspec.Struct, frozen=True, gc=False):
    """Bytes of the body, in one write. `counted`: it is one of the n frames of a fault such as
    cut@n.
    """

    data: bytes
    counted: bool = True


class Pause(msgspec.Struct, frozen=True, gc=False):
    """Silence. Pauses are points on one schedule: what a step takes is not added to the pause after
    it. `least`: it is at any rate so long, however late it is by then.
    """

    seconds: float
    least: float = 0


class End(msgspec.Struct, frozen=True):
    """The answer is complete."""


class Close(msgspec.Struct, frozen=True):
    """The body ends cleanly, too early: HTTP sees nothing wrong."""


class Cut(msgspec.Struct, frozen=True):
    """The connection is reset (RST)."""


class Stall(msgspec.Struct, frozen=True):
    """Nothing more comes until the client leaves."""


Step = Status | Send | Pause | End | Close | Cut | Stall
Steps = Iterable[Step]
LAST = (End, Close, Cut, Stall)
END, CLOSE, CUT, STALL = End(), Close(), Cut(), Stall()


class Pace(NamedTuple):
    """How fast events come; 0 is as fast as can be. `chars_per_s` sends one character an event, and
    wins over `tokens_per_s`. `speed`: how many times faster than it came a recording is played.
    """

    tokens_per_s: float = 0
    chars_per_s: float = 0
    speed: float = 1

    @property
    def gap_s(self) -> float:
        """Seconds between two content events."""
        rate = self.chars_per_s or self.tokens_per_s
        return 1 / rate if rate else 0


class Manner(NamedTuple):
    """How a file is to be played: the dialect it speaks, that dialect's content type, and the
    pace.
    """

    dialect: str
    content_type: str = SSE
    pace: Pace = Pace()


def rate(text: str, name: str) -> float:
    """A pace as written in a header. Raises MockError."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= MAX_RATE:
        raise MockError(
            f"{name} must be a number from 0 (as fast as can be) to {MAX_RATE:.0f}, not {text!r}"
        )
    return value


def from_events(events: Iterable[Event], encoder: Encoder, pace: Pace) -> Iterator[Step]:
    """An answer in the dialect of `encoder`: one send for each event that has bytes, one gap
    between content events.

    It is written while it is played, so that a long answer costs its vendor no more than a vendor's
    answer costs.
    """
    yield Status(200, {"content-type": encoder.content_type, **encoder.headers})
    gap = pace.gap_s
    begun = False
    for event in at_pace(events, pace):
        content = isinstance(event, CONTENT)
        if content and gap and begun:
            yield Pause(gap)
        begun |= content
        data = encoder.encode(event)
        if data:
            yield Send(data, content)
    yield END


def from_reply(reply: Reply) -> list[Step]:
    """A whole document."""
    headers = {
        "content-type": reply.content_type,
        **{name.lower(): value for name, value in reply.headers.items()},
    }
    body: list[Step] = [Send(reply.body)] if reply.body else []
    return [Status(reply.status, headers), *body, END]


def nearest(word: str, known: Iterable[str]) -> str:
    """` (did you mean "x"?)`, or nothing when no known word is near."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f' (did you mean "{near[0]}"?)' if near else ""


def at_pace(events: Iterable[Event], pace: Pace) -> Iterator[Event]:
    """The events, with text in single characters where the pace counts those."""
    if not pace.chars_per_s:
        yield from events
        return
    for event in events:
        if isinstance(event, TextDelta | ReasoningDelta):
            kind = type(event)
            yield from (kind(event.block, character) for character in event.text)
        else:
            yield event

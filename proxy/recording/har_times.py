"""When the pieces of an answer came, as far as a HAR file says it.

The format knows how long an answer took. Ours says in `_reads` what each read gave. Chrome's tools
say in `_eventSourceMessages` when each event of a stream came. From any other file the frames are
spread evenly over the time that the answer took.
"""

from collections.abc import Iterator, Sequence

import msgspec

from proxy.framing.sse_frame import frame
from proxy.recording.tape import Gaps, Read

LONGEST_MS = 1e12  # thirty years: sums of such times are times still
_DEFAULT_NAME = "message"  # of an event that gives none (WHATWG HTML, 9.2.6)


class Message(msgspec.Struct, rename="camel"):
    """An event as Chrome has it. `time` is in seconds, mostly since 1970."""

    time: float
    event_name: str = _DEFAULT_NAME
    event_id: str = ""
    data: str = ""


class Took(msgspec.Struct, frozen=True):
    """An answer in milliseconds since its request: when its head came, and how long its body took.
    `started` is the request's time, in seconds since 1970.
    """

    head_ms: float
    receive_ms: float
    started: float


def body_of(messages: Sequence[Message]) -> bytes:
    """The stream of these events, where a file has no body: Chrome keeps none of an EventSource."""
    return b"".join(
        frame(
            each.data,
            event=None if each.event_name in ("", _DEFAULT_NAME) else each.event_name,
            id=each.event_id or None,
        )
        for each in messages
    )


def as_read(body: bytes, own: Sequence[tuple[float, int]]) -> tuple[Read, ...] | None:
    """The reads that our own field tells; None where they are not those of this body."""
    times = [ms for ms, _ in own]
    if not own or sum(size for _, size in own) != len(body) or times != sorted(times):
        return None
    reads, at = [], 0
    for ms, size in own:
        reads.append(Read(ms, body[at : at + size]))
        at += size
    return tuple(reads)


def as_framed(
    frames: Sequence[bytes], messages: Sequence[Message], took: Took
) -> tuple[tuple[Read, ...], Gaps]:
    """A read for each frame: at the time of its event where that is known."""
    times = _times(messages, took)
    fits = sum(map(_has_data, frames)) == len(times) and times == sorted(times)
    if fits and messages and times[-1] <= LONGEST_MS:
        return tuple(_at_times(frames, iter(times), took.head_ms)), "network"
    gap = took.receive_ms / len(frames)
    return tuple(Read(took.head_ms + gap * n, each) for n, each in enumerate(frames)), "spread"


def _times(messages: Sequence[Message], took: Took) -> list[float]:
    """Milliseconds since the request. A clock that began elsewhere tells the gaps alone, and the
    first event comes with the head.
    """
    if not messages:
        return []
    first = (messages[0].time - took.started) * 1000
    if not took.head_ms <= first <= took.head_ms + took.receive_ms:
        first = took.head_ms
    return [first + (each.time - messages[0].time) * 1000 for each in messages]


def _at_times(frames: Sequence[bytes], times: Iterator[float], head_ms: float) -> Iterator[Read]:
    """Comments come with the frame before them."""
    clock = head_ms
    for each in frames:
        clock = next(times) if _has_data(each) else clock
        yield Read(clock, each)


def _has_data(frame: bytes) -> bool:
    return frame.startswith(b"data") or b"\ndata" in frame or b"\rdata" in frame

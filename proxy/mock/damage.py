"""What each fault does to a script: a function from steps to steps. `faults` names them, `writes`
has those that cut the bytes into other writes.

Each works in passing, a step at a time, so that a spoilt answer streams like any other, and so that
the vendor's own encoder is in the state of that very moment when a fault asks it for an error.
"""

import random
import re
import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec

from proxy.mock.script import CLOSE, CUT, END, STALL, Pause, Send, Status, Step, Steps

_GARBAGE_BYTES = 256
MOST_BYTES = 1 << 20  # of one write: whoever asks must not fill the memory
_FLOOD = b": keep-alive\n\n" * 100
_BOM = b"\xef\xbb\xbf"
_TRAILING = b'data: {"late": true}\n\nafter the end'
_PAGE = (
    b"<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head>\n"
    b"<body><h1>502 Bad Gateway</h1></body></html>\n"
)
_LONE_NEWLINE = re.compile(rb"(?<!\r)\n")


class Stage(NamedTuple):
    """What a fault may ask of the vendor that it spoils."""

    refuse: Callable[[int], Steps]  # a whole answer with this status, in the vendor's own shape
    fail: Callable[[], bytes]  # the frames of an in-band error, at this moment


class Fault(NamedTuple):
    """One fault, as asked for: `after` is the n of its form name@n, `value` is in the fault's own
    unit.
    """

    name: str
    after: int = 1
    value: float = 0


Damage = Callable[[Iterator[Step], Fault, Stage], Iterator[Step]]


def _through(steps: Iterator[Step], count: int) -> Iterator[Step]:
    """The steps up to the status and then `count` counted sends; the rest stays in `steps`."""
    for step in steps:
        yield step
        if isinstance(step, Status) and count == 0:
            return
        if isinstance(step, Send) and step.counted:
            count -= 1
            if count == 0:
                return


# In the middle of the answer


def cut(steps: Iterator[Step], fault: Fault, _stage: Stage) -> Iterator[Step]:
    """Connection reset after n frames."""
    yield from _through(steps, fault.after)
    yield CUT


def close(steps: Iterator[Step], fault: Fault, _stage: Stage) -> Iterator[Step]:
    """A clean end after n frames."""
    yield from _through(steps, fault.after)
    yield CLOSE


def stall(steps: Iterator[Step], fault: Fault, _stage: Stage) -> Iterator[Step]:
    """Silence after n frames, until the client leaves."""
    yield from _through(steps, fault.after)
    yield STALL


def half(steps: Iterator[Step], fault: Fault, _stage: Stage) -> Iterator[Step]:
    """After n frames half a frame, then a clean end."""
    yield from _through(steps, fault.after)
    for step in steps:
        if isinstance(step, Send):
            yield Send(step.data[: len(step.data) // 2], counted=False)
            yield CLOSE
            return
        yield step


def garbage(steps: Iterator[Step], fault: Fault, _stage: Stage) -> Iterator[Step]:
    """Random bytes after n frames, the same each time."""
    yield from _through(steps, fault.after)
    # by chance that of 0 begins a comment, in which any reader loses what follows
    seed = fault.after + 1
    # the same bytes each time
    yield Send(random.Random(seed).randbytes(_GARBAGE_BYTES), counted=False)  # noqa: S311
    yield from steps


def error(steps: Iterator[Step], fault: Fault, stage: Stage) -> Iterator[Step]:
    """The vendor's own in-band error after n frames."""
    yield from _through(steps, fault.after)
    yield Send(stage.fail(), counted=False)
    yield END


def huge_event(steps: Iterator[Step], fault: Fault, _stage: Stage) -> Iterator[Step]:
    """After n frames, one that is larger by this many bytes.

    Blanks after the first brace leave a JSON frame the same JSON; a frame of plain text gets
    letters before its own. A very large one goes out in several writes, so that it takes no room
    here.
    """
    yield from _through(steps, fault.after)
    for step in steps:
        if isinstance(step, Send):
            yield from _grown(step, int(fault.value))
            break
        yield step
    yield from steps


def _grown(step: Send, size: int) -> Iterator[Send]:
    head, mark, rest = step.data.partition(b"{")
    filler = b" "
    if not mark:
        head, mark, rest = step.data.partition(b"data: ")
        filler = b"x"
    begin, piece = head + mark, filler * min(size, MOST_BYTES)
    while size > MOST_BYTES:
        yield Send(begin + piece if begin else piece, counted=False)
        begin, size = b"", size - MOST_BYTES
    yield Send(begin + piece[:size] + rest, step.counted)


# All along the answer


def comment_flood(steps: Iterator[Step], _fault: Fault, _stage: Stage) -> Iterator[Step]:
    """A hundred SSE comments before each frame."""
    for step in steps:
        if isinstance(step, Send) and step.counted:
            yield Send(_FLOOD, counted=False)
        yield step


def crlf(steps: Iterator[Step], _fault: Fault, _stage: Stage) -> Iterator[Step]:
    """Line ends CR LF."""
    for step in steps:
        yield (
            Send(_LONE_NEWLINE.sub(b"\r\n", step.data), step.counted)
            if isinstance(step, Send)
            else step
        )


def bom(steps: Iterator[Step], _fault: Fault, _stage: Stage) -> Iterator[Step]:
    """A byte order mark first."""
    mark = _BOM
    for step in steps:
        if isinstance(step, Send):
            yield Send(mark + step.data, step.counted)
            mark = b""
        else:
            yield step


def trailing(steps: Iterator[Step], _fault: Fault, _stage: Stage) -> Iterator[Step]:
    """Bytes after the terminator."""
    for step in steps:
        if step == END:
            yield Send(_TRAILING, counted=False)
        yield step


def compressed(steps: Iterator[Step], _fault: Fault, _stage: Stage) -> Iterator[Step]:
    """Compressed, though nobody asked. Each send is flushed by itself, as a server that compresses
    a stream does it.
    """
    gzip = zlib.compressobj(wbits=31)
    for step in steps:
        if isinstance(step, Send):
            yield Send(gzip.compress(step.data) + gzip.flush(zlib.Z_SYNC_FLUSH), step.counted)
        elif isinstance(step, Status):
            yield msgspec.structs.replace(
                step, headers={**step.headers, "content-encoding": "gzip"}
            )
        else:
            if step == END:
                yield Send(gzip.flush(), counted=False)
            yield step


# The head of the answer, or another answer


def html(_steps: Iterator[Step], _fault: Fault, _stage: Stage) -> Iterator[Step]:
    """A page of HTML under status 200."""
    yield Status(200, {"content-type": "text/html; charset=utf-8"})
    yield Send(_PAGE)
    yield END


def empty(steps: Iterator[Step], _fault: Fault, _stage: Stage) -> Iterator[Step]:
    """Status 200 and no body."""
    yield from _through(steps, 0)
    yield END


def status(_steps: Iterator[Step], fault: Fault, stage: Stage) -> Iterator[Step]:
    """An HTTP status, with an error in the vendor's shape."""
    yield from stage.refuse(int(fault.value))


def redirect(_steps: Iterator[Step], _fault: Fault, _stage: Stage) -> Iterator[Step]:
    """A redirect to elsewhere."""
    # RFC 2606: nothing ever answers at .invalid, so a client that follows is found out.
    yield Status(302, {"location": "https://moved.invalid/", "content-type": "text/plain"})
    yield END


def wrong_type(steps: Iterator[Step], _fault: Fault, _stage: Stage) -> Iterator[Step]:
    """Content type text/plain."""
    for step in steps:
        yield (
            msgspec.structs.replace(step, headers={**step.headers, "content-type": "text/plain"})
            if isinstance(step, Status)
            else step
        )


def delay(steps: Iterator[Step], fault: Fault, _stage: Stage) -> Iterator[Step]:
    """Silence of this many seconds before the headers."""
    yield Pause(fault.value)
    yield from steps


def first_event_delay(steps: Iterator[Step], fault: Fault, _stage: Stage) -> Iterator[Step]:
    """Silence of this many seconds after the headers."""
    yield from _through(steps, 0)
    yield Pause(fault.value)
    yield from steps

"""How faults cut the bytes of a script into writes; for all other faults see `damage`."""

import re
from collections.abc import Iterator

from proxy.mock.damage import MOST_BYTES, Fault, Stage
from proxy.mock.script import LAST, Pause, Send, Status, Step

# Between the halves of a character, so that they arrive in two reads; longer than loopback takes,
# too short to be felt.
_SPLIT_PAUSE_S = 0.002
_LEAD_BYTE = re.compile(rb"[\xc2-\xf4](?=[\x80-\xbf])")


def split_utf8(steps: Iterator[Step], _fault: Fault, _stage: Stage) -> Iterator[Step]:
    """Every character of several bytes over two writes."""
    for step in steps:
        if not isinstance(step, Send):
            yield step
            continue
        start = 0
        for match in _LEAD_BYTE.finditer(step.data):
            yield Send(step.data[start : match.end()], counted=False)
            yield Pause(_SPLIT_PAUSE_S)
            start = match.end()
        yield Send(step.data[start:], step.counted)


def bytewise(steps: Iterator[Step], _fault: Fault, _stage: Stage) -> Iterator[Step]:
    """Every byte in its own write."""
    for step in steps:
        if isinstance(step, Send):
            yield from _bytes(step)
        else:
            yield step


def slow(steps: Iterator[Step], fault: Fault, _stage: Stage) -> Iterator[Step]:
    """One byte a write, this many a second."""
    for step in steps:
        if isinstance(step, Send):
            for piece in _bytes(step):
                yield piece
                yield Pause(1 / fault.value)
        else:
            yield step


def burst(steps: Iterator[Step], _fault: Fault, _stage: Stage) -> Iterator[Step]:
    """Everything in one write, or in writes of megabytes."""
    pieces: list[bytes] = []
    size, begun = 0, False
    for step in steps:
        if isinstance(step, Send):
            begun = True
            pieces.append(step.data)
            size += len(step.data)
            if size > MOST_BYTES:
                yield Send(b"".join(pieces))
                pieces, size = [], 0
        elif isinstance(step, LAST):
            yield Send(b"".join(pieces))
            yield step
            return
        elif isinstance(step, Status) or not begun:
            yield step


def _bytes(step: Send) -> Iterator[Send]:
    last = len(step.data) - 1
    for index in range(len(step.data)):
        yield Send(step.data[index : index + 1], step.counted and index == last)

"""Chunks of bytes to frames: server-sent events, JSON values back to back, NDJSON lines, AWS event
stream messages. No I/O, no JSON decoding.

Four classes with one shape: `feed(chunk)` answers the frames that the chunk completes, the same for
every split of the same bytes and at a cost linear in them; `close()` answers what a clean end of
the body leaves. Each holds at most one incomplete frame, of at most `max_event_bytes` bytes, and
raises a FramingError beyond that. Frames that were complete before the fault are answered first:
then the next call raises, be it `feed` or `close`. Once raised, every later call raises the same.
"""

from typing import Self


class FramingError(Exception):
    """The bytes cannot be cut into frames any more. The upstream's fault."""

    def again(self) -> Self:
        """The same, not raised yet. What was raised has a traceback, which keeps the frames that
        keep whoever keeps it: with the bytes that they read, until the collector finds the circle.
        """
        return type(self).__new__(type(self), *self.args)


class TooLarge(FramingError):  # noqa: N818  the name says it
    """One frame is larger than `max_event_bytes`."""

    def __init__(self, max_event_bytes: int) -> None:
        super().__init__(
            f"one event is larger than {max_event_bytes} bytes: raise limits.max_event_bytes "
            "if the upstream is right to send such events"
        )


class BadFrame(FramingError):  # noqa: N818
    """There are bytes where no frame can begin."""


__all__ = ["BadFrame", "FramingError", "TooLarge"]

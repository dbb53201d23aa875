"""`data: <text>` frames to events: each frame's data is a delta, as it stands."""

from collections.abc import Mapping
from typing import Any

from proxy.codec.failures import framework_failure
from proxy.codec.framed import CUT, SSEDecoder
from proxy.dialects.plain.wire import ERROR_PREFIX
from proxy.errors import Failure, failure
from proxy.events import Event
from proxy.framing.sse_frame import Frame

_DONE_WORDS = frozenset({"[done]", "[DONE]"})


class PlainDecoder(SSEDecoder):
    """Options: `done`, the exact data of the last frame.

    - Not set: `[DONE]` and `[done]` are taken as the end, and so is a clean end of the body after
      whole frames.
    - A text: only that text is the end, and a body that ends without it was cut.
    - "": no frame is the end, only that of the body.

    `empty: newline` reads a frame without data as a line feed: a server that writes one character a
    frame loses its newlines so.

    A body without any frame, and one whose last frame lacks its blank line, was cut. `[error]
    <why>` just before the end is a failure.
    """

    def __init__(self, max_event_bytes: int, options: Mapping[str, Any]) -> None:
        super().__init__(max_event_bytes)
        done = options.get("done")
        self._done = _DONE_WORDS if done is None else frozenset({str(done)} - {""})
        self._must_say_done = bool(done)
        self._empty = "\n" if options.get("empty") == "newline" else ""
        self._half = False  # the body ended inside a frame
        # a frame that is a failure if the answer ends now, and text if it goes on
        self._suspect = ""

    def _take(self, frame: Frame, out: list[Event]) -> None:
        text = frame.text
        if text in self._done:
            self._end(out)
            return
        if self._closing:
            return  # half a frame
        if self._suspect:
            self._blocks.text(out, self._suspect)
            self._suspect = ""
        if frame.event == "error":
            self._fail(
                out,
                failure(
                    "upstream_error", text or "The upstream sent an error event without a word."
                ),
            )
        elif text.startswith(ERROR_PREFIX):
            self._suspect = text
        elif said := text or self._empty:
            self._blocks.text(out, said)

    def _rest(self) -> list[Frame]:
        strays = len(self._parser.stray)
        frames = super()._rest()
        self._half = bool(frames) or len(self._parser.stray) > strays
        return frames

    def _ended(self, out: list[Event]) -> None:
        if not self._framed:
            super()._ended(out)
        elif self._suspect:
            self._end(out)
        elif self._half or self._must_say_done:
            self._fail(out, failure("upstream_truncated", CUT))
        else:
            self._end(out)

    def _end(self, out: list[Event]) -> None:
        if self._suspect:
            self._fail(
                out,
                failure(
                    "upstream_error",
                    self._suspect.removeprefix(ERROR_PREFIX) or "The upstream said [error].",
                ),
            )
        else:
            self._finish(out, "stop")

    def _not_a_stream(self, body: bytes) -> Failure:
        return framework_failure(200, {}, body) or super()._not_a_stream(body)

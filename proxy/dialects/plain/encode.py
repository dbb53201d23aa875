"""Events to `data: <text>` frames, one frame a delta, one `data` line for each line of it, and an
id on each.
"""

import msgspec

from proxy.codec.base import Encoder, Parsed, Reply
from proxy.codec.fold import WholeAnswer
from proxy.codec.text_only import TextOnlyEncoder
from proxy.dialects.plain.wire import ERROR_PREFIX
from proxy.errors import Failure
from proxy.events import StreamEnd, StreamError, StreamStart
from proxy.framing.sse_frame import frame


def encoder(parsed: Parsed) -> Encoder:
    """See `ClientHalf.encoder`."""
    return PlainEncoder(parsed.options.done)


def whole(_parsed: Parsed, answer: WholeAnswer) -> Reply:
    """See `ClientHalf.whole`. The text alone."""
    return Reply(
        200, answer.text().encode("utf-8", "replace"), content_type="text/plain; charset=utf-8"
    )


def render_error(why: Failure) -> Reply:
    """See `ClientHalf.render_error`. The form of the framework that such servers are written with:
    `{"detail": "..."}`.
    """
    return Reply(why.status, msgspec.json.encode({"detail": why.message}))


class PlainEncoder(TextOnlyEncoder):
    """`done` is the data of the last frame, sent after errors too: without it a browser reconnects
    and would run the prompt again.

    A failure is the frame before it, `[error] <why>`, so that a page that shows what it gets shows
    that the answer broke.
    """

    folds = False  # a frame's number says how many came before it

    def __init__(self, done: str | None) -> None:
        super().__init__()
        self._done = done
        self._stream = ""
        self._frames = 0

    def _start(self, event: StreamStart) -> bytes:
        self._stream = event.stream
        return b""

    def _text(self, _block: int, text: str) -> bytes:  # plain text knows one answer
        # the answer says the terminator's word: two frames, so that it is not taken for one
        if text == self._done:
            return self._frame(text[:1]) + self._frame(text[1:])
        return self._frame(text)

    # there is no place for a finish reason or usage
    def _end(self, _event: StreamEnd) -> bytes:
        return b"" if self._done is None else self._frame(self._done)

    def _error(self, event: StreamError) -> bytes:
        said = self._frame(f"{ERROR_PREFIX}{event.error.message}")
        return said if self._done is None else said + self._frame(self._done)

    def _frame(self, text: str) -> bytes:
        self._frames += 1
        return frame(text, id=f"{self._stream}:{self._frames}")

"""Events to `data: <text>` frames, one frame a delta, one `data` line for each line of it, and an
id on each.
"""

from proxy.codec.text_only import TextOnlyEncoder
from proxy.dialects.plain.wire import ERROR_PREFIX
from proxy.events import StreamEnd, StreamError, StreamStart
from proxy.framing.sse import frame


class PlainEncoder(TextOnlyEncoder):
    """`done` is the data of the last frame, sent after errors too: without it a browser reconnects
    and would run the prompt again.

    A failure is the frame before it, `[error] <why>`, so that a page that shows what it gets shows
    that the answer broke.
    """

    def __init__(self, done: str | None) -> None:
        super().__init__()
        self._done = done
        self._stream = ""
        self._frames = 0

    def _start(self, event: StreamStart) -> bytes:
        self._stream = event.stream
        return b""

    def _text(self, block: int, text: str) -> bytes:  # noqa: ARG002  plain text knows one answer
        # the answer says the terminator's word: two frames, so that it is not taken for one
        if text == self._done:
            return self._frame(text[:1]) + self._frame(text[1:])
        return self._frame(text)

    # there is no place for a finish reason or usage
    def _end(self, event: StreamEnd) -> bytes:  # noqa: ARG002
        return b"" if self._done is None else self._frame(self._done)

    def _error(self, event: StreamError) -> bytes:
        said = self._frame(f"{ERROR_PREFIX}{event.error.message}")
        return said if self._done is None else said + self._frame(self._done)

    def _frame(self, text: str) -> bytes:
        self._frames += 1
        return frame(text, id=f"{self._stream}:{self._frames}")

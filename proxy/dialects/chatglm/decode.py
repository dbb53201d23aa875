"""Snapshots to events: true deltas, and `text.rewrite` where the model's post-processing changed
what it had said.

A clean end of the body is the end of the answer: the vendor has no terminator. What is left of a
value then was cut.
"""

import msgspec

from proxy.codec.cumulative import Cumulative
from proxy.codec.failures import read_error
from proxy.codec.framed import FramedDecoder
from proxy.dialects.chatglm.wire import Snapshot
from proxy.errors import failure
from proxy.events import Event
from proxy.framing.values import DONE, ValueSplitter

_SNAPSHOT = msgspec.json.Decoder(Snapshot)


class ChatGLMDecoder(FramedDecoder[bytes]):
    """Holds the text so far, which is at most as long as one value may be."""

    def __init__(self, max_event_bytes: int) -> None:
        self._values = ValueSplitter(max_event_bytes)
        super().__init__(self._values, max_event_bytes)
        self._said = Cumulative()
        self._begun = False  # a snapshot has come
        self._cut = False

    def _take(self, frame: bytes, out: list[Event]) -> None:
        if frame == DONE:
            self._malformed(out, "[DONE], which has no place among snapshots")
            return
        snapshot = self._read(_SNAPSHOT, frame, out)
        if snapshot is None:
            return
        text = snapshot.body.content if snapshot.body is not None else snapshot.response
        if text is not None:
            self._say(text, out)
        if (
            snapshot.error is not None
            or snapshot.detail is not None
            or (snapshot.status or 200) >= 400
        ):
            self._fail(
                out,
                failure(
                    "upstream_error", f"The upstream reported an error: {_words(snapshot, frame)}"
                ),
            )
        elif text is None:
            self._malformed(out, "an object with neither body.content nor response")

    def _say(self, text: str, out: list[Event]) -> None:
        self._begun = True
        event = self._said.update(self._blocks.open_text(out), text)
        if event is not None:
            out.append(event)

    def _rest(self) -> list[bytes]:
        self._cut = bool(self._values.close())
        return []

    def _ended(self, out: list[Event]) -> None:
        if self._begun and not self._cut:
            self._finish(out, "stop")
        else:
            super()._ended(out)


def _words(snapshot: Snapshot, frame: bytes) -> str:
    if isinstance(snapshot.error, str):
        return snapshot.error[:300]
    if snapshot.error is not None and snapshot.error.message:
        return snapshot.error.message[:300]
    return read_error(frame).message

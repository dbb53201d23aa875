"""Replicate's stream to events. Its data is raw text:

    event: output   more text; many `data` lines are one text with line feeds, and a second blank
                    after the colon is text
    event: logs     what the model printed meanwhile
    event: error    what went wrong: text, or {"detail": ...}
    event: done     the end: {}, or {"reason": "canceled"} or {"reason": "error"}

Comments stand before the first event, and after the last one where the connection is left open.
"""

import msgspec

from proxy.codec.failures import Told, answer_failure, in_band, read_error
from proxy.codec.framed import SSEDecoder
from proxy.dialects.replicate.wire import NAME, Done, error_of
from proxy.errors import Failure
from proxy.events import Event, Vendor
from proxy.framing.sse_frame import Frame

_done = msgspec.json.Decoder(Done)
_BROKEN = {
    "canceled": Told("Replicate's prediction was canceled before it was complete.", "canceled"),
    "error": Told("Replicate's prediction failed, and it did not say why.", "error"),
}
_MAX_WORD_CHARS = 100  # of a reason


class ReplicateDecoder(SSEDecoder):
    """The vendor has one text, and neither a finish reason nor counts in its stream."""

    def _take(self, frame: Frame, out: list[Event]) -> None:
        match frame.event:
            case "output":
                if frame.data:
                    self._blocks.text(out, frame.text)
            case "logs":
                if frame.data:
                    out.append(Vendor(NAME, {"logs": frame.text}))
            case "error":
                said = read_error(frame.data)
                self._fail(out, in_band(Told(said.message, said.code)))
            case "done":
                self._end(frame.data, out)

    def _end(self, data: bytes, out: list[Event]) -> None:
        done = self._read(_done, data, out)
        if done is None:
            return
        broken = _BROKEN.get(done.reason or "")
        if broken is not None:
            self._fail(out, in_band(broken))
        elif done.reason:
            self._finish(out, "other", done.reason[:_MAX_WORD_CHARS])
        else:
            self._finish(out, "stop")

    def _not_a_stream(self, body: bytes) -> Failure:
        return answer_failure(200, {}, body, error_of) or super()._not_a_stream(body)

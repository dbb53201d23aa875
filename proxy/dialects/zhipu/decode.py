"""The vendor's events to ours. Their data is raw text; the counts stand beside it, in a line of
their own.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from proxy.codec.counts import count
from proxy.codec.failures import Told, coded, read_error, text_of
from proxy.codec.finishes import Finishes
from proxy.codec.snapshots import Snapshots
from proxy.codec.sse_json import SSEJSONDecoder
from proxy.dialects.zhipu.wire import NAME, Meta
from proxy.events import Event, Usage
from proxy.framing.sse_frame import Frame

# The vendor's numbers -> the HTTP status that they mean. Source: the list of error codes in its
# reference.
_STATUS = {
    **dict.fromkeys(("1000", "1001", "1002", "1003", "1004"), 401),
    **dict.fromkeys(("1210", "1211", "1212", "1213", "1214", "1215", "1261", "1301"), 400),
    **dict.fromkeys(("1302", "1305"), 429),
    "1113": 402,
}
_META_FIELD = b"meta:"
_META = msgspec.json.Decoder(Meta)


def error_of(document: Mapping[str, Any]) -> Told | None:
    """The error in a JSON object: `{code, msg, success: false}`, under status 200 too; or as the
    fourth API says it.
    """
    inner = document.get("error")
    error = inner if isinstance(inner, dict) else document
    code = text_of(error, "code")
    if code in ("", "0", "200"):
        return None
    return coded("Zhipu", code, text_of(error, "msg", "message"), _STATUS)


class ZhipuDecoder(SSEJSONDecoder):
    """Option `incremental` is the request's."""

    name = NAME
    finishes: ClassVar[Finishes] = Finishes(
        {
            "finish": "stop",
            "interrupted": "content_filter",
        }
    )

    def __init__(self, max_event_bytes: int, options: Mapping[str, Any]) -> None:
        super().__init__(max_event_bytes)
        self._snapshots = Snapshots(max_event_bytes, whole=options.get("incremental") is False)

    def feed(self, data: bytes) -> list[Event]:
        """Line by line where there are counts: only those before an event's end are its own,
        however the bytes are cut.
        """
        if _META_FIELD not in data:
            return super().feed(data)
        return [
            event
            for line in data.splitlines(keepends=True)
            for event in super(ZhipuDecoder, self).feed(line)
        ]

    def _take(self, frame: Frame, out: list[Event]) -> None:
        """Data that is blank is text here."""
        if frame.event == "error":
            self._wrong(frame, out)
            return
        if frame.event not in ("add", "finish", "interrupted"):
            return
        self._text(out, self._snapshots.new("text", frame.text, last=frame.event != "add"))
        if frame.event != "add":
            self._meta(out)
            self._choice(0, frame.event)
            self._complete(out)

    def _event(self, frame: Frame, out: list[Event]) -> None:
        """Not called: the events are no JSON."""

    def _wrong(self, frame: Frame, out: list[Event]) -> None:
        said = read_error(frame.data)
        found = error_of(said.document) if said.document is not None else None
        self._broken(out, found or Told(said.message, said.code))

    def _meta(self, out: list[Event]) -> None:
        """The counts, if they can be read: they stand in a line that is no field of an event
        stream. The last such line is the newest.
        """
        lines = [line for line in self._parser.stray.split(b"\n") if line.startswith(_META_FIELD)]
        try:
            meta = _META.decode(lines[-1].removeprefix(_META_FIELD)) if lines else Meta()
        except (ValueError, RecursionError):
            return
        if meta.usage is not None:
            self._count(
                out, Usage(count(meta.usage.prompt_tokens), count(meta.usage.completion_tokens))
            )

    def _error_of(self, document: Mapping[str, Any]) -> Told | None:
        return error_of(document)

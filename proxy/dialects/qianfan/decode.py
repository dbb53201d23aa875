"""Qianfan's events to ours. `is_end` is the end; a body that ends without it was cut. What plugins
do is told in vendor events.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from proxy.codec.counts import count
from proxy.codec.failures import Told, coded, text_of
from proxy.codec.finishes import Finishes
from proxy.codec.sse_json import Source, SSEJSONDecoder
from proxy.dialects.qianfan import wire
from proxy.events import Event, FinishReason, Usage, Vendor
from proxy.framing.sse_frame import Frame

_EVENT = msgspec.json.Decoder(wire.Event)
# The vendor's numbers -> the HTTP status that they mean. Source: the retry and error lists of
# Baidu's SDK.
_STATUS = {
    **dict.fromkeys(("4", "17", "18", "19", "336501", "336502"), 429),
    **dict.fromkeys(("13", "14", "15", "110", "111"), 401),
    "6": 403,
    "336003": 400,
    "336100": 503,
    "336000": 500,
    "2": 500,
}


def told(code: str, message: str) -> Told:
    """An error whose code stands by itself."""
    return coded("Qianfan", code, message, _STATUS)


def error_of(document: Mapping[str, Any]) -> Told | None:
    """The error in a JSON object, `{error_code, error_msg}`: under status 200 too."""
    code = text_of(document, "error_code")
    return told(code, text_of(document, "error_msg")) if code not in ("", "0") else None


class QianfanDecoder(SSEJSONDecoder):
    """`normal` stands in every event; that the history must be cleared is how the vendor says that
    a filter was hit.
    """

    name = wire.NAME
    finishes: ClassVar[Finishes] = Finishes(
        {
            "normal": "stop",
            "stop": "stop",
            "length": "length",
            "content_filter": "content_filter",
            "function_call": "tool_calls",
        }
    )

    def __init__(self, max_event_bytes: int) -> None:
        super().__init__(max_event_bytes)
        self._hit = False  # a filter

    def _event(self, frame: Frame, out: list[Event]) -> None:
        event = self._decoded(_EVENT, frame.data)
        if event.error_code not in (None, 0, "", "0"):
            self._broken(out, told(str(event.error_code), event.error_msg or ""))
            return
        self._calls.seed = event.id or self._calls.seed
        self._tell(
            out,
            plugin_metas=event.plugin_metas,
            plugin_info=event.plugin_info,
            ban_round=event.ban_round,
        )
        if event.search_info is not None:
            self._found(
                Source(page.url, page.title) for page in event.search_info.search_results or ()
            )
        self._text(out, event.result or "")
        if event.function_call is not None:
            self._called(event.function_call, out)
        if event.usage is not None:
            self._take_usage(event.usage, out, last=event.is_end is True)
        if event.need_clear_history:
            self._filtered(out)
        if event.is_end:
            self._choice(0, event.finish_reason)
            if event.is_truncated:
                self._finished[0] = "length"
            self._complete(out)

    def _called(self, call: wire.FunctionCall, out: list[Event]) -> None:
        self._tell(out, thoughts=call.thoughts)
        self._calls.piece(out, 0, call.name or "", call.arguments or "")

    def _take_usage(self, counts: wire.Counts, out: list[Event], *, last: bool) -> None:
        output = counts.completion_tokens if counts.completion_tokens or last else None
        self._count(out, Usage(count(counts.prompt_tokens), count(output)))
        self._tell(out, plugins=counts.plugins)

    def _filtered(self, out: list[Event]) -> None:
        if not self._hit:
            out.append(Vendor(wire.NAME, {"need_clear_history": True}))
            self._hit = True

    def _reason(self, raw: str | None) -> FinishReason:
        return "content_filter" if self._hit else super()._reason(raw)

    def _as_event(self, document: Any) -> dict[str, Any] | None:
        match document:
            case {"result": str()} | {"function_call": dict()}:
                return {**document, "is_end": True}
        return None

    def _error_of(self, document: Mapping[str, Any]) -> Told | None:
        return error_of(document)

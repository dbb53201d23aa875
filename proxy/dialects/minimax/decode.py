"""MiniMax's events to ours. The whole `chat.completion` at the end is the end; its text is only
used where no piece came before.

A body that ends without it, but after a finish reason, ended as well.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec
from msgspec import Raw

from proxy.codec.counts import count
from proxy.codec.failures import Told, coded, text_of
from proxy.codec.finishes import Finishes
from proxy.codec.json_depth import shallow
from proxy.codec.sse_json import SSEJSONDecoder
from proxy.dialects.minimax import wire
from proxy.events import NO_USAGE, Event, FinishReason, Usage, Vendor
from proxy.framing.sse_frame import Frame

_EVENT = msgspec.json.Decoder(wire.Event)
_TRUE = Raw(b"true")
# The vendor's numbers -> the HTTP status that they mean. Source: the list of error codes in its
# reference.
_STATUS = {
    "1000": 500,
    "1001": 504,
    "1002": 429,
    "1004": 401,
    "1008": 402,
    "1013": 500,
    "1027": 400,
    "1039": 429,
    "2013": 400,
}


def told(code: str, message: str) -> Told:
    """An error whose code stands by itself."""
    return coded("MiniMax", code, message, _STATUS)


def error_of(document: Mapping[str, Any]) -> Told | None:
    """The error in a JSON object: `base_resp` with a status code that is not 0."""
    said = document.get("base_resp")
    code = text_of(said, "status_code") if isinstance(said, dict) else ""
    return (
        told(code, text_of(said, "status_msg"))
        if isinstance(said, dict) and code not in ("", "0")
        else None
    )


class MiniMaxDecoder(SSEJSONDecoder):
    """That the answer was found sensitive is a filter's finish, whatever the finish reason says."""

    name = wire.NAME
    finishes: ClassVar[Finishes] = Finishes(
        {
            "stop": "stop",
            "length": "length",
            "tool_calls": "tool_calls",
            "content_filter": "content_filter",
        }
    )

    def __init__(self, max_event_bytes: int) -> None:
        super().__init__(max_event_bytes)
        self._said: set[int] = set()  # choices that have content
        self._hit = False  # a filter

    def _event(self, frame: Frame, out: list[Event]) -> None:
        event = self._decoded(_EVENT, frame.data)
        wrong = event.base_resp
        if wrong is not None and wrong.status_code not in (None, 0, "", "0"):
            self._broken(out, told(str(wrong.status_code), wrong.status_msg or ""))
            return
        self._calls.seed = event.id or self._calls.seed
        self._hit = self._hit or event.output_sensitive == _TRUE
        self._tell(
            out,
            input_sensitive=event.input_sensitive,
            input_sensitive_type=_meant(event.input_sensitive_type),
            output_sensitive=event.output_sensitive,
            output_sensitive_type=_meant(event.output_sensitive_type),
            output_sensitive_int=_meant(event.output_sensitive_int),
        )
        for entry in event.choices or ():
            choice = self._choice(entry.index, entry.finish_reason)
            if entry.delta is not None:
                self._delta(entry.delta, choice, out)
            elif entry.message is not None and choice not in self._said:
                self._delta(entry.message, choice, out)
        if event.usage is not None:
            self._take_usage(event.usage, out)
        if event.object == wire.WHOLE and self._finished and None not in self._finished.values():
            self._complete(out)

    def _delta(self, delta: wire.Delta, choice: int, out: list[Event]) -> None:
        if delta.role == "tool":
            if delta.content:
                out.append(Vendor(wire.NAME, {"role": "tool", "content": _found(delta.content)}))
            return
        reasoning = delta.reasoning_content or _reasoning(delta.reasoning_details or [])
        if reasoning or delta.content or delta.tool_calls:
            self._said.add(choice)
        self._reasoning(out, reasoning, choice)
        self._text(out, delta.content or "", choice)
        for position, piece in enumerate(delta.tool_calls or ()):
            index = position if piece.index is None else piece.index
            function = piece.function or wire.FunctionPiece()
            self._calls.piece(
                out,
                index,
                function.name or "",
                function.arguments or "",
                call_id=piece.id or "",
                choice=choice,
            )
        self._tell(out, audio_content=delta.audio_content)

    def _take_usage(self, counts: wire.Counts, out: list[Event]) -> None:
        inputs, outputs = (
            counts.prompt_tokens_details or wire.Details(),
            counts.completion_tokens_details or wire.Details(),
        )
        usage = Usage(
            count(counts.prompt_tokens),
            count(counts.completion_tokens),
            count(inputs.cached_tokens),
            count(outputs.reasoning_tokens),
        )
        self._count(out, usage)
        if usage == NO_USAGE:
            self._tell(out, total_tokens=counts.total_tokens)

    def _reason(self, raw: str | None) -> FinishReason:
        return "content_filter" if self._hit else super()._reason(raw)

    def _as_event(self, document: Any) -> dict[str, Any] | None:
        match document:
            case {"choices": list()}:
                return {**document}
        return None

    def _error_of(self, document: Mapping[str, Any]) -> Told | None:
        return error_of(document)


def _meant(number: Raw) -> Raw:
    """0 stands for nothing found."""
    return Raw(b"null") if number == Raw(b"0") else number


def _reasoning(details: list[Any]) -> str:
    """The vendor says its reasoning here where it was asked to split it from the text."""
    return "".join(
        part["text"]
        for part in details
        if isinstance(part, dict) and isinstance(part.get("text"), str)
    )


def _found(content: str) -> Any:
    """What a search found: JSON in a text, or the text."""
    try:
        return shallow(msgspec.json.decode(content))
    except (ValueError, RecursionError):
        return content

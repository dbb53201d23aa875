"""Hunyuan's events to ours. The body ends without a terminator, after an event with a finish
reason.

The notice that the vendor repeats in every event, that the text was made by a machine, is a vendor
event, told once.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from proxy.codec.counts import count
from proxy.codec.failures import Told, coded, text_of
from proxy.codec.finishes import Finishes
from proxy.codec.sse_json import ABSENT, Source, SSEJSONDecoder
from proxy.dialects.hunyuan import wire
from proxy.events import Event, Usage
from proxy.framing.sse_frame import Frame

_EVENT = msgspec.json.Decoder(wire.Event)
_any = msgspec.json.Decoder(Any).decode
_MAX_IDS = 1024  # of calls, kept by their index
# By the family of the code, its first word. Source: Tencent Cloud's list of common error codes.
_STATUS = {
    "InvalidParameter": 400,
    "InvalidParameterValue": 400,
    "MissingParameter": 400,
    "UnknownParameter": 400,
    "UnsupportedOperation": 400,
    "AuthFailure": 401,
    "UnauthorizedOperation": 403,
    "ResourceInsufficient": 402,
    "ResourceUnavailable": 402,
    "ResourceNotFound": 404,
    "LimitExceeded": 429,
    "RequestLimitExceeded": 429,
    "InternalError": 500,
    "FailedOperation": 500,
    # Numbers within a stream: they say that the service failed.
    "4000": 500,
    "4001": 500,
}


def told(code: str, message: str) -> Told:
    """An error whose code stands by itself."""
    return coded("Hunyuan", code, message, _STATUS)


def error_of(document: Mapping[str, Any]) -> Told | None:
    """The error in a JSON object: `{"Response": {"Error": {Code, Message}}}` in place of a stream,
    `{"ErrorMsg": {Code, Msg}}` in it.
    """
    response = document.get("Response")
    inner = response if isinstance(response, dict) else document
    for name in ("Error", "ErrorMsg"):
        error = inner.get(name)
        if isinstance(error, dict) and (code := text_of(error, "Code")) not in ("", "0"):
            return told(code, text_of(error, "Message", "Msg"))
    return None


class HunyuanDecoder(SSEJSONDecoder):
    """`sensitive` is the vendor's moderation, which may stop an answer in its middle."""

    name = wire.NAME
    finishes: ClassVar[Finishes] = Finishes(
        {
            "stop": "stop",
            "length": "length",
            "tool_calls": "tool_calls",
            "sensitive": "content_filter",
        }
    )

    def __init__(self, max_event_bytes: int) -> None:
        super().__init__(max_event_bytes)
        # (choice, index) -> id, for pieces that have the index alone
        self._ids: dict[tuple[int, int], str] = {}

    def _event(self, frame: Frame, out: list[Event]) -> None:
        event = self._decoded(_EVENT, frame.data)
        wrong = event.error_msg
        if wrong is not None and wrong.code not in (None, 0, "", "0"):
            self._broken(out, told(str(wrong.code), wrong.msg or ""))
            return
        if event.response is not ABSENT:
            found = self._error_of({"Response": _any(event.response)})
            if found is not None:
                self._broken(out, found)
                return
        self._calls.seed = event.id or self._calls.seed
        self._tell(
            out,
            Note=event.note,
            ModerationLevel=event.moderation_level,
            Replaces=event.replaces,
            RecommendedQuestions=event.recommended_questions,
        )
        if event.search_info is not None:
            self._found(
                Source(page.url, page.title) for page in event.search_info.search_results or ()
            )
        for entry in event.choices or ():
            choice = self._choice(entry.index, entry.finish_reason)
            self._tell(out, ModerationLevel=entry.moderation_level)
            if entry.delta is not None:
                self._delta(entry.delta, choice, out)
        if event.usage is not None:
            self._count(
                out, Usage(count(event.usage.prompt_tokens), count(event.usage.completion_tokens))
            )

    def _delta(self, delta: wire.Delta, choice: int, out: list[Event]) -> None:
        self._reasoning(out, delta.reasoning_content or "", choice)
        self._text(out, delta.content or "", choice)
        for position, piece in enumerate(delta.tool_calls or ()):
            key: str | int = (
                position
                if piece.index is None
                else self._ids.get((choice, piece.index), piece.index)
            )
            if piece.id:
                key = piece.id
                if piece.index is not None and len(self._ids) < _MAX_IDS:
                    self._ids[choice, piece.index] = piece.id
            function = piece.function or wire.FunctionPiece()
            self._calls.piece(
                out,
                key,
                function.name or "",
                function.arguments or "",
                call_id=piece.id or "",
                choice=choice,
            )

    def _as_event(self, document: Any) -> dict[str, Any] | None:
        """An answer that was not streamed has `Message` for `Delta`, and mostly a wrapper."""
        match document:
            case {"Response": {"Choices": list(choices)} as answer} | (
                {"Choices": list(choices)} as answer
            ):
                deltas = [
                    {**choice, "Delta": choice.get("Message")}
                    for choice in choices
                    if isinstance(choice, dict)
                ]
                return {**answer, "Choices": deltas}
        return None

    def _error_of(self, document: Mapping[str, Any]) -> Told | None:
        return error_of(document)

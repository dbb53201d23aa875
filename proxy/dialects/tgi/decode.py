"""The server's events to ours: one event a token."""

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from proxy.codec.counts import count
from proxy.codec.failures import Told, coded, text_of
from proxy.codec.finishes import Finishes
from proxy.codec.sse_json import SSEJSONDecoder
from proxy.dialects.tgi import wire
from proxy.events import Event, Usage
from proxy.framing.sse_frame import Frame

_EVENT = msgspec.json.Decoder(wire.Event)
# The server's own statuses for its error types.
_STATUS = {"validation": 422, "generation": 424, "overloaded": 429, "incomplete_generation": 500}


def error_of(document: Mapping[str, Any]) -> Told | None:
    """The error in a JSON object: `{error, error_type}`."""
    message, kind = text_of(document, "error"), text_of(document, "error_type")
    return coded("The server", kind, message, _STATUS) if message or kind else None


class TgiDecoder(SSEJSONDecoder):
    """The token's own numbers (`id`, `logprob`), which come unasked with every token, are not
    passed on.
    """

    name = wire.NAME
    finishes: ClassVar[Finishes] = Finishes(
        {
            "eos_token": "stop",
            "stop_sequence": "stop",
            "length": "length",
        }
    )

    def _event(self, frame: Frame, out: list[Event]) -> None:
        event = self._decoded(_EVENT, frame.data)
        if event.error or event.error_type:
            self._broken(
                out, coded("The server", event.error_type or "", event.error or "", _STATUS)
            )
            return
        if event.token is not None and not event.token.special:
            self._text(out, event.token.text)
        self._tell(out, top_tokens=event.top_tokens)
        if event.generated_text is None:
            return
        if event.details is not None:
            self._choice(0, event.details.finish_reason)
            self._count(
                out, Usage(count(event.details.input_length), count(event.details.generated_tokens))
            )
            self._tell(out, seed=event.details.seed)
        self._complete(out)

    def _as_event(self, document: Any) -> dict[str, Any] | None:
        match document:
            case [{"generated_text": str(text)} as answer] | (
                {"generated_text": str(text)} as answer
            ):
                return {**answer, "token": {"text": text}}
        return None

    def _error_of(self, document: Mapping[str, Any]) -> Told | None:
        return error_of(document)

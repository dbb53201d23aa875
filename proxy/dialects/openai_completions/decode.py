"""An upstream's bytes to events.

The terminator is `[DONE]`; a clean end of the body after a finish reason is as good. Usage comes
between the two.
"""

from collections.abc import Mapping
from operator import attrgetter
from typing import Any, ClassVar

import msgspec

from proxy.codec.failures import Told
from proxy.codec.finishes import Finishes
from proxy.codec.json_depth import shallow
from proxy.codec.lenient_json import loads
from proxy.codec.openai.errors import VendorError, in_band, vendor_error
from proxy.codec.openai.finish_reasons import ERRORS, FINISH_REASONS, NOT_FINISHED
from proxy.codec.openai.native_forms import in_openais_form
from proxy.codec.openai.usage import read_usage
from proxy.codec.sse_json import SSEJSONDecoder
from proxy.codec.tolerant import tolerant
from proxy.dialects.openai_completions.wire import (
    ABSENT,
    CHOICE_EXTRAS,
    CHUNK_EXTRAS,
    NAME,
    QUIET,
    Choice,
    Chunk,
)
from proxy.errors import Failure
from proxy.events import Event, Vendor
from proxy.framing.sse_frame import Frame

_CHUNK = msgspec.json.Decoder(Chunk)
_beside_choices = attrgetter(*CHUNK_EXTRAS)
_beside_text = attrgetter(*CHOICE_EXTRAS)
# What a choice says beside its text in nearly every chunk.
_NOTHING_BESIDE = [(logprobs, ABSENT, ABSENT) for logprobs in QUIET]


class CompletionsDecoder(SSEJSONDecoder):
    """One answer of `/completions`, or several with `n`."""

    name = NAME
    finishes: ClassVar[Finishes] = Finishes(FINISH_REASONS)
    unfinished: ClassVar[frozenset[str]] = NOT_FINISHED

    def __init__(self, max_event_bytes: int) -> None:
        super().__init__(max_event_bytes)
        self._beside: tuple[Any, ...] = ()  # what stood beside the choices in the last chunk

    def _take(self, frame: Frame, out: list[Event]) -> None:
        # llama.cpp has left the finish reason out: the terminator says enough
        if frame.data == b"[DONE]" and self._finished:
            self._complete(out)
        else:
            super()._take(frame, out)

    def _event(self, frame: Frame, out: list[Event]) -> None:
        chunk = self._decoded(_CHUNK, frame.data)
        if chunk.error not in QUIET or chunk.choices is None or frame.event == "error":
            document = loads(frame.data)
            found = vendor_error(document, certain=frame.event == "error")
            if found is not None:
                self._fail(out, in_band(found))
                return
            if chunk.choices is None and (native := in_openais_form(document)) is not None:
                chunk = tolerant({**document, **native}, Chunk)
        beside = _beside_choices(chunk)
        if beside != self._beside:  # vendors repeat it in every chunk
            self._beside = beside
            self._tell(out, **dict(zip(CHUNK_EXTRAS, beside, strict=True)))
        for choice in chunk.choices or ():
            self._part(out, choice)
            if self.done:
                return
        if chunk.usage:
            self._count(out, read_usage(chunk.usage))

    def _part(self, out: list[Event], choice: Choice) -> None:
        raw = choice.finish_reason
        if raw is not None and raw.lower() in ERRORS:
            self._fail(
                out,
                in_band(
                    VendorError(
                        f"The upstream broke off its answer: its finish reason is {raw[:80]!r}.",
                        raw[:80],
                    )
                ),
            )
            return
        number = self._choice(choice.index, raw)
        self._text(out, choice.text or "", number)
        beside = _beside_text(choice)
        if raw is None and beside in _NOTHING_BESIDE:
            return
        told = {
            name: loads(value)
            for name, value in zip(CHOICE_EXTRAS, beside, strict=True)
            if value not in QUIET
        }
        if number and self._finished[number] is not None:
            # the one finish of the stream is that of choice 0
            told["finish_reason"] = self._finished[number]
        if told:
            out.append(Vendor(NAME, shallow({"choices": [{"index": number, **told}]})))

    def _as_event(self, document: Any) -> dict[str, Any] | None:
        match document:
            case {"choices": list()}:
                return {**document}
        return None

    def _error_of(self, document: Mapping[str, Any]) -> Told | None:
        found = vendor_error(document)
        return None if found is None else Told(found.message, found.code, found.status)

    def _not_a_stream(self, body: bytes) -> Failure:
        try:
            found = vendor_error(loads(body))
        except ValueError:
            found = None
        return super()._not_a_stream(body) if found is None else in_band(found)

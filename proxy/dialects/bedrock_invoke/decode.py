"""The bytes of InvokeModelWithResponseStream to events: each message of the event stream holds one
JSON document of the model's own.

What a document is in is told by the first one. Those of a form that is a dialect here go to that
dialect's decoder, those of Nova are the events of Converse, and the rest are completions. All of
these decoders read server-sent events: each document becomes one for them.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

import msgspec

from proxy.codec.base import Decoder
from proxy.codec.bedrock.converse import Conversation
from proxy.codec.bedrock.stream import EventStreamDecoder
from proxy.codec.bedrock.wire import EVENTS
from proxy.codec.framed import SSEDecoder, decoded
from proxy.codec.halves import UpstreamHalf
from proxy.codec.json_depth import shallow
from proxy.codec.lenient_json import mended
from proxy.dialects.bedrock_invoke.chat import in_openais_form
from proxy.dialects.bedrock_invoke.completions import CompletionDecoder
from proxy.dialects.bedrock_invoke.wire import GUARDRAIL, METRICS, NAME, SERVICE, TRACE
from proxy.events import NO_USAGE, Event, Usage, Vendor
from proxy.framing.sse_frame import Frame, frame


class _Chunk(msgspec.Struct):
    document: bytes = msgspec.field(default=b"", name="bytes")  # base64 on the wire


_chunk = msgspec.json.Decoder(_Chunk).decode
_object = partial(decoded, msgspec.json.Decoder(dict[str, Any]))
_raw_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_SERVICE = f'"{SERVICE}'.encode()
_DELTA = b'"delta"'
_NO_ACTION = "NONE"


class InvokeDecoder(EventStreamDecoder):
    """One answer. See `Decoder`. `carried` are the dialects that may be wrapped, by name; `options`
    are the target's.
    """

    def __init__(
        self, max_event_bytes: int, options: Mapping[str, Any], carried: Mapping[str, UpstreamHalf]
    ) -> None:
        super().__init__(max_event_bytes)
        self._most = max_event_bytes
        self._options = options
        self._carried = carried
        self._inner: Decoder | None = None
        self._is_chat = False  # the documents are chat completions
        self._guardrail: Any = None  # what it did, as told last

    @property
    def usage(self) -> Usage:
        return NO_USAGE if self._inner is None else self._inner.usage

    def _event(self, kind: str, payload: bytes, out: list[Event]) -> None:
        if kind != "chunk":
            if payload:
                out.append(Vendor(NAME, {kind: shallow(_object(payload))}))
            return
        document = _chunk(payload).document
        if self._inner is None:
            self._inner = self._made(_object(document))
        of_service = _SERVICE in document
        if of_service:
            self._service(_object(document), out)
        if self._is_chat and (of_service or _DELTA not in document):
            document = msgspec.json.encode(in_openais_form(_object(document)))
        out += self._inner.feed(frame(document))
        self.done = self._inner.done

    def _service(self, document: dict[str, Any], out: list[Event]) -> None:
        """What the service says beside the model: its own counts, and what a guardrail did, which
        it repeats in every document.
        """
        said = {key: document[key] for key in (METRICS, TRACE) if document.get(key)}
        action = document.get(GUARDRAIL)
        if action not in (self._guardrail, _NO_ACTION):
            self._guardrail = action
            said[GUARDRAIL] = action
        if said:
            out.append(Vendor(NAME, shallow(said)))

    def _whole(self, out: list[Event]) -> bool:
        if self._inner is None:
            return False
        out += self._inner.close()
        self.done = True
        return True

    def _made(self, first: dict[str, Any]) -> Decoder:
        if not EVENTS.isdisjoint(first):
            return _NovaDecoder(self._most)
        named = "anthropic" if "type" in first else "openai_chat" if "choices" in first else ""
        self._is_chat = named == "openai_chat"
        if named in self._carried:
            return self._carried[named].decoder(self._most, self._options)
        return CompletionDecoder(self._most)


class _NovaDecoder(SSEDecoder):
    """Nova's documents: `{event: payload}`, one event of Converse each. The service puts its own
    words beside them.
    """

    def __init__(self, max_event_bytes: int) -> None:
        super().__init__(max_event_bytes)
        self._said = Conversation(NAME, max_event_bytes, joins=True)

    @property
    def usage(self) -> Usage:
        return self._said.usage

    def _take(self, frame: Frame, out: list[Event]) -> None:
        try:
            for kind, payload in _raw_event(frame.data).items():
                if not kind.startswith(SERVICE):
                    self._said.take(kind, bytes(payload), out)
        except (ValueError, RecursionError) as error:
            self._malformed(out, str(error))
            return
        if self._said.whole:
            self._ended(out)

    def _ended(self, out: list[Event]) -> None:
        if self._said.stop is None:
            super()._ended(out)
            return
        self._said.end(out)
        self.done = True


def _raw_event(data: bytes) -> dict[str, msgspec.Raw]:
    """Raises ValueError and RecursionError."""
    try:
        return _raw_object(data)
    except msgspec.DecodeError:
        return _raw_object(mended(data))

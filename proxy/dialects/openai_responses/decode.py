"""An upstream's bytes to events.

The frames that come by the hundred are read into a small struct, all others as they are. The
terminator is one of `response.completed`, `response.incomplete`, `response.failed` and
`response.cancelled`; what comes behind it (OpenRouter's `[DONE]`) is not looked at, and an error
that is said twice, as `error` and as `response.failed`, is reported once. Events of the vendor's
own tools, and those that are not known, become `vendor` events as they are, without their number
and their padding. A body that is one document, no stream, is read at its end.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from proxy.codec import proofs
from proxy.codec.counts import count
from proxy.codec.cut_characters import RejoiningSSEDecoder
from proxy.codec.framed import CUT
from proxy.codec.json_depth import shallow
from proxy.codec.lenient_json import NotJSONError, loads, shown
from proxy.codec.openai.errors import VendorError, in_band, vendor_error
from proxy.codec.openai.usage import read_usage
from proxy.dialects.openai_responses import finish, wire
from proxy.dialects.openai_responses.ids import without_ids
from proxy.dialects.openai_responses.items import Items
from proxy.dialects.openai_responses.options import proof_format
from proxy.dialects.openai_responses.own_tools import OwnTools
from proxy.dialects.openai_responses.places import Places
from proxy.dialects.openai_responses.whole_items import WholeItems, is_block
from proxy.dialects.openai_responses.wire import NAME, QUIET
from proxy.errors import failure
from proxy.events import NO_USAGE, Event, Usage, UsageEvent, Vendor
from proxy.framing.sse_frame import Frame

_PIECE = msgspec.json.Decoder(wire.Piece)
_BOM = b"\xef\xbb\xbf"
_ALIVE = frozenset({"keepalive", "keep-alive", "ping", "heartbeat"})
# Events that say nothing that another does not say as well.
_SILENT = frozenset(
    {
        "response.created",
        "response.queued",
        "response.in_progress",
        "response.content_part.added",
        "response.reasoning_summary_part.added",
        "response.reasoning_summary_part.done",
        "response.reasoning_summary_text.done",
        "response.reasoning_text.done",
        "response.reasoning.done",
        "response.reasoning_summary.done",
    }
)
_ERRORS = ("error", "response.error")
_UNSAID = ("sequence_number", "obfuscation")


def decoder(max_event_bytes: int, options: Mapping[str, Any]) -> "ResponsesDecoder":
    """See `UpstreamHalf.decoder`."""
    return ResponsesDecoder(max_event_bytes, proof_format(options))


class ResponsesDecoder(RejoiningSSEDecoder):
    """One answer of `/responses`. `proof_format` is whose encrypted reasoning the vendor gives."""

    documents: ClassVar[bool] = True

    def __init__(self, max_event_bytes: int, proof_format: str = proofs.OPENAI) -> None:
        super().__init__(max_event_bytes)
        self._max_event_bytes = max_event_bytes
        self._items = Items(max_event_bytes, proof_format)
        self._own_tools = OwnTools()
        self._whole_items = WholeItems(self._items, self._own_tools)
        self._places = Places()
        self._waiting: list[Event] = []
        self._named = ""  # the vendor's id of the answer, once it was told
        self._usage = NO_USAGE
        # the body, while it may be one JSON document
        self._document: bytearray | None = bytearray()

    @property
    def usage(self) -> Usage:
        return self._usage

    @property
    def answer_id(self) -> str:
        return self._named

    def feed(self, data: bytes) -> list[Event]:
        if self._document is not None:
            self._document += data if self._document else data.removeprefix(_BOM).lstrip()
            if self._document and (
                self._document[0] != ord("{") or len(self._document) > self._max_event_bytes
            ):
                self._document = None
        events = super().feed(data)
        if not self._waiting and not (events and type(events[-1]) is Vendor):
            return events
        events, self._waiting = without_ids(self._waiting + events)
        return events

    def close(self) -> list[Event]:
        return self._waiting + super().close()

    # Frames.

    def _take(self, frame: Frame, out: list[Event]) -> None:
        try:
            piece = _PIECE.decode(frame.data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self._wait(frame.data)
            self._rare(frame, out)
            return
        at = piece.output_index
        if (
            at is None
            or self._places.by_name
            or piece.logprobs not in QUIET
            or not isinstance(piece.delta, str)
            or not self._delta(piece, at, piece.delta, out)
        ):
            self._rare(frame, out)

    def _delta(self, piece: wire.Piece, at: int, delta: str, out: list[Event]) -> bool:
        """A piece of the answer. False: it is something else."""
        part = piece.content_index or 0
        match piece.type:
            case wire.TEXT_DELTA:
                self._items.messages.text(out, at, part, delta)
            case wire.REFUSAL_DELTA:
                self._items.messages.refused = True
                self._items.messages.text(out, at, part, delta, refusal=True)
            case wire.SUMMARY_DELTA:
                self._items.reasoning(out, at, "summary", piece.summary_index or 0, delta)
            case wire.REASONING_DELTA:
                self._items.reasoning(out, at, "content", part, delta)
            case wire.ARGUMENTS_DELTA:
                return self._items.arguments(out, at, delta)
            case wire.CUSTOM_DELTA:
                return at not in self._own_tools.places and self._items.free_text(out, at, delta)
            case wire.OPEN_REASONING_DELTA:
                self._items.reasoning(out, at, "content", part, delta)
            case wire.OPEN_SUMMARY_DELTA:
                self._items.reasoning(out, at, "summary", piece.summary_index or 0, delta)
            case _:
                return False
        return True

    def _rare(self, frame: Frame, out: list[Event]) -> None:
        word = frame.data.strip()
        if not word:
            return
        if word == b"[DONE]":
            self._fail(out, failure("upstream_truncated", CUT))
            return
        try:
            said = loads(frame.data)
        except NotJSONError:
            said = None
        if not isinstance(said, dict):
            self._unreadable(out, frame.data)
            return
        kind = said.get("type")
        if not isinstance(kind, str) or not kind:
            kind = "" if frame.event == "message" else frame.event
        if kind in _ERRORS or not kind:
            found = vendor_error(said, certain=bool(kind))
            if found is not None:
                self._fail(out, in_band(found))
                return
        response = said.get("response")
        if isinstance(response, dict):
            self._items.seed = str(response.get("id"))
            self._own_tools.asked_for(response)
            self._name(response, out)
        if kind in _SILENT or kind in _ALIVE:
            return
        if kind in finish.TERMINAL:
            self._terminal(kind, response if isinstance(response, dict) else {}, out)
        elif not self._known(kind, said, out):
            out.append(
                Vendor(
                    NAME, shallow({key: value for key, value in said.items() if key not in _UNSAID})
                )
            )

    def _unreadable(self, out: list[Event], data: bytes) -> None:
        if self._closing:
            self._fail(out, failure("upstream_truncated", CUT))
        else:
            self._malformed(out, f"a frame that is no JSON object, {shown(data)}")

    def _known(self, kind: str, said: dict[str, Any], out: list[Event]) -> bool:
        """An event of an item that is a block. False: there is no place for it in ours."""
        items = self._items
        part, whole, item = _index(said, "content_index"), said.get("part"), said.get("item")
        if self._own_tools.begins(said):
            return False
        if kind == wire.ITEM_ADDED and is_block(item):
            taken = items.taken(count(said.get("output_index")), item)
            at = self._places.added(said, item, taken=taken)
            items.anew(out, at, item)
            self._whole_items.tell(at, item, out)
            items.begin(out, at, item)
            return True
        at = self._places.of(said)
        match kind:
            case wire.TEXT_DELTA if said.get("logprobs") and isinstance(said.get("delta"), str):
                items.messages.text_with_logprobs(
                    out, at, part, said["delta"], shallow(said["logprobs"])
                )
            case wire.ANNOTATION:
                items.messages.annotation(out, at, part, shallow(said.get("annotation")))
            case "response.output_text.done":
                items.messages.whole_text(out, at, part, said.get("text"))
            case "response.refusal.done":
                items.messages.refused = True
                items.messages.whole_text(out, at, part, said.get("refusal"), refusal=True)
            case "response.content_part.done" if isinstance(whole, dict):
                return whole.get("type") == "reasoning_text" or items.messages.whole_part(
                    out, at, part, whole
                )
            case "response.function_call_arguments.done":
                items.whole_arguments(out, at, said.get("arguments"))
            case "response.custom_tool_call_input.done" if at not in self._own_tools.places:
                items.whole_input(out, at, said.get("input"))
            case wire.ITEM_DONE if is_block(item):
                self._whole_items.end(at, item, out)
            case wire.ITEM_DONE if isinstance(item, dict) and item.get("type") == wire.IMAGE_ITEM:
                self._whole_items.picture(at, item, out)
            case _:
                match said.get("delta"):
                    case str(text) | {"text": str(text)}:
                        piece = wire.Piece(kind, None, part, _index(said, "summary_index"))
                        return self._delta(piece, at, text, out)
                return False
        return True

    def _name(self, response: dict[str, Any], out: list[Event]) -> None:
        """The vendor's id of the answer, once, before all else."""
        name = response.get("id")
        if not self._named and isinstance(name, str) and name:
            self._named = name
            out.append(Vendor(NAME, {"response": {"id": name}}))

    # The end.

    def _terminal(self, kind: str, response: dict[str, Any], out: list[Event]) -> None:
        self._name(response, out)
        usage = response.get("usage")
        if isinstance(usage, dict):
            self._usage = read_usage(usage)
            if self._usage != NO_USAGE:
                out.append(UsageEvent(*msgspec.structs.astuple(self._usage)))
        if not self._items.seen:
            self._whole_items.listed(response, out, document=not kind)
        status = finish.status_of(kind, response)
        if status in finish.FAILED:
            self._fail(out, in_band(finish.error_of(status, response)))
            return
        extras = finish.extras_of(response)
        if extras:
            out.append(Vendor(NAME, shallow({"response": extras})))
        self._items.end_all(out)
        reason, raw = finish.finish_of(
            status, response, called=self._items.called, refused=self._items.messages.refused
        )
        self._finish(out, reason, raw)

    def _ended(self, out: list[Event]) -> None:
        """The body ended without a terminal event: it may have been a document."""
        try:
            said = None if self._framed or not self._document else loads(bytes(self._document))
        except NotJSONError:
            said = None
        if not isinstance(said, dict):
            super()._ended(out)
        elif said.get("object") == "response" and finish.known(said.get("status")):
            self._own_tools.asked_for(said)
            self._terminal("", said, out)
        else:
            found = vendor_error(said)
            self._fail(
                out,
                in_band(found or VendorError("The upstream sent a document that is no answer.")),
            )


def _index(said: dict[str, Any], name: str) -> int:
    return count(said.get(name)) or 0

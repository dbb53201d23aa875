"""An upstream's bytes to events.

The frames that come by the hundred are read into a small struct, all others as they are. The
terminator is one of `response.completed`, `response.incomplete`, `response.failed` and
`response.cancelled`; what comes behind it (OpenRouter's `[DONE]`) is not looked at, and an error
that is said twice, as `error` and as `response.failed`, is reported once. Events of the vendor's
own tools, and those that are not known, become `vendor` events as they are, without their number
and their padding. A body that is one document, no stream, is read at its end.
"""

from typing import Any, TypeGuard

import msgspec

from proxy.codec.framed import CUT, SSEDecoder
from proxy.codec.json_depth import shallow
from proxy.codec.lenient_json import NotJSONError, loads, shown
from proxy.codec.openai.errors import VendorError, in_band, vendor_error
from proxy.codec.openai.usage import read_usage
from proxy.dialects.openai_responses import finish, wire
from proxy.dialects.openai_responses.items import Items
from proxy.dialects.openai_responses.wire import NAME, QUIET
from proxy.errors import failure
from proxy.events import NO_USAGE, Event, Usage, UsageEvent, Vendor
from proxy.framing.sse import Frame

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
    }
)
_MAX_TOLD = 256  # items of which it is remembered what was said
_UNSAID = ("sequence_number", "obfuscation")


class ResponsesDecoder(SSEDecoder):
    """One answer of `/responses`."""

    def __init__(self, max_event_bytes: int) -> None:
        super().__init__(max_event_bytes)
        self._max_event_bytes = max_event_bytes
        self._items = Items(max_event_bytes)
        self._usage = NO_USAGE
        # the body, while it may be one JSON document
        self._document: bytearray | None = bytearray()
        self._told: dict[int, int] = {}  # open item -> hash of what was said of it beyond its block

    @property
    def usage(self) -> Usage:
        return self._usage

    def feed(self, data: bytes) -> list[Event]:
        if self._document is not None:
            self._document += data if self._document else data.removeprefix(_BOM).lstrip()
            if self._document and (
                self._document[0] != ord("{") or len(self._document) > self._max_event_bytes
            ):
                self._document = None
        return super().feed(data)

    # Frames.

    def _take(self, frame: Frame, out: list[Event]) -> None:
        try:
            piece = _PIECE.decode(frame.data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self._rare(frame, out)
            return
        if not isinstance(piece.delta, str) or not self._delta(piece, piece.delta, out):
            self._rare(frame, out)

    def _delta(self, piece: wire.Piece, delta: str, out: list[Event]) -> bool:
        """A piece of the answer. False: it is something else."""
        at, part = piece.output_index or 0, piece.content_index or 0
        match piece.type:
            case wire.TEXT_DELTA:
                if piece.logprobs not in QUIET:
                    return False
                self._items.messages.text(out, at, part, delta)
            case wire.REFUSAL_DELTA:
                self._items.messages.refused = True
                self._items.messages.text(out, at, part, delta)
            case wire.SUMMARY_DELTA:
                self._items.reasoning(out, at, "summary", piece.summary_index or 0, delta)
            case wire.REASONING_DELTA:
                self._items.reasoning(out, at, "content", part, delta)
            case wire.ARGUMENTS_DELTA:
                return self._items.arguments(out, at, delta)
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
        if kind == "error" or not kind:
            found = vendor_error(said, certain=kind == "error")
            if found is not None:
                self._fail(out, in_band(found))
                return
        response = said.get("response")
        if isinstance(response, dict):
            self._items.seed = str(response.get("id"))
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
        at, part = _index(said, "output_index"), _index(said, "content_index")
        whole = said.get("part")
        item = said.get("item")
        match kind:
            case wire.TEXT_DELTA if isinstance(said.get("delta"), str):
                items.messages.text_with_logprobs(
                    out, at, part, said["delta"], shallow(said.get("logprobs"))
                )
            case wire.ANNOTATION:
                items.messages.annotation(out, at, part, shallow(said.get("annotation")))
            case "response.output_text.done":
                items.messages.whole_text(out, at, part, said.get("text"))
            case "response.refusal.done":
                items.messages.refused = True
                items.messages.whole_text(out, at, part, said.get("refusal"))
            case "response.content_part.done" if isinstance(whole, dict):
                return whole.get("type") == "reasoning_text" or items.messages.whole_part(
                    out, at, part, whole
                )
            case "response.function_call_arguments.done":
                items.whole_arguments(out, at, said.get("arguments"))
            case wire.ITEM_ADDED if _is_block(item):
                self._tell(kind, at, item, out)
                items.begin(out, at, item)
            case wire.ITEM_DONE if _is_block(item):
                self._item_done(at, item, out)
            case _:
                return False
        return True

    def _item_done(self, at: int, item: dict[str, Any], out: list[Event]) -> None:
        self._tell(wire.ITEM_DONE, at, item, out)
        self._told.pop(at, None)
        self._items.end(out, at, shallow(item))

    def _tell(self, kind: str, at: int, item: dict[str, Any], out: list[Event]) -> None:
        """What an item says beyond its block (`phase`, `namespace`, `format`): once, and again when
        it has changed.
        """
        extras = {
            key: value
            for key, value in item.items()
            if key not in wire.ITEM_KEYS and value not in (None, "", [], {})
        }
        said = hash(msgspec.json.encode(shallow(extras)))
        if extras and self._told.get(at) != said:
            if len(self._told) >= _MAX_TOLD:
                self._told.clear()
            self._told[at] = said
            out.append(
                Vendor(
                    NAME,
                    shallow(
                        {"type": kind, "output_index": at, "item": {"type": item["type"], **extras}}
                    ),
                )
            )

    # The end.

    def _terminal(self, kind: str, response: dict[str, Any], out: list[Event]) -> None:
        usage = response.get("usage")
        if isinstance(usage, dict):
            self._usage = read_usage(usage)
            if self._usage != NO_USAGE:
                out.append(UsageEvent(*msgspec.structs.astuple(self._usage)))
        if not self._items.seen:
            self._output(response, out, document=not kind)
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
        elif said.get("object") == "response" and str(said.get("status")) in finish.STATUSES:
            self._terminal("", said, out)
        else:
            found = vendor_error(said)
            self._fail(
                out,
                in_band(found or VendorError("The upstream sent a document that is no answer.")),
            )

    def _output(self, response: dict[str, Any], out: list[Event], *, document: bool) -> None:
        """The items of a response of which no event told. In a stream the opaque ones have been
        told of.
        """
        output = response.get("output")
        for at, item in enumerate(output if isinstance(output, list) else ()):
            if _is_block(item):
                self._item_done(at, item, out)
            elif document:
                out.append(
                    Vendor(
                        NAME, shallow({"type": wire.ITEM_DONE, "output_index": at, "item": item})
                    )
                )


def _is_block(item: Any) -> TypeGuard[dict[str, Any]]:
    return (
        isinstance(item, dict) and isinstance(item.get("type"), str) and item["type"] in wire.KINDS
    )


def _index(said: dict[str, Any], name: str) -> int:
    value = said.get(name)
    return value if isinstance(value, int) and value >= 0 else 0

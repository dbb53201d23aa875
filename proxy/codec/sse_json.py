"""What decoders have in common whose vendors frame JSON as server-sent events, count tokens, and
say why they end.

Beyond the frames of `framed`: the usage and the finishes seen so far, tool calls in pieces, sources
that wait for a text, extras that are told once however often they are repeated, and the vendor's
errors. A subclass says what one event means (`_event`) and how its vendor says errors
(`_error_of`).

The end of the body is a good end once every choice that began has its finish reason: most of these
vendors have no terminator. `[DONE]`, which gateways add, is the same.
"""

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, NamedTuple

import msgspec
from msgspec import Raw

from proxy.codec.call_pieces import CallPieces
from proxy.codec.counts import takes_back
from proxy.codec.cut_characters import RejoiningSSEDecoder
from proxy.codec.failures import Told, answer_failure, in_band
from proxy.codec.finishes import Finishes
from proxy.codec.framed import CUT
from proxy.codec.json_depth import shallow
from proxy.codec.lenient_json import NotJSONError, loads
from proxy.errors import Failure, failure
from proxy.events import (
    NO_USAGE,
    Citation,
    Event,
    FinishReason,
    Usage,
    UsageEvent,
    Vendor,
)
from proxy.framing import FramingError
from proxy.framing.sse_frame import Frame

# The value of a Raw field that an event does not have.
ABSENT = Raw(b"")
_QUIET = (ABSENT, Raw(b"null"), Raw(b'""'), Raw(b"[]"), Raw(b"{}"), Raw(b"false"))
_DONE = b"[DONE]"
_MAX_CHOICES = 128
_MAX_WORD_CHARS = 100  # of a finish reason
_MAX_SOURCES = 4096
_any = msgspec.json.Decoder(Any).decode


class Source(NamedTuple):
    """What an answer was drawn from, before it is known which block cites it."""

    url: str | None
    title: str | None


class SSEJSONDecoder(RejoiningSSEDecoder):
    """`finishes` gives our word for the vendor's finish reasons; `unfinished` are its ways to say
    that there is none yet.
    """

    documents: ClassVar[bool] = True
    name: ClassVar[str]
    finishes: ClassVar[Finishes]
    unfinished: ClassVar[frozenset[str]] = frozenset({"", "null"})

    def __init__(self, max_event_bytes: int) -> None:
        super().__init__(max_event_bytes)
        self._calls = CallPieces(self._blocks, self.name, max_event_bytes)
        self._usage = NO_USAGE
        # choice that began -> the vendor's word for its end
        self._finished: dict[int, str | None] = {}
        self._told: dict[str, int] = {}  # extra -> hash of what was told last
        self._sources: list[Source] = []  # those that no text has cited yet
        self._source_chars = 0  # of those, bounded like an event
        self._most_source_chars = max_event_bytes
        self._known: set[int] = set()  # hashes of the sources that were found

    @property
    def usage(self) -> Usage:
        return self._usage

    @property
    def answer_id(self) -> str:
        return self._calls.seed if isinstance(self._calls.seed, str) else ""

    @abstractmethod
    def _event(self, frame: Frame, out: list[Event]) -> None:
        """One event's meaning. May raise ValueError for what cannot be read, and FramingError."""

    @abstractmethod
    def _error_of(self, document: Mapping[str, Any]) -> Told | None:
        """The error in a JSON object, if it is one."""

    def _as_event(self, _document: Any) -> dict[str, Any] | None:
        """A JSON document that is a whole answer, as one event; None: it is none."""
        return None

    # What a subclass says.

    def _text(self, out: list[Event], text: str, choice: int = 0) -> None:
        if text:
            block = self._blocks.open_text(out, choice)
            if self._sources:
                self._cite(out, block)
            self._blocks.text(out, text, choice)

    def _reasoning(self, out: list[Event], text: str, choice: int = 0) -> None:
        if text:
            self._blocks.reasoning(out, text, choice)

    def _choice(self, index: int | None, finish: str | None) -> int:
        """The number of a choice, noting that it began and perhaps ended. Raises FramingError for
        one too many.
        """
        choice = max(index or 0, 0)
        if choice not in self._finished:
            if len(self._finished) == _MAX_CHOICES:
                raise FramingError(f"it holds more than {_MAX_CHOICES} choices")
            self._finished[choice] = None
        if finish is not None and finish not in self.unfinished:
            self._finished[choice] = finish[:_MAX_WORD_CHARS]
        return choice

    def _count(self, out: list[Event], usage: Usage) -> None:
        if usage not in (self._usage, NO_USAGE) and not takes_back(usage, self._usage):
            self._usage = usage
            out.append(UsageEvent(*msgspec.structs.astuple(usage)))

    def _tell(self, out: list[Event], **extras: Raw) -> None:
        """One vendor event for those that say something that was not told before."""
        told = {}
        for name, value in extras.items():
            if value not in _QUIET and self._told.get(name) != hash(bytes(value)):
                self._told[name] = hash(bytes(value))
                told[name] = shallow(_any(value))
        if told:
            out.append(Vendor(self.name, told))

    def _found(self, sources: Iterable[Source]) -> None:
        """Sources of the answer; those that are repeated count once."""
        for source in sources:
            chars = len(source.url or "") + len(source.title or "")
            if chars and hash(source) not in self._known and len(self._known) < _MAX_SOURCES:
                self._known.add(hash(source))
                self._source_chars += chars
                if self._source_chars <= self._most_source_chars:
                    self._sources.append(source)

    def _broken(self, out: list[Event], told: Told) -> None:
        self._fail(out, in_band(told))

    def _complete(self, out: list[Event]) -> None:
        """The answer is whole: give the rest of it and the end."""
        if self._sources:
            self._cite(out, self._blocks.open_text(out))
        self._calls.flush(out)
        raw = self._finished[min(self._finished)] if self._finished else None
        broken = None if raw is None else self.finishes.broken(raw)
        if broken is not None:
            self._fail(out, broken)
        else:
            self._finish(out, self._reason(raw), raw)

    def _reason(self, raw: str | None) -> FinishReason:
        """Our word for the finish. No word is a plain end."""
        called = self._blocks.saw_tool_call
        if raw is None:
            return "tool_calls" if called else "stop"
        return self.finishes.reason(raw, called=called)

    # How frames and ends are taken.

    def _take(self, frame: Frame, out: list[Event]) -> None:
        data = frame.data
        if data == _DONE or not data.strip():
            if data == _DONE:
                self._ended(out)
            return
        try:
            self._event(frame, out)
        except (
            ValueError,
            RecursionError,
        ) as error:  # msgspec's own errors and bad UTF-8 are ValueErrors
            if self._closing:
                self._fail(out, failure("upstream_truncated", CUT))
            else:
                self._malformed(out, str(error))

    def _ended(self, out: list[Event]) -> None:
        if self._finished and None not in self._finished.values():
            self._complete(out)
        else:
            super()._ended(out)

    def _whole(self, body: bytes, out: list[Event]) -> bool:
        try:
            event = self._as_event(loads(body))
        except NotJSONError:
            event = None
        if event is None:
            return False
        self._take(Frame("message", msgspec.json.encode(event), ""), out)
        if not self.done:
            self._complete(out)
        return True

    def _not_a_stream(self, body: bytes) -> Failure:
        return answer_failure(200, {}, body, self._error_of) or super()._not_a_stream(body)

    def _cite(self, out: list[Event], block: int) -> None:
        out += [Citation(block, source.url, source.title) for source in self._sources]
        self._sources, self._source_chars = [], 0

"""The vendor's bytes to events.

An answer is a row of chunks, each a whole response in small, and ends with the body: there is no
terminator. It is complete if every candidate that began has a finish reason; old models put one on
every chunk, and text and usage may follow it, so the end is said at the body's end. A prompt that
the vendor blocked has no candidate but `promptFeedback.blockReason`, which is the finish. Relays
that write what the vendor's Python SDK gave them spell the names with underscores.
"""

from typing import Any

import msgspec

from proxy.codec.cut_characters import RejoiningDecoder
from proxy.codec.finishes import Finishes, plain
from proxy.codec.framed import CUT, decoded
from proxy.codec.json_depth import shallow
from proxy.codec.lenient_json import loads
from proxy.dialects.gemini.candidates import Candidates
from proxy.dialects.gemini.errors import in_band
from proxy.dialects.gemini.frames import Frames
from proxy.dialects.gemini.spelling import has_underscores, in_camel_case
from proxy.dialects.gemini.usage import Counting
from proxy.dialects.gemini.wire import BROKEN, FINISH, NAME, NOTHING, Chunk
from proxy.errors import failure
from proxy.events import NO_USAGE, Event, Usage, UsageEvent, Vendor
from proxy.framing import BadFrame

_CHUNK = msgspec.json.Decoder(Chunk)
_chunk = _CHUNK.decode
_chunks = msgspec.json.Decoder(list[msgspec.Raw]).decode
_FINISHES = Finishes(FINISH)
_BROKEN = frozenset(map(plain, BROKEN))
_DONE = b"[DONE]"  # gateways add it
_MAX_WORD_CHARS = 100


class GeminiDecoder(RejoiningDecoder[bytes]):
    """One answer, in either of its two forms. See `Decoder`."""

    def __init__(self, max_event_bytes: int) -> None:
        self._frames = Frames(max_event_bytes)
        super().__init__(self._frames, max_event_bytes)
        self._candidates = Candidates(self._blocks)
        self._counting = Counting()
        self._said_usage = NO_USAGE
        self._blocked: str | None = None
        self._feedback = b""
        self._told: dict[str, bytes] = {}
        self._camel_case = False  # so the names are spelt, as a chunk has shown

    @property
    def usage(self) -> Usage:
        return self._counting.usage

    @property
    def answer_id(self) -> str:
        return self._candidates.answer

    def _take(self, frame: bytes, out: list[Event]) -> None:
        try:
            try:
                chunk = _chunk(frame)
            except (msgspec.DecodeError, UnicodeDecodeError):
                if not frame.strip() or frame == _DONE:
                    return
                if frame.lstrip().startswith(b"["):
                    self._several(frame, out)
                    return
                chunk = self._decoded(_CHUNK, frame)  # the slow way
            if not self._camel_case:
                self._camel_case = chunk.usage_metadata is not NOTHING
                if has_underscores(frame):
                    frame = in_camel_case(frame)
                    chunk = decoded(_CHUNK, frame)
            self._chunk(chunk, frame, out)
        except (ValueError, RecursionError) as error:  # msgspec's own errors are ValueErrors
            if self._closing:
                self._fail(out, failure("upstream_truncated", CUT))
            else:
                self._malformed(out, str(error))

    def _several(self, frame: bytes, out: list[Event]) -> None:
        """Chunks in a list, which a gateway made one event of. Raises ValueError."""
        for chunk in map(bytes, _chunks(frame)):
            if not self.done and chunk.startswith(b"{"):
                self._take(chunk, out)

    def _chunk(self, chunk: Chunk, frame: bytes, out: list[Event]) -> None:
        if chunk.response is not NOTHING and chunk.candidates is None:
            frame = bytes(chunk.response)
            chunk = decoded(_CHUNK, frame)
        if chunk.error is not None:
            self._fail(out, in_band(chunk.error))
            return
        if chunk.response_id and not self._candidates.answer:
            self._candidates.answer = chunk.response_id[:_MAX_WORD_CHARS]
        if chunk.usage_metadata is not NOTHING:
            self._counting.add(chunk.usage_metadata)
            # first of all what the prompt took, at the end all of it
            if self._said_usage is NO_USAGE:
                self._count(out)
        if chunk.candidates:
            self._candidates.take(chunk.candidates, frame, out)
        if chunk.create_time is not NOTHING or chunk.model_status is not NOTHING:
            self._beside(chunk, out)
        if chunk.prompt_feedback is not NOTHING:
            self._prompt(bytes(chunk.prompt_feedback), out)
        elif (
            chunk.candidates is None
            and chunk.usage_metadata is NOTHING
            and chunk.response_id is None
        ):
            out.append(Vendor(NAME, shallow(loads(frame))))

    def _beside(self, chunk: Chunk, out: list[Event]) -> None:
        """What is said of the answer as a whole, once, however often it is repeated."""
        for name, raw in (("createTime", chunk.create_time), ("modelStatus", chunk.model_status)):
            if raw is not NOTHING and bytes(raw) not in (b"null", self._told.get(name)):
                self._told[name] = bytes(raw)
                out.append(Vendor(NAME, shallow({name: loads(raw)})))

    def _prompt(self, said: bytes, out: list[Event]) -> None:
        """What the vendor thinks of the prompt, once; whether it was blocked."""
        if said in (b"null", b"{}", self._feedback):
            return
        self._feedback = said
        feedback = loads(said)
        reason = feedback.get("blockReason") if isinstance(feedback, dict) else None
        if reason:
            self._blocked = str(reason)[:_MAX_WORD_CHARS]
        out.append(Vendor(NAME, shallow({"promptFeedback": feedback})))

    def _count(self, out: list[Event]) -> None:
        usage = self._counting.usage
        if usage != self._said_usage:
            self._said_usage = usage
            out.append(UsageEvent(*msgspec.structs.astuple(usage)))

    def _rest(self) -> list[bytes]:
        return self._frames.close()

    def _ended(self, out: list[Event]) -> None:
        finishes = self._candidates.finishes
        if finishes and None not in finishes.values():
            self._complete(finishes, out)
        elif self._blocked is not None and not finishes:
            self._count(out)
            self._finish(out, "content_filter", self._blocked)
        elif (instead := self._frames.why_none()) is not None:
            self._fail(
                out,
                failure(
                    "upstream_malformed", f"The upstream answered, instead of a stream: {instead}"
                ),
            )
        else:
            self._fail(out, failure("upstream_truncated", CUT))

    def _complete(self, finishes: dict[int, str | None], out: list[Event]) -> None:
        first = next(iter(finishes))
        raw = finishes[first] or ""
        if plain(raw) in _BROKEN or _FINISHES.broken(raw) is not None:
            said = f"The model's answer was no good, as the vendor says: {raw}."
            self._fail(out, failure("upstream_error", said, code=raw))
            return
        try:
            self._candidates.end(out)
        except BadFrame as fault:
            self._malformed(out, str(fault))
            return
        self._count(out)
        rest: dict[str, Any] = {}
        if len(finishes) > 1:
            rest["candidates"] = [
                {"index": number, "finishReason": word}
                for number, word in finishes.items()
                if number != first
            ]
        if extras := self._counting.extras:
            rest["usageMetadata"] = extras
        if rest:
            self._blocks.end_all(out)
            out.append(Vendor(NAME, rest))
        reason = _FINISHES.reason(raw, called=self._candidates.called(first))
        self._finish(out, reason, raw)

"""What a chunk's choices say, as events: text, reasoning, tool calls, citations, and the vendors'
extras.

A refusal is text, in a text block; that it was one shows in the finish. Reasoning comes under three
names, of which one is shown. `<think>` tags in the text stay text.
"""

from collections.abc import Iterable
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec
from msgspec import Raw

from proxy.codec.blocks import Blocks
from proxy.codec.json_depth import shallow
from proxy.codec.lenient_json import loads, mended
from proxy.codec.openai.errors import VendorError, vendor_error
from proxy.codec.openai.finish_reasons import ERRORS, NOT_FINISHED
from proxy.dialects.openai_chat.calls import Calls
from proxy.dialects.openai_chat.wire import (
    CHOICE_EXTRAS,
    DELTA_EXTRAS,
    NAME,
    QUIET,
    CallPiece,
    Choice,
    Delta,
)
from proxy.events import Citation, Event, Vendor
from proxy.framing import FramingError

# Looked up together, in C, and compared with the last chunk's: what a vendor repeats in every chunk
# costs one comparison.
_rest_of_choice = attrgetter("finish_reason", "error", "usage", *CHOICE_EXTRAS)
_rest_of_delta = attrgetter(
    "reasoning_content",
    "reasoning",
    "reasoning_details",
    "refusal",
    "tool_calls",
    "function_call",
    "annotations",
    *DELTA_EXTRAS,
)
_MESSAGE = msgspec.json.Decoder(Delta)
# OpenAI's own limit of `n`.
_MAX_CHOICES = 128
_MAX_WORD_CHARS = 100  # of a finish reason
_MAX_REMEMBERED = 4096  # sources remembered so as not to tell them twice
# what stands beside a delta and is longer than this is looked at anew in each chunk
_MAX_BESIDE_BYTES = 4096


class Broken(NamedTuple):
    """A choice says that the answer failed."""

    error: VendorError


class Choices:
    """The state of every choice of one answer. `said` turns true with the first content."""

    def __init__(self, max_held_chars: int) -> None:
        self.blocks = Blocks(max_held_chars)
        self._calls = Calls(self.blocks, NAME, max_held_chars)
        # choice -> what stood beside its delta in the last chunk
        self._rests: dict[int, tuple[Any, ...]] = {}
        # hashes of the extras that went out as vendor events
        self._sent: dict[tuple[int, str], int] = {}
        self._finishes: dict[int, str] = {}
        self._cited: set[int] | None = None  # hashes
        self.said = False
        self.refused = False
        self.usage: Raw | None = None  # Moonshot's usage, which stands in a choice

    def take(self, out: list[Event], choice: Choice, answer_id: Any) -> Broken | None:
        """One choice of one chunk. Raises NotJSONError or msgspec.DecodeError for what is hidden in
        it and cannot be read, FramingError for a choice too many and for extras that are nested too
        deeply.
        """
        index = max(choice.index or 0, 0)
        rest = _rest_of_choice(choice)
        if rest != self._rests.get(index):
            self._remember(index, rest)
            broken = self._beside(out, index, rest)
            if broken is not None:
                return broken
        delta = choice.delta
        if delta is None:
            delta = self._instead(choice)
        if any(_rest_of_delta(delta)):
            self._full(out, index, delta, answer_id)
        elif content := delta.content:
            self.said = True
            if isinstance(content, str):
                self.blocks.text(out, content, index)
            else:
                self._parts(out, index, content)
        return None

    @property
    def finish(self) -> str | None:
        """The vendor's word for the end of the first choice that has ended."""
        return self._finishes[min(self._finishes)] if self._finishes else None

    @property
    def all_finished(self) -> bool:
        """Whether every choice that began has its finish reason."""
        return bool(self._finishes) and len(self._finishes) == len(self._rests)

    def end(self, out: list[Event], answer_id: Any) -> None:
        """The answer is complete: close everything."""
        self._calls.flush(out, answer_id)
        self.blocks.end_all(out)

    @staticmethod
    def _instead(choice: Choice) -> Delta:
        """What stands for the delta: `message` in an answer that was not streamed, `text` in a
        legacy completion, or nothing (Azure).
        """
        if choice.message in QUIET:
            return Delta(content=choice.text)
        try:
            return _MESSAGE.decode(choice.message)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return _MESSAGE.decode(mended(bytes(choice.message)))

    def _remember(self, index: int, rest: tuple[Any, ...]) -> None:
        """Raw values hold the whole chunk that they came in, and there is one row a choice: so
        copies are kept, and short ones only.
        """
        if index not in self._rests and len(self._rests) >= _MAX_CHOICES:
            raise FramingError(f"it holds more than {_MAX_CHOICES} answers")
        size = sum(
            memoryview(value).nbytes if isinstance(value, Raw) else len(value or "")
            for value in rest
        )
        self._rests[index] = (
            tuple(value.copy() if isinstance(value, Raw) else value for value in rest)
            if size <= _MAX_BESIDE_BYTES
            else ()
        )

    def _beside(self, out: list[Event], index: int, rest: tuple[Any, ...]) -> Broken | None:
        raw, error, usage, *extras = rest
        if error not in QUIET:
            return Broken(vendor_error({"error": loads(error)}) or VendorError(""))
        if usage not in QUIET:
            self.usage = usage
        told: dict[str, Any] = {}
        for name, value in zip(CHOICE_EXTRAS, extras, strict=True):
            if value not in QUIET and self._sent.get((index, name)) != (said := hash(bytes(value))):
                self._sent[index, name] = said
                told[name] = loads(value)
        if raw is not None and raw not in NOT_FINISHED:
            if raw.lower() in ERRORS:
                return Broken(
                    VendorError(
                        f"The upstream broke off its answer: its finish reason is {raw[:80]!r}.",
                        raw[:80],
                    )
                )
            raw = raw[:_MAX_WORD_CHARS]
            if self._finishes.get(index) != raw and index:
                told["finish_reason"] = raw  # the one finish of the stream is that of choice 0
            self._finishes[index] = raw
        if told:
            out.append(Vendor(NAME, shallow({"choices": [{"index": index, **told}]})))
        return None

    def _full(self, out: list[Event], index: int, delta: Delta, answer_id: Any) -> None:
        """A delta that holds more than text: reasoning comes before the text, calls and citations
        after it.
        """
        self._reasoning(out, index, delta)
        for text in (delta.content, delta.refusal):
            if not text:
                continue
            self.said = True
            if isinstance(text, str):
                self.blocks.text(out, text, index)
            else:
                self._parts(out, index, text)
        self.refused = self.refused or bool(delta.refusal)
        calls = delta.tool_calls
        pieces: Iterable[CallPiece] = (
            () if not calls else calls if isinstance(calls, list) else (calls,)
        )
        if delta.function_call is not None:
            pieces = (*pieces, CallPiece(index=-1, function=delta.function_call))
        for position, piece in enumerate(pieces):
            self.said = True
            self._calls.piece(out, index, position, piece, answer_id)
        self._annotations(out, index, delta.annotations or [])
        extras = {name: value for name in DELTA_EXTRAS if (value := getattr(delta, name))}
        if extras:
            self._vendor(out, index, extras)

    def _reasoning(self, out: list[Event], index: int, delta: Delta) -> None:
        text = delta.reasoning_content or delta.reasoning
        signature = None
        opaque = []
        for detail in delta.reasoning_details or ():
            if not isinstance(detail, dict):
                continue
            piece = detail.get("text") or detail.get("summary")
            if isinstance(piece, str) and not delta.reasoning_content and not delta.reasoning:
                # Snowflake says it nowhere else; OpenRouter says it twice
                text = (text or "") + piece
            found = detail.get("signature")
            signature = found if isinstance(found, str) and found else signature
            if detail.get("data"):
                opaque.append(detail)  # encrypted reasoning: kept, not understood
        if isinstance(text, str) and text:
            self.said = True
            self.blocks.reasoning(out, text, index)
        if signature is not None:
            self.blocks.end_reasoning(out, index, signature)
        if opaque:
            self._vendor(out, index, {"reasoning_details": opaque})

    def _parts(self, out: list[Event], index: int, parts: list[Any]) -> None:
        """Mistral's typed parts. What is neither text nor thinking is kept as it is."""
        opaque = []
        for part in parts:
            match part:
                case "" | {"type": "text", "text": ""}:
                    pass  # would open a block for nothing
                case str(text) | {"type": "text", "text": str(text)}:
                    self.blocks.text(out, text, index)
                case {"type": "thinking", "thinking": thinking}:
                    if text := _joined(thinking):
                        self.blocks.reasoning(out, text, index)
                case _:
                    opaque.append(part)
        if opaque:
            self._vendor(out, index, {"content": opaque})

    def _annotations(self, out: list[Event], index: int, annotations: list[Any]) -> None:
        opaque = []
        for annotation in annotations:
            match annotation:
                case {"type": "url_citation", "url_citation": dict(said)}:
                    self._cite(out, index, said)
                case _:
                    opaque.append(annotation)
        if opaque:
            self._vendor(out, index, {"annotations": opaque})

    def _cite(self, out: list[Event], index: int, said: dict[str, Any]) -> None:
        url, title, text = (
            value if isinstance(value := said.get(key), str) else None
            for key in ("url", "title", "content")
        )
        start, end = (
            value if type(value := said.get(key)) is int and value >= 0 else None
            for key in ("start_index", "end_index")
        )
        if start is not None and end is not None and end < start:
            start = end = None
        citation = Citation(index, url, title, text, start, end)
        key = hash(citation)  # keyed by choice, as blocks may change
        if self._cited is None:
            self._cited = set()
        if key not in self._cited:
            if len(self._cited) < _MAX_REMEMBERED:
                self._cited.add(key)
            out.append(msgspec.structs.replace(citation, block=self.blocks.open_text(out, index)))

    @staticmethod
    def _vendor(out: list[Event], index: int, delta: dict[str, Any]) -> None:
        out.append(Vendor(NAME, shallow({"choices": [{"index": index, "delta": delta}]})))


def _joined(thinking: Any) -> str:
    """Thinking is a text, or a list of text parts."""
    if isinstance(thinking, str):
        return thinking
    parts = thinking if isinstance(thinking, list) else []
    return "".join(
        part["text"]
        for part in parts
        if isinstance(part, dict) and isinstance(part.get("text"), str)
    )

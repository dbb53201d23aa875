"""What tests of several parts share: the recordings, splits of bytes, and a strict check of the
grammar of events.

The recordings are real vendors' bytes. They are no part of the project: they lie in the folder that
MAINSTEM_RECORDINGS names, or in `shared/recordings` beside the checkout. Where they are absent,
tests marked `needs_recordings` are skipped.
"""

import json
import os
import random
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from _pytest.mark.structures import ParameterSet
from msgspec import UNSET

from proxy.codec.base import Decoder
from proxy.errors import KINDS, Failure
from proxy.events import (
    TERMINAL,
    BlockEnd,
    BlockStart,
    Citation,
    Event,
    Finish,
    Image,
    ReasoningDelta,
    StreamEnd,
    StreamError,
    StreamStart,
    TextDelta,
    TextRewrite,
    ToolCallDelta,
    Usage,
    UsageEvent,
    Vendor,
)
from tests import aws_frames

_CHECKOUT = Path(__file__).resolve().parents[1]
# As many files as there are where they are present; said when they are not.
_RECORDINGS = 318
_LARGE = 10_000  # bytes
# Dialects whose SSE frames name the event, and name it as the JSON's own `type`.
_NAMED_FRAMES = frozenset({"anthropic", "openai_responses", "cohere"})
_FINISHES = frozenset({"stop", "length", "tool_calls", "content_filter", "refusal", "other"})


def recordings_dir() -> Path | None:
    """The folder of recordings, if it is there."""
    named = os.environ.get("MAINSTEM_RECORDINGS")
    folder = Path(named) if named else _CHECKOUT.parent / "shared" / "recordings"
    return folder if (folder / "facts.jsonl").is_file() else None


needs_recordings = pytest.mark.skipif(
    recordings_dir() is None,
    reason=f"{_RECORDINGS} recordings not tested: set MAINSTEM_RECORDINGS to their folder",
)


@cache
def _all_facts() -> tuple[dict[str, Any], ...]:
    folder = recordings_dir()
    if folder is None:
        return ()
    lines = (folder / "facts.jsonl").read_text("utf-8").splitlines()
    return tuple(json.loads(line) for line in lines)


def facts(dialect: str, *, errors: bool = False) -> list[dict[str, Any]]:
    """The rows of facts.jsonl of a dialect that are streams; with `errors`, those that are bodies
    of HTTP errors instead."""
    return [
        row
        for row in _all_facts()
        if row["dialect"] == dialect and row.get("error_body", False) is errors
    ]


def large_are_slow(rows: Iterable[dict[str, Any]]) -> list[ParameterSet]:
    """The files' names, as parameters of a test that cuts each in every way; the large ones, a
    fifth of all, are three quarters of the work and are left out of `make quick`."""
    return [
        pytest.param(row["file"], marks=[pytest.mark.slow] if row["bytes"] > _LARGE else [])
        for row in rows
    ]


def recording_bytes(row: dict[str, Any]) -> bytes:
    """A row's bytes as they were on the wire. Files that hold one payload a line get their SSE
    framing back."""
    folder = recordings_dir()
    assert folder is not None, "mark the test with needs_recordings"
    data: bytes = (folder / row["file"]).read_bytes()
    if not row["file"].endswith(".chunks.jsonl"):
        return data
    named = row["dialect"] in _NAMED_FRAMES
    return b"".join(_sse(line, named=named) for line in data.splitlines() if line.strip())


def body_of(row: dict[str, Any]) -> bytes:
    """A recording as it was on the wire, also where AWS's messages were kept one payload a line."""
    if row["dialect"] != "bedrock_converse" or row["file"].endswith(".bin"):
        return recording_bytes(row)
    folder = recordings_dir()
    assert folder is not None, "mark the test with needs_recordings"
    lines = [json.loads(line) for line in (folder / row["file"]).read_bytes().splitlines()]
    return b"".join(
        aws_frames.event(kind, payload) for line in lines for kind, payload in line.items()
    )


def seed_bytes(name: str) -> bytes:
    """A file of the recordings' `seed` folder: captures of the founding post's own systems."""
    folder = recordings_dir()
    assert folder is not None, "mark the test with needs_recordings"
    return (folder / "seed" / name).read_bytes()


def _sse(payload: bytes, *, named: bool) -> bytes:
    kind = json.loads(payload).get("type") if named else None
    return (f"event: {kind}\n".encode() if kind else b"") + b"data: " + payload + b"\n\n"


def splits(data: bytes, seed: int = 0) -> Iterator[list[bytes]]:
    """Ways to cut the same bytes: whole; byte by byte; behind each line end; behind each event, as
    most vendors write them; and at random with small, middling and large pieces.
    """
    yield [data]
    yield [data[at : at + 1] for at in range(len(data))]
    yield data.splitlines(keepends=True)
    yield [piece for piece in re.split(rb"(?<=\n\n)(?!\n)|(?<=\r\n\r\n)(?!\r)", data) if piece]
    rng = random.Random(seed)
    for longest in (3, 40, 700, max(len(data) // 2, 1)):
        yield _cut(data, rng, longest)


def _cut(data: bytes, rng: random.Random, longest: int) -> list[bytes]:
    chunks = []
    at = 0
    while at < len(data):
        size = rng.randint(1, longest)
        chunks.append(data[at : at + size])
        at += size
    return chunks


def decode(decoder: Decoder, chunks: Sequence[bytes]) -> list[Event]:
    """What a decoder makes of a body that ends cleanly, after checking that it kept its
    contract."""
    events: list[Event] = []
    for chunk in chunks:
        was_done = decoder.done
        new = decoder.feed(chunk)
        assert not (was_done and new), f"events after the terminal one: {new}"
        events += new
        assert decoder.done == (bool(events) and isinstance(events[-1], TERMINAL)), (
            f"done is {decoder.done} after {events[-3:]}"
        )
    was_done = decoder.done
    new = decoder.close()
    assert not (was_done and new), f"events after the terminal one: {new}"
    events += new
    assert decoder.done, "close gave no terminal event"
    check_grammar(events)
    for event in events:
        assert not isinstance(event, StreamStart), "stream.start is the relay's"
        if isinstance(event, StreamEnd):
            assert event.timing is None, "timing is the relay's"
        if isinstance(event, StreamError):
            assert event.error.upstream is None, "the name of the upstream is the relay's"
        msgspec.json.encode(event)
    return events


def check_grammar(events: Sequence[Event]) -> None:
    """Raise AssertionError, with the events, unless they are one whole stream of the grammar in
    proxy/events.py."""
    checker = _Grammar()
    for at, event in enumerate(events):
        problem = checker.problem(at, event)
        if problem:
            raise AssertionError(_report(events, at, problem))
    if not checker.ended:
        raise AssertionError(_report(events, len(events), "no terminal event"))


def _report(events: Sequence[Event], at: int, problem: str) -> str:
    lines = [f"{'>>' if i == at else '  '} {i}: {event!r}" for i, event in enumerate(events)]
    shown = lines[max(0, at - 200) : at + 20]
    return "\n".join([f"event {at}: {problem}", *shown])


class _Grammar:
    """The grammar as a machine of its own: it knows nothing of how decoders keep it."""

    def __init__(self) -> None:
        self.open: dict[int, str] = {}  # block -> kind
        self.chars: dict[int, int] = {}  # text block -> its length
        self.used: set[int] = set()
        self.ended = False

    def problem(self, at: int, event: Event) -> str | None:
        if self.ended:
            return "comes after the terminal event"
        match event:
            case StreamStart():
                return "stream.start is not first" if at else None
            case BlockStart():
                return self._start(event)
            case TextDelta(block, text):
                self.chars[block] = self.chars.get(block, 0) + len(text)
                return self._in(block, "text") or _filled(text)
            case TextRewrite():
                return self._rewrite(event)
            case ReasoningDelta(block, text):
                return self._in(block, "reasoning") or _filled(text)
            case ToolCallDelta(block, arguments):
                return self._in(block, "tool_call") or _filled(arguments)
            case Citation():
                return self._in(event.block, "text") or _span(event)
            case BlockEnd():
                return self._end(event)
            case UsageEvent():
                return _counts(event)
            case Image(url):
                return None if url else "a picture without its address"
            case Vendor(dialect):
                return None if dialect else "vendor without its dialect"
            case StreamEnd(finish, usage):
                self.ended = True
                left = f"stream.end with open blocks {self.open}" if self.open else None
                return left or _finish(finish) or _counts(usage)
            case StreamError(error, usage):
                self.ended = True
                return _failure(error) or _counts(usage)
            case _:
                return f"is no event: {type(event).__name__}"

    def _start(self, event: BlockStart) -> str | None:
        if type(event.block) is not int or event.block < 0:
            return "a block's number is an integer from 0"
        if event.block in self.used:
            return "the block's number was used before"
        if event.kind not in ("text", "reasoning", "tool_call"):
            return f"unknown kind {event.kind!r}"
        if (event.kind == "tool_call") != (event.tool is not UNSET):
            return "`tool` goes with tool calls, and only with them"
        if event.tool is not UNSET and not (
            isinstance(event.tool.id, str) and event.tool.id and isinstance(event.tool.name, str)
        ):
            return "a tool has an id that is not empty, and a name"
        if event.choice is not UNSET and (type(event.choice) is not int or event.choice < 0):
            return "`choice` is an integer from 0"
        self.used.add(event.block)
        self.open[event.block] = event.kind
        return None

    def _in(self, block: int, kind: str) -> str | None:
        opened = self.open.get(block)
        if opened is None:
            return (
                "the block was closed before"
                if block in self.used
                else "the block was never opened"
            )
        return None if opened == kind else f"does not go into a {opened} block"

    def _rewrite(self, event: TextRewrite) -> str | None:
        wrong = self._in(event.block, "text")
        had = self.chars.get(event.block, 0)
        if wrong or not 0 <= event.keep <= had:
            return wrong or f"cannot keep {event.keep} of {had} code points"
        self.chars[event.block] = event.keep + len(event.text)
        return "changes nothing" if event.keep == had and not event.text else None

    def _end(self, event: BlockEnd) -> str | None:
        opened = self.open.pop(event.block, None)
        if opened is None:
            return "ends a block that is not open"
        return (
            "`signature` is for reasoning and for calls"
            if event.signature is not UNSET and opened == "text"
            else None
        )


def _filled(text: Any) -> str | None:
    return None if isinstance(text, str) and text else "an empty delta is not sent"


def _span(event: Citation) -> str | None:
    start, end = event.start, event.end
    if (start is not None and start < 0) or (end is not None and end < 0):
        return "start and end count from 0"
    return "end is before start" if start is not None and end is not None and end < start else None


def _counts(usage: Usage | UsageEvent) -> str | None:
    numbers = (
        usage.input_tokens,
        usage.output_tokens,
        usage.cached_input_tokens,
        usage.reasoning_tokens,
    )
    good = all(n is None or (type(n) is int and n >= 0) for n in numbers)
    return None if good else "a count is an integer from 0, or null"


def _finish(finish: Finish) -> str | None:
    if finish.reason not in _FINISHES:
        return f"unknown reason {finish.reason!r}"
    return (
        None
        if finish.raw is None or isinstance(finish.raw, str)
        else "`raw` is the vendor's word, or null"
    )


def _failure(error: Failure) -> str | None:
    if error.kind not in KINDS:
        return f"unknown kind {error.kind!r}"
    if not (isinstance(error.message, str) and error.message.strip()):
        return "a failure says what happened"
    return (
        None
        if type(error.status) is int and 400 <= error.status < 600
        else f"{error.status!r} is no status of a failure"
    )

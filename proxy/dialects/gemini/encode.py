"""Events to this vendor's chunks, as server-sent events or as one JSON array.

A chunk is built once per block, with a gap where the text goes: what a delta costs is encoding its
text. A call goes out whole when it is complete. The last chunk has the finish, the sources and the
usage; there is no terminator beyond it (of an array its bracket). A failed stream ends in a chunk
with `error`, and no finish.

What this form has no place for: `vendor` events of other dialects. Those of this one go through in
their own place.
"""

from typing import Any

import msgspec
from msgspec import UNSET

from proxy.codec.base import JSON, SSE, Encoder, Parsed
from proxy.dialects.gemini.citations import Said
from proxy.dialects.gemini.errors import error_object
from proxy.dialects.gemini.shapes import (
    Sourced,
    call_part,
    extras,
    finish_word,
    grounding,
    head,
    image_part,
    signature_of,
    signed,
)
from proxy.dialects.gemini.usage import on_wire
from proxy.events import (
    BlockEnd,
    BlockStart,
    Citation,
    Event,
    Image,
    ReasoningDelta,
    StreamEnd,
    StreamError,
    StreamStart,
    TextDelta,
    Tool,
    ToolCallDelta,
    Vendor,
)

_json = msgspec.json.Encoder().encode
_COMMA = b",\r\n"
_GAP = b"\0"  # stands for the text in a chunk that is built beforehand; no JSON text holds one


class _Call(msgspec.Struct, eq=False):
    tool: Tool
    choice: int
    before: str | None  # the signature of the reasoning before it
    pieces: list[str]


def encoder(parsed: Parsed) -> Encoder:
    """See `ClientHalf.encoder`."""
    options = parsed.options
    return GeminiEncoder(sse=options.sse, thoughts=options.thoughts, wrapped=options.wrapped)


class GeminiEncoder(Encoder):
    """One streamed answer. `sse`: as events; else as an array. `thoughts`: reasoning is shown."""

    # The vendor's Python SDK takes a comment for a broken chunk, an older JavaScript one a blank
    # line; in an array white space is nothing.
    heartbeat = b""
    gathers = frozenset({ToolCallDelta, Citation})

    def __init__(self, *, sse: bool, thoughts: bool = True, wrapped: bool = False) -> None:
        self.content_type = SSE if sse else JSON
        self._before, self._after = (b"data: ", b"\r\n\r\n") if sse else (_COMMA, b"")
        self._bare = self._before, self._after
        if wrapped:
            self._before, self._after = self._before + b'{"response":', b"}" + self._after
        if not sse:
            self.heartbeat = b"\n"
        self._sse = sse
        self._thoughts = thoughts
        self._begun = sse  # an array's first chunk has a bracket in place of its comma
        self._head: dict[str, Any] = head(None)
        # open block -> its delta's chunk, before and after the text; its choice
        self._frames: dict[int, tuple[bytes, bytes, int]] = {}
        self._calls: dict[int, _Call] = {}  # open
        self._signatures: dict[int, str] = {}  # choice -> signature for its next part
        self._said: dict[int, Said] = {0: Said()}  # choices that began
        self._sources: dict[int, list[Sourced]] = {}
        self._finishes: dict[int, str] = {}  # choices whose finish is not the stream's
        self._usage_more: dict[str, Any] = {}
        self._cited = False  # the vendor's own words name the sources
        self._blocked = False

    def encode(self, event: Event) -> bytes:
        if isinstance(event, TextDelta):
            before, after, choice = self._frames[event.block]
            self._said[choice].add(event.block, event.text)
            if self._signatures and choice in self._signatures:
                return self._parts(
                    choice, signed({"text": event.text}, self._signatures.pop(choice))
                )
            return self._framed(before + _json(event.text) + after)
        if isinstance(event, ReasoningDelta):
            before, after, _ = self._frames[event.block]
            return self._framed(before + _json(event.text) + after) if self._thoughts else b""
        if isinstance(event, ToolCallDelta):
            self._calls[event.block].pieces.append(event.arguments)
            return b""
        match event:
            case BlockStart():
                return self._start(event)
            case BlockEnd():
                return self._end_block(event)
            case StreamStart():
                self._head = head(event)
            case Citation():
                choice = self._frames[event.block][2]
                place = self._said[choice].on_wire(event.block, event.start, event.end)
                self._sources.setdefault(choice, []).append(Sourced(event, place))
            case Image():
                return self._image(event)
            case Vendor():
                return self._vendor(event)
            case StreamEnd():
                return self._end(event)
            case StreamError():
                before, after = self._bare  # an error has no wrapper
                frame = before + _json(error_object(event.error)) + after
                return self._framed(frame) + self._close()
        # Usage waits for the end. A text.rewrite never comes here: `rewrites` is false, so a filter
        # before this encoder holds text back.
        return b""

    def _framed(self, frame: bytes) -> bytes:
        if self._begun:
            return frame
        self._begun = True
        return b"[" + frame.removeprefix(_COMMA)

    def _chunk(self, chunk: dict[str, Any]) -> bytes:
        return self._framed(self._before + _json(chunk) + self._after)

    def _parts(self, choice: int, *parts: dict[str, Any]) -> bytes:
        return self._chunk({"candidates": [_candidate(choice, *parts)], **self._head})

    def _close(self) -> bytes:
        return b"" if self._sse else b"\n]"

    def _start(self, event: BlockStart) -> bytes:
        choice = event.choice or 0
        self._said.setdefault(choice, Said())
        if event.kind == "tool_call":
            assert isinstance(event.tool, Tool)
            self._calls[event.block] = _Call(
                event.tool, choice, self._signatures.pop(choice, None), []
            )
            return b""
        part: dict[str, Any] = {"text": msgspec.Raw(_GAP)}
        if event.kind == "reasoning":
            part["thought"] = True
        before, _, after = _json(
            {"candidates": [_candidate(choice, part)], **self._head}
        ).partition(_GAP)
        self._frames[event.block] = self._before + before, after + self._after, choice
        return b""

    def _end_block(self, event: BlockEnd) -> bytes:
        call = self._calls.pop(event.block, None)
        if call is not None:
            return self._call_parts(call, event)
        choice = self._frames.pop(event.block)[2]
        if event.signature is UNSET:
            return b""
        unsaid = self._signatures.get(choice)
        self._signatures[choice] = signature_of(event)
        return b"" if unsaid is None else self._parts(choice, signed({"text": ""}, unsaid))

    def _call_parts(self, call: _Call, end: BlockEnd) -> bytes:
        """A call with its own signature, else with that of the reasoning before it."""
        part = call_part(call.tool, "".join(call.pieces))
        if end.signature is UNSET:
            return self._parts(call.choice, signed(part, call.before))
        own = signed(part, signature_of(end, call.tool.id))
        if call.before is None:
            return self._parts(call.choice, own)
        return self._parts(call.choice, signed({"text": ""}, call.before), own)

    def _image(self, event: Image) -> bytes:
        choice = event.choice or 0
        self._said.setdefault(choice, Said())
        return self._parts(choice, signed(image_part(event), self._signatures.pop(choice, None)))

    def _vendor(self, event: Vendor) -> bytes:
        said = extras(event)
        self._usage_more.update(said.usage)
        self._cited = self._cited or said.cites
        self._blocked = self._blocked or said.blocks
        candidates = []
        for candidate in said.candidates:
            if isinstance(candidate.get("finishReason"), str):
                self._finishes[candidate["index"]] = candidate["finishReason"]
            if candidate.keys() - {"index", "finishReason"}:
                candidates.append(
                    {key: value for key, value in candidate.items() if key != "finishReason"}
                )
        if not said.chunk and not candidates:
            return b""
        return self._chunk(
            {**said.chunk, **({"candidates": candidates} if candidates else {}), **self._head}
        )

    def _end(self, event: StreamEnd) -> bytes:
        last: dict[str, Any] = {}
        if not self._blocked:
            word = finish_word(event.finish)
            last["candidates"] = [
                self._last(choice, self._finishes.get(choice, word))
                for choice in sorted(self._said)
            ]
        if usage := on_wire(event.usage, self._usage_more):
            last["usageMetadata"] = usage
        return self._chunk({**last, **self._head}) + self._close()

    def _last(self, choice: int, word: str) -> dict[str, Any]:
        """A candidate's end. Its part is empty, as clients look for one, unless a signature waits
        for it.
        """
        last = _candidate(choice, signed({"text": ""}, self._signatures.pop(choice, None)))
        sources = self._sources.get(choice)
        if sources and not self._cited:
            last["groundingMetadata"] = grounding(sources)
        return {**last, "finishReason": word}


def _candidate(choice: int, *parts: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"parts": list(parts), "role": "model"}, "index": choice}

"""The chunks of models that are no chat models to events. Each is one server-sent event here: see
`decode`.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw

from proxy.codec.counts import count
from proxy.codec.failures import Told
from proxy.codec.finishes import Finishes
from proxy.codec.sse_json import SSEJSONDecoder
from proxy.codec.tool_calls import made_id
from proxy.dialects.bedrock_invoke import wire
from proxy.events import NO_USAGE, Citation, Event, Tool, Usage
from proxy.framing.sse_frame import Frame

_CHUNK = msgspec.json.Decoder(wire.Chunk)
_INTERVENED = "INTERVENED"
# What Cohere's last chunk says again.
_REPEATED = frozenset({"text", "chat_history", "finish_reason", "generations", "prompt"})


class CompletionDecoder(SSEJSONDecoder):
    """One answer. See `Decoder`."""

    name = wire.NAME
    finishes = Finishes(wire.FINISHES)

    def __init__(self, max_event_bytes: int) -> None:
        super().__init__(max_event_bytes)
        self._running = NO_USAGE  # Llama counts in every chunk: that is no event
        self._said = False
        self._called = 0
        self._guarded = False

    @property
    def usage(self) -> Usage:
        return self._running if self._usage == NO_USAGE else self._usage

    def _event(self, frame: Frame, out: list[Event]) -> None:
        chunk = self._decoded(_CHUNK, frame.data)
        self._guarded |= chunk.guardrail == _INTERVENED
        text, finish = _text(chunk), _finish(chunk)
        if not text and not self._said and chunk.generations:
            # the whole answer in one chunk; after pieces it is only their repetition
            text = chunk.generations[0].text
        if text:
            self._said = True
            self._text(out, text)
        self._extras(chunk, out)
        self._running = _running(chunk, self._running)
        if chunk.metrics is not None:
            self._count(
                out,
                Usage(
                    count(chunk.metrics.input_token_count), count(chunk.metrics.output_token_count)
                ),
            )
        self._choice(0, finish)
        if finish is not None and finish.lower() in wire.BROKEN:
            self._broken(out, Told("The model's answer cannot be used.", finish))

    def _ended(self, out: list[Event]) -> None:
        """A guardrail that blocked the answer gives its text in one chunk, without a finish."""
        if self._guarded and self._finished.get(0, "") is None:
            self._choice(0, _INTERVENED)
        super()._ended(out)

    def _extras(self, chunk: wire.Chunk, out: list[Event]) -> None:
        """What Cohere says beside the text."""
        for call in chunk.tool_calls or ():
            key = self._called
            self._called += 1
            self._blocks.open_call(out, key, Tool(made_id("", key), call.name))
            self._blocks.arguments(out, key, msgspec.json.encode(call.parameters).decode())
        if chunk.citations:
            block = self._blocks.open_text(out)
            out += [_citation(block, one) for one in chunk.citations]
        rest = {key: value for key, value in (chunk.response or {}).items() if key not in _REPEATED}
        response = Raw(msgspec.json.encode(rest))
        self._tell(
            out,
            search_queries=chunk.search_queries,
            search_results=chunk.search_results,
            documents=chunk.documents,
            response=response,
        )

    # errors are messages of the event stream
    def _error_of(self, _document: Mapping[str, Any]) -> Told | None:
        return None


def _text(chunk: wire.Chunk) -> str | None:
    if chunk.outputs:
        return chunk.outputs[0].text
    return chunk.text or chunk.generation or chunk.output_text or chunk.completion


def _finish(chunk: wire.Chunk) -> str | None:
    found = chunk.finish_reason or chunk.stop_reason or chunk.completion_reason
    first = next(iter(chunk.outputs or chunk.generations or ()), None)
    return found or (first.stop_reason or first.finish_reason if first is not None else None)


def _running(chunk: wire.Chunk, known: Usage) -> Usage:
    """What the model itself counted so far."""
    inputs = count(
        chunk.prompt_token_count
        if chunk.prompt_token_count is not None
        else chunk.input_text_token_count
    )
    output = count(
        chunk.generation_token_count
        if chunk.generation_token_count is not None
        else chunk.total_output_text_token_count
    )
    if inputs is None and output is None:
        return known
    return Usage(
        known.input_tokens if inputs is None else inputs,
        known.output_tokens if output is None else output,
    )


def _citation(block: int, said: wire.Cited) -> Citation:
    """Places that cannot be are unknown."""
    start, end = _place(said.start), _place(said.end)
    if start is not None and end is not None and end < start:
        start = end = None
    return Citation(block, text=said.text, start=start, end=end)


def _place(value: int | None) -> int | None:
    return value if value is not None and value >= 0 else None

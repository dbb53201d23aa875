"""DashScope's events to ours. The body ends without a terminator, after an event with a finish
reason.

Whether an event has a new piece or the whole text so far was said in the request (see `build`), not
in the answer, and is told by its second piece.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

import msgspec

from proxy.codec.counts import count
from proxy.codec.failures import Told, read_error
from proxy.codec.finishes import Finishes
from proxy.codec.snapshots import Snapshots
from proxy.codec.sse_json import Source, SSEJSONDecoder
from proxy.dialects.dashscope import wire
from proxy.dialects.dashscope.errors import error_of, told
from proxy.events import Event, Usage
from proxy.framing.sse_frame import Frame

_EVENT = msgspec.json.Decoder(wire.Event)


class DashScopeDecoder(SSEJSONDecoder):
    """Option `incremental_output` is the request's."""

    name = wire.NAME
    finishes: ClassVar[Finishes] = Finishes(
        {
            "stop": "stop",
            "length": "length",
            "tool_calls": "tool_calls",
            "content_filter": "content_filter",
        }
    )

    def __init__(self, max_event_bytes: int, options: Mapping[str, Any]) -> None:
        super().__init__(max_event_bytes)
        self._snapshots = Snapshots(
            max_event_bytes, whole=options.get("incremental_output") is False
        )

    def _event(self, frame: Frame, out: list[Event]) -> None:
        if frame.event == "error":
            said = read_error(frame.data)
            self._broken(out, told(said.code or "", said.message))
            return
        event = self._decoded(_EVENT, frame.data)
        if event.output is None:
            if event.code:
                self._broken(out, told(str(event.code), event.message or ""))
            return
        if event.request_id:
            self._calls.seed = event.request_id
        self._output(event.output, out)
        if event.usage is not None:
            self._count(out, _usage(event.usage))

    def _output(self, output: wire.Output, out: list[Event]) -> None:
        if output.search_info is not None:
            self._found(
                Source(page.url, page.title) for page in output.search_info.search_results or ()
            )
        if output.choices is None:
            choice, last = self._choice(0, output.finish_reason), self._is_last(output)
            new = self._snapshots.new(("text", choice), output.text or "", last=last)
            self._text(out, new, choice)
        for entry in output.choices or ():
            choice = self._choice(entry.index, entry.finish_reason)
            if entry.message is not None:
                self._message(entry.message, choice, out, last=self._is_last(entry))
            self._tell(out, logprobs=entry.logprobs)

    def _is_last(self, said: wire.Output | wire.Choice) -> bool:
        return said.finish_reason is not None and said.finish_reason not in self.unfinished

    def _message(self, message: wire.Message, choice: int, out: list[Event], *, last: bool) -> None:
        new = partial(self._snapshots.new, last=last)
        self._reasoning(out, new(("reasoning", choice), message.reasoning_content or ""), choice)
        self._text(out, new(("text", choice), _text(message.content)), choice)
        for position, piece in enumerate(message.tool_calls or ()):
            index = position if piece.index is None else piece.index
            function = piece.function or wire.FunctionPiece()
            arguments = new(("call", choice, index), function.arguments or "")
            self._calls.piece(
                out, index, function.name or "", arguments, call_id=piece.id or "", choice=choice
            )

    def _as_event(self, document: Any) -> dict[str, Any] | None:
        match document:
            case {"output": dict()}:
                return {**document}
        return None

    def _error_of(self, document: Mapping[str, Any]) -> Told | None:
        return error_of(document)


def _text(content: str | list[Any] | None) -> str:
    """The text of a content; of the multimodal endpoint's parts, those that are text."""
    if isinstance(content, list):
        return "".join(
            part["text"]
            for part in content
            if isinstance(part, dict) and isinstance(part.get("text"), str)
        )
    return content or ""


def _usage(counts: wire.Counts) -> Usage:
    if counts.models:
        return Usage(
            sum(count(model.input_tokens) or 0 for model in counts.models),
            sum(count(model.output_tokens) or 0 for model in counts.models),
        )
    cached = (
        counts.prompt_tokens_details.cached_tokens
        if counts.prompt_tokens_details is not None
        else None
    )
    reasoning = (
        counts.output_tokens_details.reasoning_tokens
        if counts.output_tokens_details is not None
        else None
    )
    return Usage(
        count(counts.input_tokens), count(counts.output_tokens), count(cached), count(reasoning)
    )

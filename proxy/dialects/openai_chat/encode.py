"""Events to OpenAI's chunks.

A chunk is built once per block, with a gap where the text goes: what a delta costs is encoding its
text. The first chunk says the role; the finish, the usage (if the client asked for it) and `[DONE]`
come at the end. A failed stream ends in a chunk with `error`, and neither a finish nor `[DONE]`.

What this form has no place for: citations without an address, a reasoning's signature, and `vendor`
events of other dialects. Those of this dialect go through in their own place, in a chunk that says
nothing else, as its clients know them. Refusals come as content.
"""

from typing import Any, ClassVar

import msgspec

from proxy.codec.base import Encoder
from proxy.codec.openai.render_error import error_object
from proxy.codec.openai.usage import usage_object
from proxy.dialects.openai_chat.shapes import annotation, extras, finish_word, other_finish
from proxy.events import (
    BlockEnd,
    BlockStart,
    Citation,
    Event,
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
_DONE = b"data: [DONE]\n\n"
# shared: an empty set of its own is 216 bytes of every open stream
_NONE: frozenset[int] = frozenset()
_GAP = b"\0"  # stands for the text in a chunk that is built beforehand; no JSON text holds one


class ChatEncoder(Encoder):
    """One streamed answer. `include_usage`: the client asked for the usage; then every chunk has
    the key, null but in the last.
    """

    reasoning: ClassVar = b'{"reasoning_content":%b}'  # a delta of reasoning, around its text

    def __init__(self, *, include_usage: bool) -> None:
        self._include_usage = include_usage
        self._head: dict[str, Any] = {}
        self._before = b""
        self._after = b'],"usage":null}\n\n' if include_usage else b"]}\n\n"
        # block -> its delta's chunk, before and after the text; its choice
        self._frames: dict[int, tuple[bytes, bytes, int]] = {}
        # choice beyond the first, or with tool calls -> tool calls so far
        self._calls: dict[int, int] = {}
        self._without_arguments = _NONE
        self._finishes: dict[int, str] = {}  # choices whose finish is not the stream's
        self._usage_extras: dict[str, Any] = {}

    def encode(self, event: Event) -> bytes:
        if isinstance(event, TextDelta | ReasoningDelta):
            before, after, _ = self._frames[event.block]
            return before + _json(event.text) + after
        if isinstance(event, ToolCallDelta):
            self._without_arguments -= {event.block}
            before, after, _ = self._frames[event.block]
            return before + _json(event.arguments) + after
        match event:
            case StreamStart():
                return self._start(event)
            case BlockStart():
                return self._block(event)
            case BlockEnd(block):
                # Clients parse the arguments as JSON, always.
                last = (
                    self.encode(ToolCallDelta(block, "{}"))
                    if block in self._without_arguments
                    else b""
                )
                del self._frames[block]
                return last
            case Citation():
                said = annotation(event)
                return (
                    b""
                    if said is None
                    else self._chunk(self._frames[event.block][2], _json({"annotations": [said]}))
                )
            case Vendor():
                return self._vendor(event)
            case StreamEnd():
                return self._end(event)
            case StreamError():
                return b"data: " + _json({"error": error_object(event.error)}) + b"\n\n"
        # Usage waits for the end. A text.rewrite never comes here: `rewrites` is false, so a filter
        # before this encoder holds text back.
        return b""

    def _start(self, event: StreamStart) -> bytes:
        self._head = {
            "id": f"chatcmpl-{event.stream}",
            "object": "chat.completion.chunk",
            "created": event.created,
            "model": event.model,
        }
        self._before = b"data: " + _json(self._head)[:-1] + b',"choices":['
        return self._role(0)

    def _role(self, choice: int) -> bytes:
        return self._chunk(choice, b'{"role":"assistant","content":""}')

    def _chunk(self, choice: int, delta: bytes, finish: bytes = b"null") -> bytes:
        return b'%b{"index":%d,"delta":%b,"finish_reason":%b}%b' % (
            self._before,
            choice,
            delta,
            finish,
            self._after,
        )

    def _block(self, event: BlockStart) -> bytes:
        choice = event.choice or 0
        first = b""
        if choice and choice not in self._calls:
            self._calls[choice] = 0
            first = self._role(choice)
        if event.kind == "text":
            delta = b'{"content":%b}' % _GAP
        elif event.kind == "reasoning":
            delta = self.reasoning % _GAP
        else:
            index = self._calls.get(choice, 0)
            self._calls[choice] = index + 1
            self._without_arguments |= {event.block}
            assert isinstance(event.tool, Tool)
            first += self._call(choice, index, event.tool)
            delta = b'{"tool_calls":[{"index":%d,"function":{"arguments":%b}}]}' % (index, _GAP)
        before, _, after = self._chunk(choice, delta).partition(_GAP)
        self._frames[event.block] = before, after, choice
        return first

    def _call(self, choice: int, index: int, tool: Tool) -> bytes:
        call = {
            "index": index,
            "id": tool.id,
            "type": "function",
            "function": {"name": tool.name, "arguments": ""},
        }
        return self._chunk(choice, _json({"tool_calls": [call]}))

    def _vendor(self, event: Vendor) -> bytes:
        said = extras(event)
        self._usage_extras.update(said.usage)
        choices = []
        for choice in said.choices:
            finish = choice.get("finish_reason")
            if finish is not None:
                self._finishes[choice["index"]] = finish
            if choice.keys() - {"index", "finish_reason"}:
                choices.append({"delta": {}, **choice, "finish_reason": None})
        if not said.chunk and not choices:
            return b""
        usage = {"usage": None} if self._include_usage else {}
        return (
            b"data: " + _json({**said.chunk, **self._head, "choices": choices, **usage}) + b"\n\n"
        )

    def _end(self, event: StreamEnd) -> bytes:
        chunks = []
        for choice, calls in {0: 0, **self._calls}.items():
            own = self._finishes.get(choice)
            word = finish_word(event.finish) if own is None else other_finish(own, called=calls > 0)
            chunks.append(self._chunk(choice, b"{}", _json(word)))
        usage = usage_object(event.usage, self._usage_extras) if self._include_usage else None
        if usage is not None:
            chunks.append(
                b"data: " + _json({**self._head, "choices": [], "usage": usage}) + b"\n\n"
            )
        return b"".join([*chunks, _DONE])

"""Events to OpenAI's chunks.

A chunk is built once per block, with a gap where the text goes: what a delta costs is encoding its
text. The first chunk says the role; the finish, the usage (if the client asked for it) and `[DONE]`
come at the end. A failed stream ends in a chunk with `error`, and neither a finish nor `[DONE]`.

What this form has no place for: citations without an address, and `vendor` events of other
dialects. Those of this dialect go through in their own place, in a chunk that says nothing else, as
its clients know them. What a vendor must see again stands at the end of the reasoning in
`reasoning_details`, and that of a call in its `extra_content`; Claude's stands in `thinking_blocks`
too, all of them before the finish. Pictures stand in `images`, as OpenRouter has them.

OpenAI's SDKs put a stream together generically, and fail on what they cannot merge: of a list that
goes on, each item has an `index`; a list whose items have none comes once; a piece of a call has
its `function`, empty though it may be.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import msgspec
from msgspec import UNSET

from proxy.codec.base import Encoder
from proxy.codec.custom_tools import ArgumentsToText
from proxy.codec.openai.render_error import error_object
from proxy.codec.openai.usage import usage_object
from proxy.dialects.openai_chat.shapes import (
    annotation,
    call_proof,
    extras,
    finish_word,
    image,
    other_finish,
    reasoning_proofs,
)
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
_DONE = b"data: [DONE]\n\n"
# shared: an empty set of its own is 216 bytes of every open stream
_NONE: frozenset[int] = frozenset()
_NO_PIECES: Mapping[int, list[str]] = {}
_NO_CALLS: Mapping[int, "_Call"] = {}
_GAP = b"\0"  # stands for the text in a chunk that is built beforehand; no JSON text holds one


_ARGUMENTS = b'{"tool_calls":[{"index":%d,"function":{"arguments":%b}}]}'
_FREE_TEXT = b'{"tool_calls":[{"index":%d,"custom":{"input":%b}}]}'


class _Call(NamedTuple):
    """An open call: its place among those of its choice, and its free text, where it has that."""

    at: int
    text: ArgumentsToText | None


class ChatEncoder(Encoder):
    """One streamed answer. `include_usage`: the client asked for the usage; then every chunk has
    the key, null but in the last. `custom` are its tools that take free text: calls of others are
    functions, as it knows no other calls.
    """

    reasoning: ClassVar = b'{"reasoning_content":%b}'  # a delta of reasoning, around its text
    # to be said again with its proof
    gathers: frozenset[type[Event]] = frozenset({ReasoningDelta})

    def __init__(self, *, include_usage: bool, custom: frozenset[str] = frozenset()) -> None:
        self._include_usage = include_usage
        self._custom = custom
        self._head: dict[str, Any] = {}
        self._before = b""
        self._after = b'],"usage":null}\n\n' if include_usage else b"]}\n\n"
        # block -> its delta's chunk, before and after the text; its choice
        self._frames: dict[int, tuple[bytes, bytes, int]] = {}
        # choice beyond the first, or with tool calls -> tool calls so far
        self._calls: dict[int, int] = {}
        self._without_arguments = _NONE
        self._open_calls = _NO_CALLS  # by block
        self._thoughts = _NO_PIECES  # reasoning block -> its text so far
        self._details = 0  # `reasoning_details` so far
        self._thinking_blocks: dict[int, list[Any]] | None = None  # by choice
        self._citations = 0
        self._images = 0
        self._finishes: dict[int, str] = {}  # choices whose finish is not the stream's
        self._usage_extras: dict[str, Any] = {}

    def encode(self, event: Event) -> bytes:
        if isinstance(event, TextDelta):
            before, after, _ = self._frames[event.block]
            return before + _json(event.text) + after
        if isinstance(event, ReasoningDelta):
            before, after, _ = self._frames[event.block]
            self._thoughts[event.block].append(event.text)
            return before + _json(event.text) + after
        if isinstance(event, ToolCallDelta):
            return self._arguments(event.block, event.arguments)
        match event:
            case StreamStart():
                return self._start(event)
            case BlockStart():
                return self._block(event)
            case BlockEnd():
                return self._block_end(event)
            case Image():
                self._images += 1
                delta = {"images": [image(event, self._images - 1)]}
                return self._chunk(event.choice or 0, _json(delta))
            case Citation():
                return self._cite(event)
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
            delta = (b'{"refusal":%b}' if event.refusal is True else b'{"content":%b}') % _GAP
        elif event.kind == "reasoning":
            self._thoughts = {**self._thoughts, event.block: []}
            delta = self.reasoning % _GAP
        else:
            index = self._calls.get(choice, 0)
            self._calls[choice] = index + 1
            assert isinstance(event.tool, Tool)
            free = event.tool.custom is True and event.tool.name in self._custom
            if not free:
                self._without_arguments |= {event.block}
            call = _Call(index, ArgumentsToText() if free else None)
            self._open_calls = {**self._open_calls, event.block: call}
            first += self._call(choice, index, event.tool)
            delta = (_FREE_TEXT if free else _ARGUMENTS) % (index, _GAP)
        before, _, after = self._chunk(choice, delta).partition(_GAP)
        self._frames[event.block] = before, after, choice
        return first

    def _call(self, choice: int, index: int, tool: Tool) -> bytes:
        call: dict[str, Any] = {"index": index, "id": tool.id}
        if tool.custom is True and tool.name in self._custom:
            call |= {"type": "custom", "custom": {"name": tool.name, "input": ""}}
        else:
            call |= {"type": "function", "function": {"name": tool.name, "arguments": ""}}
        return self._chunk(choice, _json({"tool_calls": [call]}))

    def _arguments(self, block: int, piece: str) -> bytes:
        free = self._open_calls[block].text
        if free is not None:
            piece = free.feed(piece)
            if not piece:
                return b""
        self._without_arguments -= {block}
        before, after, _ = self._frames[block]
        return before + _json(piece) + after

    def _block_end(self, event: BlockEnd) -> bytes:
        block = event.block
        before, after, choice = self._frames.pop(block)
        last = b""
        if block in self._open_calls:
            call = self._open_calls[block]
            self._open_calls = {key: of for key, of in self._open_calls.items() if key != block}
            # Clients parse the arguments as JSON, always.
            rest = "{}" if block in self._without_arguments else ""
            if call.text is not None:
                rest = call.text.close()
            if rest:
                last = before + _json(rest) + after
            return last + self._call_proof(event, choice, call)
        if block in self._thoughts:
            text = "".join(self._thoughts[block])
            self._thoughts = {key: of for key, of in self._thoughts.items() if key != block}
            if event.signature is not UNSET:
                return self._reasoning_proof(event, choice, text)
        return last

    def _call_proof(self, event: BlockEnd, choice: int, call: _Call) -> bytes:
        proof = call_proof(event)
        if not proof:
            return b""
        kind = {"function": {"arguments": ""}} if call.text is None else {"custom": {"input": ""}}
        return self._chunk(choice, _json({"tool_calls": [{"index": call.at, **kind, **proof}]}))

    def _reasoning_proof(self, event: BlockEnd, choice: int, text: str) -> bytes:
        said = reasoning_proofs(event, text, self._details)
        self._details += len(said.details)
        if said.blocks:
            if self._thinking_blocks is None:
                self._thinking_blocks = {}
            self._thinking_blocks.setdefault(choice, []).extend(said.blocks)
        return self._chunk(choice, _json({"reasoning_details": said.details}))

    def _cite(self, event: Citation) -> bytes:
        said = annotation(event)
        if said is None:
            return b""
        self._citations += 1
        listed = [{"index": self._citations - 1, **said}]
        return self._chunk(self._frames[event.block][2], _json({"annotations": listed}))

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
        chunks = [
            self._chunk(choice, _json({"thinking_blocks": blocks}))
            for choice, blocks in (self._thinking_blocks or {}).items()
        ]
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

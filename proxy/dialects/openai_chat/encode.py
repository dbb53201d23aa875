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

from typing import Any, ClassVar

import msgspec
from msgspec import UNSET

from proxy.codec.base import Encoder
from proxy.codec.custom_tools import ArgumentsToText
from proxy.codec.openai.render_error import error_object
from proxy.codec.openai.usage import usage_object
from proxy.dialects.openai_chat.shapes import (
    PARTS,
    annotation,
    apart,
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
    UsageEvent,
    Vendor,
)

_json = msgspec.json.Encoder().encode
_DONE = b"data: [DONE]\n\n"
_GAP = b"\0"  # stands for the text in a chunk that is built beforehand; no JSON text holds one


_ARGUMENTS = b'{"tool_calls":[{"index":%d,"function":{"arguments":%b}}]}'
_FREE_TEXT = b'{"tool_calls":[{"index":%d,"custom":{"input":%b}}]}'


class _Call(msgspec.Struct):
    """An open call: its place among those of its choice, its free text, where it has that, and
    whether any of its arguments were said.
    """

    at: int
    text: ArgumentsToText | None
    spoken: bool = False


class ChatEncoder(Encoder):
    """One streamed answer. `include_usage`: the client asked for the usage; then every chunk has
    the key, null but in the last. `custom` are its tools that take free text: calls of others are
    functions, as it knows no other calls.
    """

    reasoning: ClassVar = b'{"reasoning_content":%b}'  # a delta of reasoning, around its text
    # where a vendor's parts of content stand that are no text: OpenAI's clients join texts
    parts: ClassVar = PARTS
    # to be said again with its proof
    gathers: frozenset[type[Event]] = frozenset({ReasoningDelta})

    _before = b""
    # Most answers have none of these, so there is no dictionary until there is one.
    _open_calls: dict[int, _Call] | None = None  # by block
    _thoughts: dict[int, list[str]] | None = None  # reasoning block -> its text so far
    _thinking_blocks: dict[int, list[Any]] | None = None  # by choice
    _details = _citations = _images = 0  # so far

    def __init__(self, *, include_usage: bool, custom: frozenset[str] = frozenset()) -> None:
        self._include_usage = include_usage
        self._custom = custom
        self._head: dict[str, Any] = {}
        self._after = b'],"usage":null}\n\n' if include_usage else b"]}\n\n"
        # block -> its delta's chunk, before and after the text; its choice
        self._frames: dict[int, tuple[bytes, bytes, int]] = {}
        # choice beyond the first, or with tool calls -> tool calls so far
        self._calls: dict[int, int] = {}
        self._finishes: dict[int, str] = {}  # choices whose finish is not the stream's
        self._usage_extras: dict[str, Any] = {}

    def encode(self, event: Event) -> bytes:
        if isinstance(event, TextDelta):
            before, after, _ = self._frames[event.block]
            return before + _json(event.text) + after
        if isinstance(event, ReasoningDelta):
            before, after, _ = self._frames[event.block]
            self._thoughts[event.block].append(event.text)  # type: ignore[index]  # see _block
            return before + _json(event.text) + after
        if isinstance(event, ToolCallDelta):
            return self._arguments(event.block, event.arguments)
        match event:  # the commonest first
            case UsageEvent():
                return b""  # it waits for the end
            case BlockStart():
                return self._block(event)
            case BlockEnd():
                return self._block_end(event)
            case StreamStart():
                return self._start(event)
            case StreamEnd():
                return self._end(event)
            case Image():
                self._images += 1
                delta = {"images": [image(event, self._images - 1)]}
                return self._chunk(event.choice or 0, _json(delta))
            case Citation():
                return self._cite(event)
            case Vendor():
                return self._vendor(event)
            case StreamError():
                return b"data: " + _json({"error": error_object(event.error)}) + b"\n\n"
        # A text.rewrite never comes here: `rewrites` is false, so a filter before this encoder
        # holds text back.
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
            if self._thoughts is None:
                self._thoughts = {}
            self._thoughts[event.block] = []
            delta = self.reasoning % _GAP
        else:
            index = self._calls.get(choice, 0)
            self._calls[choice] = index + 1
            assert isinstance(event.tool, Tool)
            free = event.tool.custom is True and event.tool.name in self._custom
            if self._open_calls is None:
                self._open_calls = {}
            self._open_calls[event.block] = _Call(index, ArgumentsToText() if free else None)
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
        call = self._open_calls[block]  # type: ignore[index]  # see _block
        if call.text is not None:
            piece = call.text.feed(piece)
            if not piece:
                return b""
        call.spoken = True
        before, after, _ = self._frames[block]
        return before + _json(piece) + after

    def _block_end(self, event: BlockEnd) -> bytes:
        block = event.block
        before, after, choice = self._frames.pop(block)
        last = b""
        if self._open_calls and (call := self._open_calls.pop(block, None)):
            # Clients parse the arguments as JSON, always.
            rest = "" if call.spoken else "{}"
            if call.text is not None:
                rest = call.text.close()
            if rest:
                last = before + _json(rest) + after
            return last + self._call_proof(event, choice, call)
        thought = self._thoughts.pop(block, None) if self._thoughts else None
        if thought is not None and event.signature is not UNSET:
            return self._reasoning_proof(event, choice, "".join(thought))
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
            if self.parts == PARTS:
                choice = apart(choice)  # noqa: PLW2901
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

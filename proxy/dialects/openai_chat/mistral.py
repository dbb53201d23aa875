"""What Mistral's own SDKs, which speak nearly as OpenAI's do and ask at the same path, read
otherwise.

A call comes whole in one piece, as each piece must have the function's name; reasoning is a part of
the content; the usage stands beside the finish, unasked for; and no chunk is without a choice, as
code takes `choices[0]`. Source: Mistral's API reference, "Chat Completion", and what the SDKs
refuse to read. They are known by their User-Agent, as their requests alone do not tell.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET

from proxy.codec.base import Reply
from proxy.codec.fold import WholeAnswer
from proxy.codec.openai.usage import usage_object
from proxy.codec.proofs import carried
from proxy.dialects.openai_chat.encode import ChatEncoder
from proxy.dialects.openai_chat.shapes import PARTS, extras
from proxy.dialects.openai_chat.whole import document
from proxy.events import BlockEnd, BlockStart, Event, StreamEnd, Tool, ToolCallDelta, Vendor

_json = msgspec.json.Encoder().encode
_AGENTS = "mistral-client-"  # then python/ or typescript/, and the version


def asks(headers: Mapping[str, str]) -> bool:
    """Whether a request's headers are of one of these SDKs."""
    return headers.get("user-agent", "").startswith(_AGENTS)


class _Call(NamedTuple):
    choice: int
    at: int  # among the choice's calls
    tool: Tool
    arguments: list[str]


class MistralEncoder(ChatEncoder):
    """One streamed answer."""

    parts = "content"
    reasoning = b'{"content":[{"type":"thinking","thinking":[{"type":"text","text":%b}]}]}'

    def __init__(self) -> None:
        super().__init__(include_usage=False)
        self._open: dict[int, _Call] = {}  # by block

    def encode(self, event: Event) -> bytes:
        match event:
            case ToolCallDelta(block, arguments):
                self._open[block].arguments.append(arguments)
                return b""
            case BlockStart(block, "tool_call", tool=Tool() as tool):
                choice = event.choice or 0
                self._open[block] = _Call(choice, self._calls.get(choice, 0), tool, [])
            case BlockEnd(block) if block in self._open:
                super().encode(event)  # which forgets the call
                return self._whole_call(self._open.pop(block))
        return super().encode(event)

    def _call(self, _choice: int, _index: int, _tool: Tool) -> bytes:
        """Nothing yet: the call comes whole at the block's end."""
        return b""

    def _reasoning_proof(self, event: BlockEnd, choice: int, _text: str) -> bytes:
        """The end of a part of thinking, with its signature."""
        return self._chunk(choice, _json({"content": [_thinking("", event)]}))

    def _whole_call(self, call: _Call) -> bytes:
        function = {"name": call.tool.name, "arguments": "".join(call.arguments) or "{}"}
        said = {"index": call.at, "id": call.tool.id, "type": "function", "function": function}
        return self._chunk(call.choice, _json({"tool_calls": [said]}))

    def _vendor(self, event: Vendor) -> bytes:
        chunk = super()._vendor(event)
        spoke = any(choice.keys() - {"index", "finish_reason"} for choice in extras(event).choices)
        return chunk if spoke else b""

    def _end(self, event: StreamEnd) -> bytes:
        usage = usage_object(event.usage, self._usage_extras)
        if usage is not None:
            self._after = b'],"usage":%b}\n\n' % _json(usage)
        return super()._end(event)


def _thinking(text: str, end: BlockEnd | None) -> dict[str, Any]:
    """A part of thinking. Mistral's word for a proof has no place for whose it is: both travel as
    one text.
    """
    pieces = [{"type": "text", "text": text}] if text else []
    said: dict[str, Any] = {"type": "thinking", "thinking": pieces}
    if end is None or end.signature is UNSET:
        return said
    of, name = (None if value is UNSET else value for value in (end.format, end.id))
    return {**said, "signature": carried(end.signature, of, None, name=name)}


def mistral_whole(answer: WholeAnswer) -> Reply:
    """The answer as Mistral's SDKs read it. The usage must be there, even where nothing is known
    of it.
    """
    said = {"usage": {}, **document(answer)}
    for choice in said["choices"]:
        message: dict[str, Any] = choice["message"]
        for name in ("reasoning_content", "reasoning_details", "thinking_blocks"):
            message.pop(name, None)
        thoughts = [
            _thinking(block.text, block.proof)
            for block in answer.blocks.values()
            if block.kind == "reasoning" and block.choice == choice["index"]
        ]
        parts = message.pop(PARTS, [])
        if thoughts or parts:
            content = message["content"]
            text = [{"type": "text", "text": content}] if content else []
            message["content"] = [*thoughts, *text, *parts]
    return Reply(200, msgspec.json.encode(said))

"""The output items of one answer as blocks: one for each part of a message, one for each reasoning
item, one for each function call.

Items are told apart by `output_index` alone: GitHub Copilot's proxy gives an item another id in
every event. What a vendor says twice, as deltas and again whole, is taken from the deltas; where
there were none (LM Studio's arguments) from the first event that has it whole.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import UNSET

from proxy.codec.pending_arguments import PendingArguments
from proxy.codec.tool_calls import made_id
from proxy.dialects.openai_responses.ledger import Ledger
from proxy.dialects.openai_responses.messages import Messages
from proxy.dialects.openai_responses.wire import KINDS
from proxy.events import BlockEnd, Event, ReasoningDelta, Tool, ToolCallDelta
from proxy.framing import FramingError

# Between two parts of a reasoning summary, which is one block as it has one signature: each part is
# a paragraph with its own heading.
_PARAGRAPH = "\n\n"


class _Reasoning(msgspec.Struct):
    """`channel` is `summary` or `content`: a vendor that sends both says the same thing twice, and
    the first to come is shown.
    """

    block: int | None = None
    channel: str = ""
    part: int = 0


class _Call(msgspec.Struct):
    """A function call."""

    block: int | None = None
    pending: PendingArguments = msgspec.field(default_factory=PendingArguments)
    said: bool = False


class Items:
    """Methods append to `out`; `at` is an item's output index. `called` says that there was a call.
    `seed`, the vendor's id of the answer, is what the id of a call is made from where it has none.
    """

    def __init__(self, max_held_chars: int) -> None:
        self._room = max_held_chars  # for arguments that wait
        self._ledger = Ledger()
        self._reasoning: dict[int, _Reasoning] = {}
        self._calls: dict[int, _Call] = {}
        self.messages = Messages(self._ledger)
        self.called = False
        self.seed = ""

    @property
    def seen(self) -> bool:
        """Whether there was any item."""
        return self._ledger.seen

    def begin(self, out: list[Event], at: int, said: Mapping[str, Any]) -> None:
        """An item begins. One that is at the place of another that is done is a new one."""
        self._ledger.done.discard((KINDS[said["type"]], at))
        if said["type"] == "function_call":
            self._name(out, at, said)

    def end(self, out: list[Event], at: int, said: Mapping[str, Any]) -> None:
        """An item is done, and said whole."""
        if said["type"] == "reasoning":
            self._whole_reasoning(out, at, said)
        elif said["type"] == "function_call":
            self._name(out, at, said)
            self.whole_arguments(out, at, said.get("arguments"))
            self._end_call(out, at, said)
        else:
            parts = said.get("content")
            for number, part in enumerate(parts if isinstance(parts, list) else ()):
                if isinstance(part, dict):
                    self.messages.whole_part(out, at, number, part)
            self.messages.end(out, at)

    def end_all(self, out: list[Event]) -> None:
        """The answer is complete: close what is open."""
        self.messages.end_all(out)
        for at in list(self._reasoning):
            self._whole_reasoning(out, at, {})
        for at in list(self._calls):
            self._end_call(out, at, {})

    # Reasoning.

    def reasoning(self, out: list[Event], at: int, channel: str, part: int, text: str) -> None:
        """`channel` is `summary` or `content`, `part` the index there."""
        if not text:
            return
        item = self._reasoning_item(at)
        item.channel = item.channel or channel
        if item.channel != channel:
            return
        if item.block is None:
            item.block = self._ledger.start(out, "reasoning")
        elif item.part != part:
            out.append(ReasoningDelta(item.block, _PARAGRAPH))
        item.part = part
        out.append(ReasoningDelta(item.block, text))

    def _whole_reasoning(self, out: list[Event], at: int, said: Mapping[str, Any]) -> None:
        """Its encrypted content is the signature; a reasoning with neither text nor that is
        none.
        """
        if at not in self._reasoning and ("reasoning", at) in self._ledger.done:
            return
        item = self._reasoning_item(at)
        if not item.channel:
            for channel in ("summary", "content"):
                parts = said.get(channel)
                for part, piece in enumerate(parts if isinstance(parts, list) else ()):
                    if isinstance(piece, dict) and isinstance(piece.get("text"), str):
                        self.reasoning(out, at, channel, part, piece["text"])
        encrypted = said.get("encrypted_content")
        signature = encrypted if isinstance(encrypted, str) and encrypted else None
        block = item.block
        if block is None and signature is not None:
            block = self._ledger.start(out, "reasoning")
        if block is not None:
            out.append(BlockEnd(block, UNSET if signature is None else signature))
        del self._reasoning[at]
        self._ledger.done.add(("reasoning", at))

    def _reasoning_item(self, at: int) -> _Reasoning:
        item = self._reasoning.get(at)
        if item is None:
            self._ledger.count()
            item = self._reasoning[at] = _Reasoning()
        return item

    # Function calls.

    def arguments(self, out: list[Event], at: int, text: str) -> bool:
        """A piece of a call's arguments. False: the call is done, the piece has no place."""
        if self._call_done(at):
            return False
        call = self._call(at)
        call.said = True
        if call.block is None:
            self._room -= call.pending.add(text)
            if self._room < 0:
                raise FramingError(
                    "the arguments of a call that has no name are too long to be kept"
                )
        elif text:
            out.append(ToolCallDelta(call.block, text))
        return True

    def whole_arguments(self, out: list[Event], at: int, text: Any) -> None:
        """All arguments: they are new only if no piece of them came."""
        if isinstance(text, str) and text and not self._call_done(at) and not self._call(at).said:
            self.arguments(out, at, text)

    def _name(self, out: list[Event], at: int, said: Mapping[str, Any]) -> None:
        name = said.get("name")
        if (
            not self._call_done(at)
            and self._call(at).block is None
            and isinstance(name, str)
            and name
        ):
            self._open_call(out, at, said, name)

    def _open_call(self, out: list[Event], at: int, said: Mapping[str, Any], name: str) -> int:
        call = self._call(at)
        ids = (said.get("call_id"), said.get("id"))  # the id to answer with is call_id
        call_id = next(
            (found for found in ids if isinstance(found, str) and found), made_id(self.seed, at)
        )
        block = call.block = self._ledger.start(out, "tool_call", Tool(call_id, name))
        self.called = True
        if call.pending.size:
            self._room += call.pending.size
            out.append(ToolCallDelta(block, call.pending.take()))
        return block

    def _end_call(self, out: list[Event], at: int, said: Mapping[str, Any]) -> None:
        """One that never got a name is given as it is."""
        if self._call_done(at):
            return
        block = self._call(at).block
        if block is None:
            block = self._open_call(out, at, said, "")
        out.append(BlockEnd(block))
        del self._calls[at]
        self._ledger.done.add(("tool_call", at))

    def _call_done(self, at: int) -> bool:
        return ("tool_call", at) in self._ledger.done

    def _call(self, at: int) -> _Call:
        call = self._calls.get(at)
        if call is None:
            self._ledger.count()
            call = self._calls[at] = _Call()
        return call

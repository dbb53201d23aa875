"""The output items of one answer as blocks: one for each part of a message, one for each reasoning
item, one for each function call.

`places` says which item an event belongs to. What a vendor says twice, as deltas and again whole,
is taken from the deltas; where there were none (LM Studio's arguments) from the first event that
has it whole.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import UNSET

from proxy.codec.custom_tools import TextToArguments, arguments_of
from proxy.codec.pending_arguments import PendingArguments
from proxy.codec.tool_calls import made_id
from proxy.dialects.openai_responses.ledger import Ledger
from proxy.dialects.openai_responses.messages import Messages
from proxy.dialects.openai_responses.wire import ITEM_ADDED, KINDS, NAME
from proxy.events import BlockEnd, BlockKind, Event, ReasoningDelta, Tool, ToolCallDelta, Vendor
from proxy.framing import FramingError

# Between two parts of a reasoning summary, which is one block as it has one signature: each part is
# a paragraph with its own heading.
_PARAGRAPH = "\n\n"
_CALLS = ("function_call", "custom_tool_call")


class _Reasoning(msgspec.Struct):
    """`channel` is `summary` or `content`: a vendor that sends both says the same thing twice, and
    the first to come is shown.
    """

    block: int | None = None
    channel: str = ""
    part: int = 0


class _Call(msgspec.Struct):
    """A call. `free` turns the free text of a custom tool into arguments."""

    block: int | None = None
    id: str = ""
    pending: PendingArguments = msgspec.field(default_factory=PendingArguments)
    said: bool = False
    ended: bool = False
    free: TextToArguments | None = None


class Items:
    """Methods append to `out`; `at` is an item's output index. `called` says that there was a call.
    `seed`, the vendor's id of the answer, is what the id of a call is made from where it has none.
    `proof_format` is whose proofs the vendor gives.
    """

    def __init__(self, max_held_chars: int, proof_format: str) -> None:
        self._room = max_held_chars  # for arguments that wait
        self._proof_format = proof_format
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

    def taken(self, at: Any, said: Mapping[str, Any]) -> bool:
        """Whether a call that begins stands at the index of another one that is still open."""
        call = self._calls.get(at) if isinstance(at, int) and said["type"] in _CALLS else None
        ours, theirs = "" if call is None else call.id, said.get("call_id")
        return bool(ours) and isinstance(theirs, str) and theirs not in ("", ours)

    def begun(self, at: int, kind: BlockKind) -> bool:
        """Whether an item has a block, or is done."""
        if (kind, at) in self._ledger.done:
            return True
        match kind:
            case "text":
                return self.messages.begun(at)
            case "reasoning":
                return at in self._reasoning
        return at in self._calls and self._calls[at].block is not None

    def anew(self, out: list[Event], at: int, said: Mapping[str, Any]) -> None:
        """An item begins. One that is at the place of another that is done is a new one."""
        self._ledger.done.discard((KINDS[said["type"]], at))
        call = self._calls.get(at)
        if call is not None and call.ended:
            self._close(out, at, call)

    def begin(self, out: list[Event], at: int, said: Mapping[str, Any]) -> None:
        """A call begins its block as soon as it has a name."""
        if said["type"] in _CALLS:
            self._name(out, at, said)

    def end(self, out: list[Event], at: int, said: Mapping[str, Any]) -> bool:
        """An item is done, and said whole. False: it has no block, as it says nothing; one that is
        said again has one.
        """
        if (KINDS[said["type"]], at) in self._ledger.done:
            return True
        match said["type"]:
            case "reasoning":
                return self._whole_reasoning(out, at, said)
            case "function_call":
                self._name(out, at, said)
                self.whole_arguments(out, at, said.get("arguments"))
                self._end_call(out, at, said)
            case "custom_tool_call":
                self._name(out, at, said)
                self.whole_input(out, at, said.get("input"))
                self._end_call(out, at, said)
            case _:
                return self.messages.whole(out, at, said.get("content"))
        return True

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
            if channel == "content":
                # so that a client of this dialect gets it as raw reasoning, too
                told = {"type": "reasoning", "content": []}
                out.append(Vendor(NAME, {"type": ITEM_ADDED, "output_index": at, "item": told}))
            item.block = self._ledger.start(out, "reasoning")
        elif item.part != part:
            out.append(ReasoningDelta(item.block, _PARAGRAPH))
        item.part = part
        out.append(ReasoningDelta(item.block, text))

    def _whole_reasoning(self, out: list[Event], at: int, said: Mapping[str, Any]) -> bool:
        """Its encrypted content is the signature; a reasoning with neither text nor that is no
        block.
        """
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
        if block is not None and signature is None:
            out.append(BlockEnd(block))
        elif block is not None and signature is not None:
            name = said.get("id")
            out.append(
                BlockEnd(
                    block,
                    signature,
                    self._proof_format,
                    redacted=UNSET if item.channel else True,
                    id=name if isinstance(name, str) and name else UNSET,
                )
            )
        del self._reasoning[at]
        self._ledger.done.add(("reasoning", at))
        return block is not None

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
        """All arguments: they are new only if no piece of them came. Some give the object."""
        if isinstance(text, dict):
            text = msgspec.json.encode(text).decode()
        if isinstance(text, str) and text and not self._call_done(at) and not self._call(at).said:
            self.arguments(out, at, text)

    def free_text(self, out: list[Event], at: int, text: str) -> bool:
        """A piece of what a custom tool is called with. False: as above."""
        if self._call_done(at):
            return False
        call = self._call(at)
        if call.free is None:
            call.free = TextToArguments()
        return self.arguments(out, at, call.free.feed(text))

    def whole_input(self, out: list[Event], at: int, text: Any) -> None:
        """All that a custom tool is called with: it is new only if no piece of it came."""
        if isinstance(text, str) and not self._call_done(at) and not self._call(at).said:
            self.arguments(out, at, arguments_of(text))

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
        custom = True if said.get("type") == "custom_tool_call" or call.free is not None else UNSET
        block = call.block = self._ledger.start(out, "tool_call", Tool(call_id, name, custom))
        call.id = call_id
        self.called = True
        if call.pending.size:
            self._room += call.pending.size
            out.append(ToolCallDelta(block, call.pending.take()))
        return block

    def _end_call(self, out: list[Event], at: int, said: Mapping[str, Any]) -> None:
        """One that never got a name is given as it is."""
        if self._call_done(at):
            return
        call = self._call(at)
        if call.free is not None:
            self.arguments(out, at, call.free.close())
        if call.block is None:
            self._open_call(out, at, said, "")
        call.ended = True
        self._ledger.done.add(("tool_call", at))
        # Clients that take calls whole get them in the order in which they began.
        while self._calls and (first := next(iter(self._calls.items())))[1].ended:
            self._close(out, *first)

    def _close(self, out: list[Event], at: int, call: _Call) -> None:
        del self._calls[at]
        assert call.block is not None
        out.append(BlockEnd(call.block))

    def _call_done(self, at: int) -> bool:
        return ("tool_call", at) in self._ledger.done

    def _call(self, at: int) -> _Call:
        call = self._calls.get(at)
        if call is None:
            self._ledger.count()
            call = self._calls[at] = _Call()
        return call

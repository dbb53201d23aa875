"""Bookkeeping of blocks, shared by the decoders whose vendors have no blocks of their own.

A decoder says `text(...)`, `reasoning(...)`, `tool_call(...)`; `Blocks` numbers the blocks, opens
one before its first delta and closes it when the answer turns to something else. In one choice text
and reasoning take turns. A tool call stays open until the choice finishes, as fragments of several
calls may come interleaved; but once its arguments are a complete JSON value nothing more can come,
so it is closed as soon as another block begins, which lets an encoder that must put blocks one
after the other stream the next one. A refusal is text in a block of its own.
"""

from operator import attrgetter

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from proxy.codec.own_ids import OwnIds
from proxy.codec.pending_arguments import PIECE_CHARS
from proxy.codec.pending_call import MAX_CHECKS, PendingCall
from proxy.events import BlockEnd, BlockStart, Event, ReasoningDelta, TextDelta, Tool, ToolCallDelta

# Arguments of open calls beyond this, all together, are not kept to be checked for completeness:
# such a call is closed at the finish.
HELD_ARGUMENT_CHARS = 1 << 20
# Calls open at once in one choice. Models make a handful; more is an upstream that begins them and
# ends none: the oldest is closed.
_MAX_OPEN_CALLS = 1024
_NO_ARGUMENTS = "{}"
_BY_BLOCK = attrgetter("block")


class Blocks:
    """The open blocks of every choice of one answer. Methods append to `out`, the list of events
    being made.
    """

    _next = 0
    _held_chars = 0
    # Most answers have none of these, so there is no dictionary until there is one.
    _refusals: dict[int, int] | None = None
    _ids: OwnIds | None = None
    _untold: dict[int, PendingCall] | None = None  # choice -> call whose name may go on
    # Choice -> calls that got arguments since they were checked last: only these are looked at when
    # the answer turns.
    _unchecked: dict[int, list[PendingCall]] | None = None
    saw_tool_call = False

    def __init__(self, max_held_chars: int = HELD_ARGUMENT_CHARS) -> None:
        self._max_held_chars = max_held_chars
        self._text: dict[int, int] = {}  # choice -> open text block
        self._reasoning: dict[int, int] = {}
        # choice -> key of the call -> open call
        self._calls: dict[int, dict[int | str, PendingCall]] = {}

    def text(self, out: list[Event], text: str, choice: int = 0) -> int:
        """Append text; answers its block."""
        block = self._text.get(choice)
        if block is None:
            block = self.open_text(out, choice)
        if text:
            out.append(TextDelta(block, text))
        return block

    def open_text(self, out: list[Event], choice: int = 0) -> int:
        """The open text block of a choice, opened if there is none."""
        block = self._text.get(choice)
        if block is None:
            self._turn(out, choice)
            block = self._text[choice] = self._number()
            out.append(BlockStart(block, "text", choice=choice or UNSET))
        return block

    def refusal(self, out: list[Event], text: str, choice: int = 0) -> int:
        """Append text that says that the model will not answer; answers its block."""
        if self._refusals is None:
            self._refusals = {}
        block = self._refusals.get(choice)
        if block is None:
            self._turn(out, choice)
            block = self._refusals[choice] = self._number()
            out.append(BlockStart(block, "text", choice=choice or UNSET, refusal=True))
        if text:
            out.append(TextDelta(block, text))
        return block

    def reasoning(self, out: list[Event], text: str, choice: int = 0) -> int:
        """Append reasoning; answers its block."""
        block = self._reasoning.get(choice)
        if block is None:
            self._turn(out, choice)
            block = self._reasoning[choice] = self._number()
            out.append(BlockStart(block, "reasoning", choice=choice or UNSET))
        if text:
            out.append(ReasoningDelta(block, text))
        return block

    def is_reasoning(self, choice: int = 0) -> bool:
        """Whether the reasoning block of a choice is open."""
        return choice in self._reasoning

    def end_reasoning(
        self,
        out: list[Event],
        choice: int = 0,
        signature: str | None = None,
        of: str | None = None,
        vendor_id: str | None = None,
    ) -> None:
        """Close the reasoning block of a choice, if one is open. `of` says whose signature it is
        (see `proxy/codec/proofs.py`), `vendor_id` is the vendor's name of the reasoning.
        """
        block = self._reasoning.pop(choice, None)
        if block is not None:
            out.append(
                BlockEnd(block, _or_unset(signature), _or_unset(of), id=_or_unset(vendor_id))
            )

    def redacted(
        self,
        out: list[Event],
        secret: str,
        of: str | None = None,
        vendor_id: str | None = None,
        choice: int = 0,
    ) -> None:
        """A whole reasoning, encrypted, as a block of its own."""
        self.end_reasoning(out, choice)
        block = self.reasoning(out, "", choice)
        del self._reasoning[choice]
        out.append(BlockEnd(block, secret, _or_unset(of), True, _or_unset(vendor_id)))

    def has_call(self, key: int | str, choice: int = 0) -> bool:
        """Whether this call is open."""
        return key in self._calls.get(choice, ())

    def open_call(self, out: list[Event], key: int | str, tool: Tool, choice: int = 0) -> None:
        """Begin a tool call. `key` is what the vendor tells its calls apart by (an index or an id);
        a call that had it is closed.
        """
        self.name_call(out, key, tool, choice)
        self._tell(out, choice)

    def name_call(self, out: list[Event], key: int | str, tool: Tool, choice: int = 0) -> None:
        """The same for a vendor that may give a name in pieces: the call is told with the first of
        its arguments, or as soon as anything else begins. Until then `lengthen_name` adds to it.
        """
        self._turn(out, choice)
        calls = self._calls.setdefault(choice, {})
        replaced = calls.get(key)
        if replaced is None and len(calls) >= _MAX_OPEN_CALLS:
            replaced = next(iter(calls.values()))
        if replaced is not None:
            self._close_call(out, choice, replaced)
        if self._ids is None:
            self._ids = OwnIds()
        call = calls[key] = PendingCall(self._number(), key, [], untold=self._ids.alone(tool))
        self.saw_tool_call = True
        if self._untold is None:
            self._untold = {}
        self._untold[choice] = call

    def lengthen_name(self, key: int | str, more: str, choice: int = 0) -> bool:
        """Add to the name of a call that is not told yet. False: it is told, or the name that it
        has was said again.
        """
        call = self._calls.get(choice, {}).get(key)
        if call is None or call.untold is None or call.untold.name == more:
            return False
        call.untold = replace(call.untold, name=call.untold.name + more)
        return True

    def call_is_complete(self, key: int | str, choice: int = 0) -> bool:
        """Whether nothing can be added to this call: its arguments are a complete JSON value, or it
        is closed.
        """
        call = self._calls.get(choice, {}).get(key)
        return call is None or call.complete()

    def prove_call(self, key: int | str, signature: str, of: str | None, choice: int = 0) -> bool:
        """What the vendor wants to see again with this call. False: it is closed already."""
        call = self._calls.get(choice, {}).get(key)
        if call is not None:
            call.proof = (signature, of)
        return call is not None

    def arguments(self, out: list[Event], key: int | str, arguments: str, choice: int = 0) -> bool:
        """Append a piece of a call's arguments. False: the piece has no place, as the call is
        closed already, or its arguments are complete and come once more.

        Arguments that begin with `{}` wait for the next piece: gateways before Anthropic write that
        for none so far.
        """
        call = self._calls.get(choice, {}).get(key)
        if call is None:
            return not arguments.strip()
        if arguments:
            if call.untold is not None:
                if arguments == _NO_ARGUMENTS and not call.pieces:
                    call.empty = True
                    self._hold(call, arguments, choice)
                    return True
                if call.empty and arguments.strip():
                    self._held_chars -= call.held
                    call.empty, call.pieces, call.held = False, [], 0
                self._tell(out, choice)
            elif arguments.startswith("{") and call.is_repeated():
                return False
            self._hold(call, arguments, choice)
            out.append(ToolCallDelta(call.block, arguments))
        return True

    def end_choice(self, out: list[Event], choice: int) -> None:
        """The choice is finished: close what it has open."""
        self.end_reasoning(out, choice)
        self._end_text(out, choice)
        for call in list(self._calls.get(choice, {}).values()):
            self._close_call(out, choice, call)

    def end_all(self, out: list[Event]) -> None:
        """The answer is finished: close everything."""
        for choice in sorted(
            {*self._text, *self._reasoning, *self._calls, *(self._refusals or ())}
        ):
            self.end_choice(out, choice)

    def _turn(self, out: list[Event], choice: int) -> None:
        """Another block begins: close what it ends."""
        if self._next:  # there was one before
            self.end_reasoning(out, choice)
            self._end_text(out, choice)
            self._settle_calls(out, choice)

    def _number(self) -> int:
        self._next += 1
        return self._next - 1

    def _end_text(self, out: list[Event], choice: int) -> None:
        block = self._text.pop(choice, None)
        if block is None and self._refusals:
            block = self._refusals.pop(choice, None)
        if block is not None:
            out.append(BlockEnd(block))

    def _tell(self, out: list[Event], choice: int) -> None:
        call = None if self._untold is None else self._untold.pop(choice, None)
        if call is not None and call.untold is not None:
            tool, call.untold = call.untold, None
            out.append(BlockStart(call.block, "tool_call", tool=tool, choice=choice or UNSET))
            if call.empty:
                out.append(ToolCallDelta(call.block, _NO_ARGUMENTS))

    def _settle_calls(self, out: list[Event], choice: int) -> None:
        if self._untold:
            self._tell(out, choice)
        if not self._unchecked or choice not in self._unchecked:
            return
        for call in sorted(self._unchecked.pop(choice), key=_BY_BLOCK):
            if self._calls[choice].get(call.key) is not call:
                continue  # closed since
            if call.complete():
                self._close_call(out, choice, call)
            elif call.checks == MAX_CHECKS:
                self._forget(call)

    def _hold(self, call: PendingCall, arguments: str, choice: int) -> None:
        if call.pieces is None:
            call.unchecked = True
            return
        if not call.unchecked:
            call.unchecked = True
            if self._unchecked is None:
                self._unchecked = {}
            self._unchecked.setdefault(choice, []).append(call)
        call.pieces.append(arguments)
        size = len(arguments) + PIECE_CHARS
        call.held += size
        self._held_chars += size
        if self._held_chars > self._max_held_chars:
            self._forget(call)

    def _forget(self, call: PendingCall) -> None:
        self._held_chars -= call.held
        call.held, call.pieces = 0, None

    def _close_call(self, out: list[Event], choice: int, call: PendingCall) -> None:
        if call.untold is not None:
            self._tell(out, choice)
        self._forget(call)
        del self._calls[choice][call.key]
        signature, of = call.proof or (None, None)
        out.append(BlockEnd(call.block, _or_unset(signature), _or_unset(of)))


def _or_unset(value: str | None) -> str | UnsetType:
    return UNSET if value is None else value

"""Tool calls, put together from a vendor's pieces.

OpenAI tells pieces apart by `index`; `id` and `name` come with the first. Others leave the index
out, and the place in the list stands for it (Mistral); send `id: ""`, or the same id again, and a
`name` of null or "" with later pieces (Qwen, Hunyuan, TGI); or send whole calls that all have index
0 and are told apart by their ids (Gemini's OpenAI endpoint).
"""

import hashlib
from typing import Any

import msgspec

from proxy.codec.blocks import Blocks
from proxy.codec.pending_arguments import PendingArguments
from proxy.dialects.openai_chat.wire import CallPiece
from proxy.events import Event, Tool, Vendor
from proxy.framing import FramingError

# Places for calls in one answer, all choices together. Models call a handful at once; more is an
# upstream that counts up for ever.
_MAX_SLOTS = 1024


class _Call(msgspec.Struct):
    """A call being put together. `key` is its name in `Blocks`."""

    key: int
    id: str
    opened: bool = False
    pending: PendingArguments = msgspec.field(default_factory=PendingArguments)


class Calls:
    """The tool calls of every choice of one answer. At most `max_held_chars` wait for a name."""

    def __init__(self, blocks: Blocks, dialect: str, max_held_chars: int) -> None:
        self._blocks = blocks
        self._dialect = dialect
        self._room = max_held_chars  # for arguments that wait
        self._slots: dict[tuple[int, int], _Call] = {}
        self._count = 0

    def piece(
        self, out: list[Event], choice: int, position: int, piece: CallPiece, answer_id: Any
    ) -> None:
        """`position` is the piece's place in its list; `answer_id` the vendor's id of the answer,
        from which a missing call id is made. Raises FramingError for a call too many.
        """
        index = position if piece.index is None else piece.index
        function = piece.function
        name = (function.name or "") if function is not None else ""
        arguments = function.arguments if function is not None else None
        if isinstance(arguments, dict):
            arguments = msgspec.json.encode(arguments).decode()
        call_id = "" if piece.id is None else str(piece.id)
        call = self._slots.get((choice, index))
        if call is None or (name and call_id and call.id and call_id != call.id):
            if call is not None:
                self._open(out, choice, call, "", answer_id)
            elif len(self._slots) >= _MAX_SLOTS:
                raise FramingError(f"it calls more than {_MAX_SLOTS} tools in one answer")
            call = self._slots[choice, index] = _Call(self._count, call_id)
            self._count += 1
        call.id = call.id or call_id
        if call.opened:
            self._append(out, choice, index, call, arguments or "")
            return
        self._room -= call.pending.add(arguments or "")
        if name or self._room < 0:
            self._open(out, choice, call, name, answer_id)

    def flush(self, out: list[Event], answer_id: Any) -> None:
        """The answer is complete: calls that never got a name are given as they are."""
        for (choice, _), call in self._slots.items():
            if call.pending.size or call.id:
                self._open(out, choice, call, "", answer_id)

    def _open(self, out: list[Event], choice: int, call: _Call, name: str, answer_id: Any) -> None:
        if call.opened:
            return
        call.opened = True
        tool = Tool(call.id or _made_id(answer_id, call.key), name)
        self._blocks.open_call(out, call.key, tool, choice)
        self._room += call.pending.size
        self._blocks.arguments(out, call.key, call.pending.take(), choice)

    def _append(
        self, out: list[Event], choice: int, index: int, call: _Call, arguments: str
    ) -> None:
        if not self._blocks.arguments(out, call.key, arguments, choice):
            # The call was complete and something else has begun since: what comes now is no part of
            # it.
            late = {"tool_calls": [{"index": index, "function": {"arguments": arguments}}]}
            out.append(Vendor(self._dialect, {"choices": [{"index": choice, "delta": late}]}))


def _made_id(answer_id: Any, number: int) -> str:
    """An id in the usual form, the same for every run over the same bytes, and another one in
    another answer.
    """
    return "call_" + hashlib.blake2s(f"{answer_id}/{number}".encode(), digest_size=12).hexdigest()

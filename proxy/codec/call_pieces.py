"""Tool calls put together from pieces, for vendors whose pieces are told apart by an index or an
id.

A call begins with the piece that names its function; arguments that come before wait. A piece with
another id and a name of its own, under a key that is taken, begins another call. A piece for a call
that is complete and closed has no place and is told as it is.
"""

import msgspec

from proxy.codec.blocks import Blocks
from proxy.codec.pending_arguments import PendingArguments
from proxy.codec.tool_calls import made_id
from proxy.events import Event, Tool, Vendor
from proxy.framing import FramingError

# Models call a handful of tools at once; more is an upstream that counts up for ever.
_MAX_CALLS = 1024


class _Call(msgspec.Struct):
    number: int
    id: str
    opened: bool = False
    pending: PendingArguments = msgspec.field(default_factory=PendingArguments)


class CallPieces:
    """The tool calls of one answer. `seed`, the vendor's id of the answer, is what ids are made
    from where a vendor gives none.

    The arguments of all calls that wait for a name count at most `max_held_chars`; beyond that a
    call begins without one.
    """

    def __init__(self, blocks: Blocks, dialect: str, max_held_chars: int) -> None:
        self._blocks = blocks
        self._dialect = dialect
        self._room = max_held_chars
        self._calls: dict[tuple[int, int | str], _Call] = {}
        self._begun = 0
        self.seed = ""

    def piece(
        self,
        out: list[Event],
        key: int | str,
        name: str,
        arguments: str,
        *,
        call_id: str = "",
        choice: int = 0,
    ) -> None:
        """`name`, `arguments` and `call_id` are "" where the piece does not say them. Raises
        FramingError for a call too many.
        """
        call = self._calls.get((choice, key))
        if call is None or (name and call_id and call.id and call_id != call.id):
            if call is not None:
                self._open(out, choice, call, "")
            call = self._new(choice, key, call_id)
        call.id = call.id or call_id
        if not call.opened:
            self._room -= call.pending.add(arguments)
            if name or self._room < 0:
                self._open(out, choice, call, name)
        elif not self._blocks.arguments(out, call.number, arguments, choice):
            out.append(
                Vendor(
                    self._dialect,
                    {"tool_call": {"choice": choice, "key": key, "arguments": arguments}},
                )
            )

    def flush(self, out: list[Event]) -> None:
        """The answer is complete: calls that never got a name are given as they are."""
        for (choice, _), call in self._calls.items():
            self._open(out, choice, call, "")

    def _new(self, choice: int, key: int | str, call_id: str) -> _Call:
        if self._begun == _MAX_CALLS:
            raise FramingError(f"it calls more than {_MAX_CALLS} tools in one answer")
        call = self._calls[choice, key] = _Call(self._begun, call_id)
        self._begun += 1
        return call

    def _open(self, out: list[Event], choice: int, call: _Call, name: str) -> None:
        if call.opened:
            return
        call.opened = True
        self._blocks.open_call(
            out, call.number, Tool(call.id or made_id(self.seed, call.number), name), choice
        )
        self._room += call.pending.size
        self._blocks.arguments(out, call.number, call.pending.take(), choice)

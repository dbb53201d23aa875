"""Tool calls put together from pieces, for vendors whose pieces are told apart by an index or an
id.

A call begins with the piece that names its function; arguments that come before wait. Its name may
come in pieces too, as long as there are no arguments yet. Under a key that is taken, another call
begins with a piece that has another id and a name, or, where there are no ids, with one that has a
name and finds the call complete. Some servers make an id for every piece and repeat the name (vLLM,
where a function was forced): arguments that are not complete go on in it, and arguments that have
not begun begin in it. A call of which nothing but an id has come takes the id of the next piece. A
piece for a call that is complete and closed has no place and is told as it is.

Other servers count the key up while the id stays: a piece under a new key with the id of a call
that is not complete goes on in that call, and a call that was told whole and comes so again is the
same (LocalAI). Whole calls that share an id and differ are several.
"""

from typing import Any

import msgspec
from msgspec import UNSET

from proxy.codec.blocks import Blocks
from proxy.codec.custom_tools import TextToArguments
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
    name: str = ""  # the piece of it that came last
    argued: bool = False  # arguments have come
    whole: int | None = None  # hash of arguments that came at once and end as an object does
    text: TextToArguments | None = None  # of a call with free text
    pending: PendingArguments = msgspec.field(default_factory=PendingArguments)

    def is_empty(self) -> bool:
        """Whether neither a name nor an argument has come."""
        return not self.opened and not self.argued


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
        self.seed: Any = ""

    def piece(
        self,
        out: list[Event],
        key: int | str,
        name: str,
        arguments: str,
        *,
        call_id: str = "",
        choice: int = 0,
        custom: bool = False,
    ) -> None:
        """`name`, `arguments` and `call_id` are "" where the piece does not say them. `custom`: the
        arguments are free text. Raises FramingError for a call too many.
        """
        call = self._calls.get((choice, key))
        if call is None and call_id and arguments:
            call = self._moved(choice, key, name, arguments, call_id)
            if call is not None and call.whole == hash(arguments):
                return  # it was told already
        if call is None or self._begins(call, name, arguments, call_id, choice):
            if call is not None:
                self._end_text(out, choice, call)
                self._open(out, choice, call, "")
            call = self._new(choice, key, call_id)
            if call_id and arguments.endswith("}"):
                call.whole = hash(arguments)
        if call_id and not call.opened:
            call.id = call_id
        call.argued = call.argued or bool(arguments)
        if custom:
            call.text = call.text or TextToArguments()
            arguments = call.text.feed(arguments) if arguments else ""
        if not call.opened:
            self._room -= call.pending.add(arguments)
            if name or self._room < 0:
                self._open(out, choice, call, name)
        else:
            if name:
                self._blocks.lengthen_name(call.number, name, choice)
            if not self._blocks.arguments(out, call.number, arguments, choice):
                self._late(out, choice, key, arguments)

    def proof(
        self, key: int | str, signature: str, of: str | None = None, *, choice: int = 0
    ) -> bool:
        """What the vendor wants to see again with a call (see `proxy/codec/proofs.py`). False:
        there is no such call, or it is closed.
        """
        call = self._calls.get((choice, key))
        return call is not None and self._blocks.prove_call(call.number, signature, of, choice)

    def key_of(self, call_id: str, choice: int = 0) -> int | str | None:
        """The key of the call with this id, where there is one."""
        return next(
            (
                key
                for (of, key), call in self._calls.items()
                if of == choice and call.id == call_id and call.opened
            ),
            None,
        )

    def flush(self, out: list[Event]) -> None:
        """The answer is complete: calls that never got a name are given as they are."""
        for (choice, _), call in self._calls.items():
            self._end_text(out, choice, call)
            if call.opened or call.pending.size or call.id:
                self._open(out, choice, call, "")

    def _begins(self, call: _Call, name: str, arguments: str, call_id: str, choice: int) -> bool:
        """Whether a piece under the key of a call is the first of another one."""
        if not name:
            return False
        if call_id and call.id:
            if call_id == call.id or call.is_empty():
                return False
            if not call.opened or name != call.name:
                return True
            if not call.argued:
                return not arguments.strip()
            return self._blocks.call_is_complete(call.number, choice)
        # The same name again may be a habit of the vendor; with arguments it is another call.
        return (
            call.opened
            and (name != call.name or bool(arguments.strip()))
            and self._blocks.call_is_complete(call.number, choice)
        )

    def _moved(
        self, choice: int, key: int | str, name: str, arguments: str, call_id: str
    ) -> _Call | None:
        """The call to which a piece under a new key belongs, by its id."""
        call = next(
            (
                call
                for (of, _), call in reversed(self._calls.items())
                if of == choice and call.id == call_id and call.opened
            ),
            None,
        )
        if call is None or name not in ("", call.name):
            return None
        begins = bool(name) and call.argued and arguments.startswith("{")
        if call.whole != hash(arguments) and (
            begins or self._blocks.call_is_complete(call.number, choice)
        ):
            return None
        self._bound()
        self._calls[choice, key] = call
        return call

    def _new(self, choice: int, key: int | str, call_id: str) -> _Call:
        self._bound()
        call = self._calls[choice, key] = _Call(self._begun, call_id)
        self._begun += 1
        return call

    def _bound(self) -> None:
        if max(self._begun, len(self._calls)) >= _MAX_CALLS:
            raise FramingError(f"it calls more than {_MAX_CALLS} tools in one answer")

    def _open(self, out: list[Event], choice: int, call: _Call, name: str) -> None:
        if call.opened:
            return
        call.opened, call.name = True, name
        custom = UNSET if call.text is None else True
        tool = Tool(call.id or made_id(self.seed, call.number), name, custom)
        self._blocks.name_call(out, call.number, tool, choice)
        self._room += call.pending.size
        self._blocks.arguments(out, call.number, call.pending.take(), choice)

    def _end_text(self, out: list[Event], choice: int, call: _Call) -> None:
        if call.text is not None:
            end, call.text = call.text.close(), None
            if not call.opened:
                call.pending.add(end)
            else:
                self._blocks.arguments(out, call.number, end, choice)

    def _late(self, out: list[Event], choice: int, key: int | str, arguments: str) -> None:
        """The call was complete and something else has begun since: what comes now is no part of
        it.
        """
        said = {"choice": choice, "key": key, "arguments": arguments}
        out.append(Vendor(self._dialect, {"tool_call": said}))

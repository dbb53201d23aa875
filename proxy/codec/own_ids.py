"""Ids of tool calls, each its own, as some servers give all of theirs the same; and calls that wait
for their results under an id that several have.
"""

from collections import deque
from typing import Generic, NamedTuple, TypeVar

from msgspec.structs import replace

from proxy.events import Tool

T = TypeVar("T")
# Ids of an answer beyond this are not kept to be told from others.
_MOST = 128


class OwnIds:
    """One answer or conversation, told of every call in their order. `most`: so many ids are kept
    to be told from others.
    """

    __slots__ = ("_most", "_numbers")

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._numbers: dict[str, int] = {}  # ids -> the last number given to one

    def own(self, asked: str, stem: str = "") -> str:
        """An id that no call had before, the same for the same calls: the one that is asked for,
        else `stem`, or that one, with a number.
        """
        made, number = asked, self._numbers.get(asked, 1)
        while made in self._numbers:
            number += 1
            made = f"{stem or asked}_{number}"
        if len(self._numbers) < self._most:
            self._numbers[asked] = number
            self._numbers.setdefault(made, 1)
        return made

    def alone(self, tool: Tool) -> Tool:
        """The tool with an id that no other call has: by it a client says whose result it sends."""
        made = self.own(tool.id)
        return tool if made == tool.id else replace(tool, id=made)


class _Open(NamedTuple, Generic[T]):
    turn: int
    waiting: deque[T]
    last: T


class Waiting(Generic[T]):
    """The calls of a conversation, by the id that their client gives them. Of each id those of the
    newest turn wait for results, which come in their order: earlier ones were broken off.
    """

    def __init__(self) -> None:
        self._newest: dict[str, _Open[T]] = {}

    def add(self, asked: str, turn: int, call: T) -> None:
        """A call of this id, in the turn of this number."""
        known = self._newest.get(asked)
        waiting = known.waiting if known and known.turn == turn else deque[T]()
        waiting.append(call)
        self._newest[asked] = _Open(turn, waiting, call)

    def take(self, asked: str) -> T | None:
        """The call that a result of this id is for. None: none waits."""
        known = self._newest.get(asked)
        return known.waiting.popleft() if known and known.waiting else None

    def last(self, asked: str) -> T | None:
        """The newest call of this id, whether it waits or not."""
        known = self._newest.get(asked)
        return None if known is None else known.last

"""Ids of the calls of one answer, each its own: some servers give all of them the same, and a
client could not say whose result it sends.
"""

from msgspec.structs import replace

from proxy.events import Tool

# Ids beyond this are not kept to be told from others.
_MOST = 128


class OwnIds:
    """One answer, told of every call in their order."""

    __slots__ = ("_numbers",)

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}  # ids -> the last number given to one

    def alone(self, tool: Tool) -> Tool:
        """The tool with an id that no other call of the answer has."""
        made, number = tool.id, self._numbers.get(tool.id, 1)
        while made in self._numbers:
            number += 1
            made = f"{tool.id}_{number}"
        if len(self._numbers) < _MOST:
            self._numbers[tool.id] = number
            self._numbers.setdefault(made, 1)
        return tool if made == tool.id else replace(tool, id=made)

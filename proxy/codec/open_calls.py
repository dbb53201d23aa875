"""Tool calls that wait for their results, for clients whose results name no id, or not always.

A search costs the same however many calls wait: a request may hold a hundred thousand.
"""

from collections import defaultdict, deque


class OpenCalls:
    """The calls of earlier turns, in their order. Each `take` gives the id of the first that fits
    and is not taken yet, or None.
    """

    def __init__(self) -> None:
        self._ids: list[str] = []
        self._taken: list[bool] = []
        self._all: deque[int] = deque()
        self._by_id: dict[str, deque[int]] = defaultdict(deque)
        self._by_name: dict[str, deque[int]] = defaultdict(deque)

    def add(self, call_id: str, name: str) -> None:
        """One more call."""
        number = len(self._ids)
        self._ids.append(call_id)
        self._taken.append(False)
        for line in (self._all, self._by_id[call_id], self._by_name[name]):
            line.append(number)

    def take(self) -> str | None:
        """The first call."""
        return self._first(self._all)

    def take_id(self, call_id: str) -> str | None:
        """The first call of this id."""
        return self._first(self._by_id.get(call_id))

    def take_name(self, name: str) -> str | None:
        """The first call of this function."""
        return self._first(self._by_name.get(name))

    def _first(self, line: deque[int] | None) -> str | None:
        while line:
            number = line.popleft()
            if not self._taken[number]:
                self._taken[number] = True
                return self._ids[number]
        return None

"""Where the events of a stream belong: the output index of their item.

Items are told apart by `output_index`: GitHub Copilot's proxy gives an item another id in every
event. Some vendors leave the index out, or give the same one to two calls that are open at once:
then the ids tell.
"""

from collections.abc import Mapping
from typing import Any

from proxy.codec.counts import count

_MAX_NAMES = 4096  # an item has two; what is beyond that goes by its index
_INVENTED = 1 << 54  # no vendor's index is as large (`MAX_COUNT`)


class Places:
    """The items of one answer. `by_name`: the index alone does not tell any more."""

    def __init__(self) -> None:
        self.by_name = False
        self._named: dict[str, int] = {}
        self._invented = _INVENTED

    def added(self, said: Mapping[str, Any], item: Mapping[str, Any], *, taken: bool) -> int:
        """The place of an item that begins. `taken`: another call is open at its index."""
        at = count(said.get("output_index"))
        known = self._by_names(item)
        if known is not None and (at is None or self.by_name):
            return known
        if at is None or taken:
            self.by_name = self.by_name or taken
            at = self._invented
            self._invented += 1
        for key in ("id", "call_id"):
            name = item.get(key)
            if isinstance(name, str) and name and len(self._named) < _MAX_NAMES:
                self._named[name] = at
        return at

    def of(self, said: Mapping[str, Any]) -> int:
        """The place of any other event."""
        at = count(said.get("output_index"))
        if at is not None and not self.by_name:
            return at
        item = said.get("item")
        found = self._by_names(item) if isinstance(item, dict) else None
        name = said.get("item_id")
        if found is None and isinstance(name, str):
            found = self._named.get(name)
        return found if found is not None else at or 0

    def _by_names(self, item: Mapping[str, Any]) -> int | None:
        for key in ("call_id", "id"):
            name = item.get(key)
            if isinstance(name, str) and name in self._named:
                return self._named[name]
        return None

"""Calls of xAI's own tools, which it says as calls with free text, as if the client were to run
them: those of its search in X. The answer tells which tools were asked for.

Source: xAI's guide to its server-side tools, and recorded answers.
"""

from collections.abc import Mapping
from typing import Any

from proxy.codec.counts import count

_NAMES = frozenset(
    {
        "x_user_search",
        "x_keyword_search",
        "x_semantic_search",
        "x_thread_fetch",
        "view_image",
        "view_x_video",
    }
)
_CLIENTS = ("function", "custom")
_MAX_CALLS = 1024


class OwnTools:
    """The calls of one answer that are not the client's to run. `places`: their output indexes."""

    def __init__(self) -> None:
        self._names: frozenset[str] = frozenset()  # of the vendor's tools in this answer
        self.places: set[int] = set()

    def asked_for(self, response: Mapping[str, Any]) -> None:
        """What the response says of its tools."""
        tools = response.get("tools")
        told = [tool for tool in tools if isinstance(tool, dict)] if isinstance(tools, list) else []
        if any(tool.get("type") not in _CLIENTS for tool in told):
            self._names = _NAMES - {str(tool.get("name")) for tool in told}

    def calls(self, item: Any) -> bool:
        """Whether an item is such a call."""
        return (
            bool(self._names)
            and isinstance(item, dict)
            and item.get("type") == "custom_tool_call"
            and item.get("name") in self._names
        )

    def begins(self, said: Mapping[str, Any]) -> bool:
        """Whether an event has such a call as its item, of which others follow."""
        if not self.calls(said.get("item")):
            return False
        at = count(said.get("output_index"))
        if at is not None and len(self.places) < _MAX_CALLS:
            self.places.add(at)
        return True

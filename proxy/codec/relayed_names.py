"""Names of tools and ids of calls in a client's own request, as the target takes them: for dialects
whose calls stand in a message's `tool_calls`, each with a `function`, as their tools do.
"""

from typing import Any

from proxy.codec.mapped import mapped
from proxy.codec.note_once import note_once
from proxy.codec.rules import Rules, renamed
from proxy.codec.shared_notes import RENAMED_TOOLS
from proxy.events import Note


class RelayedNames:
    """One request. Appends to `notes`, once; `names` are those that were changed, as sent, to the
    client's. What fits stays the very same object.
    """

    def __init__(self, rules: Rules, notes: list[Note]) -> None:
        self._tool, self._call = rules.tool_name, rules.call_id
        self._notes = notes
        self.names: dict[str, str] = {}

    def tools(self, tools: Any) -> Any:
        """The tools of a request."""
        return mapped(tools, self._holder)

    def messages(self, messages: Any) -> Any:
        """Its messages."""
        return mapped(messages, self._message)

    def _message(self, message: Any) -> Any:
        if not isinstance(message, dict):
            return message
        changes: dict[str, Any] = {}
        calls = message.get("tool_calls")
        if (mended := mapped(calls, self._one_call)) is not calls:
            changes["tool_calls"] = mended
        if (short := renamed(self._call, message.get("tool_call_id"))) is not None:
            changes["tool_call_id"] = short
        name = message.get("tool_name")
        if (short := renamed(self._tool, name)) is not None:
            self.names[short] = str(name)
            changes["tool_name"] = short
        return {**message, **changes} if changes else message

    def _one_call(self, call: Any) -> Any:
        named = self._holder(call)
        short = renamed(self._call, named.get("id")) if isinstance(named, dict) else None
        return named if short is None else {**named, "id": short}

    def _holder(self, holder: Any) -> Any:
        match holder:
            case {"function": {"name": name} as function}:
                short = renamed(self._tool, name)
                if short is not None:
                    self.names[short] = name
                    note_once(self._notes, RENAMED_TOOLS)
                    return {**holder, "function": {**function, "name": short}}
        return holder

"""The messages of a client's own chat completion, as the target takes them: roles, ids and names
that fit, and without keys that it refuses. What fits stays the very same object.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from proxy.codec.chat_turns import drop
from proxy.codec.note_once import note_once
from proxy.codec.proofs import OTHER, fits
from proxy.codec.rules import Rules, renamed
from proxy.codec.shared_notes import RENAMED_TOOLS, WRAPPED_ARGUMENTS
from proxy.codec.tool_calls import readable
from proxy.dialects.openai_chat.options import UpstreamOptions
from proxy.events import Note

# Where a tool, a choice among tools and a call have the tool's name.
_NAMED = ("function", "custom")
_TEXTS = ("reasoning_content", "reasoning")  # two names of one thing
_DETAILS = "reasoning_details"
_REFUSED = "Keys of messages that the upstream refuses were left out."
_FOREIGN = "Earlier reasoning of another vendor cannot be shown to this upstream."


class RelayedTurns:
    """One request. Appends to `notes`, each once. `names` are the names of tools that were changed,
    as sent, to the client's.
    """

    def __init__(self, rules: Rules, options: UpstreamOptions, notes: list[Note]) -> None:
        self._rules = rules
        self._notes = notes
        wanted = options.send_reasoning
        self._text_field = wanted if wanted in _TEXTS else None
        self.names: dict[str, str] = {}

    def message(self, message: dict[str, Any]) -> dict[str, Any]:
        """One of them."""
        if "tool_calls" in message and not message["tool_calls"]:  # refused, and says nothing
            message = {name: value for name, value in message.items() if name != "tool_calls"}
        changes: dict[str, Any] = {}
        rules = self._rules
        role = message.get("role", "")
        if role in rules.roles:
            changes["role"] = rules.roles[role]
        if message.get("tool_calls"):
            calls = [self._call(call) for call in message["tool_calls"]]
            if any(new is not old for new, old in zip(calls, message["tool_calls"], strict=True)):
                changes["tool_calls"] = calls
        fitted = renamed(rules.call_id, message.get("tool_call_id"))
        if fitted is not None:
            changes["tool_call_id"] = fitted
        if role in ("tool", "function") and (named := self._renamed(message)) is not message:
            changes["name"] = named["name"]
        if message.get("function_call"):
            changes["function_call"] = self._renamed(message["function_call"])
        changes.update(self._proofs(message))
        if changes:
            message = {**message, **changes}
        return self._in_its_field(self._without_refused(message))

    def named(self, holder: Any) -> Any:
        """A tool, a choice or a call, with a name that fits."""
        if not isinstance(holder, dict):
            return holder
        for key in _NAMED:
            if isinstance(holder.get(key), dict):
                inner = self._renamed(holder[key])
                return holder if inner is holder[key] else {**holder, key: inner}
        allowed = holder.get("allowed_tools")
        if isinstance(allowed, dict) and isinstance(allowed.get("tools"), list):
            tools = [self.named(tool) for tool in allowed["tools"]]
            return {**holder, "allowed_tools": {**allowed, "tools": tools}}
        return self._renamed(holder)

    def _call(self, call: Any) -> Any:
        named = self.named(call)
        match named:
            # Mistral's SDKs send the arguments themselves; every vendor takes their text
            case {"function": {"arguments": dict(arguments)} as function}:
                text = msgspec.json.encode(arguments).decode()
                named = {**named, "function": {**function, "arguments": text}}
        if self._rules.reads_arguments:
            named = self._readable(named)
        fitted = renamed(self._rules.call_id, named.get("id"))
        return named if fitted is None else {**named, "id": fitted}

    def _readable(self, call: dict[str, Any]) -> dict[str, Any]:
        match call:
            case {"function": {"arguments": str(said)} as function}:
                text = readable(said)
                if text != said:
                    note_once(self._notes, WRAPPED_ARGUMENTS)
                    return {**call, "function": {**function, "arguments": text}}
        return call

    def _renamed(self, holder: dict[str, Any]) -> dict[str, Any]:
        name = holder.get("name")
        short = renamed(self._rules.tool_name, name)
        if short is None:
            return holder
        self.names[short] = str(name)
        note_once(self._notes, RENAMED_TOOLS)
        return {**holder, "name": short}

    def _proofs(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Reasoning that another vendor proved is left out, where it is known whose the target's
        is.
        """
        if self._rules.proofs is None:
            return {}
        details = message.get(_DETAILS)
        if not isinstance(details, list):
            return {}
        kept = [detail for detail in details if self._is_own(detail)]
        if len(kept) == len(details):
            return {}
        drop(self._notes, "messages.reasoning", _FOREIGN)
        return {_DETAILS: kept}

    def _is_own(self, detail: Any) -> bool:
        of = detail.get("format") if isinstance(detail, dict) else None
        return fits(of if isinstance(of, str) and of != OTHER else None, self._rules.proofs)

    def _without_refused(self, message: dict[str, Any]) -> dict[str, Any]:
        only, never = self._rules.only_in_messages, self._rules.refused_in_messages
        refused = {name for name in message if name in never or (only and name not in only)}
        if not refused:
            return message
        if any(message[name] for name in refused):
            drop(self._notes, "messages.refused", _REFUSED)
        return {name: value for name, value in message.items() if name not in refused}

    def _in_its_field(self, message: dict[str, Any]) -> dict[str, Any]:
        """Earlier reasoning in the field in which the operator says that the vendor wants it."""
        field = self._text_field
        if field is None or message.get(field):
            return message
        other = next((name for name in _TEXTS if name != field), "")
        if not isinstance(message.get(other), str):
            return message
        return {field if name == other else name: value for name, value in message.items()}

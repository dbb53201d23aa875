"""The order of messages, and what some vendors insist on in them, on the messages as they go up:
built, or the client's own.
"""

from typing import Any

from proxy.codec.chat_turns import drop
from proxy.codec.rules import Rules
from proxy.dialects.openai_chat.options import UpstreamOptions
from proxy.events import Note

_BETWEEN = {"role": "assistant", "content": "I have the results."}
_MARK = "cache_control"
_LOST = " "  # an empty text counts as none


def ordered(
    messages: list[dict[str, Any]], rules: Rules, options: UpstreamOptions, notes: list[Note]
) -> list[dict[str, Any]]:
    """The messages as the target takes them; what fits stays the very same object."""
    if rules.cache_marks is False:
        messages = [_with_plain_parts(message, notes) for message in messages]
    if rules.user_after_tool is False:
        messages = _with_turns_between(messages, notes)
    if rules.insists_on_reasoning and options.send_reasoning is not None:
        messages = [_with_reasoning(message, options.send_reasoning) for message in messages]
    key = rules.prefill_key
    if key is not None and messages and _is_begun(messages[-1]) and key not in messages[-1]:
        messages = [*messages[:-1], {**messages[-1], key: True}]
    return messages


def unmarked(holder: Any, notes: list[Note]) -> Any:
    """A message, a part or a tool without its mark for a prompt cache, for a vendor that refuses
    one and finds by itself what it has kept.
    """
    if not isinstance(holder, dict) or _MARK not in holder:
        return holder
    drop(notes, "cache", "The upstream takes no marks of its prompt cache.")
    return {name: value for name, value in holder.items() if name != _MARK}


def _with_plain_parts(message: dict[str, Any], notes: list[Note]) -> dict[str, Any]:
    plain: dict[str, Any] = unmarked(message, notes)
    content = plain.get("content")
    if not isinstance(content, list):
        return plain
    parts = [unmarked(part, notes) for part in content]
    return {**plain, "content": parts}


def _with_turns_between(messages: list[dict[str, Any]], notes: list[Note]) -> list[dict[str, Any]]:
    out: list[dict[str, Any]] = []
    for message in messages:
        if message.get("role") == "user" and out and out[-1].get("role") == "tool":
            said = "The upstream wants a turn of the assistant between a result and the user."
            drop(notes, "messages", said, "changed")
            out.append(_BETWEEN)
        out.append(message)
    return out


def _with_reasoning(message: dict[str, Any], field: str) -> dict[str, Any]:
    if not message.get("tool_calls") or message.get(field):
        return message
    return {**message, field: _LOST}


def _is_begun(message: dict[str, Any]) -> bool:
    return message.get("role") == "assistant" and not message.get("tool_calls")

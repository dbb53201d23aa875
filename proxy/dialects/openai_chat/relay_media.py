"""Pictures, documents and sound in tools' results of a client's own messages, for a vendor whose
results hold text only: in a user's turn behind them, where they still reach the model.
"""

from typing import Any

from proxy.codec.media import BEHIND, EMPTY, of_result
from proxy.codec.note_once import note_once
from proxy.codec.rules import MediaKind, Rules
from proxy.events import Note

_KINDS: dict[str, MediaKind] = {
    "image_url": "image",
    "file": "document",
    "input_audio": "audio",
}
_Object = dict[str, Any]


def media_behind(messages: list[Any], rules: Rules, notes: list[Note]) -> list[Any]:
    """The messages; the very same list where there is nothing to move."""
    if not rules.result_media:
        return messages
    refused = {part for part, kind in _KINDS.items() if rules.result_media.get(kind) == ()}
    if not any(_moving(message, refused) for message in messages):
        return messages
    note_once(notes, BEHIND)
    out: list[Any] = []
    behind: list[Any] = []
    for message in messages:
        if behind and not _is_result(message):
            out.append({"role": "user", "content": behind})
            behind = []
        moving = _moving(message, refused)
        if not moving:
            out.append(message)
            continue
        left = [part for part in message["content"] if not _moves(part, refused)]
        out.append({**message, "content": left or EMPTY})
        behind += [{"type": "text", "text": of_result(message.get("tool_call_id", ""))}, *moving]
    return [*out, {"role": "user", "content": behind}] if behind else out


def _is_result(message: Any) -> bool:
    return isinstance(message, dict) and message.get("role") == "tool"


def _moving(message: Any, refused: set[str]) -> list[_Object]:
    content = message.get("content") if _is_result(message) else None
    if not isinstance(content, list):
        return []
    return [part for part in content if _moves(part, refused)]


def _moves(part: Any, refused: set[str]) -> bool:
    return isinstance(part, dict) and part.get("type") in refused

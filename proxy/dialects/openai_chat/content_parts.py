"""The parts of a content that is a list: text, and thinking."""

from typing import Any

_TEXTS = (None, "text", "output_text")  # types of parts; gateways leave it out


def is_text(part: Any) -> bool:
    """Whether a part that is a text, or holds one, is no more than that."""
    return isinstance(part, str) or part.get("type") in _TEXTS


def joined(thinking: Any) -> str:
    """Thinking is a text, or a list of text parts."""
    if isinstance(thinking, str):
        return thinking
    parts = thinking if isinstance(thinking, list) else []
    return "".join(
        part["text"]
        for part in parts
        if isinstance(part, dict) and isinstance(part.get("text"), str)
    )

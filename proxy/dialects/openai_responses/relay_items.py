"""Items of an input, a client's own or one that was built, that the vendor refuses for their form,
said as it takes them.
"""

from typing import Any

from proxy.codec.mapped import mapped
from proxy.codec.rules import Rules
from proxy.events import Note

# Kinds of items that need no id -> how the vendor's own ids of them begin.
_BEGINNINGS = {"message": "msg", "function_call": "fc", "custom_tool_call": "ctc"}
_TEXTS = ("text", "input_text")


def mended_item(item: dict[str, Any], rules: Rules) -> dict[str, Any]:
    """One item; the very same object where it fits. An id that another vendor gave is left out
    where the target looks at it; what the assistant said is `output_text`.
    """
    kind = item.get("type") or "message"
    begins = _BEGINNINGS.get(kind)
    own = item.get("id")
    if rules.checks_item_ids and begins and isinstance(own, str) and not own.startswith(begins):
        item = {name: value for name, value in item.items() if name != "id"}
    content = item.get("content")
    if kind != "message" or item.get("role") != "assistant" or not isinstance(content, list):
        return item
    parts = mapped(content, _said)
    return item if parts is content else {**item, "content": parts}


def without_lone_reasoning(
    items: list[dict[str, Any]], rules: Rules, notes: list[Note]
) -> list[dict[str, Any]]:
    """The items without reasoning that no answer and no call follows, as where a turn was broken
    off: OpenAI refuses it. The very same list where there is none.
    """
    if not rules.checks_item_ids:
        return items
    kept: list[dict[str, Any]] = []
    follows = False  # what the assistant said or did
    for item in reversed(items):
        kind = item.get("type") or "message"
        if kind == "reasoning" and not follows:
            continue
        if kind != "reasoning":
            others = kind == "message" and item.get("role") != "assistant"
            follows = not others and not kind.endswith("_output")
        kept.append(item)
    if len(kept) == len(items):
        return items
    why = "Reasoning that nothing follows is left out, as the vendor refuses it."
    notes.append(Note("dropped", "input.reasoning", why))
    return kept[::-1]


def _said(part: Any) -> Any:
    if isinstance(part, dict) and part.get("type") in _TEXTS:
        return {**part, "type": "output_text"}
    return part

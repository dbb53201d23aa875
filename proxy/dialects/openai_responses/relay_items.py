"""Items of a client's own input that the vendor refuses for their form, said as it takes them."""

from typing import Any

from proxy.codec.mapped import mapped
from proxy.codec.rules import Rules

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


def _said(part: Any) -> Any:
    if isinstance(part, dict) and part.get("type") in _TEXTS:
        return {**part, "type": "output_text"}
    return part

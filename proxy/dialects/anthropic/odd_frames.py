"""Frames that do not decode as the reference has them: those of clones, which leave a type out, and
those of kinds that we do not know.
"""

from typing import Any

from proxy.dialects.anthropic import wire


def completed(value: dict[str, Any], event: str) -> dict[str, Any]:
    """A frame with the types that a clone left out: its own is in the frame's name (`event`), that
    of its delta is in the delta's keys. The value is changed in place.
    """
    if "type" not in value and event in _FRAMES:
        value["type"] = event
    if _is_delta(value) and "type" not in (delta := value["delta"]):
        delta["type"] = next((_BY_KEY[key] for key in delta if key in _BY_KEY), None)
    return value


def is_known(value: dict[str, Any]) -> bool:
    """Whether the frame is of a kind of the reference."""
    return value.get("type") in _FRAMES


def is_unknown_delta(value: dict[str, Any]) -> bool:
    """Whether the frame is a piece of a block, of a kind that we do not know."""
    return (
        _is_delta(value)
        and value["delta"].get("type") not in _DELTAS
        and isinstance(value.get("index", 0), int)
    )


def _is_delta(value: dict[str, Any]) -> bool:
    return value.get("type") == "content_block_delta" and isinstance(value.get("delta"), dict)


def _tags(union: Any) -> tuple[str, ...]:
    # no set: a `type` on the wire may be unhashable
    return tuple(struct.__struct_config__.tag for struct in union.__args__)


_FRAMES = _tags(wire.Frame)
_DELTAS = _tags(wire.Delta)
# What a clone's delta is that does not say so itself.
_BY_KEY = {
    "text": "text_delta",
    "partial_json": "input_json_delta",
    "thinking": "thinking_delta",
    "signature": "signature_delta",
    "citation": "citations_delta",
}

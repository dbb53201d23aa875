"""Token counts of this vendor: a dict that grows key by key.

`input_tokens` on the wire leaves out what was read from or written to the cache; ours includes
both. `output_tokens` includes the thinking.
"""

from collections.abc import Mapping
from typing import Any

from proxy.codec.counts import count
from proxy.events import Usage

# A usage object has about ten keys; one that grows for ever is not held.
_MAX_KEYS = 32
_INPUT = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
# What `Usage` says already; the rest of a count goes to the client as the vendor's own.
_NORMALISED = frozenset(
    {
        "input_tokens",
        "output_tokens",
        "cache_read_input_tokens",
        "cache_creation_input_tokens",
        "output_tokens_details",
    }
)


def merge(known: dict[str, Any], said: Mapping[str, Any]) -> None:
    """Later counts are totals and replace earlier ones; what is left out or null stays. So does an
    input that was counted where a copy of this API says at the end that there was none.
    """
    none = "input_tokens" in said and not any(said.get(key) for key in _INPUT)
    kept = _INPUT if none and known.get("input_tokens") else ()
    for key, value in said.items():
        if value is not None and key not in kept and (key in known or len(known) < _MAX_KEYS):
            known[key] = value


def normalised(known: Mapping[str, Any]) -> Usage:
    """The vendor's counts in ours. A count that is no number is unknown."""
    new, written, read = map(count, map(known.get, _INPUT))
    details = known.get("output_tokens_details")
    return Usage(
        input_tokens=None if new is None else new + (written or 0) + (read or 0),
        output_tokens=count(known.get("output_tokens")),
        cached_input_tokens=read,
        reasoning_tokens=count(details.get("thinking_tokens"))
        if isinstance(details, dict)
        else None,
        cache_write_tokens=written,
    )


def extras(known: Mapping[str, Any]) -> dict[str, Any]:
    """What the vendor counted beside (server tools, kinds of cache writes, service tier), without
    the noughts.
    """
    if known.keys() <= _NORMALISED:
        return {}
    return {
        key: value
        for key, value in known.items()
        if key not in _NORMALISED and not _is_nought(value)
    }


def on_wire(usage: Usage, more: Mapping[str, Any]) -> dict[str, Any]:
    """Our usage as the vendor's. `more` are its own extras, where the answer came from this vendor.

    The vendor's SDKs insist on an integer for `output_tokens`: here alone unknown becomes 0. Other
    unknown counts are left out.
    """
    out: dict[str, Any] = dict(more)
    if usage.input_tokens is not None:
        cached = (usage.cached_input_tokens or 0) + (usage.cache_write_tokens or 0)
        out["input_tokens"] = max(usage.input_tokens - cached, 0)
    if usage.cache_write_tokens is not None:
        out["cache_creation_input_tokens"] = usage.cache_write_tokens
    if usage.cached_input_tokens is not None:
        out["cache_read_input_tokens"] = usage.cached_input_tokens
    if usage.reasoning_tokens is not None:
        out["output_tokens_details"] = {"thinking_tokens": usage.reasoning_tokens}
    out["output_tokens"] = usage.output_tokens or 0
    return out


def _is_nought(value: Any) -> bool:
    return not (any(value.values()) if isinstance(value, dict) else value)

"""Token counts of this vendor. `tokens` is what the model read and wrote, `billed_units` what is
charged: they differ a lot.
"""

from collections.abc import Mapping
from typing import Any

from proxy.codec.counts import count
from proxy.events import Usage


def read_usage(said: Mapping[str, Any]) -> Usage:
    """`said` is the vendor's `usage`. A count that is no number is unknown."""
    tokens = said.get("tokens")
    counts = tokens if isinstance(tokens, dict) else {}
    return Usage(
        count(counts.get("input_tokens")),
        count(counts.get("output_tokens")),
        count(said.get("cached_tokens")),
    )


def usage_extras(said: Mapping[str, Any]) -> dict[str, Any]:
    """What the vendor counted beside: what it charges for, image tokens."""
    extras = {
        key: value
        for key, value in said.items()
        if value and key not in ("tokens", "cached_tokens")
    }
    tokens = said.get("tokens")
    counts = tokens if isinstance(tokens, dict) else {}
    more = {
        key: value
        for key, value in counts.items()
        if value and key not in ("input_tokens", "output_tokens")
    }
    return {**extras, "tokens": more} if more else extras


def usage_object(usage: Usage, extras: Mapping[str, Any]) -> dict[str, Any]:
    """Our usage as the vendor's, unknown counts left out. `extras` are what it counted beside; if
    it says nothing of what is charged, that is what was counted, as its clients look there first.
    """
    known = {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}
    counted = {key: tokens for key, tokens in known.items() if tokens is not None}
    more = extras.get("tokens")
    said = {key: value for key, value in extras.items() if key != "tokens"}
    said.setdefault("billed_units", counted)
    said["tokens"] = {**counted, **(more if isinstance(more, dict) else {})}
    if usage.cached_input_tokens is not None:
        said["cached_tokens"] = usage.cached_input_tokens
    return said

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
    """Our usage as the vendor's, unknown counts left out; {} where nothing is known. `extras` are
    what it counted beside.
    """
    known = {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}
    more = extras.get("tokens")
    tokens = {
        **{key: value for key, value in known.items() if value is not None},
        **(more if isinstance(more, dict) else {}),
    }
    said = {key: value for key, value in extras.items() if key != "tokens"}
    if tokens:
        said["tokens"] = tokens
    if usage.cached_input_tokens is not None:
        said["cached_tokens"] = usage.cached_input_tokens
    return said

"""The vendors' token counts to ours.

OpenAI counts cached tokens within `prompt_tokens` and reasoning within `completion_tokens`, as `Usage` wants it. xAI leaves the
reasoning out of `completion_tokens`, which its own total gives away (291 + 26 + 196 = 513).
"""

from collections.abc import Mapping
from typing import Any

from proxy.events import Usage

_KNOWN = frozenset(
    {
        "prompt_tokens",
        "completion_tokens",
        "total_tokens",
        "cached_tokens",
        "reasoning_tokens",
        "input_tokens",
        "output_tokens",
        "prompt_cache_hit_tokens",
        "prompt_cache_miss_tokens",
    }
)
_DETAILS = ("prompt_tokens_details", "completion_tokens_details")


def read_usage(said: Mapping[str, Any]) -> Usage:
    """`said` is the vendor's `usage` object. What it does not say, or says in no number, is None."""
    prompt = _first(said, "prompt_tokens", "input_tokens")
    completion = _first(said, "completion_tokens", "output_tokens")
    reasoning = _first(_inner(said, "completion_tokens_details"), "reasoning_tokens")
    if reasoning is None:
        reasoning = _first(said, "reasoning_tokens")  # Perplexity
    cached = _first(_inner(said, "prompt_tokens_details"), "cached_tokens")
    if cached is None:
        cached = _first(said, "prompt_cache_hit_tokens", "cached_tokens")  # DeepSeek; Together and Moonshot
    total = _first(said, "total_tokens")
    if prompt is not None and completion is not None and reasoning and total == prompt + completion + reasoning:
        completion += reasoning
    return Usage(prompt, completion, cached, reasoning)


def usage_extras(said: Mapping[str, Any]) -> dict[str, Any]:
    """What `usage` tells beyond our four counts, zeros and nulls left out: costs, times, audio tokens."""
    extras = {key: value for key, value in said.items() if value and key not in _KNOWN and key not in _DETAILS}
    for name in _DETAILS:
        inner = {key: value for key, value in _inner(said, name).items() if value and key not in _KNOWN}
        if inner:
            extras[name] = inner
    return extras


def _inner(said: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = said.get(name)
    return value if isinstance(value, dict) else {}


def _first(said: Mapping[str, Any], *names: str) -> int | None:
    """The first of these that is a count. A boolean is none, and a float only if it is whole."""
    for name in names:
        value = said.get(name)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
    return None

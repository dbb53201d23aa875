"""The token counts of OpenAI, and of those that speak like it, to ours, and back.

OpenAI counts cached tokens within `prompt_tokens` and reasoning within `completion_tokens`, as
`Usage` wants it; the Responses API says `input_tokens` and `output_tokens` for the same. xAI leaves
the reasoning out of `completion_tokens`, which its own total gives away (291 + 26 + 196 = 513).
"""

from collections.abc import Mapping
from typing import Any

from proxy.codec.counts import count
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
        "audio_tokens",
        "cache_write_tokens",
        "cache_creation_tokens",
        "cache_creation_input_tokens",
        "cache_read_input_tokens",
    }
)
_INPUT_DETAILS = ("prompt_tokens_details", "input_tokens_details")
_OUTPUT_DETAILS = ("completion_tokens_details", "output_tokens_details")
_DETAILS = (*_INPUT_DETAILS, *_OUTPUT_DETAILS)


def read_usage(said: Mapping[str, Any]) -> Usage:
    """`said` is the vendor's `usage` object. What it does not say, or says in no number, is
    None.
    """
    prompt = _first(said, "prompt_tokens", "input_tokens")
    completion = _first(said, "completion_tokens", "output_tokens")
    read, written = _inner(said, *_INPUT_DETAILS), _inner(said, *_OUTPUT_DETAILS)
    reasoning = _first(written, "reasoning_tokens")
    if reasoning is None:
        reasoning = _first(said, "reasoning_tokens")  # Perplexity
    cached = _first(read, "cached_tokens")
    if cached is None:
        # DeepSeek; Together and Moonshot; gateways before Anthropic
        cached = _first(said, "prompt_cache_hit_tokens", "cached_tokens", "cache_read_input_tokens")
    # OpenRouter; LiteLLM and others
    cache_write = _first(read, "cache_write_tokens", "cache_creation_tokens")
    if cache_write is None:
        cache_write = _first(said, "cache_creation_input_tokens")
    total = _first(said, "total_tokens")
    if (
        prompt is not None
        and completion is not None
        and reasoning
        and total == prompt + completion + reasoning
    ):
        completion += reasoning
    return Usage(
        prompt,
        completion,
        cached,
        reasoning,
        cache_write,
        _first(read, "audio_tokens"),
        _first(written, "audio_tokens"),
    )


def usage_extras(said: Mapping[str, Any]) -> dict[str, Any]:
    """What `usage` tells beyond our counts, zeros and nulls left out: costs, times, tokens of
    predictions.
    """
    extras = {
        key: value
        for key, value in said.items()
        if value and key not in _KNOWN and key not in _DETAILS
    }
    for name in _DETAILS:
        inner = {
            key: value for key, value in _inner(said, name).items() if value and key not in _KNOWN
        }
        if inner:
            extras[name] = inner
    return extras


def usage_object(usage: Usage, further: Mapping[str, Any]) -> dict[str, Any] | None:
    """The `usage` of chat completions and of legacy ones. None where nothing is known. This form
    has no word for an unknown count: where the other one is known, it is 0.
    """
    if usage.input_tokens is None and usage.output_tokens is None:
        return None
    prompt, completion = usage.input_tokens or 0, usage.output_tokens or 0
    said: dict[str, Any] = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }
    read = {
        "cached_tokens": usage.cached_input_tokens,
        "audio_tokens": usage.audio_input_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
    }
    written = {
        "reasoning_tokens": usage.reasoning_tokens,
        "audio_tokens": usage.audio_output_tokens,
    }
    for name, counts in (("prompt_tokens_details", read), ("completion_tokens_details", written)):
        known = {key: value for key, value in counts.items() if value is not None}
        if known:
            said[name] = known
    return with_further(said, further)


def with_further(said: dict[str, Any], further: Mapping[str, Any]) -> dict[str, Any]:
    """Our counts, and what the vendor counted beyond them (see `usage_extras`)."""
    for name, value in further.items():
        own = said.get(name)
        said[name] = (
            {**value, **own}
            if isinstance(own, dict) and isinstance(value, dict)
            else value
            if own is None
            else own
        )
    return said


def _inner(said: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    return next((value for name in names if isinstance(value := said.get(name), dict)), {})


def _first(said: Mapping[str, Any], *names: str) -> int | None:
    """The first of these that is a count."""
    return next((found for name in names if (found := count(said.get(name))) is not None), None)

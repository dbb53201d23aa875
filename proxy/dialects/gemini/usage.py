"""Token counts of this vendor. Each chunk may hold them, cumulative; a count that a later one
leaves out stands.

`candidatesTokenCount` leaves the thoughts out, `promptTokenCount` what the vendor's own tools put
into the prompt; ours have both.
"""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Raw

from proxy.codec.counts import count
from proxy.codec.framed import decoded
from proxy.events import MAX_COUNT, Usage

_Count = Annotated[int, Meta(ge=0, le=MAX_COUNT)] | None


class _Counts(msgspec.Struct, rename="camel"):
    prompt_token_count: _Count = None
    candidates_token_count: _Count = None
    thoughts_token_count: _Count = None
    cached_content_token_count: _Count = None
    tool_use_prompt_token_count: _Count = None


_NORMALISED = frozenset(
    {field.encode_name for field in msgspec.structs.fields(_Counts)} - {"toolUsePromptTokenCount"}
    | {"totalTokenCount"}
)
_COUNTS = msgspec.json.Decoder(_Counts)
_counts = _COUNTS.decode


class Counting:
    """The counts of one answer."""

    def __init__(self) -> None:
        self._counts = _Counts()
        self._last: bytes = b""

    def add(self, said: Raw) -> None:
        """The `usageMetadata` of a chunk. What is no count is passed over."""
        self._last = bytes(said)
        try:
            counts = _counts(said)
        except (ValueError, RecursionError):
            counts = _lenient(self._last)
        # field by field: this is done for every chunk, and a loop costs three times as much
        known = self._counts
        if counts.prompt_token_count is not None:
            known.prompt_token_count = counts.prompt_token_count
        if counts.candidates_token_count is not None:
            known.candidates_token_count = counts.candidates_token_count
        if counts.thoughts_token_count is not None:
            known.thoughts_token_count = counts.thoughts_token_count
        if counts.cached_content_token_count is not None:
            known.cached_content_token_count = counts.cached_content_token_count
        if counts.tool_use_prompt_token_count is not None:
            known.tool_use_prompt_token_count = counts.tool_use_prompt_token_count

    @property
    def usage(self) -> Usage:
        counts, extras = self._counts, self.extras
        return Usage(
            input_tokens=_sum(counts.prompt_token_count, counts.tool_use_prompt_token_count),
            output_tokens=_sum(counts.candidates_token_count, counts.thoughts_token_count),
            cached_input_tokens=counts.cached_content_token_count,
            reasoning_tokens=counts.thoughts_token_count,
            audio_input_tokens=_of_audio(extras.get("promptTokensDetails")),
            audio_output_tokens=_of_audio(extras.get("candidatesTokensDetails")),
        )

    @property
    def extras(self) -> dict[str, Any]:
        """What the vendor counted beside, as it stood last: by modality, by its own tools, the
        tier.
        """
        try:
            said = msgspec.json.decode(self._last) if self._last else {}
        except (ValueError, RecursionError):
            return {}
        return (
            {key: value for key, value in said.items() if key not in _NORMALISED and value}
            if isinstance(said, dict)
            else {}
        )


def on_wire(usage: Usage, more: Mapping[str, Any]) -> dict[str, Any]:
    """Our usage as the vendor's; unknown counts are left out. `more` are its own extras, where the
    answer came from this vendor.
    """
    said: dict[str, Any] = dict(more)
    by_tools = more.get("toolUsePromptTokenCount")
    if usage.input_tokens is not None:
        said["promptTokenCount"] = max(
            usage.input_tokens - (by_tools if isinstance(by_tools, int) else 0), 0
        )
    if usage.output_tokens is not None:
        said["candidatesTokenCount"] = max(usage.output_tokens - (usage.reasoning_tokens or 0), 0)
    if usage.reasoning_tokens is not None:
        said["thoughtsTokenCount"] = usage.reasoning_tokens
    if usage.cached_input_tokens is not None:
        said["cachedContentTokenCount"] = usage.cached_input_tokens
    for name, audio in (
        ("promptTokensDetails", usage.audio_input_tokens),
        ("candidatesTokensDetails", usage.audio_output_tokens),
    ):
        if audio is not None:
            said.setdefault(name, [{"modality": "AUDIO", "tokenCount": audio}])
    if usage.input_tokens is not None and usage.output_tokens is not None:
        said["totalTokenCount"] = usage.input_tokens + usage.output_tokens
    return said


def _lenient(said: bytes) -> _Counts:
    """What can be read of counts that are not all as they should be."""
    try:
        return decoded(_COUNTS, said)
    except (ValueError, RecursionError):
        return _Counts()


def _of_audio(details: Any) -> int | None:
    """Of counts by modality that of sound."""
    for each in details if isinstance(details, list) else ():
        if isinstance(each, dict) and each.get("modality") == "AUDIO":
            return count(each.get("tokenCount"))
    return None


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None and other is None else (one or 0) + (other or 0)

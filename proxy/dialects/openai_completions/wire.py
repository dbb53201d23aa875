"""What we read of a `text_completion` chunk. Only what is used is declared; msgspec skips the rest.

Source: OpenAI's API reference, "Completions" (legacy); vLLM and llama.cpp have the same endpoint.
"""

from typing import Any

import msgspec
from msgspec import Raw

NAME = "openai_completions"
# The value of a Raw field that a chunk does not have, and what such a field says when it says
# nothing.
ABSENT = Raw(b"")
QUIET = (ABSENT, Raw(b"null"), Raw(b"[]"), Raw(b"{}"), Raw(b'""'))


class Choice(msgspec.Struct, gc=False):
    """One answer's part of a chunk."""

    index: int | None = 0
    text: str | None = None
    finish_reason: str | None = None
    logprobs: Raw = ABSENT
    stop_reason: Raw = ABSENT
    content_filter_results: Raw = ABSENT


class Chunk(msgspec.Struct, gc=False):
    """One frame of the stream. A whole answer has the same form."""

    choices: list[Choice] | None = None
    usage: dict[str, Any] | None = None
    error: Raw = ABSENT
    model: Raw = ABSENT
    system_fingerprint: Raw = ABSENT
    service_tier: Raw = ABSENT
    prompt_filter_results: Raw = ABSENT


# What has no place in the events and goes into a `vendor` event, in the vendor's own place and
# under its own name.
CHUNK_EXTRAS = ("model", "system_fingerprint", "service_tier", "prompt_filter_results")
CHOICE_EXTRAS = ("logprobs", "stop_reason", "content_filter_results")

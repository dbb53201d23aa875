"""The Converse events that are read piece by piece, and the vendor's words. What is rare stays a
dict.
"""

from typing import Any

import msgspec

from proxy.codec.finishes import Finishes, plain
from proxy.codec.openai.finish_reasons import ERRORS, FINISH_REASONS
from proxy.events import FinishReason


class ToolInput(msgspec.Struct, gc=False):
    """A piece of the arguments, JSON text."""

    input: str | None = None


class Thought(msgspec.Struct, rename="camel", gc=False):
    """A piece of reasoning: its text, the signature behind it, or what is encrypted (base64)."""

    text: str | None = None
    signature: str | None = None
    redacted_content: str | None = None


class Delta(msgspec.Struct, rename="camel"):
    """One of these; kinds that are not listed are read as a dict."""

    text: str | None = None
    tool_use: ToolInput | None = None
    reasoning_content: Thought | None = None
    citation: dict[str, Any] | None = None


class BlockDelta(msgspec.Struct, rename="camel"):
    """contentBlockDelta: the event of the hot path."""

    delta: Delta = msgspec.field(default_factory=Delta)
    content_block_index: int = 0


class BlockStart(msgspec.Struct, rename="camel"):
    """contentBlockStart. Texts and reasoning usually begin without one."""

    start: dict[str, Any] = {}
    content_block_index: int = 0


class BlockStop(msgspec.Struct, rename="camel"):
    """contentBlockStop."""

    content_block_index: int = 0


class MessageStop(msgspec.Struct, rename="camel"):
    """messageStop: the answer is complete."""

    stop_reason: str | None = None
    additional_model_response_fields: Any = None


EVENTS = frozenset(
    {
        "messageStart",
        "contentBlockStart",
        "contentBlockDelta",
        "contentBlockStop",
        "messageStop",
        "metadata",
    }
)


def finish_word(raw: str) -> FinishReason | None:
    """Our word for a stopReason; None for one by which the model's answer cannot be used."""
    if plain(raw) in _ERRORS or _FINISHES.broken(raw) is not None:
        return None
    return _FINISHES.reason(raw)


_FINISHES = Finishes(FINISH_REASONS)
_ERRORS = frozenset(map(plain, ERRORS))

"""The models in OpenAI's form."""

from collections.abc import Sequence
from typing import Any

import msgspec

from proxy.codec.base import Listed

# OpenAI's own form has no limits. These are the names of those that speak as it does: Groq's,
# OpenRouter's, Mistral's.
_CONTEXT = ("context_window", "context_length", "max_context_length")


def models(listed: Sequence[Listed], created: int) -> bytes:
    """`created` in unix seconds stands for every model. Source: "List models" of the API reference;
    and of Mistral's, whose SDKs must have the type and what a model can do.
    """
    rows = [_row(model, created) for model in listed]
    return msgspec.json.encode({"object": "list", "data": rows})


def model(listed: Listed, created: int) -> bytes:
    """Source: "Retrieve model" of the API reference."""
    return msgspec.json.encode(_row(listed, created))


def _row(listed: Listed, created: int) -> dict[str, Any]:
    """A limit that is not known is left out."""
    context, answer = listed.rules.context_tokens, listed.rules.largest_max_tokens
    return {
        "id": listed.name,
        "object": "model",
        "created": created,
        "owned_by": "mainstem",
        "type": "base",
        "capabilities": {"completion_chat": True},
        **({} if context is None else dict.fromkeys(_CONTEXT, context)),
        **({} if answer is None else {"max_completion_tokens": answer}),
    }

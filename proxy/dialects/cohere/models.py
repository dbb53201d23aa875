"""The models in this vendor's form, for clients that ask with its SDKs."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from proxy.codec.base import Listed


def lists(headers: Mapping[str, str]) -> bool:
    """Its SDKs say who they are: `x-fern-sdk-name` is cohere, cohere-ai or a package's path, and so
    is the user agent of some releases.
    """
    return "cohere" in headers.get("x-fern-sdk-name", "").lower() or headers.get(
        "user-agent", ""
    ).lower().startswith("cohere")


def models(listed: Sequence[Listed], _created: int) -> bytes:
    """Source: "List Models" of the API reference, one page with all."""
    return msgspec.json.encode({"models": [_row(model) for model in listed]})


def model(listed: Listed, _created: int) -> bytes:
    """Source: "Get a Model" of the API reference."""
    return msgspec.json.encode(_row(listed))


def _row(listed: Listed) -> dict[str, Any]:
    """What is not known of a model is left out."""
    context = listed.rules.context_tokens
    return {
        "name": listed.name,
        "is_deprecated": False,
        "endpoints": ["chat"],
        "finetuned": False,
        **({} if context is None else {"context_length": context}),
    }

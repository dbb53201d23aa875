"""The models in this vendor's form."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from proxy.codec.base import Listed


def lists(headers: Mapping[str, str]) -> bool:
    """Its SDKs send one of these headers with every request, or both."""
    return "x-goog-api-client" in headers or "x-goog-api-key" in headers


def models(listed: Sequence[Listed], _created: int) -> bytes:
    """Source: "models.list" of the API's reference, one page with all."""
    return msgspec.json.encode({"models": [_row(model) for model in listed]})


def model(listed: Listed, _created: int) -> bytes:
    """Source: "models.get" of the API's reference."""
    return msgspec.json.encode(_row(listed))


def _row(listed: Listed) -> dict[str, Any]:
    """A limit that is not known is left out."""
    row = {
        "name": f"models/{listed.name}",
        "baseModelId": listed.name,
        "version": "1",
        "displayName": listed.name,
        "inputTokenLimit": listed.rules.context_tokens,
        "outputTokenLimit": listed.rules.largest_max_tokens,
        "supportedGenerationMethods": ["generateContent", "streamGenerateContent"],
    }
    return {name: value for name, value in row.items() if value is not None}

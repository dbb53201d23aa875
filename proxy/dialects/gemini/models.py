"""The list of models in this vendor's form."""

from collections.abc import Mapping, Sequence

import msgspec


def lists(headers: Mapping[str, str]) -> bool:
    """Its SDKs send one of these headers with every request, or both."""
    return "x-goog-api-client" in headers or "x-goog-api-key" in headers


def models(names: Sequence[str], _created: int) -> bytes:
    """Source: "models.list" of the API's reference, one page with all."""
    rows = [
        {
            "name": f"models/{name}",
            "baseModelId": name,
            "version": "1",
            "displayName": name,
            "supportedGenerationMethods": ["generateContent", "streamGenerateContent"],
        }
        for name in names
    ]
    return msgspec.json.encode({"models": rows})

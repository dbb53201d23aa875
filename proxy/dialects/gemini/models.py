"""The list of models in this vendor's form."""

from collections.abc import Sequence

import msgspec


def models(names: Sequence[str]) -> bytes:
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

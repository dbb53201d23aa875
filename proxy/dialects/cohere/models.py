"""The list of models in this vendor's form, for clients that ask for it with its SDKs."""

from collections.abc import Mapping, Sequence

import msgspec


def lists(headers: Mapping[str, str]) -> bool:
    """Its SDKs say who they are: `x-fern-sdk-name` is cohere, cohere-ai or a package's path, and so
    is the user agent of some releases.
    """
    return "cohere" in headers.get("x-fern-sdk-name", "").lower() or headers.get(
        "user-agent", ""
    ).lower().startswith("cohere")


def models(names: Sequence[str], _created: int) -> bytes:
    """Source: "List Models" of the API reference, one page with all. What is not known of a model
    is left out.
    """
    rows = [
        {"name": name, "is_deprecated": False, "endpoints": ["chat"], "finetuned": False}
        for name in names
    ]
    return msgspec.json.encode({"models": rows})

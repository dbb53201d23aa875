"""The list of models in this vendor's form, for clients that ask for it with its headers."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec


def lists(headers: Mapping[str, str]) -> bool:
    """Its SDKs send the version with every request."""
    return "anthropic-version" in headers


def models(names: Sequence[str], created: int) -> bytes:
    """`created` in unix seconds stands for every model. Source: "List models" of the API reference,
    one page with all.
    """
    stamp = datetime.fromtimestamp(created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    rows = [
        {
            "type": "model",
            "id": name,
            "display_name": name,
            "created_at": stamp,
            "lifecycle": "active",
        }
        for name in names
    ]
    ends = {"first_id": names[0] if names else None, "last_id": names[-1] if names else None}
    return msgspec.json.encode({"data": rows, "has_more": False, **ends})

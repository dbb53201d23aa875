"""The models in this vendor's form, for clients that ask with its headers."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from proxy.codec.base import Listed


def lists(headers: Mapping[str, str]) -> bool:
    """Its SDKs send the version with every request."""
    return "anthropic-version" in headers


def models(listed: Sequence[Listed], created: int) -> bytes:
    """`created` in unix seconds stands for every model. Source: "List models" of the API reference,
    one page with all.
    """
    rows = [_row(model, created) for model in listed]
    ends = {
        "first_id": rows[0]["id"] if rows else None,
        "last_id": rows[-1]["id"] if rows else None,
    }
    return msgspec.json.encode({"data": rows, "has_more": False, **ends})


def model(listed: Listed, created: int) -> bytes:
    """Source: "Get a model" of the API reference."""
    return msgspec.json.encode(_row(listed, created))


def _row(listed: Listed, created: int) -> dict[str, Any]:
    """A limit that is not known is null."""
    return {
        "type": "model",
        "id": listed.name,
        "display_name": listed.name,
        "created_at": datetime.fromtimestamp(created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "lifecycle": "active",
        "max_input_tokens": listed.rules.context_tokens,
        "max_tokens": listed.rules.largest_max_tokens,
    }

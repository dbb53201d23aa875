"""The list of models in OpenAI's form."""

from collections.abc import Sequence

import msgspec


def models(names: Sequence[str], created: int) -> bytes:
    """`created` in unix seconds stands for every model. Source: "List models" of the API reference."""
    rows = [{"id": name, "object": "model", "created": created, "owned_by": "mainstem"} for name in names]
    return msgspec.json.encode({"object": "list", "data": rows})

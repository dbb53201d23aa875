"""The list of models in OpenAI's form."""

from collections.abc import Sequence

import msgspec


def models(names: Sequence[str], created: int) -> bytes:
    """`created` in unix seconds stands for every model. Source: "List models" of the API reference;
    and of Mistral's, whose SDKs must have the type and what a model can do.
    """
    own = {"type": "base", "capabilities": {"completion_chat": True}}
    rows = [
        {"id": name, "object": "model", "created": created, "owned_by": "mainstem", **own}
        for name in names
    ]
    return msgspec.json.encode({"object": "list", "data": rows})

"""The list of models in this vendor's form."""

import hashlib
from collections.abc import Sequence

import msgspec

from proxy.dialects.ollama.shapes import stamp

_UNKNOWN = {
    "parent_model": "",
    "format": "",
    "family": "",
    "families": [],
    "parameter_size": "",
    "quantization_level": "",
}


def models(names: Sequence[str], created: int) -> bytes:
    """`created` in unix seconds stands for every model. Clients tell models apart by a digest: it
    is made of the name.

    Source: "List models" of the API reference.
    """
    rows = [
        {
            "name": name,
            "model": name,
            "modified_at": stamp(created),
            "size": 0,
            "digest": hashlib.sha256(name.encode()).hexdigest(),
            "details": _UNKNOWN,
        }
        for name in names
    ]
    return msgspec.json.encode({"models": rows})

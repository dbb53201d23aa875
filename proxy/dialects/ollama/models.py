"""What clients ask of an Ollama server beside an answer: its models, one of them, those that are
loaded, its version. Sources: "List models", "Show model information", "List running models" and
"Version" of the API reference.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from proxy.codec.base import Aside, Incoming, Listed, Models, Reply, Route
from proxy.codec.json_body import json_object
from proxy.codec.rules import Rules
from proxy.dialects.ollama.shapes import stamp
from proxy.errors import bad_request

# The release whose API is spoken here: clients look whether it is new enough for what they want.
VERSION = "0.12.6"
# Clients read limits under the name of the model's architecture. This one is nobody's.
_ARCHITECTURE = "mainstem"
_DETAILS = {
    "parent_model": "",
    "format": "",
    "family": _ARCHITECTURE,
    "families": [_ARCHITECTURE],
    "parameter_size": "",
    "quantization_level": "",
}


def models(listed: Sequence[Listed], created: int) -> bytes:
    """`created` in unix seconds stands for every model. Clients tell models apart by a digest: it
    is made of the name.
    """
    rows = [
        {
            "name": model.name,
            "model": model.name,
            "modified_at": stamp(created),
            "size": 0,
            "digest": hashlib.sha256(model.name.encode()).hexdigest(),
            "details": _DETAILS,
        }
        for model in listed
    ]
    return msgspec.json.encode({"models": rows})


def _show(incoming: Incoming, models: Models) -> Reply:
    body = json_object(incoming.body)
    name = body.get("model") or body.get("name")  # its older name
    if not isinstance(name, str):
        raise bad_request("model is required: say which model is to be shown.", param="model")
    model = models.find(name)
    return _said(
        {
            "license": "",
            "modelfile": "",
            "parameters": "",
            "template": "",
            "modified_at": stamp(models.created),
            "details": _DETAILS,
            "model_info": _info(model),
            "capabilities": _capabilities(model.rules),
        }
    )


def _info(model: Listed) -> dict[str, Any]:
    """A limit that is not known is left out."""
    context = model.rules.context_tokens
    info: dict[str, Any] = {
        "general.architecture": _ARCHITECTURE,
        "general.basename": model.name,
    }
    return info if context is None else {**info, f"{_ARCHITECTURE}.context_length": context}


def _capabilities(rules: Rules) -> list[str]:
    """Clients offer a model only for what stands here, so what is not known counts as there."""
    there = {
        "completion": True,
        "tools": True,
        "vision": not rules.media or bool(rules.media.get("image")),
        "thinking": rules.thinking != "none",
    }
    return [name for name, is_there in there.items() if is_there]


def _running(_incoming: Incoming, _models: Models) -> Reply:
    """No model is held in memory here."""
    return _said({"models": []})


def _version(_incoming: Incoming, _models: Models) -> Reply:
    return _said({"version": VERSION})


def _said(document: Mapping[str, Any]) -> Reply:
    return Reply(200, msgspec.json.encode(document))


ASIDES = (
    Aside(Route("POST", "/api/show"), _show),
    Aside(Route("GET", "/api/ps"), _running),
    Aside(Route("GET", "/api/version"), _version),
)

"""What is there when nothing is configured: a mock behind every dialect, on loopback, with no key
and no network.
"""

from collections.abc import Mapping
from typing import Any

from proxy.dialects.registry import CLIENTS, UPSTREAMS
from proxy.settings.model import Settings

_ANY_MODEL = "openai_chat"


def embedded() -> dict[str, Any]:
    """The `upstreams` and `models` of a tree: one mock per dialect, a model named after each, and
    any other name on openai_chat's.
    """
    # the mock plays a vendor by the client half
    played = [dialect for dialect in UPSTREAMS if dialect in CLIENTS]
    upstreams = {
        f"mock-{dialect}": {"dialect": dialect, "mock": {"scenario": "hello"}} for dialect in played
    }
    models = {dialect: [{"upstream": f"mock-{dialect}"}] for dialect in played}
    return {"upstreams": upstreams, "models": {**models, "*": [{"upstream": f"mock-{_ANY_MODEL}"}]}}


def demonstrated(tree: Mapping[str, Any]) -> dict[str, Any]:
    """What the embedded mock shows beside its answers, unless this tree says otherwise: streams
    that a page may come back to. Several processes cannot keep them in their memory.
    """
    server = tree.get("server")
    workers = server.get("workers") if isinstance(server, dict) else None
    return {"streams": {"resume": {}}} if str(workers or 1) == "1" else {}


def is_embedded(settings: Settings) -> bool:
    """Whether these settings have nothing but the embedded mock, as those of an empty file have."""
    return settings.upstreams == Settings.model_validate(embedded()).upstreams

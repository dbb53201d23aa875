"""The models as Ollama's clients list them."""

import json

from proxy.codec.base import Listed
from proxy.dialects.ollama.models import models


def test_each_model_has_a_digest_of_its_own() -> None:
    """The clients tell models apart by it; all have the one time of creation."""
    rows = json.loads(models([Listed("a"), Listed("b")], 0))["models"]
    assert ["a", "b"] == [row["name"] for row in rows] == [row["model"] for row in rows]
    assert 2 == len({row["digest"] for row in rows})
    assert {"1970-01-01T00:00:00"} == {row["modified_at"][:19] for row in rows}


def test_without_models_the_list_is_empty() -> None:
    assert {"models": []} == json.loads(models([], 0))

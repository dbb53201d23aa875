"""The tree itself."""

import pytest
from pydantic import SecretStr, ValidationError

from proxy.settings.model import Settings
from proxy.settings.upstreams import ModelTarget, Upstream


def test_the_tree_is_frozen() -> None:
    """A running stream keeps the settings that it began with."""
    with pytest.raises(ValidationError):
        Settings().server.port = 1  # type: ignore[misc]


def test_a_target_must_be_there() -> None:
    """Also where the tree is made in a program, so that the router need not ask."""
    with pytest.raises(ValidationError, match="not among upstreams"):
        Settings(models={"x": (ModelTarget(upstream="a"),)})
    with pytest.raises(ValidationError, match="at least one target"):
        Settings(models={"x": ()})


def test_a_key_is_shown_only_when_asked_for() -> None:
    """`key()` is the one way to it."""
    upstream = Upstream(
        dialect="anthropic",
        base_url="https://h",
        api_key=SecretStr(" k\n"),
        options={"cookie": "c"},
    )
    assert upstream.key() == "k"
    assert "cookie" not in repr(upstream)
    assert Upstream(dialect="anthropic", base_url="https://h").key() is None


def test_an_error_does_not_repeat_its_input() -> None:
    """pydantic's own text is not shown to anybody, yet may be printed by a traceback."""
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate({"auth": {"keys": [{"name": "a", "sha256": "sk-secret"}]}})
    assert "sk-secret" not in str(caught.value)

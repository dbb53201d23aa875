"""What is the same for each request to a target is made once."""

from proxy.relay.plan import _REMEMBERED, Bound, make_plan
from proxy.routing import Target
from proxy.settings.model import Settings


def bound() -> Bound:
    far = {"dialect": "openai_chat", "base_url": "https://far.example/v1", "api_key": "k"}
    tree = {"upstreams": {"far": far}, "models": {"m": [{"upstream": "far"}]}}
    return make_plan(Settings.model_validate(tree), {}).upstreams["far"]


def test_a_target_has_one_configuration() -> None:
    far = bound()
    config = far.config(Target("far", "a"))
    assert ("far", "a", "k") == (config.upstream, config.model, config.api_key)
    assert config is far.config(Target("far", "a"))
    assert "b" == far.config(Target("far", "b")).model


def test_only_so_many_targets_are_remembered() -> None:
    """A client may name any model where "*" leads to an upstream."""
    far = bound()
    for number in range(_REMEMBERED + 1):
        far.config(Target("far", f"m{number}"))
    assert 1 == len(far.known)

"""Model names to targets."""

import pytest

from proxy.errors import Refused
from proxy.routing import Router, Target

ROUTER = Router({"fast": (Target("up", "theirs"),), "*": (Target("up", ""),)})


def test_a_model_is_asked_by_its_vendors_name() -> None:
    assert ("fast", (Target("up", "theirs"),)) == ROUTER.route("fast")


def test_any_other_name_goes_to_the_wildcards_target_as_it_is() -> None:
    assert ("*", (Target("up", "other"),)) == ROUTER.route("other")


def test_what_is_too_long_to_be_a_name_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        ROUTER.route("m" * 2049)
    why = refused.value.failure
    assert ("bad_request", "model") == (why.kind, why.param)


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        ("gpt-4o-mimi", "did you mean 'gpt-4o-mini'?"),
        ("zzz", "GET /v1/models lists what there is."),
    ],
)
def test_a_name_that_is_none_gets_the_nearest_one(asked: str, hint: str) -> None:
    """Where one is near; no name is made up."""
    with pytest.raises(Refused) as refused:
        Router({"gpt-4o-mini": (Target("up", ""),)}).route(asked)
    why = refused.value.failure
    assert ("model_not_found", "model") == (why.kind, why.param)
    assert why.message.endswith(f"{asked!r} here; {hint}")


def test_clients_are_told_the_names_and_not_the_wildcard() -> None:
    assert ["fast"] == ROUTER.names

"""Model names to targets."""

import pytest

from proxy.errors import Refused
from proxy.routing import Router, Target

ROUTER = Router({"fast": (Target("up", "theirs"),), "*": (Target("up", ""),)})


def test_any_other_name_goes_to_the_wildcards_target_as_it_is() -> None:
    assert ("*", (Target("up", "other"),)) == ROUTER.route("other")


def test_what_is_too_long_to_be_a_name_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        ROUTER.route("m" * 2049)
    why = refused.value.failure
    assert ("bad_request", "model") == (why.kind, why.param)

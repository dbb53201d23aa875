"""No value that a client writes vanishes in silence, over any upstream: it changes what goes up, or
there is a note."""

import pytest

from proxy.dialects.registry import UPSTREAMS
from tests.fidelity.full_requests import FULL
from tests.fidelity.leaves import sent, silent


@pytest.mark.parametrize("client", FULL)
def test_every_value_arrives_or_is_noted(client: str) -> None:
    """Of requests that say as much as the dialect can."""
    vanished = {
        (upstream, place)
        for upstream in UPSTREAMS
        for body in FULL[client]
        for place in silent(client, upstream, body)
    }
    assert set() == vanished


@pytest.mark.parametrize("client", FULL)
def test_no_upstream_refuses_all_that_a_client_can_say(client: str) -> None:
    """What cannot be said is left out, and the rest is asked."""
    refused = [
        upstream
        for upstream in UPSTREAMS
        if any(sent(client, upstream, body) is None for body in FULL[client])
    ]
    assert [] == refused

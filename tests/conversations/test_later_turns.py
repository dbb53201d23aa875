"""A tool loop of three turns, for every client over every vendor that must see again what it gave:
its proofs come back in each later request, in their order, and the same history is the same bytes.
"""

from typing import Any

import pytest

from proxy.codec.base import Parsed
from proxy.codec.fold import WholeAnswer
from proxy.dialects.registry import CLIENTS as HALVES
from tests.conversations import clients
from tests.conversations.talk import TURNS, assert_seen_again, events, sent
from tests.conversations.vendors import VENDORS, Vendor


def answered(client: str, vendor: Vendor, parsed: Parsed, turn: int) -> dict[str, Any]:
    """The vendor's answer as the client has it whole."""
    whole = WholeAnswer()
    for event in events(vendor, turn):
        whole.add(event)
    assert whole.error is None
    return clients.parsed(HALVES[client].whole(parsed, whole).body)


@pytest.mark.parametrize("name", VENDORS)
@pytest.mark.parametrize("client", clients.CLIENTS)
def test_a_vendor_sees_again_what_it_gave(client: str, name: str) -> None:
    """Every proof of every earlier turn, the earlier turns' first."""
    vendor = VENDORS[name]
    history = clients.first(client)
    before = b""
    for turn in range(1, TURNS + 1):
        parsed, call = sent(client, vendor, history)
        again = sent(client, vendor, history)[1]
        assert call.body == again.body
        assert_seen_again(vendor, turn, call)
        assert call.body != before
        before = call.body
        history = clients.CLIENTS[client](history, answered(client, vendor, parsed, turn))

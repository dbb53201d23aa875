"""A tool loop of three turns, for every client over every vendor that must see again what it gave:
its proofs come back in each later request, in their order, and the same history is the same bytes.
"""

import json
from typing import Any

import pytest

from proxy.codec.base import Incoming, Outgoing, TargetConfig
from proxy.codec.fold import WholeAnswer
from proxy.codec.relaying import built
from proxy.dialects.registry import CLIENTS as HALVES
from proxy.dialects.registry import UPSTREAMS
from proxy.events import StreamStart
from proxy.settings.rules import RuleBook
from tests.conversations import clients
from tests.conversations.vendors import VENDORS, Vendor

TURNS = 3


def sent(client: str, vendor: Vendor, history: clients.History) -> tuple[Any, Outgoing]:
    body = json.dumps(clients.request(client, history)).encode()
    path = {"model": "m", "method": "generateContent"} if client == "gemini" else {}
    parsed = HALVES[client].parse_request(Incoming("POST", path, {}, {}, body))
    rules = RuleBook(vendor.upstream, None, {}).of("m")
    config = TargetConfig("up", "m", "key", vendor.options, rules)
    return parsed, built(UPSTREAMS[vendor.upstream], parsed.request, config)


def answered(client: str, vendor: Vendor, parsed: Any, turn: int) -> dict[str, Any]:
    decoder = UPSTREAMS[vendor.upstream].decoder(1 << 20, vendor.options)
    whole = WholeAnswer()
    whole.add(StreamStart("s", "m", "up", "m", 1))
    for event in (*decoder.feed(vendor.answer(turn)), *decoder.close()):
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
        body = json.dumps(json.loads(call.body), ensure_ascii=False)
        wanted = [proof for earlier in range(1, turn) for proof in vendor.proofs(earlier)]
        assert wanted == sorted((proof for proof in wanted if proof in body), key=body.index), (
            f"turn {turn}: {body}"
        )
        assert turn - 1 == body.count(clients.RESULT)
        assert call.body != before
        before = call.body
        history = clients.CLIENTS[client](history, answered(client, vendor, parsed, turn))

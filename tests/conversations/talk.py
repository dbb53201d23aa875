"""One turn of a talk: a client's request to a vendor, and what the vendor answers, as events."""

import json
from collections.abc import Iterator

from proxy.codec.base import Incoming, Outgoing, Parsed, TargetConfig
from proxy.codec.relaying import built
from proxy.dialects.registry import CLIENTS as HALVES
from proxy.dialects.registry import UPSTREAMS
from proxy.events import Event, StreamStart
from tests.conversations import clients
from tests.conversations.vendors import Vendor

TURNS = 3


def sent(client: str, vendor: Vendor, history: clients.History) -> tuple[Parsed, Outgoing]:
    """What goes up for a history."""
    body = json.dumps(clients.request(client, history)).encode()
    path = {"model": "m", "method": "generateContent"} if client == "gemini" else {}
    parsed = HALVES[client].parse_request(Incoming("POST", path, {}, {}, body))
    config = TargetConfig("up", "m", "key", vendor.options, vendor.rules("m"))
    return parsed, built(UPSTREAMS[vendor.upstream], parsed.request, config)


def events(vendor: Vendor, turn: int) -> Iterator[Event]:
    """The vendor's answer."""
    decoder = UPSTREAMS[vendor.upstream].decoder(1 << 20, vendor.options)
    yield StreamStart("s", "m", "up", "m", 1)
    yield from decoder.feed(vendor.answer(turn))
    yield from decoder.close()


def assert_seen_again(vendor: Vendor, turn: int, call: Outgoing) -> None:
    """Every proof of every earlier turn is in the request, the earlier turns' first, and each
    tool's result once.
    """
    body = json.dumps(json.loads(call.body), ensure_ascii=False)
    wanted = [proof for earlier in range(1, turn) for proof in vendor.proofs(earlier)]
    found = sorted((proof for proof in wanted if proof in body), key=body.index)
    assert wanted == found, f"turn {turn}: {body}"
    assert turn - 1 == body.count(clients.RESULT)

"""A client over an upstream of its own dialect: any request arrives as it was written, with its
keys in their order, those that nobody knows among them, but for the model, that the answer comes as
a stream, and what makes its counts come.
"""

import json
import random
from typing import Any

import pytest

from proxy.codec.base import TargetConfig
from proxy.codec.relaying import built
from proxy.dialects.registry import CLIENTS, UPSTREAMS
from tests.dialects.requests import mixed
from tests.fidelity.full_requests import FULL
from tests.fidelity.leaves import incoming

REQUESTS = 60
RELAYED = [client for client in FULL if client in UPSTREAMS and client in UPSTREAMS[client].relays]
# What routing decides, or what asks for the counts of a stream.
_OURS = frozenset({"model", "stream", "stream_options", "response_mode"})
# Without these there is no request.
_NEEDED = frozenset({"model", "messages", "input", "contents", "prompt", "query", "max_tokens"})
_NEEDED_ALSO = {"dify": frozenset({"user", "inputs"})}  # the vendor insists on them
_STRANGERS_REFUSED = frozenset({"native"})  # "An unknown key is a 400 that names it."
# Dialects of one prompt: tests/dialects/test_small_relays.py.
_SMALL = {"plain", "sider", "chatglm", "baidu_chat", "yiyan"}


def _asked(client: str, dice: random.Random) -> dict[str, Any]:
    full = dice.choice(FULL[client])
    needed = _NEEDED | _NEEDED_ALSO.get(client, frozenset())
    said = mixed(dice, {key: value for key, value in full.items() if key not in needed})
    if client in _STRANGERS_REFUSED:
        said = {key: value for key, value in said.items() if key in full}
    keys = [*said, *(key for key in full if key in needed)]
    dice.shuffle(keys)
    return {key: full.get(key, said.get(key)) for key in keys}


@pytest.mark.parametrize("client", RELAYED)
def test_any_request_arrives_as_it_was_written(client: str) -> None:
    """The text of the JSON is compared, so the order of keys is too; and it is the same text each
    time.
    """
    for seed in range(REQUESTS):
        asked = _asked(client, random.Random(seed))
        request = CLIENTS[client].parse_request(incoming(client, asked)).request
        config = TargetConfig("up", "theirs", "key")
        call = built(UPSTREAMS[client], request, config)
        assert call.relayed
        assert call.body == built(UPSTREAMS[client], request, config).body
        arrived = json.loads(call.body)
        expected, found = (
            json.dumps({key: value for key, value in each.items() if key not in _OURS})
            for each in (asked, arrived)
        )
        assert expected == found, f"seed {seed}"


def test_every_client_that_has_such_an_upstream_is_tested() -> None:
    """A dialect that begins to relay must say what its requests hold."""
    relaying = {name for name, half in UPSTREAMS.items() if name in half.relays and name in CLIENTS}
    assert relaying == {*RELAYED, *_SMALL}

"""Good requests of every client dialect, as they come in and parsed."""

import json
from functools import cache

from proxy.codec.base import Incoming, Parsed
from proxy.dialects.registry import CLIENTS
from tests.samples import ASKED


def incoming(body: bytes) -> Incoming:
    path = {"model": "m", "version": "v1beta", "method": "streamGenerateContent", "form": "chat"}
    return Incoming("POST", path, {}, {"content-type": "application/json"}, body)


@cache
def parsed_by(name: str) -> Parsed:
    """The good request of this dialect, parsed."""
    return CLIENTS[name].parse_request(incoming(json.dumps(ASKED[name].body).encode()))

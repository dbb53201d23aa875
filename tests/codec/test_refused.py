"""What an operator refuses does not get round it in `vendor`, whatever the upstream's dialect."""

import json
from typing import Any

import pytest

from proxy.codec.base import Incoming, TargetConfig
from proxy.codec.refused import let_through
from proxy.codec.relaying import built
from proxy.codec.rules import Rules
from proxy.dialects.registry import CLIENTS, UPSTREAMS

REFUSE = ("web_search", "mcp", "mcp_servers", "googleSearch", "url_context")
VENDOR: dict[str, Any] = {
    "tools": [
        {"type": "web_search_preview_2025_03_11"},
        {
            "type": "namespace",
            "name": "n",
            "tools": [{"type": "mcp", "server_url": "https://x.test"}],
        },
        {"google_search": {}},
        {"urlContext": {}, "codeExecution": {}},
        {},
    ],
    "mcpServers": [{"url": "https://x.test"}],
    "options": {"mcp_servers": 1, "kept": [1, "web_search"]},
}
LEFT = {
    "tools": [{"type": "namespace", "name": "n", "tools": []}, {"codeExecution": {}}, {}],
    "options": {"kept": [1, "web_search"]},
}


def test_what_is_refused_is_left_out_at_any_depth_and_however_it_is_spelt() -> None:
    assert LEFT == let_through(VENDOR, REFUSE)
    assert VENDOR == let_through(VENDOR, ("search", "store"))


@pytest.mark.parametrize("name", UPSTREAMS)
def test_no_upstream_is_told(name: str) -> None:
    body = {"model": "m", "prompt": "hi", "vendor": VENDOR}
    asked = Incoming("POST", {}, {}, {}, json.dumps(body).encode())
    request = CLIENTS["native"].parse_request(asked).request
    config = TargetConfig("far", "anthropic.claude-x", "key", rules=Rules(refuse=REFUSE))
    call = built(UPSTREAMS[name], request, config)
    for word in (b"preview", b"x.test", b"google_search", b"urlContext", b"mcp"):
        assert word not in call.body
    assert "refuse" in {note.param for note in call.notes}

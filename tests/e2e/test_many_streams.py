"""Many streams in one page, through nginx with deploy/nginx.conf: over HTTP/2 all of them move, where
over HTTP/1.1 a browser has six to a host."""

import json
from pathlib import Path

import pytest

from tests.deploy import fronts
from tests.e2e.browser import Browser
from tests.e2e.conftest import CONFIG
from tests.e2e.proxy_process import running_proxy
from tests.needs import requires

pytestmark = requires("nginx", "chromium", "node", "npm_packages")

STREAMS = 30
MOVES = 3  # pieces of text that a stream has had to have moved
# Longer than any of them is looked at: four words a second.
ASKED = json.dumps({"model": "slow", "prompt": " ".join(["word"] * 60)})
BEGIN = f"""
window.pieces = Array({STREAMS}).fill(0);
window.ended = 0;
const read = async (number) => {{
    const answer = await fetch("/v1/stream", {{
        method: "POST", headers: {{"content-type": "application/json"}}, body: {json.dumps(ASKED)},
    }});
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {{
        const {{done, value}} = await reader.read();
        if (done) break;
        window.pieces[number] += value.split("text.delta").length - 1;
    }}
    window.ended += 1;
}};
for (let number = 0; number < {STREAMS}; number++) read(number);
"begun";  // and no promise, whose end would be waited for
"""
STATE = {
    "evaluate": "[performance.getEntriesByType('navigation')[0].nextHopProtocol, ended,"
    f" pieces.filter((many) => many >= {MOVES}).length, pieces.filter((many) => many > 0).length]"
}


@pytest.mark.parametrize(
    ("secure", "protocol", "moving"), [(True, "h2", STREAMS), (False, "http/1.1", 6)]
)
def test_as_many_streams_move_in_one_page_as_the_protocol_lets(
    browser: Browser, tmp_path: Path, secure: bool, protocol: str, moving: int
) -> None:
    with running_proxy(CONFIG) as proxy:
        port = int(proxy.rpartition(":")[2])
        with fronts.running("nginx", tmp_path, port) as place:
            url = f"https://localhost:{place.tls}" if secure else f"http://localhost:{place.plain}"
            moved = f"pieces.filter((many) => many >= {MOVES}).length >= {moving}"
            visit = browser.visit(f"{url}/", {"evaluate": BEGIN}, {"wait": moved}, STATE)
    assert [protocol, 0, moving, moving] == visit.values[-1]

"""What the browser tests share, started once: the proxy by its command, nginx in front of it, the
pages' origin, the browser."""

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.browser import Browser, running_browser
from tests.e2e.nginx_process import GZIP_EVERYTHING, running_nginx
from tests.e2e.page_server import serving_pages
from tests.e2e.proxy_process import running_proxy


def _mock(dialect: str, scenario: str, tokens_per_s: float = 50, **more: Any) -> dict[str, Any]:
    return {
        "dialect": dialect,
        "mock": {"scenario": scenario, "tokens_per_s": tokens_per_s, **more},
    }


KEY = "a key that only tests know"
# One upstream and one model of the same name for each manner of answering.
UPSTREAMS: dict[str, dict[str, Any]] = {
    "echo": _mock("openai_chat", "echo"),
    "slow": _mock("anthropic", "echo", 4),
    # As slow as the old report server: its page breaks when two of its objects come in one read.
    "report": _mock("chatglm", "echo", 6),
    "stalls": _mock("openai_chat", "long", fault="stall@5"),
    "busy": _mock("openai_chat", "error_429"),
    "breaks": _mock("anthropic", "error_in_stream"),
    "thinks": _mock("anthropic", "reasoning", 80),
    "calls": _mock("openai_chat", "tools", 80),
    "chinese": _mock("chatglm", "chinese", 80),
    "rewrites": _mock("chatglm", "rewrite", 30),
}
CONFIG: dict[str, Any] = {
    "upstreams": UPSTREAMS,
    "models": {
        **{name: [{"upstream": name}] for name in UPSTREAMS},
        # What the old pages ask for, which name no model.
        "chatglm": [{"upstream": "report"}],
        "plain": [{"upstream": "echo"}],
    },
    # Far shorter than the pauses of "slow": heartbeats come between most of its tokens.
    "streams": {"heartbeat_s": 0.1},
}


@pytest.fixture(scope="session")
def proxy() -> Iterator[str]:
    with running_proxy(CONFIG) as url:
        yield url


@pytest.fixture(scope="session")
def nginx(proxy: str) -> Iterator[str]:
    with running_nginx(proxy) as url:
        yield url


@pytest.fixture(scope="session")
def nginx_gzip(proxy: str) -> Iterator[str]:
    with running_nginx(proxy, GZIP_EVERYTHING) as url:
        yield url


@pytest.fixture(scope="session")
def site() -> Iterator[str]:
    with serving_pages() as url:
        yield url


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with running_browser() as running:
        yield running


@pytest.fixture(scope="session")
def guarded(site: str) -> Iterator[str]:
    """A proxy that wants a key, and takes calls from one origin's pages only, cookies included."""
    key = {"name": "page", "sha256": hashlib.sha256(KEY.encode()).hexdigest(), "admin": True}
    cors = {"allow_origins": [site], "allow_credentials": True, "max_age_s": 5}
    with running_proxy({**CONFIG, "cors": cors, "auth": {"keys": [key]}}) as url:
        yield url


@pytest.fixture(params=["direct", pytest.param("nginx", marks=pytest.mark.requires("nginx"))])
def api(request: pytest.FixtureRequest) -> str:
    """Where pages call: the proxy itself, and once more nginx with its default settings before
    it."""
    url: str = request.getfixturevalue({"direct": "proxy", "nginx": "nginx"}[request.param])
    return url

"""What several vendors' clients are held against."""

from collections.abc import Iterator

import pytest

from tests.e2e.proxy_process import running_proxy

_CONFIG = {
    "upstreams": {
        "echo": {"dialect": "anthropic", "mock": {"scenario": "echo", "tokens_per_s": 12}}
    },
    "models": {"echo": [{"upstream": "echo"}]},
    "streams": {"resume": {}},
}


@pytest.fixture(scope="module")
def echo() -> Iterator[str]:
    """A proxy that keeps its streams, and whose model `echo` says again what it is asked, so slowly
    that a page can be loaded again in the middle."""
    with running_proxy(_CONFIG) as url:
        yield url

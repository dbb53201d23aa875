"""What several vendors' clients are held against."""

from collections.abc import Iterator
from pathlib import Path

import certifi
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


@pytest.fixture(scope="session")
def _an_authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first of the authorities that Python's clients trust."""
    end = "-----END CERTIFICATE-----\n"
    file = tmp_path_factory.mktemp("authorities") / "one.pem"
    file.write_text(Path(certifi.where()).read_text("utf-8").partition(end)[0] + end, "utf-8")
    return file


@pytest.fixture(scope="module", autouse=True)
def _one_authority(_an_authority: Path) -> Iterator[None]:
    """Each client of an SDK reads all authorities that it trusts, for 20 ms and more, though nothing
    here speaks TLS: it reads one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(_an_authority))
        yield

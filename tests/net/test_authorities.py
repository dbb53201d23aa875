"""A start loads the system's certificate authorities once: for the context that needs them."""

import json
import ssl
import subprocess
import sys

import pytest

from proxy.net.authorities import only_where_verified
from tests.certificates import write_certificate
from tests.cli.tools import ROOT

STARTED = """
import json
from proxy.net.authorities import only_where_verified
with only_where_verified():
    from aiohttp import connector
held = (connector._SSL_CONTEXT_VERIFIED, connector._SSL_CONTEXT_UNVERIFIED)
print(json.dumps([[c.verify_mode.name, c.check_hostname, c.cert_store_stats()["x509_ca"]] for c in held]))
"""


def authorities(context: ssl.SSLContext) -> int:
    return context.cert_store_stats()["x509_ca"]


@pytest.fixture
def _one_authority(tmp_path, monkeypatch):
    """The system has one, which is ours."""
    write_certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "tls.crt"))


@pytest.mark.usefixtures("_one_authority")
def test_who_verifies_nobody_has_none_and_everybody_else_has_all():
    """Only as long as the block lasts."""
    whole = ssl.SSLContext.set_default_verify_paths
    with only_where_verified():
        for made, count in ((ssl.create_default_context(), 1), (_careless(), 0)):
            made.set_default_verify_paths()
            assert count == authorities(made)
    assert whole is ssl.SSLContext.set_default_verify_paths
    after = _careless()
    after.set_default_verify_paths()
    assert 1 == authorities(after)


@pytest.mark.usefixtures("_one_authority")
def test_aiohttp_still_verifies_whom_it_should():
    """In a process of its own, as aiohttp is imported once."""
    done = subprocess.run(
        [sys.executable, "-c", STARTED], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert [["CERT_REQUIRED", True, 1], ["CERT_NONE", False, 0]] == json.loads(done.stdout)


def _careless() -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    return made

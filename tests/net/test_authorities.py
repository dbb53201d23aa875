"""A start loads no certificate authority; who connects has them all the same."""

import json
import socket
import ssl
import subprocess
import sys

import pytest

from proxy.net.authorities import load_waiting, only_where_verified
from tests.certificates import write_certificate
from tests.cli.tools import ROOT

STARTED = """
import json
from proxy.net.authorities import load_waiting, only_where_verified
with only_where_verified():
    from aiohttp import connector
held = (connector._SSL_CONTEXT_VERIFIED, connector._SSL_CONTEXT_UNVERIFIED)
for load in (lambda: None, load_waiting):
    load()
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
def test_who_verifies_nobody_has_none_and_everybody_else_has_all_when_they_are_loaded():
    """Only as long as the block lasts."""
    whole = ssl.SSLContext.set_default_verify_paths
    with only_where_verified():
        careful, careless = ssl.create_default_context(), _careless()
        careless.set_default_verify_paths()
    assert [0, 0] == [authorities(careful), authorities(careless)]
    load_waiting()
    assert [1, 0] == [authorities(careful), authorities(careless)]
    assert whole is ssl.SSLContext.set_default_verify_paths
    after = _careless()
    after.set_default_verify_paths()
    assert 1 == authorities(after)


@pytest.mark.usefixtures("_one_authority")
@pytest.mark.parametrize("connect", ["wrap_bio", "wrap_socket"])
def test_who_connects_first_has_the_authorities(connect: str):
    """Once, and without `load_waiting`."""
    with only_where_verified():
        careful = ssl.create_default_context()
    for _ in range(2):
        if connect == "wrap_bio":
            careful.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="x.example")
        else:
            with socket.socket() as plain:
                careful.wrap_socket(plain, server_hostname="x.example").close()
        assert 1 == authorities(careful)
        assert type(careful) is ssl.SSLContext


@pytest.mark.usefixtures("_one_authority")
def test_aiohttp_still_verifies_whom_it_should():
    """In a process of its own, as aiohttp is imported once."""
    done = subprocess.run(
        [sys.executable, "-c", STARTED], capture_output=True, text=True, cwd=ROOT, check=True
    )
    before, after = map(json.loads, done.stdout.splitlines())
    assert [["CERT_REQUIRED", True, 0], ["CERT_NONE", False, 0]] == before
    assert [["CERT_REQUIRED", True, 1], ["CERT_NONE", False, 0]] == after


def _careless() -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    return made

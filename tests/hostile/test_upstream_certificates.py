"""Whoever stands in an upstream's place without its certificate gets neither a prompt nor a key."""

import ssl
from pathlib import Path

import pytest

from tests.certificates import write_certificate
from tests.hostile.upstream import refusal
from tests.raw_upstream import Peer, raw_upstream
from tests.running import one, running


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
async def test_a_certificate_that_nobody_vouches_for_is_not_accepted(
    host: str, tmp_path: Path
) -> None:
    """Neither one of the right name nor one of another; the second request finds it no better."""
    heard: list[bytes] = []

    async def script(peer: Peer) -> None:
        heard.append(await peer.reader.read(1000))

    write_certificate(tmp_path)
    shown = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    shown.load_cert_chain(tmp_path / "tls.crt", tmp_path / "tls.key")
    async with raw_upstream(script, tls=shown) as url:
        place = url.replace("127.0.0.1", host)
        async with running(one("openai_chat", place, breaker={"failures": 0})) as run:
            for _ in range(2):
                status, error = await refusal(run)
                assert (502, "connect_failed") == (status, error["kind"])
                assert "over TLS" in error["message"]
    assert b"" == b"".join(heard)

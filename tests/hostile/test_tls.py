"""Handshakes that are odd, or never end: each is closed or becomes HTTP/1.1, and costs nobody
else."""

import asyncio
import ssl
from pathlib import Path
from typing import Any

from tests.certificates import write_certificate
from tests.cli.test_reloading import scene
from tests.cli.test_tls import TLS, trusting

GET = b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
UNREAL = [
    b"\x16\x03\x01",  # a hello whose rest never comes
    b"\x16\x03\x01\xff\xff" + b"a" * 70_000,
    b"\x15\x03\x01\x00\x02\x02\x28",  # an alert
    b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    bytes(range(256)) * 20,
    b"",
]


async def unreal(port: int, sent: bytes) -> bytes:
    """What comes back, to the close, for bytes that are no handshake."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    try:
        return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.transport.abort()


async def real(port: int, context: ssl.SSLContext, **given: Any) -> tuple[str | None, bytes]:
    """The protocol that was agreed upon, and the status line."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, **given)
    writer.write(GET)
    line = await reader.readline()
    chosen = writer.get_extra_info("ssl_object").selected_alpn_protocol()
    writer.transport.abort()
    return chosen, line


async def test_a_handshake_that_is_none_costs_nobody_else(tmp_path: Path) -> None:
    """It is closed within `request_head_s`, without a line in the log; others are served."""
    write_certificate(tmp_path)
    config = {
        "server": {"port": 0, "tls": TLS, "request_head_s": 1},
        "upstreams": {"far": {"dialect": "plain", "mock": {}}},
        "models": {"*": [{"upstream": "far"}]},
    }
    context = trusting(tmp_path / "tls.crt")
    async with scene(tmp_path, config) as it:
        port = int(it.url.rpartition(":")[2])
        waiting = [asyncio.create_task(unreal(port, sent)) for sent in UNREAL * 5]
        for protocols in (["h2"], ["h2", "http/1.1"], ["spdy/3", "x" * 255]):
            context.set_alpn_protocols(protocols)
            agreed, line = await real(port, context, server_hostname="localhost")
            assert (agreed in (None, "http/1.1"), b" 200 " in line) == (True, True)
        context.check_hostname = False
        for name in ("evil.example", "a." * 120 + "com"):
            assert b" 200 " in (await real(port, context, server_hostname=name))[1]
        got = await asyncio.gather(*waiting)
        ended = await it.end()
    assert all(b"HTTP" not in each for each in got)
    assert 0 == ended.status
    assert "Traceback" not in ended.err
    assert "SSL" not in ended.err

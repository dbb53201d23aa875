"""Addresses where an upstream cannot be reached, each in its own real way."""

import datetime as dt
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.faults.faults import Target
from tests.raw_upstream import Peer, Script, raw_upstream

_LOOPBACK = "127.0.0.1"


@contextmanager
def _closed() -> Iterator[str]:
    """A port that is taken, so that nobody else gets it, and where nobody listens."""
    with socket.socket() as held:
        held.bind((_LOOPBACK, 0))
        yield f"http://{_LOOPBACK}:{held.getsockname()[1]}"


@contextmanager
def _full() -> Iterator[str]:
    """A listener whose queue is full: Linux drops further attempts without a word, as a dead
    machine does."""
    with socket.socket() as held:
        held.bind((_LOOPBACK, 0))
        held.listen(0)
        waiting = [socket.socket() for _ in range(8)]
        try:
            for each in waiting:
                each.setblocking(False)
                each.connect_ex(held.getsockname())
            yield f"http://{_LOOPBACK}:{held.getsockname()[1]}"
        finally:
            for each in waiting:
                each.close()


def _self_signed(folder: Path) -> ssl.SSLContext:
    """A server's side of TLS, with a certificate that nobody has reason to trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, _LOOPBACK)])
    now = dt.datetime.now(dt.UTC)
    made = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now, now + dt.timedelta(days=1)
    )
    made = made.add_extension(
        x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(_LOOPBACK))]),
        critical=False,
    )
    file = folder / "self-signed.pem"
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(pem + made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


async def _plain(peer: Peer) -> None:
    """Answer what is no HTTP, such as a TLS handshake, as servers do."""
    await peer.reader.read(1)
    peer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


async def _mute(peer: Peer) -> None:
    """Take the connection, and never say a word."""
    await peer.left()


@asynccontextmanager
async def places(script: Script, folder: Path) -> AsyncIterator[dict[Target, str]]:
    """The base URL of each place. `script` is what the stage plays."""
    with _closed() as closed, _full() as full:
        async with (
            raw_upstream(script) as stage,
            raw_upstream(script, _self_signed(folder)) as tls,
            raw_upstream(_plain) as plain,
            raw_upstream(_mute) as mute,
        ):
            yield {
                "stage": stage,
                "closed": closed,
                "full": full,
                "nowhere": "http://no-such-host.invalid",
                "tls_untrusted": tls,
                "tls_to_plain": plain.replace("http:", "https:"),
                "tls_mute": mute.replace("http:", "https:"),
            }

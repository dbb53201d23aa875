"""`server.tls`: curl and Python's ssl are the judges; certificates are renewed under open streams."""

import asyncio
import json
import ssl
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from tests.certificates import write_certificate
from tests.cli.test_reloading import Scene, config, scene
from tests.cli.tools import HELLO, STOP, Client, clients, events, mainstem, stage
from tests.raw_upstream import CHUNKED, LAST_CHUNK, Peer

TLS = {"cert_file": "tls.crt", "key_file": "tls.key"}


def trusting(*files: Path) -> ssl.SSLContext:
    context = ssl.create_default_context()
    for file in files:
        context.load_verify_locations(file)
    return context


async def connected(it: Scene, context: ssl.SSLContext) -> Client:
    port = int(it.url.rpartition(":")[2])
    given: Any = {"ssl": context, "server_hostname": "localhost"}
    return Client(*await asyncio.open_connection("127.0.0.1", port, **given))


def serial(client: Client) -> int:
    """The number of the certificate that it was shown."""
    shown = client.writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    return x509.load_der_x509_certificate(shown).serial_number


@pytest.mark.parametrize("workers", [1, 2])
async def test_a_stream_over_tls_and_a_certificate_that_is_renewed_meanwhile(
    tmp_path: Path, workers: int
) -> None:
    go = asyncio.Event()

    async def waits(peer: Peer) -> None:
        await peer.request()
        peer.write(CHUNKED)
        peer.send(HELLO)
        await go.wait()
        peer.send(HELLO + STOP)
        peer.write(LAST_CHUNK)

    first = write_certificate(tmp_path)
    old = trusting(tmp_path / "tls.crt")
    given = config("http://127.0.0.1:9", server={"tls": TLS, "workers": workers})
    async with stage() as upstream:
        upstream.script = waits
        given["upstreams"]["far"]["base_url"] = upstream.url
        async with scene(tmp_path, given) as it:
            assert it.url.startswith("https://")
            client = await connected(it, old)
            assert first == serial(client)
            assert "TLSv1.3" == client.writer.get_extra_info("ssl_object").version()
            client.post()
            await client.reader.readuntil(b"Hello")

            second = write_certificate(tmp_path)
            await it.read("ok", workers)
            newer = await connected(it, trusting(tmp_path / "tls.crt"))
            assert second == serial(newer)
            with pytest.raises(ssl.SSLCertVerificationError):
                await connected(it, old)

            write_certificate(tmp_path, "other")
            (tmp_path / "other.key").replace(tmp_path / "tls.key")
            await it.read("failed", workers)
            newest = await connected(it, trusting(tmp_path / "tls.crt"))
            assert second == serial(newest)

            go.set()
            rest = await client.reader.readuntil(b"\r\n0\r\n\r\n")
            assert b'"stream.end"' in rest
            for each in (client, newer, newest):
                each.leave()
            ended = await it.end()
    assert 0 == ended.status
    assert "is not the key of the certificate" in ended.err
    assert "Traceback" not in ended.err


async def test_curl_reads_a_stream_and_plain_http_or_an_old_version_gets_none(
    tmp_path: Path,
) -> None:
    write_certificate(tmp_path)
    given = {
        "server": {"port": 0, "tls": TLS},
        "admin": {"port": 0},
        "upstreams": {"far": {"dialect": "plain", "mock": {"tokens_per_s": 0}}},
        "models": {"*": [{"upstream": "far"}]},
    }
    async with scene(tmp_path, given) as it:
        place = it.url.removeprefix("https://").replace("127.0.0.1", "localhost")
        body = json.dumps({"model": "m", "prompt": "hi"})
        common = ("-sS", "-m", "10", "-H", "content-type: application/json", "-d", body)
        trusted = (*common, "--cacert", str(tmp_path / "tls.crt"))
        url = f"https://{place}/v1/stream"
        assert "stream.end" == events(await curl(*trusted, url))[-1]["type"]
        assert b"" == await curl(*trusted, f"http://{place}/v1/stream", status=52)
        assert b"" == await curl(*trusted, "--tls-max", "1.1", url, status=35)
        assert b"" == await curl(*common, url, status=60)  # it knows no such issuer

        async with clients(f"http://{it.url.removeprefix('https://')}") as connect:
            (await connect()).leave()  # in the midst of a handshake: nobody's mistake
        client = await connected(it, trusting(tmp_path / "tls.crt"))
        client.writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 70_000)
        assert b" 431 " in await client.reader.readline()
        client.leave()
        ended = await it.end()
    assert 0 == ended.status
    assert "Traceback" not in ended.err


async def curl(*arguments: str, status: int = 0) -> bytes:
    process = await asyncio.create_subprocess_exec(
        "curl", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    assert status == process.returncode, err
    return out


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("missing", "server.tls.cert_file cannot be read"),
        ("foreign", "server.tls.key_file is not the key of the certificate in cert_file"),
        ("text", "server.tls.cert_file and key_file hold no certificate with its key"),
    ],
)
async def test_files_that_hold_no_certificate_with_its_key_are_a_mistake_in_one_sentence(
    tmp_path: Path, damage: str, said: str
) -> None:
    write_certificate(tmp_path)
    if damage == "missing":
        (tmp_path / "tls.crt").unlink()
    elif damage == "foreign":
        write_certificate(tmp_path, "other")
        (tmp_path / "other.key").replace(tmp_path / "tls.key")
    else:
        (tmp_path / "tls.crt").write_text("no certificate")
    file = tmp_path / "mainstem.yaml"
    file.write_text(json.dumps(config("http://127.0.0.1:9", server={"tls": TLS})))
    ended = await mainstem("check", "--config", str(file))
    assert (1, 1) == (ended.status, len(ended.err.splitlines()))
    assert said in ended.err


async def test_whether_there_is_tls_takes_a_restart(tmp_path: Path) -> None:
    write_certificate(tmp_path)
    async with scene(tmp_path, config("http://127.0.0.1:9")) as it:
        it.write(json.dumps(config("http://127.0.0.1:9", server={"tls": TLS})))
        await it.read("ok")
        async with clients(it.url) as connect:
            client = await connect()
            client.writer.write(b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert b" 200 " in await client.reader.readline()
        ended = await it.end()
    assert '"settings": ["server.tls"]' in ended.err

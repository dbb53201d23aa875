"""The proxies of deploy/, for real: each with its own file, in which only places are changed."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.bench.processes import wait_for_port
from tests.certificates import write_certificate
from tests.needs import Part, program
from tests.ports import free_port
from tests.stopping import stop

DEPLOY = Path(__file__).parents[2] / "deploy"
STOP_S = 5


class Front(NamedTuple):
    """`changes`: what stands in its file and what a test has there; `{...}` are places. `check`
    judges the file, `run` runs it. `second`: a line that the file has as a comment."""

    file: str
    changes: Mapping[str, str]
    check: tuple[str, ...]
    run: tuple[str, ...]
    second: Mapping[str, str] = {}


_NGINX = {
    "user www-data;\n": "",
    "worker_processes auto;": "worker_processes 1; pid {folder}/pid;",
    "worker_rlimit_nofile 65536;": "",
    "worker_connections 16384;": "worker_connections 1024;",
    "/var/log/nginx/": "{folder}/",
    "server 127.0.0.1:8080 ": "server 127.0.0.1:{to} ",
    "listen 8000;": "listen 127.0.0.1:{plain};",
    "listen 8443 ": "listen 127.0.0.1:{tls} ",
    "/etc/ssl/mainstem.crt": "{folder}/tls.crt",
    "/etc/ssl/mainstem.key": "{folder}/tls.key",
    "http {\n": "http {{\n"
    + "".join(
        f"{kind}_temp_path {{folder}}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    ),
}
_HAPROXY = {
    "maxconn 20000": "maxconn 1000",
    "bind :8000": "bind 127.0.0.1:{plain}",
    "bind :8443 ": "bind 127.0.0.1:{tls} ",
    "/etc/ssl/mainstem.pem": "{folder}/tls.pem",
    "    server one 127.0.0.1:8080 port 9091": "    server one 127.0.0.1:{to}",
}
_CADDY = {
    "https://localhost:8443": "https://localhost:{tls}",
    "admin off": "admin off\n\tauto_https disable_redirects",
    "/etc/ssl/mainstem.crt": "{folder}/tls.crt",
    "/etc/ssl/mainstem.key": "{folder}/tls.key",
    "127.0.0.1:8080": "127.0.0.1:{to}",
}
_ENVOY = {
    "address: 0.0.0.0, port_value: 8443": "address: 127.0.0.1, port_value: {tls}",
    "/etc/ssl/mainstem.crt": "{folder}/tls.crt",
    "/etc/ssl/mainstem.key": "{folder}/tls.key",
    "port_value: 8080": "port_value: {to}",
    "port_value: 9091": "port_value: {ready}",
}
FRONTS: dict[Part, Front] = {
    "nginx": Front(
        "nginx.conf",
        _NGINX,
        ("-t", "-e", "stderr", "-c", "{file}"),
        ("-e", "{folder}/error.log", "-c", "{file}", "-g", "daemon off;"),
        {"# server 127.0.0.1:8081 ": "server 127.0.0.1:{second} "},
    ),
    "haproxy": Front(
        "haproxy.cfg",
        _HAPROXY,
        ("-c", "-f", "{file}"),
        ("-db", "-f", "{file}"),
        {
            "    server one 127.0.0.1:{to}": "    server one 127.0.0.1:{to} check port {ready}",
            "# server two 127.0.0.1:8081 port 9092": "server two 127.0.0.1:{second} check port {ready2}",
        },
    ),
    "caddy": Front(
        "Caddyfile",
        _CADDY,
        ("validate", "--adapter", "caddyfile", "--config", "{file}"),
        ("run", "--adapter", "caddyfile", "--config", "{file}"),
    ),
    "envoy": Front(
        "envoy.yaml",
        _ENVOY,
        ("--mode", "validate", "-c", "{file}"),
        ("-c", "{file}", "--concurrency", "1", "--use-dynamic-base-id"),
    ),
}


def localised(
    name: Part, folder: Path, places: Mapping[str, object], *, second: bool = False
) -> Path:
    """The front's own file with places that a test may use, and a certificate beside it."""
    write_certificate(folder)
    joined = (folder / "tls.crt").read_text() + (folder / "tls.key").read_text()
    (folder / "tls.pem").write_text(joined)
    front = FRONTS[name]
    text = (DEPLOY / front.file).read_text()
    given = {"folder": folder, **places}
    for old, new in front.changes.items():
        assert old in text, f"{front.file} has no {old!r} any more: change this test with it"
        text = text.replace(old, new.format(**given))
    for old, new in front.second.items() if second else ():
        here = old.format(**given)
        assert here in text, f"{front.file} has no {here!r} any more: change this test with it"
        text = text.replace(here, new.format(**given))
    file = folder / front.file
    file.write_text(text)
    return file


def command(name: Part, words: tuple[str, ...], file: Path) -> list[str]:
    return [program(name), *(word.format(file=file, folder=file.parent) for word in words)]


def check(name: Part, file: Path) -> None:
    """The program's own judgement of a file."""
    done = subprocess.run(
        command(name, FRONTS[name].check, file),
        capture_output=True,
        text=True,
        timeout=150,
        env={**os.environ, "HOME": str(file.parent)},
        check=False,
    )
    assert 0 == done.returncode, done.stdout + done.stderr


class Place(NamedTuple):
    """Where a front listens, and the certificate that it shows."""

    plain: int
    tls: int
    certificate: Path


@contextmanager
def running(
    name: Part, folder: Path, to: int, *, ready: int = 1, second: tuple[int, int] | None = None
) -> Iterator[Place]:
    """A front before a port, and before a second one, each with the port where its readiness is
    asked."""
    place = Place(free_port(), free_port(), folder / "tls.crt")
    places = {"to": to, "ready": ready, "plain": place.plain, "tls": place.tls}
    if second is not None:
        places |= {"second": second[0], "ready2": second[1]}
    file = localised(name, folder, places, second=second is not None)
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(
            command(name, FRONTS[name].run, file),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, "HOME": str(folder)},
        )
    try:
        for port in (place.tls, *([place.plain] if second else [])):
            wait_for_port(port, process, folder / "output")
        yield place
        assert process.poll() is None, (folder / "output").read_text(errors="replace")
    finally:
        stop(process, STOP_S)

"""Proxies that operators put in front, as they would: each keeps connections to Mainstem and uses
them for whoever comes next."""

import os
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from tests.e2e.nginx_process import running_nginx
from tests.hostile.wire import place
from tests.needs import program
from tests.stopping import stop

STOP_S = 5
# A client that leaves its request half done is in no test's way for long.
_NGINX = """
upstream mainstem {{ server {host}:{port}; keepalive 8; }}
proxy_http_version 1.1;
proxy_set_header Connection "";
client_header_timeout 1s;
client_body_timeout 1s;
"""
_HAPROXY = """
global
    maxconn 200
defaults
    mode http
    timeout connect 5s
    timeout client 20s
    timeout server 20s
    timeout http-request 1s
frontend clients
    bind fd@{fd}
    default_backend mainstem
backend mainstem
    http-reuse always
    server mainstem {host}:{port}
"""


@contextmanager
def nginx(url: str) -> Iterator[str]:
    """The base URL of an nginx before this address."""
    host, port = place(url)
    with running_nginx("http://mainstem", _NGINX.format(host=host, port=port)) as front:
        yield front


@contextmanager
def haproxy(url: str) -> Iterator[str]:
    """The base URL of an HAProxy before this address."""
    host, port = place(url)
    with (
        tempfile.TemporaryDirectory(prefix="mainstem-haproxy-") as name,
        socket.create_server(("127.0.0.1", 0), backlog=100) as listening,
    ):
        folder, fd = Path(name), listening.fileno()
        (folder / "haproxy.cfg").write_text(_HAPROXY.format(fd=fd, host=host, port=port))
        os.set_inheritable(fd, True)
        with (folder / "output").open("wb") as output:
            process = subprocess.Popen(
                [program("haproxy"), "-db", "-f", str(folder / "haproxy.cfg")],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=[fd],
            )
        front = f"http://127.0.0.1:{listening.getsockname()[1]}"
        listening.close()
        try:
            yield front
            if process.poll() is not None:
                raise RuntimeError(
                    f"haproxy ended with {process.returncode}:\n{(folder / 'output').read_text(errors='replace')}"
                )
        finally:
            stop(process, STOP_S)


Front = Callable[[str], AbstractContextManager[str]]
FRONTS: dict[str, Front] = {"nginx": nginx, "haproxy": haproxy}

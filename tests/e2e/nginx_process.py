"""nginx with its default settings in front of an address: nothing but proxy_pass, as an operator's
first try has it."""

import os
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.needs import program
from tests.stopping import stop

STOP_S = 5
# `proxy_pass` and where to put its files; every setting that concerns the proxying itself is
# nginx's default.
_CONFIG = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {extra}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass {upstream};
        }}
    }}
}}
"""
# What compresses every answer that nginx may compress, streams included.
GZIP_EVERYTHING = (
    "gzip on; gzip_types *; gzip_proxied any; gzip_min_length 0; gzip_http_version 1.0;"
)


@contextmanager
def running_nginx(upstream: str, extra: str = "") -> Iterator[str]:
    """The base URL of an nginx that passes everything to `upstream`. `extra`: more lines for its
    http block."""
    with (
        tempfile.TemporaryDirectory(prefix="mainstem-nginx-") as name,
        socket.create_server(("127.0.0.1", 0)) as listening,
    ):
        folder, port = Path(name), listening.getsockname()[1]
        folder.chmod(0o755)  # started by root, its worker is another user
        (folder / "nginx.conf").write_text(
            _CONFIG.format(folder=folder, port=port, upstream=upstream, extra=extra)
        )
        # The port is bound here and handed on, in the way in which nginx hands its own to its
        # successor: nobody can take it meanwhile.
        fd = listening.fileno()
        with (folder / "stderr").open("wb") as err:
            process = subprocess.Popen(
                [
                    program("nginx"),
                    "-p",
                    str(folder),
                    "-e",
                    "stderr",
                    "-c",
                    str(folder / "nginx.conf"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=err,
                pass_fds=[fd],
                env={**os.environ, "NGINX": f"{fd};"},
            )
        listening.close()
        try:
            # Its copy of the socket listens already: what connects before nginx is up waits in its
            # queue.
            yield f"http://127.0.0.1:{port}"
            if process.poll() is not None:
                raise RuntimeError(
                    f"nginx ended with {process.returncode}:\n{(folder / 'stderr').read_text(errors='replace')}"
                )
        finally:
            stop(process, STOP_S)

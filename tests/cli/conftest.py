"""What holds for all tests of the command line."""

import os
import subprocess
from collections.abc import Iterator

import pytest

from tests.cli.tools import ROOT
from tests.e2e.proxy_process import command


@pytest.fixture(scope="session", autouse=True)
def _compiled_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Where the environment forbids to write compiled modules, as some do, the commands that are
    started share some of their own: half of a start."""
    if "PYTHONDONTWRITEBYTECODE" not in os.environ:
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PYTHONDONTWRITEBYTECODE")
        patch.setenv("PYTHONPYCACHEPREFIX", str(tmp_path_factory.mktemp("compiled")))
        # compiles them
        subprocess.run(
            [*command(), "check"], check=True, capture_output=True, timeout=150, cwd=ROOT
        )
        yield

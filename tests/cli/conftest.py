"""What holds for all tests of the command line."""

import subprocess
from collections.abc import Iterator

import pytest

from tests.cli.tools import ROOT
from tests.e2e.proxy_process import command


@pytest.fixture(scope="session", autouse=True)
def _compiled_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The commands that are started share their compiled modules, even where the environment
    forbids to write any: half of a start."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        patch.setenv("PYTHONPYCACHEPREFIX", str(tmp_path_factory.mktemp("compiled")))
        # compiles them
        subprocess.run(
            [*command(), "--version"], check=True, capture_output=True, timeout=50, cwd=ROOT
        )
        yield

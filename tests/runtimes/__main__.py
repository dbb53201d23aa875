"""`make runtimes`: the browser client's own tests (tests/e2e/client.test.mjs) in Node.js, Deno and
Bun, one after another.

Deno and Bun are taken from the path, or from tests/runtimes/node_modules, which `make runtimes`
fills. What is not there is named and left out. Exit status 1 if a test fails anywhere, or if none
of the three is there.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from tests.support import recordings_dir

HERE = Path(__file__).parent
TESTS = HERE.parent / "e2e"
FILE = "client.test.mjs"
RUN_S = 120


class Runtime(NamedTuple):
    """How one is found (on the path, or where its npm package has it) and told to run tests."""

    name: str
    packaged: str
    arguments: tuple[str, ...]


RUNTIMES = (
    Runtime("node", "", ("--test", FILE)),
    Runtime(
        "deno",
        "@deno/*/deno",
        ("test", "--no-check", "--allow-net", "--allow-read", "--allow-env", FILE),
    ),
    Runtime("bun", "@oven/*/bin/bun", ("test", f"./{FILE}")),
)


def found(runtime: Runtime) -> str | None:
    """Where it is, if it is there and runs here."""
    packaged = sorted((HERE / "node_modules").glob(runtime.packaged)) if runtime.packaged else []
    for path in filter(None, (shutil.which(runtime.name), *map(str, packaged))):
        told = subprocess.run([path, "--version"], capture_output=True, check=False)
        if told.returncode == 0:
            return path
    return None


def passes(path: str, runtime: Runtime) -> bool:
    """Runs the tests and shows what they print if one fails."""
    recordings = recordings_dir()
    vectors = "" if recordings is None else str(recordings.parent / "sse_vectors.json")
    ran = subprocess.run(
        [path, *runtime.arguments],
        cwd=TESTS,
        env={**os.environ, "MAINSTEM_SSE_VECTORS": vectors, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=RUN_S,
        check=False,
    )
    if ran.returncode:
        print(ran.stdout, ran.stderr, sep="\n")
    return ran.returncode == 0


def main() -> int:
    ran, failed = 0, 0
    for runtime in RUNTIMES:
        path = found(runtime)
        if path is None:
            print(
                f"{runtime.name}: skipped, as it is not here. 'npm ci' in {HERE} brings Deno and Bun."
            )
            continue
        passed = passes(path, runtime)
        print(f"{runtime.name}: {'passed' if passed else 'FAILED'}")
        ran, failed = ran + 1, failed + (not passed)
    return int(failed > 0 or ran == 0)


if __name__ == "__main__":
    sys.exit(main())

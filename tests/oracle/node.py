"""Node programs of tests/oracle/js as judges: one that answers and ends, and one that serves while
it is needed.

The packages there are the newest that run on Node.js 18, Debian 12's; `ai-v5` is release 5.0.0 of
`ai`, whose schema is the strictest.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.needs import program

FOLDER = Path(__file__).parent / "js"
ANSWER_S = 150
# The SDKs read proxies and keys from the environment; these tests must not.
_UNSEEN = ("_PROXY", "_API_KEY", "_AUTH_TOKEN", "_BASE_URL")
_ENV = {name: value for name, value in os.environ.items() if not name.upper().endswith(_UNSEEN)}


def answered(script: str, *arguments: str) -> Any:
    """What the program prints: one JSON value."""
    ran = subprocess.run(
        [program("node"), f"{script}.mjs", *arguments],
        cwd=FOLDER,
        env=_ENV,
        capture_output=True,
        text=True,
        timeout=ANSWER_S,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-4000:]
    return json.loads(ran.stdout)


@contextmanager
def serving(script: str) -> Iterator[str]:
    """The address that the program prints first. It ends when its standard input does."""
    process = subprocess.Popen(
        [program("node"), f"{script}.mjs"],
        cwd=FOLDER,
        env=_ENV,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        address = process.stdout.readline().strip()
        assert address.startswith("http://"), (
            f"{script}.mjs ended with {process.wait(10)} before it served"
        )
        yield address
    finally:
        process.stdin.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()

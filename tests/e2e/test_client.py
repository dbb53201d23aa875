"""proxy/web/client.js by itself, in Node: see client.test.mjs."""

import os
import subprocess
from pathlib import Path

from tests.needs import program, requires
from tests.support import recordings_dir

HERE = Path(__file__).parent


@requires("node")
def test_the_browser_client_keeps_its_promises_in_node():
    """Its own vectors and server; beside them the shared vectors of the standard, where they are
    present."""
    recordings = recordings_dir()
    vectors = "" if recordings is None else str(recordings.parent / "sse_vectors.json")
    ran = subprocess.run(
        [program("node"), "--test", "client.test.mjs"],
        cwd=HERE,
        env={**os.environ, "MAINSTEM_SSE_VECTORS": vectors},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-6000:] + ran.stderr[-2000:]

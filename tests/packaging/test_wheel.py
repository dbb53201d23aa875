"""The wheel, in an empty virtual environment outside the checkout, serves a whole stream from the
embedded mock."""

import json
import os
import queue
import subprocess
import sys
import threading
import urllib.request
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
READY = "Mainstem is listening on "
BUILD_S = 400  # a fresh environment fetches all that the program runs on
START_S = 60.0

pytestmark = [pytest.mark.slow, pytest.mark.timeout(BUILD_S + 100)]


def run(*command: str | Path, cwd: Path) -> str:
    """Runs a step and gives what it printed; all its output is the message when it fails."""
    done = subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        timeout=BUILD_S,
        cwd=cwd,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Built from a copy of what a build reads, so that nothing is left in the checkout and nothing
    else slips in."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in ("proxy", "pyproject.toml", "README.md", "LICENSE"):
        (source / name).symlink_to(ROOT / name)
    run(
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        folder,
        ".",
        cwd=source,
    )
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """The environment's programs: the locked dependencies and the wheel, nothing from the checkout.
    Our pip fills it, and compiles nothing: most of it is never run here."""
    folder = tmp_path_factory.mktemp("elsewhere")
    run(sys.executable, "-m", "venv", "--without-pip", folder / "venv", cwd=folder)
    programs = folder / "venv" / "bin"
    pip = (sys.executable, "-m", "pip", "--python", programs / "python", "install", "--no-compile")
    quietly = (*pip, "--quiet", "--disable-pip-version-check", "--no-deps")
    run(*quietly, "--require-hashes", "-r", ROOT / "requirements.lock", cwd=folder)
    run(*quietly, "--no-index", wheel, cwd=folder)
    return programs


def test_the_wheel_holds_the_package_its_data_and_nothing_else(wheel):
    """The page, the scenarios, the type marker and the licence travel; tests do not."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()

    tops = {name.partition("/")[0] for name in names}
    assert {"proxy", next(top for top in tops if top.endswith(".dist-info"))} == tops
    assert {"proxy/py.typed", "proxy/web/playground/index.html"} <= set(names)
    data = [
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "proxy").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    ]
    assert set() == set(data) - set(names)
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_it_says_its_version(installed, tmp_path):
    """The command is there and needs nothing of the checkout."""
    assert run(installed / "mainstem", "--version", cwd=tmp_path).startswith("mainstem ")


def test_it_serves_a_whole_native_stream_from_the_embedded_mock(installed, tmp_path):
    """As the README's first commands do, from the installed wheel."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("MAINSTEM_", "PYTHON"))
    }
    environment["MAINSTEM_SERVER__PORT"] = "0"
    command = [installed / "mainstem", "serve", "--mock"]
    with (tmp_path / "log").open("w") as log:
        served = subprocess.Popen(
            command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=log, text=True
        )
    try:
        url = address(served, tmp_path / "log")
        body = json.dumps({"model": "anthropic", "prompt": "Say hello"}).encode()
        request = urllib.request.Request(
            f"{url}/v1/stream", body, {"content-type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            frames = [
                line.removeprefix("data: ")
                for line in answer.read().decode().splitlines()
                if line.startswith("data: ")
            ]
        with urllib.request.urlopen(f"{url}/", timeout=30) as page:
            assert 200 == page.status
    finally:
        served.terminate()
        served.communicate(timeout=30)

    types = [json.loads(frame)["type"] for frame in frames]
    assert ("stream.start", "stream.end") == (types[0], types[-1])
    assert "text.delta" in types
    assert 0 == served.returncode, (tmp_path / "log").read_text()


def address(served: subprocess.Popen[str], log: Path) -> str:
    """The URL of the line that says it is ready."""
    lines: queue.Queue[str] = queue.Queue()
    threading.Thread(target=lambda: lines.put(served.stdout.readline()), daemon=True).start()
    line = lines.get(timeout=START_S)
    assert line.startswith(READY), line + log.read_text()
    return line.removeprefix(READY).split()[0]

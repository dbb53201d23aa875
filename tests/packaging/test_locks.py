"""The lock files: every version pinned and hashed, no registry's address, and nothing lacking that
an install would look for."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.packaging.locked import LOCKS, ROOT, Pin, asked, lacking, pins

NPM_LOCKS = (
    "tests/bench/package-lock.json",
    "tests/e2e/package-lock.json",
    "tests/oracle/js/package-lock.json",
    "tests/programs/package-lock.json",
)
INSTALL_S = 400


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_is_pinned_and_hashed_and_no_address_is_written(name):
    """So an install is the same everywhere, from whatever mirror."""
    assert pins(name)
    assert "://" not in (ROOT / name).read_text()


def test_there_are_three_lock_files():
    """One for what serves, one for what builds, one for what tests."""
    assert sorted(LOCKS) == sorted(path.name for path in ROOT.glob("*.lock"))


@pytest.mark.parametrize(
    ("name", "groups"),
    [("requirements.lock", ()), ("requirements-dev.lock", ("build", "dev", "fuzz"))],
    ids=["serve", "develop"],
)
def test_every_requirement_of_every_locked_distribution_is_locked(name, groups):
    """Extras included, for each Python and system: pip, told to install exactly the lock, has
    nothing to look for."""
    assert [] == lacking(pins(name), asked(*groups))


def test_the_build_lock_is_complete_by_itself():
    """`make wheel` and the image's first stage install nothing else."""
    build = [Requirement(text) for text in ("setuptools", "build")]

    assert [] == lacking(pins("requirements-build.lock"), build)


def test_a_lock_without_an_extras_requirements_is_found_out():
    """The walk fails for the lock that once rotted: an extra was stripped, and so its requirement
    was not locked."""
    locked = pins("requirements-dev.lock")
    rotten = {name: pin for name, pin in locked.items() if name != "requests"}
    other = {**locked, "aiosignal": Pin("0.1", None)}

    assert any("google-auth wants requests" in line for line in lacking(rotten, asked("dev")))
    assert any("aiohttp wants aiosignal" in line for line in lacking(other, asked()))


def test_tests_run_on_the_versions_that_users_run_on():
    """The development lock pins nothing differently."""
    development = pins("requirements-dev.lock")

    for name in ("requirements.lock", "requirements-build.lock"):
        assert {} == {
            package: pin
            for package, pin in pins(name).items()
            if development[package].version != pin.version
        }


@pytest.mark.slow
@pytest.mark.timeout(INSTALL_S + 50)
@pytest.mark.parametrize(
    "newest", [False, True], ids=["the pip that comes with Python", "the newest pip"]
)
def test_an_empty_environment_takes_the_locks(newest, tmp_path):
    """Nothing but what is locked, and `pip check` finds nothing lacking. The pip that comes with
    Python installs what builds and what serves. All else is fetched and its hashes are checked;
    `make` has unpacked it into the environment that these tests run in."""
    python = tmp_path / "bin" / "python"
    run(sys.executable, "-m", "venv", tmp_path)
    build, serve, develop = (ROOT / f"requirements{name}.lock" for name in ("-build", "", "-dev"))
    if newest:
        run(python, "-m", "pip", "install", "--quiet", "--upgrade", "pip")
        install(python, build, serve, develop, PIP_DRY_RUN="1")
    else:
        # nothing of what is installed is run, so nothing is compiled
        install(python, build, serve, PIP_NO_COMPILE="1")
        install(python, develop, PIP_DRY_RUN="1")

    assert "No broken requirements found." in run(python, "-m", "pip", "check")


def install(python: Path, *locks: Path, **how: str) -> None:
    """As `make` does it, with these settings of pip."""
    run(python, ROOT / ".ci" / "install.py", *locks, **how)


def run(*command: object, **settings: str) -> str:
    """Runs a step, with these variables in its environment, and gives what it printed; all its output
    is the message when it fails."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "VIRTUAL_ENV"))
    } | settings
    done = subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        timeout=INSTALL_S,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("name", NPM_LOCKS)
def test_the_npm_lock_has_hashes_and_no_addresses(name):
    """npm writes addresses unless the .npmrc beside it tells it not to."""
    packages = {
        name: entry
        for name, entry in json.loads((ROOT / name).read_text())["packages"].items()
        if name
    }

    assert packages
    assert [] == [
        name for name, entry in packages.items() if "resolved" in entry or "integrity" not in entry
    ]

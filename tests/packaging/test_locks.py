"""The lock files: every version pinned and hashed, no registry's address, and all that pyproject.toml asks for."""

import json
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PYTHON_LOCKS = (
    "requirements.lock",
    "requirements-extras.lock",
    "requirements-build.lock",
    "requirements-dev.lock",
    "requirements-fuzz.lock",
)
NPM_LOCKS = ("tests/e2e/package-lock.json", "tests/oracle/js/package-lock.json")
PIN = re.compile(r"([a-z0-9.-]+)==(\S+)(?: ; .+)? \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)")


def pins(name: str) -> dict[str, str]:
    """Package to version, of a lock file whose every line is a hashed pin or a remark."""
    text = (ROOT / name).read_text()
    found = {package: version for package, version, _ in PIN.findall(text)}
    rest = [line for line in PIN.sub("", text).splitlines() if not line.lstrip().startswith("#")]
    assert [] == [line for line in rest if line.strip()]
    return found


def named(requirements: list[str]) -> set[str]:
    """The packages of a list of requirements, in the lock files' spelling."""
    return {re.split(r"[\[<>=! ]", requirement)[0].lower().replace("_", "-") for requirement in requirements}


@pytest.mark.parametrize("name", PYTHON_LOCKS)
def test_every_package_is_pinned_and_hashed_and_no_address_is_written(name):
    """So an install is the same everywhere, from whatever mirror."""
    assert pins(name)
    assert "://" not in (ROOT / name).read_text()


def test_what_pyproject_asks_for_is_locked():
    """`make lock` was run after the last change there."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    asked, groups = project["project"]["dependencies"], project["dependency-groups"]
    extras = [requirement for extra in project["project"]["optional-dependencies"].values() for requirement in extra]

    assert set() == named(asked) - pins("requirements.lock").keys()
    assert set() == named(asked + extras) - pins("requirements-extras.lock").keys()
    assert named(groups["build"]) == pins("requirements-build.lock").keys()
    assert named(groups["fuzz"]) == pins("requirements-fuzz.lock").keys()
    assert set() == named(asked + groups["build"] + groups["dev"]) - pins("requirements-dev.lock").keys()


def test_tests_run_on_the_versions_that_users_run_on():
    """The development lock pins nothing differently."""
    development = pins("requirements-dev.lock")

    for name in ("requirements.lock", "requirements-extras.lock"):
        assert {} == {package: version for package, version in pins(name).items() if development.get(package) != version}


@pytest.mark.parametrize("name", NPM_LOCKS)
def test_the_npm_lock_has_hashes_and_no_addresses(name):
    """npm writes addresses unless the .npmrc beside it tells it not to."""
    packages = {name: entry for name, entry in json.loads((ROOT / name).read_text())["packages"].items() if name}

    assert packages
    assert [] == [name for name, entry in packages.items() if "resolved" in entry or "integrity" not in entry]

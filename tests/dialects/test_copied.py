"""Adding a dialect is one folder, one line in the registry and one folder of tests: a copy of a
dialect under another name passes all tests that hold for every dialect, and nothing else changes."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import recordings_dir

CHECKOUT = Path(__file__).resolve().parents[2]
# What a checkout has beside the code and that a test may read.
ALSO = ("pyproject.toml", "config", "deploy", "docs", "README.md", "SECURITY.md")
# The tests that hold for every dialect. The ones of the copy are chosen by its name.
CROSS = (
    "tests/dialects",
    "tests/codec",
    "tests/faults",
    "tests/fuzz",
    "tests/hostile",
    "tests/mock",
)
# Name, and the path of its clients: one with an upstream half alone, whose answers come in two steps,
# and one with both halves.
COPIED = {"replicate": None, "cohere": "/v2/chat"}
MARK = "copied"  # in the name of each copy
# What work costs is counted for the original: the copy is the same code, and counting is slow.
CHOSEN = f"{MARK} and not costs_what and not at_the_cost"


def copy_of(name: str) -> str:
    return f"{MARK}_{name}"


def renamed(text: str, name: str, path: str | None) -> str:
    """A dialect's file as that of the copy: its imports, its name, the path of its clients. What it
    says of the vendor stays, and so do the vendor's recordings."""
    copy = copy_of(name)
    text = re.sub(rf"\b(proxy|tests)\.dialects(\.| import ){name}\b", rf"\1.dialects\2{copy}", text)
    text = re.sub(rf'(NAME = |Vendor\(|\[)"{name}"', rf'\1"{copy}"', text)
    return text if path is None else text.replace(f'"{path}"', f'"/{copy}{path}"')


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A checkout of our own. What is compiled in ours is as good there, as the files keep their
    times."""
    ignore = shutil.ignore_patterns("node_modules", ".venv", ".hypothesis")
    for part in ("proxy", "tests", *ALSO):
        source = CHECKOUT / part
        if source.is_dir():
            shutil.copytree(source, tmp_path / part, ignore=ignore)
        elif source.exists():
            shutil.copy(source, tmp_path / part)
    return tmp_path


def add(tree: Path, name: str, path: str | None) -> None:
    """One folder, one line, one folder of tests."""
    for folder in ("proxy/dialects", "tests/dialects"):
        copy = tree / folder / copy_of(name)
        shutil.copytree(tree / folder / name, copy, ignore=shutil.ignore_patterns("__pycache__"))
        for file in copy.rglob("*.py"):
            file.write_text(renamed(file.read_text("utf-8"), name, path), "utf-8")
    registry = tree / "proxy/dialects/registry.py"
    text = registry.read_text("utf-8")
    (line,) = re.findall(rf'^    "{name}": .*\n', text, re.MULTILINE)
    registry.write_text(text.replace(line, line + line.replace(name, copy_of(name))), "utf-8")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_copies_pass_the_suite(tree: Path) -> None:
    for name, path in COPIED.items():
        add(tree, name, path)
    command = [sys.executable, "-m", "pytest", "-rp", "-p", "no:cacheprovider", "-k", CHOSEN]
    where = {"MAINSTEM_RECORDINGS": str(recordings_dir() or "")}
    done = subprocess.run(
        [*command, "--ignore", "tests/dialects/test_copied.py", *CROSS],
        cwd=tree,
        env={**os.environ, **where, "PYTHONPATH": str(tree)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == done.returncode, done.stdout[-5000:] + done.stderr[-2000:]
    ran = re.findall(r"^PASSED .*", done.stdout, re.MULTILINE)
    for name in COPIED:
        assert sum(copy_of(name) in line for line in ran) > 100

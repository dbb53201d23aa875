"""Each dialect is one folder with the same files, and imports no other dialect: what two of them
share is in `proxy/codec`."""

import ast
from pathlib import Path

import pytest

import proxy.dialects
from proxy.dialects import registry
from proxy.dialects.registry import CLIENTS, UPSTREAMS

FOLDER = Path(proxy.dialects.__file__).parent
NAMES = set(registry.NAMES)


def imports(module: Path) -> set[str]:
    """The dialects that a module's import statements name."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        found |= {name.split(".")[2] for name in names if name.startswith("proxy.dialects.")}
    return found & NAMES


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_dialect_knows_itself_alone(name: str) -> None:
    modules = [*FOLDER.glob(f"{name}/**/*.py")]
    assert modules
    assert {name} >= {found for module in modules for found in imports(module)}


def test_dialects_are_all_that_is_in_their_folder() -> None:
    """What they share is in `proxy/codec`."""
    found = {path.stem for path in FOLDER.iterdir() if path.suffix in ("", ".py")}
    assert NAMES | {"registry", "__init__"} == found - {"__pycache__"}


@pytest.mark.parametrize("name", registry.NAMES)
def test_the_registry_says_which_halves_a_dialect_has(name: str) -> None:
    dialect = registry.dialect(name)
    assert name == dialect.name
    assert (name in CLIENTS, name in UPSTREAMS) == (
        dialect.client is not None,
        dialect.upstream is not None,
    )


@pytest.mark.parametrize("name", registry.NAMES)
def test_every_dialect_has_the_same_files(name: str) -> None:
    """So the way from one dialect to the same part of another needs no search."""
    dialect = registry.dialect(name)
    expected = {"wire"}
    if dialect.client is not None:
        expected |= {"parse", "encode"}
    if dialect.upstream is not None:
        expected |= {"build", "decode"}
    found = {path.stem for path in (FOLDER / dialect.name).glob("*.py")}
    assert expected == found & {"wire", "parse", "encode", "build", "decode"}

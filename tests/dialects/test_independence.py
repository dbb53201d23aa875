"""No dialect imports another: what two of them share stands in a module of its own beside them.
Holds for every dialect there is."""

import ast
from pathlib import Path

import pytest

import proxy.dialects
from proxy.dialects.registry import DIALECTS

FOLDER = Path(proxy.dialects.__file__).parent
NAMES = {dialect.name for dialect in DIALECTS}


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
    modules = [*FOLDER.glob(f"{name}/**/*.py"), *FOLDER.glob(f"{name}.py")]
    assert modules
    assert {name} >= {found for module in modules for found in imports(module)}


def test_what_they_share_knows_none_of_them() -> None:
    shared = [module for module in FOLDER.glob("*.py") if module.stem not in NAMES | {"registry"}]
    assert set() == {found for module in shared for found in imports(module)}

"""Files stay small enough to be read at once."""

from pathlib import Path

import proxy

PROXY = Path(proxy.__file__).parent


def longer(most: int, modules: list[Path]) -> list[str]:
    """The modules that have more lines than that."""
    assert modules
    return [
        str(module.relative_to(PROXY))
        for module in modules
        if len(module.read_text("utf-8").splitlines()) > most
    ]


def test_no_module_is_longer_than_300_lines() -> None:
    assert longer(300, sorted(PROXY.rglob("*.py"))) == []


def test_no_module_of_the_relay_is_longer_than_250_lines() -> None:
    assert longer(250, sorted((PROXY / "relay").rglob("*.py"))) == []

"""The tests of the core run in seconds, because no vendor's SDK and no socket is in them: SDKs judge
in tests/oracle."""

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
CORE = ("framing", "codec", "dialects", "recording")
# Of everything that the dev group brings to judge us, what loads slowly or speaks to a network.
FOREIGN = {
    *("openai", "anthropic", "mistralai", "cohere", "ollama", "google", "dify_client"),
    *("botocore", "httpx", "httpx_sse", "redis", "aiohttp"),
}


def imported(module: Path) -> set[str]:
    """The packages that a module imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
            if node.module.startswith("tests.oracle"):
                found.add("tests.oracle")
    return found


@pytest.mark.parametrize("room", CORE)
def test_no_sdk_judges_among_the_cores_tests(room: str) -> None:
    modules = sorted((TESTS / room).rglob("*.py"))
    assert modules
    assert [] == [
        str(module.relative_to(TESTS))
        for module in modules
        if imported(module) & {*FOREIGN, "tests.oracle"}
    ]

"""The table of attacks in SECURITY.md names tests that there are."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
_ROW = re.compile(
    r"^\| [^|]+ \| [^|]+ \| [^|]+ \| `([a-z0-9_/]+\.py)`(?: (\w+))? \|$", re.MULTILINE
)


def test_every_attack_names_a_test() -> None:
    page = (ROOT / "SECURITY.md").read_text("utf-8")
    table = page.partition("## Attacks that were tried")[2].partition("\n## ")[0]
    rows = _ROW.findall(table)
    assert len(rows) == len([line for line in table.splitlines() if line.startswith("| ")]) - 1
    assert len(rows) >= 150
    sources = {file: (ROOT / "tests" / file).read_text("utf-8") for file, _ in rows}
    missing = [
        (file, name) for file, name in rows if name and f"def test_{name}(" not in sources[file]
    ]
    assert missing == []

"""The pages: links lead somewhere, lines have at most 120 columns, and the index names every page."""

import re
from pathlib import Path

import pytest

from tests.pages import WIDTH, wrapped

CHECKOUT = Path(__file__).parents[2]
PAGES = sorted([*CHECKOUT.glob("*.md"), *CHECKOUT.glob("docs/*.md")])
_LINK = re.compile(r"\]\((?!https?://)([^)#]*)(?:#([^)]*))?\)")


def anchors(page: Path) -> set[str]:
    """Of a page's headings, as they are made of their words."""
    heads = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", head).lower().replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_links_lead_somewhere(page: Path) -> None:
    for path, anchor in _LINK.findall(page.read_text("utf-8")):
        where = (page.parent / path).resolve() if path else page
        assert where.exists(), path
        assert not anchor or anchor in anchors(where), f"{path}#{anchor}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(CHECKOUT)))
def test_lines_are_short(page: Path) -> None:
    """But for tables and code."""
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    long = [
        line
        for line in text.split("\n")
        if len(line) > WIDTH and not line.startswith(("|", "    ", "#"))
    ]
    assert [] == long


def test_the_index_names_every_page() -> None:
    index = CHECKOUT / "docs" / "README.md"
    named = {(index.parent / path).resolve() for path, _ in _LINK.findall(index.read_text("utf-8"))}
    assert set(PAGES) - {index} <= named


def test_a_long_line_is_broken_and_its_code_is_not() -> None:
    words = "word " * 23
    assert f"- {words}\n  `a b c` end" == wrapped(f"- {words}`a b c` end").replace(
        "word\n", "word \n"
    )

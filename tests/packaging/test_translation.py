"""README.zh-CN.md says what README.md says: the same headings, commands, names, links and figures,
section by section. A failure names the section and what to write there."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.packaging.test_pages import CHECKOUT

ENGLISH, CHINESE = CHECKOUT / "README.md", CHECKOUT / "README.zh-CN.md"
_BLOCK = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`]+)`")
_LINK = re.compile(r"\]\(([^)]+)\)")
_ROW = re.compile(r"^\|.*\|$", re.MULTILINE)
_FIGURE = re.compile(r"\d[\d.,]*\d|\d")


def sections(page: Path) -> list[tuple[str, str]]:
    """Each heading, with what stands below it."""
    text = page.read_text("utf-8")
    blocks = iter(_BLOCK.findall(text))
    bare = _BLOCK.sub("\0", text)
    parts = re.split(r"^(#+ .*)$", bare, flags=re.MULTILINE)
    return [
        (head, re.sub("\0", lambda _: next(blocks), body))
        for head, body in zip(parts[1::2], parts[2::2], strict=True)
    ]


def level(head: str) -> int:
    return len(head) - len(head.lstrip("#"))


def prose(body: str) -> str:
    """Without blocks, and without the line that links the two pages."""
    return re.sub(
        r"^(English|\[English\]\([^)]*\)) \| .*\n", "", _BLOCK.sub("", body), flags=re.MULTILINE
    )


def names(body: str) -> list[str]:
    return sorted({" ".join(code.split()) for code in _CODE.findall(prose(body))})


def links(body: str) -> list[str]:
    """A picture has a copy in Chinese."""
    return [link.replace(".zh-CN.png", ".png") for link in _LINK.findall(prose(body))]


def rows(body: str) -> list[str]:
    """What of a table is the same in each language: how many columns each row has."""
    return [f"a row of {row.count('|') - 1} columns" for row in _ROW.findall(prose(body))]


def figures(body: str) -> list[str]:
    return sorted(_FIGURE.findall(_CODE.sub("", _LINK.sub("", prose(body)))))


def told(what: str, english: list[str], chinese: list[str]) -> str:
    missing = [each for each in english if each not in chinese]
    odd = [each for each in chinese if each not in english]
    lines = [f"{CHINESE.name} and {ENGLISH.name} differ in their {what}."]
    lines += [f"In {CHINESE.name} add, in Chinese words around it: {each}" for each in missing]
    lines += [
        f"In {CHINESE.name} take away, as {ENGLISH.name} has it no more: {each}" for each in odd
    ]
    if not missing and not odd:
        lines.append(f"They stand in another order or number: follow {ENGLISH.name}.")
    return "\n".join(lines)


def test_the_headings_are_the_same() -> None:
    english, chinese = ([level(head) for head, _ in sections(page)] for page in (ENGLISH, CHINESE))
    assert english == chinese, (
        f"{ENGLISH.name} has headings of the levels {english}, {CHINESE.name} {chinese}: give both "
        "the same sections in the same order, the Chinese one in Chinese."
    )


@pytest.mark.parametrize(
    ("what", "of"),
    [
        ("code blocks (copy them as they are)", _BLOCK.findall),
        ("names in backticks", names),
        ("links", links),
        ("tables", rows),
        ("figures", figures),
    ],
    ids=["blocks", "names", "links", "tables", "figures"],
)
def test_each_section_says_the_same(what: str, of: Callable[[str], list[str]]) -> None:
    for (head, english), (other, chinese) in zip(sections(ENGLISH), sections(CHINESE), strict=True):
        assert of(english) == of(chinese), (
            f'Section "{head}" ("{other}"): {told(what, of(english), of(chinese))}'
        )


def test_each_page_links_the_other() -> None:
    assert f"]({CHINESE.name})" in ENGLISH.read_text("utf-8").partition("\n## ")[0]
    assert f"]({ENGLISH.name})" in CHINESE.read_text("utf-8").partition("\n## ")[0]


def test_a_difference_says_what_to_do() -> None:
    assert told("links", ["a", "b"], ["b", "c"]) == (
        "README.zh-CN.md and README.md differ in their links.\n"
        "In README.zh-CN.md add, in Chinese words around it: a\n"
        "In README.zh-CN.md take away, as README.md has it no more: c"
    )

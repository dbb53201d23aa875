"""Markdown as it comes: the styles do not hang on how the text is cut."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.cli.markdown import BOLD, CODE, DIM, RESET, Styler
from proxy.mock.texts import MARKDOWN
from tests.support import splits

_STYLE = re.compile("\x1b\\[\\d*m")


def styled(pieces: list[str]) -> str:
    styler = Styler()
    return "".join([*map(styler.feed, pieces), styler.end()])


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain * text_with_marks 2*3*4 ***", "plain * text_with_marks 2*3*4 ***"),
        ("a **b** c", f"a {BOLD}b{RESET} c"),
        ("2 ** 3 ** 4", "2 ** 3 ** 4"),
        ("# Head\nrest", f"{BOLD}Head{RESET}\nrest"),
        ("#no head", "#no head"),
        ("a `b **c**` d", f"a {CODE}b **c**{RESET} d"),
        ("## a `b` c", f"{BOLD}a {RESET}{BOLD}{CODE}b{RESET}{BOLD} c{RESET}"),
        ("- one\n  * two\n-three", "• one\n  • two\n-three"),
        ("> said", f"{DIM}│{RESET} said"),
        ("```py\n# **x**\n```\n**y**", f"{DIM}```py{RESET}\n{CODE}# **x**{RESET}\n{DIM}```{RESET}\n{BOLD}y{RESET}"),
        ("never **closed\nnext", f"never {BOLD}closed{RESET}\nnext"),
        ("```\nopen at the end", f"{DIM}```{RESET}\n{CODE}open at the end{RESET}"),
        ("ends in **", "ends in **"),
        ("``", "``"),
        ("", ""),
    ],
)  # fmt: skip
def test_marks_become_styles(text: str, shown: str):
    assert shown == styled([text])
    assert shown == styled(list(text))


def test_a_page_is_the_same_for_every_split():
    whole = styled([MARKDOWN])
    for pieces in splits(MARKDOWN.encode("utf-32-le")):
        cut = b"".join(pieces).decode("utf-32-le")
        assert whole == styled([cut])
    assert whole == styled(list(MARKDOWN))
    assert "\n• " not in whole
    assert f"{BOLD}Reading a stream{RESET}" in whole


@given(st.text(alphabet="*`#-> \na~", max_size=60))
def test_no_letter_is_lost_and_no_style_left_open(text: str):
    shown = styled(list(text))
    assert shown == styled([text])
    assert text.count("a") == _STYLE.sub("", shown).count("a")
    assert text.count("\n") == shown.count("\n")
    for line in shown.split("\n"):
        styles = _STYLE.findall(line)
        assert not styles or RESET == styles[-1]


def test_the_next_text_begins_anew():
    styler = Styler()
    assert f"{DIM}```{RESET}\n" == styler.feed("```\n")
    assert "" == styler.end()
    assert "plain" == styler.feed("plain")

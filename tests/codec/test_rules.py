"""Names that a target can take."""

import pytest

from proxy.codec.rules import Names

CLAUDE = Names(chars="a-zA-Z0-9_-", most=64)
MISTRAL = Names(chars="a-zA-Z0-9", least=9, most=9)
GEMINI = Names(chars="a-zA-Z0-9_.:-", first="a-zA-Z_", most=64)


@pytest.mark.parametrize("name", ["call_1", "x" * 64])
def test_a_name_that_fits_stays(name: str) -> None:
    assert name == CLAUDE.fitted(name)


@pytest.mark.parametrize("rule", [CLAUDE, MISTRAL, GEMINI], ids=["claude", "mistral", "gemini"])
@pytest.mark.parametrize("name", ["functions.Bash:0", "", "9lives", "名前", "x" * 200, "\ud800"])
def test_any_name_can_be_made_to_fit(rule: Names, name: str) -> None:
    """The same name gives the same one each time."""
    made = rule.fitted(name)
    assert rule.fit(made)
    assert made == rule.fitted(name) == rule.fitted(made)


def test_names_that_differ_stay_different() -> None:
    names = [f"functions.Bash:{number}" for number in range(500)]
    for rule in (CLAUDE, MISTRAL, GEMINI):
        assert 500 == len({rule.fitted(name) for name in names})


def test_what_can_stay_of_a_name_stays() -> None:
    """So that a person can read a log."""
    assert CLAUDE.fitted("mcp__plugin_" + "x" * 60).startswith("mcp__plugin_xxx")

"""What a target takes: dialect, vendor, model, and the operator over all."""

import pytest

from proxy.codec.rules import Rules
from proxy.dialects.registry import UPSTREAMS
from proxy.settings.rules import RuleBook
from proxy.settings.vendors import catalogue
from tests.settings.conftest import Problems


def test_every_fact_of_the_catalogue_is_one() -> None:
    """Of every dialect, vendor and pattern, each with its source."""
    facts = [*catalogue().dialects.values(), *catalogue().vendors.values()]
    for each in facts:
        for model in each.models:
            assert model.source
            assert all(pattern == pattern.lower() for pattern in model.match)
    for dialect in catalogue().dialects:
        assert dialect in UPSTREAMS
        RuleBook(dialect, None, {})
    for name, vendor in catalogue().vendors.items():
        book = RuleBook(vendor.dialect, name, {})
        for model in vendor.models:
            book.of(model.match[0].replace("*", "x"))


def test_what_the_operator_says_goes_over_the_catalogue() -> None:
    assert 4096 == RuleBook("anthropic", None, {}).of("claude-x").max_tokens
    assert 7 == RuleBook("anthropic", None, {"max_tokens": 7}).of("claude-x").max_tokens
    assert Rules() == RuleBook("none", None, {"beta": "x"}).of("m")


@pytest.mark.parametrize("options", ["max_tokens: many", "thinking: hard", "tool_name: {chars: a}"])
def test_a_rule_that_is_none_is_a_mistake_of_the_configuration(
    problems: Problems, options: str
) -> None:
    text = (
        "upstreams: {a: {dialect: anthropic, base_url: 'http://127.0.0.1', "
        f"options: {{{options}}}}}}}\nmodels: {{x: [{{upstream: a}}]}}"
    )
    assert any("upstreams.a.options" in problem for problem in problems(text))

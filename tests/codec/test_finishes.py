"""Vendors' finish words, in whatever spelling."""

import pytest
from msgspec import UNSET

from proxy.codec.finishes import Finishes

_WORDS = Finishes({"stop": "stop", "max_tokens": "length", "network_error": "other"})


@pytest.mark.parametrize(
    "word", ["max_tokens", "MAX_TOKENS", "max-tokens", "maxTokens", "Max Tokens"]
)
def test_words_are_compared_without_case_and_hyphens(word: str):
    """As gateways write them."""
    assert "length" == _WORDS.reason(word)


def test_a_plain_end_with_calls_is_for_the_calls():
    """Any other finish stays."""
    assert ["tool_calls", "length", "other"] == [
        _WORDS.reason(word, called=True) for word in ("Stop", "max_tokens", "strange")
    ]


def test_a_word_that_ends_in_error_is_a_failure():
    """Unless it is known to be something else."""
    failure = _WORDS.broken("Engine-Error")
    assert failure is not None
    assert ("upstream_error", "Engine-Error") == (failure.kind, failure.code)
    assert failure.code is not UNSET
    assert [None, None] == [_WORDS.broken(word) for word in ("errors", "NETWORK_ERROR")]

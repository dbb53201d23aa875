"""What of a failure's message is logged."""

import json

import pytest

from proxy.errors import Kind, failure
from proxy.relay.wording import code_of, loggable
from proxy.settings.secret import MASK

PROMPT = "the Treaty of\n\nWestphalia was signed in 1648"
SENT = json.dumps(
    {
        "model": "gpt-4o-mini-2024",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": PROMPT}],
    }
).encode()


def said(message: str, kind: Kind = "upstream_status", upstream: str | None = "far") -> str:
    return loggable(failure(kind, message, upstream=upstream), SENT)


@pytest.mark.parametrize(
    ("message", "logged"),
    [
        ("Rate limit reached for requests.", "Rate limit reached for requests."),
        (f"Refused: {PROMPT}", f"Refused: {MASK}"),
        ("Refused: THE TREATY OF WESTPHALIA, no.", f"Refused: {MASK}, no."),
        ("The model gpt-4o-mini-2024 is gone.", "The model gpt-4o-mini-2024 is gone."),
        ("max_tokens must be 16 or more.", "max_tokens must be 16 or more."),
        ('Refused: {"content": "\\u0054reaty"', 'Refused: {"content": "...'),
        ("x" * 9000, "x" * 300),
    ],
)
def test_a_vendors_message_is_logged_without_what_it_was_sent(message: str, logged: str) -> None:
    """Any part of eight characters is hidden, but for the names of models and parameters."""
    assert logged == said(message)


def test_what_cannot_be_compared_is_not_logged() -> None:
    """Because the request is not at hand any more, or is too long."""
    why = failure("upstream_error", "Of your words", code="bad_words", upstream="far")
    assert ["", ""] == [loggable(why), loggable(why, b" " * 300_000)]
    assert "bad_words" == code_of(why)


def test_a_piece_of_an_answer_is_not_logged() -> None:
    """What could not be read follows a colon."""
    assert "The upstream sent no JSON" == said(
        "The upstream sent no JSON: {Hel", "upstream_malformed"
    )


def test_our_own_words_are_logged_without_the_clients() -> None:
    """A refusal of ours quotes what it refuses; a failure of the connection repeats nothing."""
    assert "far does not answer: it's off." == said(
        "far does not answer: it's off.", "connect_failed"
    )
    assert "There is no role ..." == said("There is no role 'secret'.", "bad_request", None)


@pytest.mark.parametrize("code", ["a word", "x" * 65, "zwölf", ""])
def test_a_code_that_is_no_word_is_not_logged(code: str) -> None:
    assert "" == code_of(failure("upstream_error", "m", code=code))

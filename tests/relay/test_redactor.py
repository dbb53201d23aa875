"""An upstream's secrets in what it says about a failure are masked, in whatever form they are
obvious."""

import base64
from typing import Any
from urllib.parse import quote

import pytest
from msgspec import UNSET

from proxy.errors import failure
from proxy.relay.redactor import Redactor
from proxy.settings.upstreams import Upstream

KEY = "sk-live/aB3+dE6=gH9jK2mN5pQ8sT1vW4yZ7"
MASKED = "********"


def redactor(key: str | None = KEY, **settings: Any) -> Redactor:
    return Redactor(
        Upstream.model_validate({"dialect": "openai_chat", "base_url": "https://h", **settings}),
        key,
    )


def said(message: str, **settings: Any) -> str:
    return redactor(**settings).over(failure("upstream_status", message)).message


@pytest.mark.parametrize(
    "form",
    [
        *(
            KEY,
            KEY.lower(),
            KEY.upper(),
            quote(KEY, safe=""),
            base64.b64encode(KEY.encode()).decode(),
            f"Bearer {KEY}",
        ),
        *(KEY[:20], KEY[:20] + "********T1vW", KEY[:17] + "..."),
    ],
)
def test_the_key_is_masked_in_every_obvious_form(form: str) -> None:
    shown = said(f"Incorrect API key provided: {form}. See the docs.")
    assert MASKED in shown
    assert KEY[:17].lower() not in shown.lower()
    assert "Incorrect API key provided" in shown
    assert shown.endswith("See the docs.")


@pytest.mark.parametrize("before", ["", "u", "us", "user:", "Bearer ", ":"])
@pytest.mark.parametrize("code", [base64.b64encode, base64.urlsafe_b64encode])
def test_the_key_is_masked_within_whatever_is_in_base64(before: str, code: Any) -> None:
    coded = code(f"{before}{KEY}:more".encode()).decode()
    shown = said(f"Basic {coded} is wrong")
    parts = {coded[at : at + 12] for at in range(8, len(coded) - 20)}
    assert not [part for part in parts if part in shown]
    assert shown.startswith("Basic ")


@pytest.mark.parametrize("size", [8, 9, 12, 20])
def test_any_part_of_the_key_is_masked(size: int) -> None:
    for at in range(len(KEY) - size + 1):
        part = KEY[at : at + size]
        assert part not in said(f"The key <{part}> is wrong")
    assert KEY.encode().hex()[8:24] not in said(f"in digits {KEY.encode().hex()}")


def test_a_key_that_is_split_is_masked_on_both_sides() -> None:
    shown = said(f"{KEY[:10]}\n{KEY[10:]}")
    assert f"{MASKED}\n{MASKED}" == shown


def test_code_and_param_are_masked_too() -> None:
    why = redactor().over(failure("upstream_status", "no", code=f"bad {KEY}", param=KEY))
    assert (f"bad {MASKED}", MASKED) == (why.code, why.param)


def test_what_holds_no_secret_is_the_same_failure() -> None:
    """Also where it speaks of keys."""
    why = failure("upstream_status", "Your api key is wrong: sk-... expected")
    assert why is redactor().over(why)
    assert why is redactor(None).over(why)
    assert why.code is UNSET


def test_secrets_in_headers_and_options_are_masked_and_others_are_not() -> None:
    settings = {
        "headers": {"cookie": "sid=0123456789abcdef; theme=dark", "x-team": "blue-team-one"},
        "options": {
            "aws_secret_access_key": "wJalrXUtnFEMI/K7MDENG",
            "region": "eu-west-1",
            "deep": {"token": "tttttttttttt"},
        },
    }
    shown = said(
        "sid=0123456789abcdef theme=dark blue-team-one wJalrXUtnFEMI/K7MDENG eu-west-1 tttttttttttt",
        **settings,
    )
    assert f"sid={MASKED} theme=dark blue-team-one {MASKED} eu-west-1 {MASKED}" == shown


@pytest.mark.parametrize("key", ["", "k", "key", "wrong"])
def test_a_word_is_no_key(key: str) -> None:
    """A mock's or a local server's key may be any word, and a message must stay readable."""
    assert "the key is wrong" == said("the key is wrong", key=key)


def test_a_key_with_signs_of_a_pattern_is_taken_as_it_stands() -> None:
    assert f"a {MASKED} b" == said("a (.*)[x]+$$ b", key="(.*)[x]+$$")
    assert "anything at all" == said("anything at all", key="(.*)[x]+$$")

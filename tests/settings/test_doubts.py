"""What a good configuration most likely does not mean."""

from typing import Any

import pytest

from proxy.settings.doubts import doubts
from proxy.settings.model import Settings
from proxy.settings.vendors import vendors


def found(dialect: str, base_url: str | None, **upstream: Any) -> list[str]:
    """The doubts about the one upstream, without its name."""
    place = {} if base_url is None else {"base_url": base_url}
    settings = Settings.model_validate(
        {
            "upstreams": {"far": {"dialect": dialect, **place, **upstream}},
            "models": {"*": [{"upstream": "far"}]},
        }
    )
    return [doubt.removeprefix("upstreams.far.") for doubt in doubts(settings)]


@pytest.mark.parametrize(
    ("dialect", "base_url", "said"),
    [
        ("openai_chat", "https://h.example/v1/v1", "says a version twice"),
        ("openai_chat", "https://h.example", "has no path such as /v1"),
        ("openai_responses", "https://h.example", "has no path such as /v1"),
        ("openai_chat", "https://h.example/v1/chat/completions", "take /chat/completions away"),
        ("openai_responses", "https://h.example/v1/responses", "is a whole path"),
        ("anthropic", "https://h.example/v1", "/v1/v1/messages would be asked"),
        ("anthropic", "https://h.example/v1/messages", "take /v1/messages away"),
        ("gemini", "https://h.example/v1beta", "begins with /v1beta"),
        ("gemini", "https://h.example/v1", "begins with /v1beta"),
        ("ollama", "http://h.example:11434/api", "/api/api/chat would be asked"),
        ("ollama", "http://h.example:11434/v1", "begins with /api"),
        ("cohere", "https://h.example/v2", "/v2/v2/chat would be asked"),
    ],
)
def test_an_address_that_does_not_go_with_its_dialect(
    dialect: str, base_url: str, said: str
) -> None:
    (doubt,) = found(dialect, base_url)
    assert doubt.startswith("base_url ")
    assert said in doubt


@pytest.mark.parametrize(
    ("dialect", "base_url"),
    [
        ("openai_chat", "https://h.example/v1"),
        ("openai_chat", "https://h.example/api/paas/v4/"),
        ("openai_chat", "https://h.example/v1/openai"),
        ("anthropic", "https://h.example"),
        ("anthropic", "https://h.example/api/anthropic"),
        ("plain", "https://h.example"),
        ("replicate", "https://h.example"),
        *((row.dialect, row.base_url) for row in vendors().values() if row.base_url),
    ],
)
def test_a_good_address_raises_none(dialect: str, base_url: str) -> None:
    assert [] == found(dialect, base_url)


def test_with_a_path_of_its_own_an_address_is_as_it_is_meant() -> None:
    assert [] == found("openai_chat", "https://h.example", path="/chat")


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("$OPENAI_API_KEY", "is the text '$OPENAI_API_KEY' itself: write \"${OPENAI_API_KEY}\""),
        ("OPENAI_API_KEY", "looks like the name of a variable"),
        ("sk-...", "looks like an example's"),
        ("{{ OPENAI_API_KEY }}", "looks like an example's"),
        ("os.environ/OPENAI_API_KEY", "looks like an example's"),
        ("<your key>", "looks like an example's"),
        ("your-api-key", "looks like an example's"),
        ("Bearer sk-1234", "has a space in it"),
        ("", "is empty, so no key is sent"),
        ("sk-1234", ""),
        ("id.secret-xyz", ""),
        ("pa$$word_$", ""),
    ],
)
def test_a_variable_that_is_not_filled_in(key: str, said: str) -> None:
    doubts_of_key = found("openai_chat", "https://h.example/v1", api_key=key)
    assert [bool(said)] == [bool(doubts_of_key)]
    assert said in "".join(doubts_of_key)


def test_a_header_that_carries_a_key_is_looked_at_too() -> None:
    headers = {"authorization": "Bearer $KEY", "x-region": "EU_WEST"}
    (doubt,) = found("openai_chat", "https://h.example/v1", headers=headers)
    assert doubt.startswith("headers.authorization is the text")


@pytest.mark.parametrize(
    ("base_url", "private", "said"),
    [
        ("http://api.example.com/v1", False, True),
        ("http://8.8.8.8/v1", False, True),
        ("http://api.example.com/v1", True, False),
        ("http://vllm:8000/v1", False, False),
        ("http://10.0.0.1:8000/v1", False, False),
        ("https://api.example.com/v1", False, False),
    ],
)
def test_a_key_that_others_could_read_on_its_way(base_url: str, private: bool, said: bool) -> None:
    clear = "base_url is http:, so that whoever stands between reads the key: write https:"
    assert ([clear] if said else []) == found(
        "openai_chat", base_url, private=private, api_key="sk-1"
    )


def test_a_pattern_in_a_model_s_name_stands_for_nothing() -> None:
    settings = Settings.model_validate(
        {
            "upstreams": {"a": {"dialect": "anthropic", "mock": {}}},
            "models": {name: [{"upstream": "a"}] for name in ("gpt-*", "*", "plain")},
        }
    )
    (doubt,) = doubts(settings)
    assert doubt.startswith("models.gpt-* is asked for by just this name")


def test_an_upstream_that_no_model_uses() -> None:
    settings = Settings.model_validate(
        {
            "upstreams": {
                name: {"dialect": "anthropic", "mock": {}} for name in ("used", "forgotten")
            },
            "models": {"*": [{"upstream": "used"}]},
        }
    )
    (doubt,) = doubts(settings)
    assert doubt.startswith("upstreams.forgotten is used by no model")


def test_a_budget_of_money_where_nobody_knows_the_price() -> None:
    def doubted(**upstream: Any) -> bool:
        key = {"name": "web", "sha256": "0" * 64, "cost_per_day": 5}
        far = {"dialect": "openai_chat", **upstream}
        tree = {
            "auth": {"keys": [key]},
            "upstreams": {"far": far},
            "models": {"*": [{"upstream": "far"}]},
        }
        found = doubts(Settings.model_validate(tree))
        said = "upstreams.far has no prices: what it answers is not counted in cost_per_day"
        assert found in ([], [said])
        return bool(found)

    prices = {"*": {"input_per_million": 1, "output_per_million": 1}}
    assert doubted(base_url="http://127.0.0.1:8000/v1")
    assert not doubted(base_url="http://127.0.0.1:8000/v1", prices=prices)
    assert not doubted(base_url="https://api.openai.com/v1")
    assert doubted(mock={})

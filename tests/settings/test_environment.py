"""Overrides out of the environment."""

import pytest

from proxy.settings.environment import merge
from proxy.settings.load import load
from proxy.settings.mistakes import ConfigError
from tests.settings.conftest import Load, Problems


def test_the_environment_goes_over_the_file_and_the_file_over_the_defaults(loaded: Load) -> None:
    """Setting by setting."""
    settings = loaded("server: {port: 1, workers: 3}", MAINSTEM_SERVER__PORT="9000")
    assert (9000, 3, "127.0.0.1") == (
        settings.server.port,
        settings.server.workers,
        settings.server.host,
    )


def test_values_are_typed() -> None:
    """Numbers, truth values, words, JSON lists and sections, lists with commas."""
    settings = load(
        None,
        {
            "MAINSTEM_TIMEOUTS__IDLE_S": "1.5",
            "MAINSTEM_LOGS__PROMPTS": "true",
            "MAINSTEM_AUTH": "none",
            "MAINSTEM_ADMIN__PORT": "9092",
            "MAINSTEM_CORS__ALLOW_ORIGINS": "https://a.example, https://b.example",
            "MAINSTEM_STREAMS": '{"heartbeat_s": 5}',
        },
    )
    assert settings.timeouts.idle_s == 1.5
    assert settings.logs.prompts is True
    assert settings.auth == "none"
    assert settings.admin is not None
    assert settings.admin.port == 9092
    assert ("https://a.example", "https://b.example") == settings.cors.allow_origins
    assert settings.streams.heartbeat_s == 5


def test_a_whole_configuration_without_a_file() -> None:
    """Containers are often configured so."""
    settings = load(
        None,
        {
            "MAINSTEM_UPSTREAMS__VENDOR__DIALECT": "anthropic",
            "MAINSTEM_UPSTREAMS__VENDOR__BASE_URL": "https://v.example",
            "MAINSTEM_UPSTREAMS__VENDOR__API_KEY": "k",
            "MAINSTEM_UPSTREAMS__VENDOR__HEADERS": '{"x-a": "b"}',
            "MAINSTEM_MODELS": '{"*": [{"upstream": "vendor"}]}',
        },
    )
    assert list(settings.upstreams) == ["vendor"]
    assert settings.upstreams["vendor"].key() == "k"
    assert settings.upstreams["vendor"].headers["x-a"].get_secret_value() == "b"


def test_names_of_the_file_are_found_whatever_their_case(loaded: Load) -> None:
    """A shell cannot write a dash into a variable's name."""
    text = "upstreams: {My-Up.1: {dialect: anthropic, base_url: 'https://x'}}\nmodels: {x: [{upstream: My-Up.1}]}"
    assert loaded(text, MAINSTEM_UPSTREAMS__MY_UP_1__API_KEY="k").upstreams["My-Up.1"].key() == "k"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        (
            "MAINSTEM_SERVER__PORT",
            "abc",
            "MAINSTEM_SERVER__PORT: server.port must be a whole number, not 'abc'",
        ),
        (
            "mainstem_server__port",
            "abc",
            "mainstem_server__port: server.port must be a whole number, not 'abc'",
        ),
        (
            "MAINSTEM_SERVER",
            "5",
            "MAINSTEM_SERVER: server must be a section of names and values, not 5",
        ),
        (
            "MAINSTEM_SERVER",
            "{",
            "MAINSTEM_SERVER: server must be a section of names and values, not '{'",
        ),
        (
            "MAINSTEM_SERVER__PROT",
            "1",
            "MAINSTEM_SERVER__PROT: server.prot is not a setting; did you mean server.port?",
        ),
        (
            "MAINSTEM_SEVER__PORT",
            "1",
            "environment: MAINSTEM_SEVER__PORT names no section of the settings; did you mean MAINSTEM_SERVER__...?",
        ),
        (
            "MAINSTEM_CORS__ALLOW_ORIGINS",
            "[",
            "MAINSTEM_CORS__ALLOW_ORIGINS: cors.allow_origins must be a list, not '['",
        ),
        (
            "MAINSTEM_MODELS",
            '{"x": [{"upstream": "no"}]}',
            "MAINSTEM_MODELS: models needs upstreams to lead to, and there are none: name one, for example upstreams: {openai: {vendor: openai}}",
        ),
    ],
)
def test_a_mistake_names_the_variable(problems: Problems, name: str, value: str, said: str) -> None:
    """Not the file, which may be right."""
    assert [said] == problems("", **{name: value})


def test_the_file_is_named_for_what_the_file_says(problems: Problems) -> None:
    """Also when a variable sets something beside it."""
    said = problems("server: {workers: 0}", MAINSTEM_SERVER='{"port": 0}')
    assert ["x.yaml: server.workers must be more than 0, not 0"] == said


def test_a_mistake_without_a_file() -> None:
    """Is the environment's."""
    with pytest.raises(ConfigError) as caught:
        load(
            None,
            {
                "MAINSTEM_UPSTREAMS__A__BASE_URL": "https://x",
                "MAINSTEM_MODELS": '{"x": [{"upstream": "a"}]}',
            },
        )
    assert [
        "environment: upstreams.a.dialect is missing: the wire format that it speaks"
    ] == caught.value.problems


def test_what_kubernetes_sets_is_no_setting() -> None:
    """A service that is named mainstem gives every pod these."""
    load(
        None,
        {
            "MAINSTEM_PORT": "tcp://10.0.0.1:80",
            "MAINSTEM_SERVICE_HOST": "10.0.0.1",
            "MAINSTEM_PORT_80_TCP_PORT": "80",
        },
    )


def test_merging_leaves_both_trees_as_they_were() -> None:
    """Sections are merged, all else is replaced."""
    under, over = {"a": {"x": 1, "y": [1, 2]}, "b": 1}, {"a": {"y": [3]}, "b": {"z": 1}}
    assert {"a": {"x": 1, "y": [3]}, "b": {"z": 1}} == merge(under, over)
    assert {"a": {"x": 1, "y": [1, 2]}, "b": 1} == under

"""Settings of who may call: what is wrong with them is one sentence, and no secret is in it."""

import importlib.util
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr

from proxy.settings import access
from proxy.settings.describe import effective
from tests.settings.conftest import Load, Problems

WHEN = "must be a date such as 2030-12-31 (good to the end of that day, UTC) or a time such as 2030-12-31T12:00:00+00:00"
STORE = 'must be memory, or the address of a Redis such as redis://host:6379/0, rediss://host:6379/0 or "${REDIS_URL}"'
JWT: dict[str, Any] = {
    "jwks_url": "https://login.example/keys",
    "issuer": "https://login.example",
    "audience": "mainstem",
}


def keys(*settings: dict[str, Any]) -> str:
    return yaml.safe_dump(
        {
            "auth": {
                "keys": [
                    {"name": f"k{n}", "sha256": "abc"[n] * 64, **more}
                    for n, more in enumerate(settings)
                ]
            }
        }
    )


def jwt(**changed: Any) -> str:
    return yaml.safe_dump(
        {
            "auth": {
                "jwt": {
                    name: value for name, value in {**JWT, **changed}.items() if value is not None
                }
            }
        }
    )


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2031-05-06", datetime(2031, 5, 7, tzinfo=UTC)),
        ("2031-12-31", datetime(2032, 1, 1, tzinfo=UTC)),
        ("2031-05-06T10:00:00Z", datetime(2031, 5, 6, 10, tzinfo=UTC)),
        ("2031-05-06T10:00:00+08:00", datetime(2031, 5, 6, 2, tzinfo=UTC)),
        ("2031-05-06 10:00:00.5-01:00", datetime(2031, 5, 6, 11, 0, 0, 500_000, tzinfo=UTC)),
    ],
)
def test_a_date_is_good_to_its_end_and_a_time_has_an_offset(
    loaded: Load, written: str, meant: datetime
) -> None:
    # quoted or not, as YAML has dates too
    for text in (keys({"expires": written}), keys({"expires": written}).replace("'", "")):
        auth = loaded(text).auth
        assert auth not in (None, "none")
        assert meant == auth.keys[0].expires


@pytest.mark.parametrize(
    "written",
    [
        "tomorrow",
        "2031-02-30",
        "2031-05-06T10:00:00",
        "9999-12-31",
        20310506,
        "31.12.2031",
        "",
        True,
    ],
)
def test_what_is_no_date_is_said_to_be_none(problems: Problems, written: Any) -> None:
    assert [f"x.yaml: auth.keys[0].expires {WHEN}"] == problems(keys({"expires": written}))


def test_keys_that_have_all_expired_let_nobody_in(problems: Problems, loaded: Load) -> None:
    said = "x.yaml: auth.keys has no key that is still good, so nobody could call: add one, or give one a later expires"
    assert [said] == problems(keys({"expires": "2020-01-01"}, {"expires": "2021-01-01T00:00:00Z"}))
    loaded(keys({"expires": "2020-01-01"}, {}))
    loaded(keys({"expires": "2020-01-01"}, {"expires": "2999-01-01"}))
    loaded(
        yaml.safe_dump(
            {"auth": {**yaml.safe_load(keys({"expires": "2020-01-01"}))["auth"], "jwt": JWT}}
        )
    )


def test_the_tree_in_effect_says_the_same_when_it_is_read_again(loaded: Load) -> None:
    text = keys({"expires": "2031-05-06", "admin": True, "tokens_per_minute": 5})
    once = loaded(text)
    again = yaml.safe_dump({"auth": yaml.safe_load(effective(once))["auth"]}).replace(
        "'********'", "a" * 64
    )
    assert once.auth == loaded(again).auth


@pytest.mark.parametrize("auth", [{"jwt": JWT}, {"keys": [], "jwt": JWT}])
def test_tokens_alone_are_a_way_in(loaded: Load, auth: dict[str, Any]) -> None:
    settings = loaded(yaml.safe_dump({"server": {"host": "0.0.0.0"}, "auth": auth})).auth
    assert settings not in (None, "none")
    assert settings.jwt is not None
    assert ("RS256", "ES256", "EdDSA") == settings.jwt.algorithms


ALGORITHMS = "RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA"
WRONG = [
    ({"jwks_url": None}, "auth.jwt needs either jwks_url or jwks_file, and not both"),
    ({"algorithms": []}, "auth.jwt needs at least one of algorithms; leave the setting out for RS256, ES256 and EdDSA"),
    ({"issuer": None}, "auth.jwt.issuer is missing: what a token's iss must be"),
    ({"audience": None}, "auth.jwt.audience is missing: what must be in a token's aud"),
    ({"issuer": ""}, "auth.jwt.issuer must be text"),
    ({"leeway_s": 301}, "auth.jwt.leeway_s must be at most 300"),
    ({"leeway_s": -1}, "auth.jwt.leeway_s must be at least 0"),
    ({"jwks_url": "login.example"}, "auth.jwt.jwks_url must start with http:// or https://"),
    ({"jwks_url": "https://login.example/keys?app=a b"}, "auth.jwt.jwks_url is not a URL: check what stands after the question mark"),
    ({"jwks_url": "https://ann:word@login.example"}, "auth.jwt.jwks_url must not hold a user or a password: put them in headers or api_key, which are never printed"),
    ({"jwks_url": "http://login.example/keys"}, "auth.jwt.jwks_url must start with https://: whoever stands between could put keys of his own in the list"),
    ({"jwks_url": "http://127.0.0.1.example/keys"}, "auth.jwt.jwks_url must start with https://: whoever stands between could put keys of his own in the list"),
    ({"secret": "x"}, "auth.jwt.secret is not a setting; auth.jwt may have jwks_url, jwks_file, issuer, audience, algorithms, leeway_s, models, models_claim, max_streams, requests_per_minute, tokens_per_minute, cost_per_day"),
]  # fmt: skip


@pytest.mark.parametrize(("changed", "said"), WRONG)
def test_a_mistake_about_tokens_is_one_sentence(
    problems: Problems, changed: dict[str, Any], said: str
) -> None:
    assert [f"x.yaml: {said}"] == problems(jwt(**changed))


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256", "HS512", "RS1", "rs256", "ES256K"])
def test_only_signatures_of_a_private_key_may_be_accepted(
    problems: Problems, algorithm: str
) -> None:
    why = "with any other, whoever knows the public keys could sign tokens, or anybody"
    said = f"x.yaml: auth.jwt.algorithms[1] must be one of {ALGORITHMS}: {why}"
    assert [said] == problems(jwt(algorithms=["RS256", algorithm]))


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9000/keys",
        "http://localhost/keys",
        "http://[::1]/keys",
        "https://login.example/keys?app=1",
    ],
)
def test_keys_may_come_by_https_or_from_this_machine(loaded: Load, url: str) -> None:
    auth = loaded(jwt(jwks_url=url)).auth
    assert auth not in (None, "none")
    assert auth.jwt is not None
    assert url == auth.jwt.jwks_url


def test_a_file_of_keys_is_found_from_the_configurations_folder(
    loaded: Load, problems: Problems, config: Path
) -> None:
    text, file = jwt(jwks_url=None, jwks_file="keys.json"), config.parent / "keys.json"
    at = "x.yaml: auth.jwt.jwks_file"
    assert [
        f"{at} cannot be read: {file} (No such file or directory); check the path and its permissions"
    ] == problems(text)
    for content in (
        "",
        "[]",
        "{}",
        '{"keys": {}}',
        "[" * 100_000,
        json.dumps({"keys": ["x" * 300_000]}),
    ):
        file.write_text(content)
        said = f'{at} does not hold a JWK set: {file}; it must be JSON such as {{"keys": [...]}}, as the login service publishes it'
        assert [said] == problems(text)
    file.write_text('{"keys": []}')
    auth = loaded(text).auth
    assert auth not in (None, "none")
    assert auth.jwt is not None
    assert str(file) == auth.jwt.jwks_file


def test_models_of_tokens_are_those_that_there_are(problems: Problems) -> None:
    models = "\nupstreams: {u: {dialect: anthropic, mock: {}}}\nmodels: {fast: [{upstream: u}]}"
    assert [
        "x.yaml: auth.jwt.models[0] 'fats' is not among models; did you mean fast?"
    ] == problems(jwt(models=["fats"]) + models)


@pytest.mark.parametrize(
    "url",
    [
        "redis://cache:6379/0",
        "rediss://:hidden@cache",
        "redis://ann:hidden@cache:1/15",
        "unix:///run/redis.sock",
    ],
)
def test_the_address_of_a_redis_is_hidden_as_a_whole(loaded: Load, url: str) -> None:
    settings = loaded('limits: {store: "${REDIS_URL}"}', REDIS_URL=url)
    assert isinstance(settings.limits.store, SecretStr)
    assert url == settings.limits.store.get_secret_value()
    for printed in (effective(settings), repr(settings), str(settings), str(settings.model_dump())):
        assert url not in printed
        assert "hidden" not in printed


def test_a_valkey_is_spoken_to_like_a_redis(loaded: Load) -> None:
    for scheme, spoken in (("valkey", "redis"), ("valkeys", "rediss")):
        store = loaded(f"limits: {{store: '{scheme}://cache:1/2'}}").limits.store
        assert isinstance(store, SecretStr)
        assert f"{spoken}://cache:1/2" == store.get_secret_value()


def test_memory_is_the_store_unless_said_otherwise(loaded: Load) -> None:
    for text in ("", "limits: {store: memory}"):
        assert "memory" == loaded(text).limits.store
    assert "store: memory" in effective(loaded(""))


@pytest.mark.parametrize(
    "store",
    [
        "Memory",
        "cache:6379",
        "http://s3cret@cache",
        "redis://",
        "redis://s3cret@cache:port",
        "redis://:s3 cret@cache",
        "unix://",
        6379,
        True,
        ["redis://cache"],
    ],
)
def test_what_is_no_store_is_refused_without_being_repeated(problems: Problems, store: Any) -> None:
    assert [f"x.yaml: limits.store {STORE}"] == problems(
        yaml.safe_dump({"limits": {"store": store}})
    )


@pytest.mark.parametrize(
    ("store", "said"),
    [
        ("redis+sentinel://:s3cret@a:26379/main", "is of a Sentinel, which is not asked here"),
        ("sentinel://a:1,b:2/main", "is of a Sentinel, which is not asked here"),
        ("redis+cluster://:s3cret@a:7000", "must be the address of one server"),
        ("redis://:s3cret@a:7000,b:7001/0", "must be the address of one server"),
    ],
)
def test_several_servers_are_refused_with_what_to_write(
    problems: Problems, store: str, said: str
) -> None:
    for section in ("limits: {{store: '{}'}}", "streams: {{resume: {{store: '{}'}}}}"):
        (sentence,) = problems(section.format(store))
        assert f"store {said}" in sentence
        assert sentence.endswith(("redis://host:6379", "redis://host:6379/0"))
        assert "s3cret" not in sentence


def test_a_database_is_a_number(problems: Problems) -> None:
    said = "limits.store must have the number of a database after the host, such as redis://host:6379/0, or nothing"
    assert [f"x.yaml: {said}"] == problems("limits: {store: 'redis://cache/first'}")


def test_an_extra_that_is_not_installed_is_named(
    problems: Problems, monkeypatch: pytest.MonkeyPatch
) -> None:
    lacking = {"redis", "jwt"}
    monkeypatch.setattr(
        access,
        "find_spec",
        lambda name: None if name in lacking else importlib.util.find_spec(name),
    )
    text = jwt() + "limits: {store: 'redis://cache'}"
    text += "\nstreams: {resume: {store: 'redis://cache'}}"
    assert sorted(problems(text)) == [
        'x.yaml: auth.jwt needs PyJWT and cryptography, which are not installed: pip install "mainstem[jwt]"',
        'x.yaml: limits.store needs a client of Redis, which is not installed: pip install "mainstem[redis]"',
        'x.yaml: streams.resume.store needs a client of Redis, which is not installed: pip install "mainstem[redis]"',
    ]
    lacking = {"cryptography"}
    assert 1 == len(problems(text))

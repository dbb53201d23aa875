"""What holds between settings."""

import pytest

from proxy.settings import checks
from proxy.settings.access import is_loopback
from tests.settings.conftest import Load, Problems

FIX = "give keys under auth, listen on 127.0.0.1, or write `auth: none` to let anyone in"
KEY_A, KEY_B = "a" * 64, "b" * 64


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.8.9.1", "localhost", "LOCALHOST", "::1", "[::1]", "::ffff:127.0.0.1"]
)
def test_loopback(host: str) -> None:
    """Only this machine reaches these."""
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    [
        "0.0.0.0",
        "::",
        "",
        "10.0.0.1",
        "example.com",
        "localhost.example.com",
        "::ffff:10.0.0.1",
        "127.0.0.1.nip.io",
    ],
)
def test_not_loopback(host: str) -> None:
    """Others may reach these."""
    assert not is_loopback(host)


def test_a_public_listener_without_auth_is_refused(problems: Problems) -> None:
    """For the clients and for the metrics alike, with the fix."""
    assert [
        f"x.yaml: server.host '0.0.0.0' can be reached from other machines, and auth is absent: {FIX}",
        f"x.yaml: admin.host '::' shows the metrics to other machines, and auth is absent: {FIX}",
    ] == problems("server: {host: 0.0.0.0}\nadmin: {host: '::'}")
    assert [
        f"MAINSTEM_SERVER__HOST: server.host '0.0.0.0' can be reached from other machines, and auth is absent: {FIX}"
    ] == problems("", MAINSTEM_SERVER__HOST="0.0.0.0")


@pytest.mark.parametrize("auth", ["none", f"{{keys: [{{name: a, sha256: {KEY_A}}}]}}"])
def test_a_public_listener_with_auth_is_taken(loaded: Load, auth: str) -> None:
    """Keys, or `none` written out."""
    assert (
        loaded(f"server: {{host: 0.0.0.0}}\nadmin: {{host: 0.0.0.0}}\nauth: {auth}").server.host
        == "0.0.0.0"
    )


def test_an_admin_listener_on_the_same_port(problems: Problems, loaded: Load) -> None:
    """Is refused, but not where the system chooses both."""
    said = "x.yaml: admin.port is the port of server too: choose another, or leave admin out to serve both on one"
    assert [said] == problems("admin: {port: 8080}")
    assert [said] == problems("server: {port: 9091}\nadmin: {}")
    loaded("server: {port: 0}\nadmin: {port: 0}")


@pytest.mark.parametrize(
    ("dialect", "said"),
    [("antropic", "did you mean anthropic?"), ("openai", "did you mean openai_chat?")],
)
def test_an_unknown_dialect_has_its_nearest(problems: Problems, dialect: str, said: str) -> None:
    """Out of those that have an upstream half."""
    text = f"upstreams: {{a: {{dialect: {dialect}, mock: {{}}}}}}\nmodels: {{x: [{{upstream: a}}]}}"
    assert [f"x.yaml: upstreams.a.dialect '{dialect}' is not a dialect; {said}"] == problems(text)


def test_a_dialect_that_clients_alone_speak(problems: Problems) -> None:
    """Its name is right, and its place is not."""
    (said,) = problems("upstreams: {a: {dialect: ai_sdk, mock: {}}}\nmodels: {x: [{upstream: a}]}")
    assert said.startswith("x.yaml: upstreams.a.dialect 'ai_sdk' is a dialect of clients alone; ")


def test_an_unknown_dialect_that_is_near_to_none(problems: Problems) -> None:
    """All are listed."""
    (said,) = problems("upstreams: {a: {dialect: zzz, mock: {}}}\nmodels: {x: [{upstream: a}]}")
    assert said.startswith(
        "x.yaml: upstreams.a.dialect 'zzz' is not a dialect; known: anthropic, baidu_chat, "
    )


@pytest.mark.parametrize(
    ("dialect", "model", "options", "said"),
    [
        ("openai_chat", "m", "{orgnization: x}", "Object contains unknown field `orgnization`"),
        ("anthropic", "m", "{version: 5}", "Expected `str | null`, got `int` - at `$.version`"),
        (
            "bedrock_invoke",
            "anthropic.claude-3-haiku",
            "{inner: [], region: x}",
            "Expected `str | null`, got `array` - at `$.inner`",
        ),
    ],
)
def test_options_that_a_dialect_does_not_have(
    problems: Problems, dialect: str, model: str, options: str, said: str
) -> None:
    """They are said at once; else each request would fail for them."""
    assert [f"x.yaml: upstreams.a.options are not those of {dialect}: {said}"] == problems(
        f"upstreams: {{a: {{dialect: {dialect}, base_url: 'https://h', options: {options}}}}}\n"
        f"models: {{x: [{{upstream: a, model: {model}}}]}}"
    )


def test_models_and_upstreams_belong_together(problems: Problems) -> None:
    """An upstream that no model leads to, a model without a target, a target that is not there."""
    assert [
        'x.yaml: models is empty: say what clients may ask for, for example "*": [{upstream: a}]'
    ] == problems("upstreams: {a: {dialect: anthropic, mock: {}}}")
    assert [
        "x.yaml: models.x[0].upstream 'opnai' is not among upstreams; did you mean openai?"
    ] == problems(
        "upstreams: {openai: {dialect: openai_chat, mock: {}}}\nmodels: {x: [{upstream: opnai}]}"
    )
    assert [
        "x.yaml: models needs upstreams to lead to, and there are none: name one, for example upstreams: {openai: {vendor: openai}}"
    ] == problems("models: {x: [{upstream: a}]}")


def test_keys(problems: Problems) -> None:
    """None at all, two of one name, two that are one, and a model that is not there."""
    assert [
        "x.yaml: auth.keys is empty, so nobody could call: list a key, or write `auth: none` to let anyone in"
    ] == problems("auth: {}")
    twice = f"auth: {{keys: [{{name: a, sha256: {KEY_A}}}, {{name: a, sha256: {KEY_B}}}]}}"
    assert [
        f"x.yaml: auth.keys[{n}].name is that of another key too: give each its own" for n in (0, 1)
    ] == problems(twice)
    same = f"auth: {{keys: [{{name: a, sha256: {KEY_A}}}, {{name: b, sha256: {KEY_A}}}]}}"
    assert [
        f"x.yaml: auth.keys[{n}].sha256 is that of another key too: give each its own"
        for n in (0, 1)
    ] == problems(same)
    no_model = f"""
        auth: {{keys: [{{name: a, sha256: {KEY_A}, models: [fats]}}]}}
        upstreams: {{u: {{dialect: anthropic, mock: {{}}}}}}
        models: {{fast: [{{upstream: u}}]}}
        """
    assert [
        "x.yaml: auth.keys[0].models[0] 'fats' is not among models; did you mean fast?"
    ] == problems(no_model)


def test_workers_share_kept_streams_only_in_a_redis(problems: Problems, loaded: Load) -> None:
    several = "server: {workers: 2}\nstreams: {resume: {%s}}\n"
    assert 2 == loaded(several % "store: 'redis://cache'").server.workers
    for alone in ("", "store: memory"):
        (said,) = problems(several % alone)
        assert said.startswith("x.yaml: streams.resume keeps streams in the memory of one process")


def test_traces_without_their_packages_are_told_which(
    problems: Problems, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "is_installed", lambda module: "exporter" not in module)
    (said,) = problems('tracing: {endpoint: "http://127.0.0.1:4318/v1/traces"}')
    assert said.startswith("x.yaml: tracing needs OpenTelemetry's SDK")
    assert 'pip install "mainstem[otel]"' in said

"""Sources, key files, and the embedded mock."""

from pathlib import Path

import pytest

from proxy.dialects.registry import CLIENTS, UPSTREAMS
from proxy.mock.load import SUFFIXES
from proxy.settings.load import config_path, load
from tests.settings.conftest import Load, Problems

TWO_TIMEOUTS = """
timeouts: {total_s: 7, idle_s: 8}
upstreams: {a: {dialect: anthropic, base_url: "https://x", timeouts: {idle_s: 3}}, b: {dialect: anthropic, base_url: "https://x"}}
models: {x: [{upstream: a}, {upstream: b}]}
"""


def with_upstream(rest: str) -> str:
    return f"upstreams: {{a: {{dialect: anthropic, {rest}}}}}\nmodels: {{x: [{{upstream: a}}]}}"


def test_without_a_file_the_embedded_mock_answers_for_every_dialect() -> None:
    """On loopback, with no key; any unknown model goes to openai_chat's."""
    settings = load(None, {})
    assert settings.server.host == "127.0.0.1"
    played = UPSTREAMS.keys() & CLIENTS.keys()
    assert {f"mock-{dialect}" for dialect in played} == set(settings.upstreams)
    assert {*played, "*"} == set(settings.models)
    assert settings.models["*"].targets[0].upstream == "mock-openai_chat"
    assert all(
        upstream.mock is not None and upstream.dialect in UPSTREAMS
        for upstream in settings.upstreams.values()
    )


def test_a_file_without_upstreams_and_models_has_the_embedded_ones(loaded: Load) -> None:
    """Its other sections hold."""
    settings = loaded("server: {port: 1}")
    assert settings.server.port == 1
    assert "mock-anthropic" in settings.upstreams


def test_the_file_is_the_one_named_then_that_of_the_environment(config: Path) -> None:
    """MAINSTEM_CONFIG names a file; --config goes over it."""
    config.write_text("server: {port: 1}")
    assert load(None, {"MAINSTEM_CONFIG": str(config)}).server.port == 1
    assert Path("a") == config_path(Path("a"), {"MAINSTEM_CONFIG": "b"})
    assert config_path(None, {"MAINSTEM_CONFIG": ""}) is None


def test_a_key_file_is_read_from_the_configuration_s_folder(loaded: Load, tmp_path: Path) -> None:
    """Without the line break that an editor leaves."""
    (tmp_path / "secret").write_text("  sk-1\n")
    upstream = loaded(with_upstream("base_url: 'https://x', api_key_file: secret")).upstreams["a"]
    assert upstream.key() == "sk-1"
    assert "sk-1" not in repr(upstream)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            None,
            "cannot be read: {file} (No such file or directory); check the path and its permissions",
        ),
        (b"\n", "is empty: {file}; write the key into it"),
        (b"a\nb\n", "does not hold a key: {file}; it must have one line of plain characters"),
        (b"\xff", "does not hold a key: {file}; it must have one line of plain characters"),
        (b"x" * 70_000, "does not hold a key: {file}; it must have one line of plain characters"),
    ],
)
def test_a_key_file_that_is_none(
    problems: Problems, tmp_path: Path, content: bytes | None, said: str
) -> None:
    """Missing, empty, or something else: a sentence with the file."""
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    text = with_upstream("base_url: 'https://x', api_key_file: secret")
    assert [f"x.yaml: upstreams.a.api_key_file {said.format(file=file)}"] == problems(text)


@pytest.mark.parametrize("named", ["taken", "taken/below"])
@pytest.mark.parametrize("where", ["record", "upstreams.a.record"])
def test_a_folder_for_recordings_that_is_a_file(
    problems: Problems, tmp_path: Path, named: str, where: str
) -> None:
    """It is known at the start, and not with the first stream."""
    (tmp_path / "taken").write_text("")
    record = f"record: {{folder: {named}}}"
    own = where != "record"
    text = with_upstream("base_url: 'https://x'" + (f", {record}" if own else ""))
    said = f"is a file, or would be within one: {tmp_path}/taken; name a folder"
    assert [f"x.yaml: {where}.folder {said}"] == problems(text if own else f"{text}\n{record}")


@pytest.mark.parametrize("named", ["~/key", "$HOME/key"])
def test_a_path_is_not_a_shell_s(problems: Problems, tmp_path: Path, named: str) -> None:
    """Nothing but `${NAME}` is replaced in it, and the sentence says so."""
    assert [
        (
            f"x.yaml: upstreams.a.api_key_file cannot be read: {tmp_path}/{named} (No such file or "
            "directory); ~ and $NAME are no folders here: write the path out, or ${NAME}"
        )
    ] == problems(with_upstream(f"base_url: 'https://x', api_key_file: {named}"))


def test_a_script_is_found_from_the_configuration_s_folder(loaded: Load, tmp_path: Path) -> None:
    """A built-in scenario keeps its name, an absolute path its path."""
    for written, read in (
        ("hello", "hello"),
        ("scripts/a.yaml", f"{tmp_path}/scripts/a.yaml"),
        ("a.chunks.jsonl", f"{tmp_path}/a.chunks.jsonl"),
        ("/b/a.sse", "/b/a.sse"),
    ):
        mock = loaded(with_upstream(f"mock: {{scenario: {written}}}")).upstreams["a"].mock
        assert mock is not None
        assert read == mock.scenario


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_kind_of_script_is_found(loaded: Load, tmp_path: Path, suffix: str) -> None:
    """Whatever the mock takes for the name of a file is one here."""
    mock = loaded(with_upstream(f"mock: {{scenario: a{suffix}}}")).upstreams["a"].mock
    assert mock is not None
    assert f"{tmp_path}/a{suffix}" == mock.scenario


def test_an_upstream_s_own_timeouts_go_over_the_common_ones(loaded: Load) -> None:
    """Those that it leaves out are the common ones, not the defaults."""
    settings = loaded(TWO_TIMEOUTS)
    own = settings.upstreams["a"].timeouts
    assert own is not None
    assert (3, 7, 5) == (own.idle_s, own.total_s, own.connect_s)
    assert settings.upstreams["b"].timeouts is None


def test_a_base_url_has_no_slash_at_its_end(loaded: Load) -> None:
    """The dialect's path, which begins with one, is added to it."""
    assert (
        loaded(with_upstream("base_url: 'https://h:8443/v1/'")).upstreams["a"].base_url
        == "https://h:8443/v1"
    )


@pytest.mark.parametrize("key", ["", "  ", "${NO:-}"])
def test_an_empty_key_is_none(loaded: Load, key: str) -> None:
    """An endpoint without a key, as a local one."""
    assert (
        loaded(with_upstream(f"base_url: 'http://localhost:1', api_key: '{key}'"))
        .upstreams["a"]
        .key()
        is None
    )


@pytest.mark.parametrize(
    "url",
    [
        "http://",
        "https://h:port",
        "https://[::1",
        "https://a b",
        "https:/h",
        "h.example",
        "https://h\\nx",
    ],
)
def test_what_is_no_url_is_refused(problems: Problems, url: str) -> None:
    """And so is one without http:// or https://."""
    (said,) = problems(with_upstream(f'base_url: "{url}"'))
    assert said in {
        "x.yaml: upstreams.a.base_url is not a URL: check its host and port",
        "x.yaml: upstreams.a.base_url must start with http:// or https://",
    }

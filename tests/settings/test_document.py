"""The file: YAML, UTF-8, names once, variables."""

import errno
from pathlib import Path

import pytest

from proxy.settings import document
from proxy.settings.load import load
from proxy.settings.mistakes import ConfigError
from tests.settings.conftest import Load, Problems


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n# nothing\n",
        "---\n",
        "server:\n",
        "server:\n  port:\n",
        "\ufeffserver: {}",
        "admin:\nauth:\n",
    ],
)
def test_an_empty_file_or_section_keeps_the_defaults(loaded: Load, text: str) -> None:
    """A section whose lines are all comments is no mistake."""
    settings = loaded(text)
    assert settings.server.port == 8080
    assert settings.admin is None
    assert "mock-openai_chat" in settings.upstreams


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "- a",
            "x.yaml: the file must be a section of names and values, such as `server:`, and not a list or a single value",
        ),
        (
            "hello",
            "x.yaml: the file must be a section of names and values, such as `server:`, and not a list or a single value",
        ),
        (b"server: \xff", "x.yaml: is not UTF-8 (byte 8); save it as UTF-8"),
        (
            "a: 1\nb: \x07",
            "x.yaml: line 2: there is a control character, which YAML does not allow: take it out",
        ),
        (
            "server:\n  port: 1\n  port: 2\n",
            "x.yaml: server.port is given twice, on line 2 and on line 3: keep one",
        ),
        (
            "upstreams: {}\nupstreams: {}\n",
            "x.yaml: upstreams is given twice, on line 1 and on line 2: keep one",
        ),
        (
            "upstreams: {a: {dialect: plain, mock: {}, options: {x: {k: 1, k: 1}}}}\nmodels: {m: [{upstream: a}]}",
            "x.yaml: upstreams.a.options.x.k is given twice, on line 1 and on line 1: keep one",
        ),
        (
            "upstreams: {a: {dialect: plain, mock: {}, options: {x: &x [*x]}}}\nmodels: {m: [{upstream: a}]}",
            "x.yaml: upstreams.a.options.x[0] is an alias of what it stands in: write it out",
        ),
    ],
)
def test_a_file_that_cannot_be_read_as_a_tree(
    problems: Problems, text: str | bytes, said: str
) -> None:
    """Said with the place."""
    assert [said] == problems(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("server:\n\tport: 1\n", "line 2, column 1: there is a tab, and YAML takes spaces alone"),
        ("server: {}\n---\nadmin: {}\n", "line 2, column 1: a second document begins here"),
        ("server: !env PORT\n", "line 1, column 9: a value that begins with ! must be in quotes"),
        ("a: {key: !sk-secret}\n", "line 1, column 20: a value that begins with ! must be in"),
        ("a: *sk-secret\n", "line 1, column 4: a value that begins with * must be in quotes"),
        ("cors: {allow_origins: [*]}\n", "line 1, column 25: a value that begins with * or &"),
        ("a: @sk-secret\n", "line 1, column 4: a value that begins with @, ` or % must be in"),
        ('a: "C:\\sk-secret"\n', "line 1, column 8: a \\ within double quotes needs another one"),
        ("a: {key: ${KEY}}\n", "line 1, column 11: within { } or [ ] a variable must be in quotes"),
        ("server: {port: 1\n", "line 2, column 1: the { of line 1 is not closed"),
        ("models: {x: [a}\n", "line 1, column 15: the [ of line 1 is not closed"),
        ("a:\n  b: 'sk-secret\n", "line 3, column 1: the quote that line 2 opens is not closed"),
        ("server\nport: 1\n", "line 2, column 5: no colon may stand here: look at the indentation"),
        ("a: b: sk-secret\n", "line 1, column 5: no colon may stand here"),
        ("server:\n  port: 1\n host: x\n", "line 3, column 2: this line is indented otherwise"),
        ("a:\n  b: 1\n  - c\n", "line 3, column 3: a dash is indented otherwise"),
        ("a:\n  - b\n - c\n", "line 3, column 2: a dash is indented otherwise"),
        ("a: - b\n", "line 1, column 4: the dash of a list must stand on a line of its own"),
        ("a: 'b'sk-secret\n", "line 1, column 7: something stands behind the end of a value"),
        ("[server]\nport = 1\n", "line 2, column 1: a name must end in a colon and a space"),
        ("server: {}\ncors：\n", "line 3, column 1: the sign ： must be a plain one"),
        ("? [a]: b\n", "line 1, column 3: look at indentation, quotes and colons there"),
    ],
)
def test_a_syntax_error_has_its_line_and_its_fix(problems: Problems, text: str, said: str) -> None:
    """And none of the file's text."""
    (fault,) = problems(text)
    place, _, meant = said.partition(": ")
    assert fault.startswith(f"x.yaml: {place}: this is not YAML: {meant}")
    assert "sk-secret" not in fault


def test_a_name_that_is_no_text(problems: Problems) -> None:
    """YAML reads `on` and `5` as other things than text."""
    said = problems(
        "upstreams: {5: {dialect: anthropic, mock: {}}}\nmodels: {on: [{upstream: '5'}]}"
    )
    assert [
        "x.yaml: upstreams.5 (line 1) has a name that YAML does not read as text: put it in quotes",
        "x.yaml: models.on (line 2) has a name that YAML does not read as text: put it in quotes",
    ] == said


def test_a_deep_file_is_refused(problems: Problems) -> None:
    """And does not end the process."""
    (said,) = problems("server: " + "[" * 5000)
    assert "nested too deeply" in said


def test_missing_files(tmp_path: Path) -> None:
    """A path that is not there, and one that is a folder."""
    for path, fault in ((tmp_path / "no.yaml", "there is no such file"), (tmp_path, "is a folder")):
        with pytest.raises(ConfigError, match=fault) as caught:
            load(path, {})
        assert str(caught.value).startswith(f"{path}: ")


def test_an_unreadable_file(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its permissions are named."""

    def refuse(_: Path, _most: int) -> bytes:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(document, "read_file", refuse)
    with pytest.raises(ConfigError, match="check the path and its permissions"):
        load(config, {})


def test_dates_stay_text_and_anchors_work(loaded: Load) -> None:
    """API versions look like dates; `<<` and aliases share settings."""
    settings = loaded(
        """
        upstreams:
          a: &a {dialect: anthropic, base_url: "https://a", options: {version: 2023-06-01}}
          b: {<<: *a, base_url: "https://b"}
        models: {x: [{upstream: a}, {upstream: b}]}
        """
    )
    assert {"version": "2023-06-01"} == settings.upstreams["b"].options
    assert ["https://a", "https://b"] == [
        upstream.base_url for upstream in settings.upstreams.values()
    ]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("${HOST}", "localhost"),
        ("${NOT_SET:-::1}", "::1"),
        ("${EMPTY:-::1}", "::1"),
        ("127.0.0.${ONE}", "127.0.0.1"),
        ("127.0.0.${ONE}${NOT_SET:-}", "127.0.0.1"),
    ],
)
def test_variables_are_filled_in(loaded: Load, written: str, read: str) -> None:
    """With a default for what is not set or empty."""
    assert (
        read
        == loaded(f"server: {{host: '{written}'}}", HOST="localhost", ONE="1", EMPTY="").server.host
    )


def test_variables_are_typed_where_they_stand(loaded: Load) -> None:
    """A port may come from the environment too."""
    assert loaded("server: {port: '${PORT}'}", PORT="9000").server.port == 9000


def test_a_variable_s_value_is_not_read_again(loaded: Load) -> None:
    """What comes out of the environment is text, and `$${` is a literal sign."""
    settings = loaded(
        "upstreams: {a: {dialect: anthropic, mock: {scenario: '$${x}${A}'}}}\nmodels: {x: [{upstream: a}]}",
        A="${B}",
    )
    mock = settings.upstreams["a"].mock
    assert mock is not None
    assert mock.scenario == "${x}${B}"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (
            "${NO}",
            "needs the environment variable NO, which is not set: set it, or write ${NO:-default}",
        ),
        (
            "${EMPTY}",
            "needs the environment variable EMPTY, which is empty: set it, or write ${EMPTY:-default}",
        ),
        (
            "${",
            "has a ${ that is not ${NAME} or ${NAME:-default}: close it, or write $${ for the signs themselves",
        ),
        (
            "${a-b}",
            "has a ${ that is not ${NAME} or ${NAME:-default}: close it, or write $${ for the signs themselves",
        ),
    ],
)
def test_what_is_no_variable_or_not_set(problems: Problems, written: str, said: str) -> None:
    """File, key and variable in one sentence, and no second one about the gap that it leaves."""
    text = f"upstreams: {{a: {{dialect: anthropic, base_url: '{written}'}}}}\nmodels: {{x: [{{upstream: a}}]}}"
    assert [f"x.yaml: upstreams.a.base_url {said}"] == problems(text, EMPTY="")

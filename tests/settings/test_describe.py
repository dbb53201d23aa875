"""The configuration in words, and the files under config/."""

import re
from pathlib import Path

import pytest
import yaml

from proxy.mock.compose import MockSpec
from proxy.mock.server import MockServer
from proxy.settings.describe import effective, reference
from proxy.settings.load import load
from proxy.settings.schema import fixed_paths
from tests.certificates import write_certificate
from tests.settings.conftest import Load

CONFIG = Path(__file__).parents[2] / "config"
SECRETS = """
auth: {keys: [{name: web, sha256: "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"}]}
upstreams:
  a:
    dialect: baidu_chat
    base_url: https://h
    api_key: sk-secret-1
    headers: {cookie: sk-secret-2, x-plain: sk-secret-3}
    options: {chat_token: sk-secret-4, deep: {cookies: [sk-secret-5]}, think: true, version: 2023-06-01}
  b: {dialect: anthropic, base_url: "https://h", api_key_file: key}
models: {x: [{upstream: a}, {upstream: b}]}
"""


def environment(tmp_path: Path) -> dict[str, str]:
    """What the examples under config/ ask for."""
    key = tmp_path / "key"
    key.write_text("k")
    names = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "WEB_KEY_SHA256", "BATCH_KEY_SHA256")
    return {name: f"{number}" * 64 for number, name in enumerate(names)} | {
        "ANTHROPIC_API_KEY_FILE": str(key)
    }


def test_the_tree_in_effect_shows_no_secret(loaded: Load, tmp_path: Path) -> None:
    """But the names of headers and options, and where a key comes from."""
    (tmp_path / "key").write_text("sk-secret-6")
    shown = effective(loaded(SECRETS))
    tree = yaml.safe_load(shown)
    assert "sk-secret" not in shown
    assert "2c26b46b" not in shown
    a, b = tree["upstreams"]["a"], tree["upstreams"]["b"]
    assert a["api_key"] == "********"
    assert {"cookie": "********", "x-plain": "********"} == a["headers"]
    assert {
        "chat_token": "********",
        "deep": {"cookies": ["********"]},
        "think": True,
        "version": "2023-06-01",
    } == a["options"]
    assert b["api_key_file"] == "key"
    assert "api_key" not in b


def test_settings_print_no_secret(loaded: Load, tmp_path: Path) -> None:
    """A settings tree in a traceback or a debugger's log."""
    (tmp_path / "key").write_text("sk-secret-6")
    settings = loaded(SECRETS)
    assert "sk-secret" not in f"{settings!r} {settings}"


def test_the_tree_in_effect_is_a_configuration_itself(loaded: Load) -> None:
    """Without secrets it can be read back and means the same."""
    settings = loaded("server: {port: 1}\nadmin: {}\ntimeouts: {idle_s: 1.5}")
    assert settings == loaded(effective(settings))
    assert "drain_s: 20\n" in effective(settings)


def test_the_annotated_file_is_current() -> None:
    """Written by `reference`; to bring it up to date, write what that gives into it."""
    assert reference() == (CONFIG / "mainstem.yaml").read_text("utf-8")


def test_the_annotated_file_means_the_defaults() -> None:
    """As it stands it changes nothing."""
    assert load(None, {}) == load(CONFIG / "mainstem.yaml", {})


def test_the_annotated_file_names_every_setting(tmp_path: Path) -> None:
    """With its examples taken in it loads too, and every section of the tree is there."""
    # An example's lines have a `#` before their indentation, which is even; explanations have an
    # odd number of spaces after it.
    examples = re.sub(r"^#((?:  )*)(?=\S)", r"\1", reference(), flags=re.MULTILINE)
    tree = yaml.safe_load(examples)
    assert {path[0] for path in fixed_paths()} == set(tree)
    for path in fixed_paths():
        assert re.search(rf"^[ #]*{path[-1]}( \(default .*\))?:", reference(), re.MULTILINE), path
    write_certificate(tmp_path)
    file = tmp_path / "x.yaml"
    file.write_text(examples.replace("/run/secrets/tls.", f"{tmp_path}/tls."))
    assert load(file, environment(tmp_path)).auth != "none"


@pytest.mark.parametrize("name", ["mainstem.yaml", "demo.yaml", "production.example.yaml"])
def test_every_example_loads_and_its_mocks_can_be_played(name: str, tmp_path: Path) -> None:
    """Given the variables that it names."""
    upstreams = load(CONFIG / name, environment(tmp_path)).upstreams
    # Making the server checks every scenario and fault; it is not started.
    MockServer(
        {
            name: MockSpec(
                upstream.dialect,
                upstream.mock.scenario,
                upstream.mock.tokens_per_s,
                upstream.mock.fault,
            )
            for name, upstream in upstreams.items()
            if upstream.mock is not None
        }
    )


def test_the_demonstration_needs_nothing() -> None:
    """No key, no network: every upstream is a mock."""
    settings = load(CONFIG / "demo.yaml", {})
    assert all(upstream.mock is not None for upstream in settings.upstreams.values())


def test_the_example_for_production_plays_nothing(tmp_path: Path) -> None:
    """It calls vendors, asks for keys, and falls back."""
    settings = load(CONFIG / "production.example.yaml", environment(tmp_path))
    assert all(upstream.mock is None and upstream.key() for upstream in settings.upstreams.values())
    assert settings.auth not in (None, "none")
    assert all(len(asked.targets) > 1 for asked in settings.models.values())

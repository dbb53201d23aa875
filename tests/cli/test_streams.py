"""`mainstem streams` without a proxy that it could ask."""

import json
from pathlib import Path

import pytest

from proxy.cli import main
from proxy.cli.plain import columns
from proxy.cli.streams import _table


def test_nobody_answers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The address that was asked is named; it is the admin listener's where there is one."""
    config = tmp_path / "mainstem.yaml"
    tree = {
        "admin": {"host": "::1", "port": 1},
        "upstreams": {"far": {"dialect": "openai_chat", "mock": {}}},
        "models": {"*": [{"upstream": "far"}]},
    }
    config.write_text(json.dumps(tree))
    assert 1 == main(["streams", "--config", str(config)])
    assert "No proxy answers at http://[::1]:1/admin/streams: " in capsys.readouterr().err


def test_the_proxys_keys_need_not_be_known(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An operator's shell has neither its environment nor its files; mistakes in its addresses are
    told all the same."""
    config = tmp_path / "mainstem.yaml"
    far = {"dialect": "openai_chat", "api_key": "${A_KEY_OF_THE_UNIT}", "base_url": "${A_URL}"}
    near = {"dialect": "anthropic", "api_key_file": "/run/secrets/nothing"}
    tree = {
        "server": {"host": "0.0.0.0", "port": 1},
        "upstreams": {"far": far, "near": near},
        "models": {"*": [{"upstream": "far"}]},
    }
    config.write_text(json.dumps(tree))
    assert 1 == main(["streams", "--config", str(config)])
    assert "No proxy answers at http://127.0.0.1:1/admin/streams: " in capsys.readouterr().err
    for wrong, said in (
        (json.dumps({**tree, "server": {"prot": 1}}), "server.prot"),
        ("a: [", str(config)),
    ):
        config.write_text(wrong)
        assert 1 == main(["streams", "--config", str(config)])
        assert said in capsys.readouterr().err
    assert 1 == main(["streams", "--config", str(tmp_path / "none.yaml")])
    assert "none.yaml" in capsys.readouterr().err


def test_a_port_of_the_systems_choice_must_be_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MAINSTEM_SERVER__PORT", "0")
    assert 1 == main(["streams"])
    assert "give --url" in capsys.readouterr().err


def test_nothing_that_a_client_chose_reaches_the_terminal_as_a_control() -> None:
    stream = {
        "id": "abc",
        "state": "waiting",
        "work": "count",
        "age_s": 1.25,
        "key": None,
        "model": "evil\x1b[2J\n" + "x" * 100,
        "upstream": None,
        "counted": True,
        "output_tokens": 0,
        "bytes_waiting": 0,
        "worker": 7,
    }
    head, row, last = _table([stream])
    assert row.isprintable()
    assert len(row) < 200
    assert "evil?[2J?x" in row
    assert ("1 open", head.index("model")) == (last, row.index("evil"))


def test_names_in_chinese_leave_the_columns_where_they_are() -> None:
    """A character of theirs takes two columns of a terminal."""
    stream = {
        "id": "abc",
        "state": "waiting",
        "work": "stream",
        "age_s": 1.25,
        "key": "研究组",
        "model": "通义",
        "upstream": "far",
        "counted": True,
        "output_tokens": 0,
        "bytes_waiting": 0,
        "worker": 7,
    }
    head, *rows, _ = _table([stream, {**stream, "key": "team", "model": "m"}])
    assert {columns(head[: head.index("upstream")])} == {
        columns(row[: row.index("far")]) for row in rows
    }

"""`mainstem serve`: what it prints is true, and what it cannot do it says in a sentence."""

import argparse
import asyncio
import hashlib
import os
import shlex
import socket
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest
import yaml

from proxy.cli import common, main
from proxy.mock.faults import FAULTS
from proxy.mock.scenarios import SCENARIOS
from tests.cli.tools import events, mainstem, started
from tests.needs import requires

KEY = "it's a $ecret"


def printed(greeting: str, word: str) -> str:
    """What stands behind a word of the greeting."""
    return next(
        line.split(maxsplit=1)[1]
        for line in greeting.splitlines()
        if line.lstrip().startswith(word)
    )


async def shell(line: str, **env: str) -> bytes:
    """What a command line, run as it stands, prints."""
    done = await asyncio.to_thread(
        subprocess.run,
        line,
        shell=True,
        check=True,
        capture_output=True,
        timeout=60,
        env={**os.environ, **env},
    )
    return done.stdout


async def test_no_page_is_named_where_there_is_none() -> None:
    env = {"MAINSTEM_CONFIG": "/nowhere.yaml", "MAINSTEM_SERVER__PLAYGROUND": "false"}
    async with started("serve", "--mock", "--port", "0", last="mock", env=env) as proxy:
        assert "  page" not in proxy.greeting


@requires("curl")
async def test_without_a_configuration_all_that_it_prints_works_as_it_stands() -> None:
    env = {"MAINSTEM_CONFIG": "/nowhere.yaml", "MAINSTEM_LOGS__FORMAT": "console"}
    async with (
        started("serve", "--mock", "--port", "0", last="mock", env=env) as proxy,
        aiohttp.ClientSession() as session,
    ):
        assert f"Mainstem is listening on {proxy.url}" == proxy.greeting.splitlines()[0]
        async with session.get(printed(proxy.greeting, "page")) as page:
            assert (200, "text/html") == (page.status, page.content_type)
        async with session.head(f"{proxy.url}/") as head:
            assert 200 == head.status
        answer = events(await shell(printed(proxy.greeting, "try")))
        assert ["stream.start", "stream.end"] == [answer[0]["type"], answer[-1]["type"]]
        async with session.get(printed(proxy.greeting, "metrics")) as metrics:
            assert 'outcome="completed"' in await metrics.text()
        ended = await proxy.end()
        assert 0 == ended.status
        lines = ended.err.splitlines()
        assert f"stream={answer[0]['stream']}" in lines[0]
        assert "info stream " in lines[0]


@requires("curl")
async def test_the_configuration_that_the_environment_names_with_an_admin_port_and_a_key(
    tmp_path: Path,
) -> None:
    names = {"tricky 'name' \"of\" $HOME": [{"upstream": "played"}]}
    config = {
        "server": {"port": 1},  # the option goes before
        "admin": {"port": 0},
        "auth": {"keys": [{"name": "we", "sha256": hashlib.sha256(KEY.encode()).hexdigest()}]},
        "upstreams": {"played": {"dialect": "anthropic", "mock": {"tokens_per_s": 0}}},
        "models": names,
    }
    (tmp_path / "mainstem.yaml").write_text(yaml.safe_dump(config))
    env = {"MAINSTEM_CONFIG": str(tmp_path / "mainstem.yaml")}
    async with (
        started("serve", "--port", "0", last="mock", env=env) as proxy,
        aiohttp.ClientSession() as session,
    ):
        answer = events(await shell(printed(proxy.greeting, "try"), KEY=KEY))
        assert [*names, "stream.end"] == [answer[0]["model"], answer[-1]["type"]]
        async with session.get(printed(proxy.greeting, "metrics")) as metrics:
            assert 'mainstem_streams_open{upstream="played"} 0' in await metrics.text()
        async with session.get(f"{proxy.url}/metrics") as nothing:
            assert 404 == nothing.status
            assert "There is nothing at '/metrics'" in (await nothing.json())["error"]["message"]
        for path in ("/livez", "/readyz"):
            assert 404 == (await session.get(proxy.url + path)).status
            assert (
                200
                == (
                    await session.get(printed(proxy.greeting, "metrics").replace("/metrics", path))
                ).status
            )
        assert 0 == (await proxy.end()).status


BAD = (
    "sever: {port: 1}\nupstreams: {a: {dialect: opnai, mock: {}}}\nmodels: {'*': [{upstream: a}]}\n"
)
UNPLAYABLE = "upstreams: {a: {dialect: plain, mock: {scenario: helo}}}\nmodels: {'*': [{upstream: a}]}\nserver: {port: 0}\n"


async def test_what_cannot_be_served_is_said_in_sentences(tmp_path: Path) -> None:
    bad, unplayable = tmp_path / "bad.yaml", tmp_path / "unplayable.yaml"
    bad.write_text(BAD)
    unplayable.write_text(UNPLAYABLE)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        in_use = f"Cannot listen on 127.0.0.1:{port} (%s): Address already in use; stop what uses the port, or choose another."
        workers = {"MAINSTEM_SERVER__WORKERS": "2"}
        cases: list[tuple[list[str], dict[str, str], list[str]]] = [
            (["serve", "--port", port], {}, [in_use % "server.host, server.port"]),
            (["serve", "--port", port], workers, [in_use % "server.host, server.port"]),
            (["serve", "--port", "0"], {"MAINSTEM_ADMIN__PORT": port}, [in_use % "admin.host, admin.port"]),
            (["serve", "--config", str(bad)], {}, [f"{bad}: upstreams.a.dialect 'opnai'", f"{bad}: sever is not a setting; did you mean server?"]),
            (["serve", "--config", str(unplayable)], workers, ["mock a: there is no scenario 'helo' (did you mean"]),
            (["mock", "--port", port], {}, [in_use % "--host, --port"]),
        ]  # fmt: skip

        async def check(arguments: list[str], env: dict[str, str], said: list[str]) -> None:
            ended = await mainstem(*arguments, env=env)
            lines = ended.err.splitlines()
            assert (1, "", len(said)) == (ended.status, ended.out, len(lines)), ended
            for line, beginning in zip(lines, said, strict=True):
                assert line.startswith(beginning), lines

        await asyncio.gather(*(check(*case) for case in cases))


@pytest.mark.parametrize(
    ("arguments", "env", "said"),
    [
        (["serve", "--config", "/nowhere.yaml"], {}, "/nowhere.yaml: there is no such file"),
        (["serve", "--config", "/nowhere.yaml", "--mock"], {}, "Give either --mock"),
        (["serve"], {"MAINSTEM_SERVER__HOST": "0.0.0.0"}, "MAINSTEM_SERVER__HOST: server.host '0.0.0.0' can be reached from other machines, and auth is absent"),
        (["serve", "--host", "::"], {}, "--host: server.host '::' can be reached from other machines, and auth is absent"),
        (["check", "--config", "/nowhere.yaml"], {}, "/nowhere.yaml: there is no such file"),
        (["tap", "hi", "--config", "/nowhere.yaml"], {}, "/nowhere.yaml: there is no such file"),
        (["mock", "--scripts", "/nowhere"], {}, "/nowhere is not a folder"),
    ],
)  # fmt: skip
def test_what_is_wrong_before_anything_runs_is_one_sentence(
    arguments: list[str],
    env: dict[str, str],
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert 1 == main(arguments)
    out, err = capsys.readouterr()
    assert "" == out
    assert err.startswith(said)
    assert 1 == err.count("\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["serve", "--port", "99999"],
            "argument --port: '99999' is not a whole number from 0 to 65535",
        ),
        (["mock", "--port", "x"], "argument --port: 'x' is not a whole number"),
        (
            ["tap", "--max-tokens", "0", "hi"],
            "argument --max-tokens: '0' is not a whole number from 1",
        ),
        (["serv"], "invalid choice: 'serv'"),
        (["server"], "; did you mean serve?"),
        (["serve", "--prot", "9000"], "unrecognized arguments: --prot 9000; did you mean --port?"),
        (["check", "--pinng"], "unrecognized arguments: --pinng; did you mean --ping?"),
        (["--verson"], "did you mean --version?"),
        (["elsewhere"], "invalid choice: 'elsewhere'"),
    ],
)
def test_what_was_asked_wrongly_is_status_2(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert 2 == left.value.code
    assert said in capsys.readouterr().err


def test_without_a_command_it_prints_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == main([])
    out, err = capsys.readouterr()
    assert "" == out
    for word in ("serve", "mock", "check", "tap", "examples:"):
        assert word in err


def test_the_mocks_help_lists_what_it_can_play(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["mock", "--help"])
    assert 0 == left.value.code
    out = capsys.readouterr().out
    for name in (*SCENARIOS, *FAULTS):
        assert f"\n    {name}" in out


def test_an_option_goes_before_its_variable_however_that_is_spelled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("mainstem_server__port", "1")
    settings = common.settings_of(argparse.Namespace(config=None, host="127.0.0.2", port=2))
    assert ("127.0.0.2", 2) == (settings.server.host, settings.server.port)


SEARCHES = """
import gc
from proxy.cli import serve

serve._tune_collector()
kept, begun, looked_at = [], [0, 0, 0], []

def search(phase, info):
    generation = info["generation"]
    if phase == "start" and generation < 2:
        looked_at.append(len(kept) - begun[generation])
        begun[: generation + 1] = [len(kept)] * (generation + 1)

gc.callbacks.append(search)
for _ in range(500_000):
    kept.append([])
print(max(looked_at))
"""


async def test_no_stream_waits_for_a_search_of_more_than_sixty_thousand_objects() -> None:
    """While thousands are opened; a search of all objects is rare, and another matter."""
    most = int(await shell(f"{shlex.quote(sys.executable)} -c {shlex.quote(SEARCHES)}"))

    assert 10 <= most // 1000 <= 60

"""The key that a proxy makes for its operator: private, found by who may, and gone with its proxy;
and `mainstem streams` with it, before a real nginx that adds nothing."""

import json
import os
import stat
from pathlib import Path

import aiohttp
import pytest
import structlog

from proxy.cli import local_key
from tests.certificates import write_certificate
from tests.cli.tools import mainstem, started
from tests.e2e.nginx_process import running_nginx
from tests.needs import requires

URL = "http://127.0.0.1:8080"


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The temporary folder of the machine, here and for what is started."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)
    monkeypatch.delenv("MAINSTEM_ADMIN_KEY", raising=False)
    return folder / f"mainstem-{os.getuid()}"


def test_it_is_its_users_alone_and_goes_with_its_proxy(temporary: Path) -> None:
    with local_key.kept("secret", URL):
        file = temporary / "8080.key"
        assert [file] == list(temporary.iterdir())
        assert (0o700, 0o600) == tuple(
            stat.S_IMODE(path.stat().st_mode) for path in (temporary, file)
        )
        assert "secret" == local_key.found(URL)
        assert "secret" == local_key.found("http://[::1]:8080") == local_key.found(f"{URL}/")
        assert local_key.found("http://127.0.0.1:8081") is None
    assert [] == list(temporary.iterdir())
    assert local_key.found(URL) is None


def test_another_machine_is_told_none() -> None:
    with local_key.kept("secret", URL):
        for url in ("http://192.0.2.1:8080", "http://name.invalid:8080", "http://:8080", "what"):
            assert local_key.found(url) is None


def test_who_has_the_port_next_has_its_own_and_keeps_it(temporary: Path) -> None:
    """A proxy that still drains must not take it away."""
    draining = local_key.kept("old", URL)
    draining.__enter__()
    with local_key.kept("new", URL):
        draining.__exit__(None, None, None)
        assert "new" == local_key.found(URL)
    assert [] == list(temporary.iterdir())


def test_what_the_killed_have_left_is_removed_and_nothing_else(temporary: Path) -> None:
    with local_key.kept("running", URL):
        for name in ("8081.key", "8082.other"):
            (temporary / name).write_text("left")
        (temporary / "8083.key").mkdir()
        with local_key.kept("next", "http://127.0.0.1:8084"):
            names = {file.name for file in temporary.iterdir()}
            assert {"8080.key", "8082.other", "8083.key", "8084.key"} == names


def test_where_systemd_gives_a_folder_it_is_there(
    tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mainstem").mkdir(mode=0o700)  # another copy's
    given = tmp_path / "mainstem-b"
    given.mkdir(mode=0o700)
    monkeypatch.setenv("RUNTIME_DIRECTORY", f"{given}:/elsewhere")
    monkeypatch.setattr(local_key, "_RUN", tmp_path)
    with local_key.kept("secret", URL):
        assert ["8080.key"] == [file.name for file in given.iterdir()]
        monkeypatch.delenv("RUNTIME_DIRECTORY")  # an operator's shell has none
        assert "secret" == local_key.found(URL)
    assert not list(temporary.glob("*"))


@pytest.mark.parametrize("mode", [0o777, 0o720])
def test_no_key_is_put_where_others_may_write(temporary: Path, mode: int) -> None:
    temporary.mkdir()
    temporary.chmod(mode)
    with structlog.testing.capture_logs() as log, local_key.kept("secret", URL):
        assert [] == list(temporary.iterdir())
        assert local_key.found(URL) is None
    assert ["warning"] == [line["log_level"] for line in log]


def test_no_link_is_followed(tmp_path: Path, temporary: Path) -> None:
    """Neither that of a folder nor that of a file."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    temporary.symlink_to(elsewhere)
    with structlog.testing.capture_logs() as log, local_key.kept("secret", URL):
        assert [] == list(elsewhere.iterdir())
    assert 1 == len(log)
    temporary.unlink()
    temporary.mkdir(mode=0o700)
    (elsewhere / "file").write_text("theirs")
    (elsewhere / "file").chmod(0o600)
    (temporary / "8080.key").symlink_to(elsewhere / "file")
    assert local_key.found(URL) is None
    with local_key.kept("secret", URL):
        assert "secret" == local_key.found(URL)
    assert "theirs" == (elsewhere / "file").read_text()


def test_a_key_that_others_can_read_counts_for_nothing(temporary: Path) -> None:
    with local_key.kept("secret", URL):
        (temporary / "8080.key").chmod(0o640)
        assert local_key.found(URL) is None


def test_workers_are_told_in_their_folder(tmp_path: Path) -> None:
    folder = tmp_path / "workers"
    folder.mkdir(mode=0o700)
    assert local_key.given(str(folder)) is None
    local_key.give("secret", str(folder))
    assert "secret" == local_key.given(str(folder))


def test_each_start_makes_another() -> None:
    made = {local_key.made() for _ in range(8)}
    assert {43} == {len(key) for key in made}  # 32 bytes in base64
    assert 8 == len(made)


@requires("nginx")
async def test_behind_a_bare_proxy_strangers_see_and_stop_nothing_and_its_user_does() -> None:
    """nginx with nothing but proxy_pass comes from this machine, and names no client."""
    env = {"MAINSTEM_SERVER__WORKERS": "2"}
    async with started("serve", "--port", "0", last="mock", env=env) as proxy:
        with running_nginx(proxy.url) as front:
            async with aiohttp.ClientSession() as session:
                for url in (front, proxy.url):
                    for method, path in (("GET", ""), ("DELETE", "/x")):
                        asked = f"{url}/admin/streams{path}"
                        async with session.request(method, asked) as response:
                            assert 403 == response.status
        ended = await mainstem("streams", "--url", proxy.url)
        assert (0, "0 open") == (ended.status, ended.out.splitlines()[-1]), ended.err
        ended = await mainstem("streams", "--url", proxy.url, "--cancel", "x")
        assert "Nothing that runs has the id 'x'" in ended.err
        wrong = {"MAINSTEM_ADMIN_KEY": "wrong"}
        ended = await mainstem("streams", "--url", proxy.url, env=wrong)
        assert (1, True) == (ended.status, "for the operator" in ended.err)
        assert 0 == (await proxy.end()).status


async def test_a_proxy_with_tls_is_asked_over_it_by_its_own_certificate(tmp_path: Path) -> None:
    """Whatever name that is for: here, not 127.0.0.1."""
    write_certificate(tmp_path)
    file = tmp_path / "mainstem.yaml"
    given = {
        "server": {"port": 0, "tls": {"cert_file": "tls.crt", "key_file": "tls.key"}},
        "upstreams": {"far": {"dialect": "plain", "mock": {}}},
        "models": {"*": [{"upstream": "far"}]},
    }
    file.write_text(json.dumps(given))
    async with started("serve", "--config", str(file), last="mock") as proxy:
        port = {"MAINSTEM_SERVER__PORT": proxy.url.rpartition(":")[2]}
        ended = await mainstem("streams", "--config", str(file), env=port)
        assert (0, "0 open") == (ended.status, ended.out.splitlines()[-1]), ended.err

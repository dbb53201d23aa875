"""The workers' folder: nobody's is taken away while anybody has it, and what the killed have left
is."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from proxy.cli.scratch import metrics_folder

LONG_AGO = (1, 1)


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The temporary folder of the machine."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def made(path: Path) -> Path:
    path.mkdir()
    (path / "counter_1.db").write_bytes(b"numbers")
    os.utime(path, LONG_AGO)
    return path


def test_the_folder_is_there_and_then_gone(temporary: Path) -> None:
    with metrics_folder() as (folder, _):
        assert [folder] == [str(found) for found in temporary.iterdir()]
        (Path(folder) / "counter_1.db").touch()
    assert [] == list(temporary.iterdir())


def test_nobody_else_gets_into_it() -> None:
    """The workers' sockets, their numbers and the local key are behind it."""
    with metrics_folder() as (folder, _):
        assert 0o700 == stat.S_IMODE(Path(folder).stat().st_mode)


def test_what_the_killed_have_left_is_removed_and_nothing_else(temporary: Path) -> None:
    orphan = made(temporary / "mainstem-metrics-orphan")
    elsewhere = made(temporary / "elsewhere")
    link = temporary / "mainstem-metrics-link"
    link.symlink_to(elsewhere)
    young = temporary / "mainstem-metrics-young"
    young.mkdir()
    file = temporary / "mainstem-metrics-file"
    file.touch()
    os.utime(file, LONG_AGO)
    with metrics_folder():
        assert not orphan.exists()
    assert sorted([elsewhere, link, young, file]) == sorted(temporary.iterdir())
    assert (elsewhere / "counter_1.db").exists()


def test_another_users_is_left_alone(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = made(temporary / "mainstem-metrics-theirs")
    monkeypatch.setattr("os.getuid", lambda: theirs.stat().st_uid + 1)
    with metrics_folder():
        assert theirs.exists()


def test_one_that_a_proxy_has_is_left_alone_however_old_it_is() -> None:
    with metrics_folder() as (mine, _):
        os.utime(mine, LONG_AGO)
        with metrics_folder() as (other, _):
            assert Path(mine).exists()
            assert mine != other


def test_a_worker_that_outlives_its_parent_still_has_it(temporary: Path) -> None:
    with metrics_folder() as (folder, lock):
        worker = subprocess.Popen(
            [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=(lock,)
        )
        os.utime(folder, LONG_AGO)
        orphaned = Path(folder)
        orphaned.rename(temporary / "kept")  # so that the end of this block does not find it
    (temporary / "kept").rename(orphaned)
    os.utime(orphaned, LONG_AGO)
    with metrics_folder():
        assert orphaned.exists()
    worker.communicate(b"\n")
    assert 0 == worker.returncode
    with metrics_folder():
        assert not orphaned.exists()

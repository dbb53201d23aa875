"""Files that are none: nobody waits for them, and they do not fill the memory."""

import os
import threading
from pathlib import Path

import pytest

from proxy.settings import reading
from proxy.settings.reading import read_file


def test_a_pipe_into_which_nobody_writes_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_PIPE_S", 0.05)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="did not come to an end"):
        read_file(tmp_path / "pipe", 100)


def test_a_pipe_that_is_written_is_read_to_its_end(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    writing = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(b"x" * 200_000,))
    writing.start()
    assert b"x" * 200_000 == read_file(tmp_path / "pipe", 1_000_000)
    writing.join()


def test_what_has_no_end_is_bounded() -> None:
    with pytest.raises(ValueError, match="more than 1000 bytes"):
        read_file(Path("/dev/zero"), 1000)


def test_a_file_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"all of it")
    assert b"all of it" == read_file(tmp_path / "file", 9)
    with pytest.raises(IsADirectoryError):
        read_file(tmp_path, 9)

"""Standard error that is full, closed, or read by nobody: no line of the log waits or raises."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import pytest

from proxy.observe.outlet import Outlet

LINE = "x" * 999 + "\n"


@contextmanager
def written_to(file: int) -> Iterator[Outlet]:
    with os.fdopen(file, "w") as stream:
        outlet = Outlet(stream)
        yield outlet
        outlet.close()


def test_at_a_pipe_that_nobody_reads_lines_are_dropped_and_whole_ones_follow() -> None:
    read, write = os.pipe()
    with written_to(write) as outlet, os.fdopen(read, "rb") as reader:
        for _ in range(2000):
            outlet.write(LINE)
        dropped = outlet.count()
        assert 0 < dropped < 2000
        assert 0 == outlet.count()
        held = os.read(reader.fileno(), 1 << 20)
        assert held.count(b"\n") >= 2000 - dropped
        outlet.write("after\n")
        assert os.read(reader.fileno(), 1 << 20).splitlines()[-1] == b"after"


def test_others_that_write_to_the_same_pipe_wait_as_before() -> None:
    """That it does not wait is no property of the pipe that other programs share."""
    read, write = os.pipe()
    with written_to(write), os.fdopen(read):
        assert os.get_blocking(write)


def test_a_line_that_is_cut_is_not_continued_by_the_next() -> None:
    read, write = os.pipe()
    with written_to(write) as outlet, os.fdopen(read, "rb") as reader:
        outlet.write("a" * 1_000_000 + "\n")
        os.read(reader.fileno(), 1 << 20)
        outlet.write("after\n")
        assert os.read(reader.fileno(), 1 << 20) == b"\nafter\n"


def test_a_pipe_whose_reader_has_left_drops_lines() -> None:
    read, write = os.pipe()
    os.close(read)
    with written_to(write) as outlet:
        outlet.write(LINE)
        assert 1 == outlet.count()


def test_a_full_disk_drops_lines() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    stream: TextIO
    with open("/dev/full", "w") as stream:  # noqa: PTH123  it is a device
        outlet = Outlet(stream)
        outlet.write(LINE * 3)
        assert 3 == outlet.count()


def test_a_socket_that_nobody_reads_drops_lines() -> None:
    ours, theirs = socket.socketpair()
    with theirs, written_to(ours.detach()) as outlet:
        for _ in range(5000):
            outlet.write(LINE)
        assert outlet.count() > 0


def test_a_file_gets_all_of_it(tmp_path: Path) -> None:
    file = tmp_path / "log"
    with file.open("w") as stream:
        outlet = Outlet(stream)
        outlet.write("one\n")
        outlet.write("\ud800 two\n")
        outlet.flush()
        assert 0 == outlet.count()
    assert file.read_text() == "one\n\\ud800 two\n"

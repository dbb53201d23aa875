"""Standard streams that are closed, or cannot be written: a sentence and a status, no traceback."""

import subprocess
import sys
from pathlib import Path

import pytest

from proxy.recording.tape import SUFFIX, written
from tests.e2e.proxy_process import command
from tests.recording.samples import recording

RUN_S = 60  # a start on a busy machine


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / f"one{SUFFIX}"
    path.write_bytes(written(recording()))
    return str(path)


def ran(shell: str, *arguments: str) -> tuple[int, str]:
    """Runs the command, `"$@"`, as the shell is told: its status, and what went to standard error."""
    done = subprocess.run(
        ["sh", "-c", shell, "sh", *command(), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        timeout=RUN_S,
        check=False,
    )
    return done.returncode, done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is of Linux")
@pytest.mark.parametrize("arguments", [("inspect",), ("convert", "--to", "native")])
def test_an_output_without_room_is_a_sentence(file: str, arguments: tuple[str, ...]) -> None:
    said = "Standard output cannot be written (No space left on device).\n"
    assert (1, said) == ran('exec "$@" >/dev/full', *arguments, file)


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full is of Linux")
def test_a_prompt_whose_answer_has_no_room_is_a_sentence() -> None:
    status, said = ran('exec "$@" >/dev/full', "tap", "hi")
    assert 1 == status
    assert said.endswith("Standard output cannot be written (No space left on device).\n")
    assert "Traceback" not in said


def test_a_closed_output_takes_all(file: str) -> None:
    assert (0, "") == ran('exec "$@" >&-', "inspect", file)


def test_a_closed_input_is_empty() -> None:
    assert (2, "There is no prompt: give one, or write it to standard input.\n") == ran(
        'exec "$@" <&-', "tap"
    )


def test_with_all_closed_a_prompt_is_answered() -> None:
    """No socket takes the place of one of them, for which the event loop would stop the process."""
    assert (0, "") == ran('exec "$@" <&- >&- 2>&-', "tap", "hi")

"""`mainstem tap` on a terminal: what a reader sees there, in the order in which it stands."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

_DIMMED = re.compile(r"\x1b\[2m(.*?)\x1b\[0m", re.DOTALL)


def shown(folder: Path, scenario: str, *arguments: str, fault: str | None = None) -> list[str]:
    """The lines of a terminal on which the command ran."""
    mock = {"scenario": scenario, "tokens_per_s": 0, **({"fault": fault} if fault else {})}
    config = folder / "mainstem.yaml"
    tree = {
        "upstreams": {"played": {"dialect": "openai_chat", "mock": mock}},
        "models": {"*": [{"upstream": "played"}]},
    }
    config.write_text(yaml.safe_dump(tree))
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "proxy", "tap", "--config", str(config), *arguments]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs):
        os.close(theirs)
        read = b""
        try:
            while piece := os.read(ours, 4096):
                read += piece
        except OSError:  # how Linux says that nobody writes any more
            pass
    os.close(ours)
    return read.decode().replace("\r\n", "\n").split("\n")


def test_the_summary_stands_behind_the_answer_on_a_line_of_its_own(tmp_path: Path) -> None:
    *answer, summary, rest = shown(tmp_path, "echo", "How are you?")
    assert ["How are you?"] == answer
    assert summary.startswith("[stop] ")
    assert "" == rest


def test_calls_have_their_names(tmp_path: Path) -> None:
    """One a line, behind the text."""
    text, *calls, summary, _ = shown(tmp_path, "tools", "What is the weather?")
    assert not text.startswith("[")
    assert len(calls) == 2
    assert all(re.fullmatch(r"\[\w+\] \{.*\}", call) for call in calls)
    assert summary.startswith("[tool_calls] ")


def test_reasoning_is_apart_from_the_answer(tmp_path: Path) -> None:
    page = "\n".join(shown(tmp_path, "reasoning", "Why?"))
    thought = "".join(_DIMMED.findall(page))
    answer = _DIMMED.sub("", page)
    assert thought
    assert answer.startswith("\n")
    assert not answer.strip().startswith("[")


@pytest.mark.parametrize("fault", ["cut@2"])
def test_a_failure_stands_behind_what_there_was(tmp_path: Path, fault: str) -> None:
    *answer, failure, _ = shown(tmp_path, "echo", "one two three four", fault=fault)
    assert "".join(answer).startswith("one")
    assert failure.startswith("upstream_truncated: ")

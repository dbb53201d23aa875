"""What holds for every test: the parts that a test requires are there, or it says which are not."""

import asyncio
import gc
import importlib
import logging
import os
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import structlog

from tests.needs import IN_CI, SOURCES, Part, path_of
from tests.steady_loop import SteadyLoop

MISSED: Counter[Part] = Counter()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "requires(*parts): programs that the test is held against; see tests/needs.py"
    )
    config.addinivalue_line("markers", "property: a test of hypothesis; marked by itself")


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: some tests wait for a timeout, and another one works then."""
    mine = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (mine or 1) + 1


@pytest.hookimpl(optionalhook=True)  # of pytest-asyncio
def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"steady": SteadyLoop}


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, Any, Any]:
    """Modules and the list of tests are no garbage. So nothing looks for some in them, neither while
    they are loaded nor in the tests that collect garbage, which is then a hundred times as quick."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_pycollect_makemodule(module_path: Path) -> None:
    """`given` takes the settings that hold when a test is defined, so they are loaded before: but
    only for modules that use hypothesis, as it loads slowly."""
    if b"hypothesis" in module_path.read_bytes():
        importlib.import_module("tests.properties")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests of hypothesis are marked, so that `make quick` can leave them out. On several cores the
    files with slow tests go first, so that no core works at the end while the others have done; a
    name with an address in it would be another one in each process, and nothing would run."""
    unsteady = [item.nodeid for item in items if " at 0x" in item.nodeid]
    if unsteady:
        raise pytest.UsageError(f"Give this test ids without addresses: {unsteady[0]}")
    for item in items:
        if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            item.add_marker(pytest.mark.property)
    if hasattr(config, "workerinput"):
        slow = {item.path for item in items if item.get_closest_marker("slow")}
        items.sort(key=lambda item: item.path not in slow)


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, Any, Any]:
    """What a test prints and logs is sent from its core to the one that reports, as UTF-8. Hostile
    texts of the tests have half pairs, which no UTF-8 has: they are sent as escapes."""
    return _sendable((yield))


def _sendable(data: Any) -> Any:
    match data:
        case str():
            return data.encode("utf-8", "backslashreplace").decode()
        case dict():
            return {_sendable(key): _sendable(value) for key, value in data.items()}
        case list() | tuple():
            return type(data)(map(_sendable, data))
    return data


def pytest_runtest_setup(item: pytest.Item) -> None:
    wanted = [part for mark in item.iter_markers("requires") for part in mark.args]
    missing = [part for part in dict.fromkeys(wanted) if path_of(part) is None]
    if not missing:
        return
    message = "; ".join(
        f"{part} is missing: `{SOURCES[part].brings}` brings it" for part in missing
    )
    if IN_CI:
        pytest.fail(f"{message} (with CI=true nothing may be missing)", pytrace=False)
    MISSED.update(missing)
    pytest.skip(message)


@pytest.fixture(autouse=True)
def _logs_as_they_were() -> Iterator[None]:
    """A test that sets up logging, as the command does, does so for itself alone."""
    root = logging.getLogger()
    handlers, level, config = (
        list(root.handlers),
        root.level,
        structlog.get_config() if structlog.is_configured() else None,
    )
    yield
    if config is None:
        structlog.reset_defaults()
    else:  # those of a fixture for many tests
        structlog.configure(**config)
    root.setLevel(level)
    for handler in [handler for handler in root.handlers if handler not in handlers]:
        root.removeHandler(handler)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not MISSED:
        return
    terminalreporter.section("not tested on this machine")
    for part, count in sorted(MISSED.items()):
        terminalreporter.line(f"{count} tests need {part}: {SOURCES[part].brings}")
    terminalreporter.line("On Debian or Ubuntu `make tools` brings all of them.")

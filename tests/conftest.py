"""What holds for every test: the parts that a test requires are there, or it says which are not."""

from collections import Counter

import pytest

from tests.needs import IN_CI, SOURCES, Part, path_of

MISSED: Counter[Part] = Counter()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "requires(*parts): programs that the test is held against; see tests/needs.py")


def pytest_runtest_setup(item: pytest.Item) -> None:
    wanted = [part for mark in item.iter_markers("requires") for part in mark.args]
    missing = [part for part in dict.fromkeys(wanted) if path_of(part) is None]
    if not missing:
        return
    message = "; ".join(f"{part} is missing: `{SOURCES[part].brings}` brings it" for part in missing)
    if IN_CI:
        pytest.fail(f"{message} (with CI=true nothing may be missing)", pytrace=False)
    MISSED.update(missing)
    pytest.skip(message)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not MISSED:
        return
    terminalreporter.section("not tested on this machine")
    for part, count in sorted(MISSED.items()):
        terminalreporter.line(f"{count} tests need {part}: {SOURCES[part].brings}")
    terminalreporter.line("On Debian or Ubuntu `make tools` brings all of them.")

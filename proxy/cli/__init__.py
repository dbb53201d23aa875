"""The command line: `mainstem serve`, `mock`, `check`, `streams`, `tap`, `record`,
`replay`, `inspect`, `convert`.

Only the command that is asked for is imported, so that help and mistakes in the command line are
told at once: the server takes most of a second to import.
"""

import argparse
import contextlib
import gc
import os
import re
import sys
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from proxy import __version__

# What each command does. It is the module of that name here.
_COMMANDS = {
    "serve": "run the proxy",
    "mock": "play the vendors, without a key or a network",
    "check": "validate the configuration",
    "streams": "list what a running proxy has open, or cancel a stream",
    "tap": "one prompt to the terminal",
    "record": "run the proxy and keep its upstreams' streams as files",
    "replay": "play recordings, true to their time",
    "inspect": "show a recording: bytes, events, times",
    "convert": "a recording in another dialect, as HAR, or from HAR",
}
# argparse's words for a command and for an option that there is not.
_WRONG = re.compile(
    r"argument COMMAND: invalid choice: '([^']*)'|unrecognized arguments: (--[^ =]+)"
)
_EXAMPLES = """\
examples:
  mainstem serve                        the embedded mock answers: no key, no network
  mainstem serve --config FILE          the proxy as configured
  mainstem check --config FILE --ping   is the configuration right, and do its upstreams answer?
  mainstem streams                      what the running proxy has open
  mainstem tap "Say hello"              one prompt to the terminal
  mainstem mock                         the vendors alone, to try a client or another proxy on
  mainstem record --config FILE         the proxy, which keeps its upstreams' streams in recordings/
  mainstem replay recordings --speed 4  those streams again, four times as fast
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; answers the exit status: 0, 1 for what went wrong, 2 for what was asked
    wrongly.
    """
    _hold_standard_streams()
    given = sys.argv[1:] if arguments is None else arguments
    with _quick_imports():
        parser = _parser(given)
        options = parser.parse_args(given)
        if options.command is None:
            parser.print_help(sys.stderr)
            return 2
        ended = import_module("proxy.cli.ended")
    status: int = ended.status_of(options)
    return status


def _hold_standard_streams() -> None:
    """Whoever started us may have closed some of them. In their place stands what is empty and
    takes all: else the next file or socket that is opened would be one of them.
    """
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            mode = "r" if name == "stdin" else "w"
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115


@contextlib.contextmanager
def _quick_imports() -> Iterator[None]:
    """What is imported here takes less: a third of a start goes without."""
    # structlog takes it where it is there, for tracebacks in colours, which we do not print
    absent = "rich" not in sys.modules
    if absent:
        sys.modules["rich"] = None  # type: ignore[assignment]  # so that its import fails
    # pydantic would look for plugins in every package that is installed, and show them our settings
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    gc.disable()  # modules are no garbage
    try:
        yield
    finally:
        if absent:
            del sys.modules["rich"]
        gc.freeze()
        gc.enable()


class _Parser(argparse.ArgumentParser):
    """Says what was most likely meant by a command or an option that there is not."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.words: list[str] = []  # what there is
        super().__init__(*args, **kwargs)

    def add_argument(self, *names: Any, **kwargs: Any) -> argparse.Action:
        """As argparse does."""
        self.words += [name for name in names if name.startswith("--")]
        return super().add_argument(*names, **kwargs)

    def error(self, message: str) -> NoReturn:
        """As argparse does, with a hint."""
        wrong = _WRONG.match(message)
        near = get_close_matches(wrong[1] or wrong[2], self.words, 1) if wrong else []
        super().error(f"{message}; did you mean {near[0]}?" if near else message)


def _parser(given: Sequence[str]) -> argparse.ArgumentParser:
    parser = _Parser(
        prog="mainstem",
        description=(
            "A reverse proxy that re-streams chat and LLM APIs: many vendors' streams in, one "
            "schema out."
        ),
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"mainstem {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    asked = next((argument for argument in given if not argument.startswith("-")), None)
    for name, does in _COMMANDS.items():
        if name == asked:
            import_module(f"proxy.cli.{name}").add_to(commands, does)
        else:
            commands.add_parser(name, help=does)
    parser.words += commands.choices[asked].words if asked in commands.choices else _COMMANDS
    return parser

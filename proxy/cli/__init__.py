"""The command line: `mainstem serve`, `mock`, `check`, `tap`."""

import argparse
import sys
from collections.abc import Sequence

from proxy import __version__
from proxy.cli import check, mock, serve, tap
from proxy.mock.script import MockError
from proxy.settings.mistakes import ConfigError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; answers the exit status: 0, 1 for what went wrong, 2 for what was asked wrongly."""
    parser = argparse.ArgumentParser(
        prog="mainstem", description="A reverse proxy that re-streams chat and LLM APIs: many vendors' streams in, one schema out."
    )
    parser.add_argument("--version", action="version", version=f"mainstem {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in (serve, mock, check, tap):
        command.add_to(commands)
    options = parser.parse_args(arguments)
    try:
        status: int = options.run(options)
    except ConfigError as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)
        return 1
    except MockError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return status

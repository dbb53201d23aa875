"""The command line: `mainstem serve`, `mock`, `check`, `tap`."""

import argparse
import os
import sys
from collections.abc import Sequence

from proxy import __version__
from proxy.cli import check, common, mock, serve, tap
from proxy.mock.script import MockError
from proxy.server.listen import ListenError
from proxy.settings.mistakes import ConfigError

_EXAMPLES = """\
examples:
  mainstem serve                        the embedded mock answers: no key, no network
  mainstem serve --config FILE          the proxy as configured
  mainstem check --config FILE --ping   is the configuration right, and do its upstreams answer?
  mainstem tap "Say hello"              one prompt to the terminal
  mainstem mock                         the vendors alone, to try a client or another proxy on
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; answers the exit status: 0, 1 for what went wrong, 2 for what was asked
    wrongly.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.command is None:
        parser.print_help(sys.stderr)
        return 2
    try:
        status: int = options.run(options)
        print(end="", flush=True)  # what is still buffered fails here, not after the end
    except ConfigError as error:
        for problem in error.problems:
            print(problem, file=sys.stderr)
        return 1
    except (MockError, ListenError, common.WrongInputError) as error:
        print(error, file=sys.stderr)
        return 1
    except BrokenPipeError:  # whoever read our output (head, less) has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
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
    for command in (serve, mock, check, tap):
        command.add_to(commands)
    return parser

"""How a command ends: its exit status, and what is said where it cannot do its work."""

import argparse
import os
import sys

from proxy.cli import common
from proxy.cli.plain import plain
from proxy.mock.script import MockError
from proxy.net.ports import ListenError
from proxy.settings.mistakes import ConfigError


def status_of(options: argparse.Namespace) -> int:
    """Run the command that the options name; answers the exit status."""
    try:
        status: int = options.run(options)
        print(end="", flush=True)  # what is still buffered fails here, not after the end
    except ConfigError as error:
        for problem in error.problems:
            print(plain(problem), file=sys.stderr)
        return 1
    except (MockError, ListenError, common.WrongInputError) as error:
        print(plain(str(error)), file=sys.stderr)
        return 1
    except BrokenPipeError:  # whoever read our output (head, less) has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
    return status

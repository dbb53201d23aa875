"""How a command ends: its exit status, and what is said where it cannot do its work."""

import argparse
import errno
import os
import sys

from proxy.cli import common
from proxy.cli.plain import plain
from proxy.mock.script import MockError
from proxy.net.ports import ListenError
from proxy.settings.mistakes import ConfigError

# A disk, or a quota, that has no more room; or that is broken.
_UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


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
        _write_no_more()
        return 0
    except OSError as error:
        if error.errno not in _UNWRITABLE or error.filename is not None:
            raise
        _write_no_more()
        print(f"Standard output cannot be written ({error.strerror}).", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return status


def _write_no_more() -> None:
    """What is still buffered goes nowhere, and so fails no more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

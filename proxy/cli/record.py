"""`mainstem record`: the proxy, which keeps the streams of its upstreams as files."""

import argparse
import os
from pathlib import Path

from proxy.cli import common, serve


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", does: str) -> None:
    """Add this command to the command line; `does` is its line in the list of commands."""
    parser = commands.add_parser(
        "record",
        help=does,
        description=(
            "Run the proxy as `mainstem serve` does, and keep what its upstreams stream, one file "
            "a stream (docs/RECORDINGS.md). Neither keys nor cookies are kept, but the prompts and "
            "the answers are: hide what is in them with --redact. The section `record` of the "
            "configuration does the same for good, and for one upstream alone."
        ),
    )
    serve.add_options(parser)
    parser.add_argument(
        "--to",
        type=_folder,
        metavar="FOLDER",
        help="the folder of the files (default: that of the configuration, or recordings)",
    )
    parser.add_argument(
        "--redact",
        metavar="NAMES",
        help="names of JSON fields whose values are hidden, with commas between them",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the command; answers the exit status."""
    record = None if options.to is not None else common.settings_of(options).record
    if options.to is None and record is None:
        options.to = _folder("recordings")
    _make(Path(options.to if record is None else record.folder))
    return serve.run(options)


def _folder(path: str) -> str:
    if not path:
        raise argparse.ArgumentTypeError("names no folder")
    return str(Path(path).absolute())


def _make(folder: Path) -> None:
    """Raises WrongInputError where no file could be written, which would show only when the first
    stream is over.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except FileExistsError:
        raise common.WrongInputError(f"{folder} is no folder: name another with --to.") from None
    except OSError as error:
        raise common.WrongInputError(
            f"{folder} cannot be made ({error.strerror}): name another with --to."
        ) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise common.WrongInputError(
            f"{folder} cannot be written by this user: name another with --to."
        )

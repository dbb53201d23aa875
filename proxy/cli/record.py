"""`mainstem record`: the proxy, which keeps the streams of its upstreams as files."""

import argparse
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
        type=lambda path: str(Path(path).absolute()),
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
    if options.to is None and common.settings_of(options).record is None:
        options.to = str(Path("recordings").absolute())
    return serve.run(options)

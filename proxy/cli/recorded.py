"""What the commands that read recordings share: which file, and which answer in it."""

import argparse
from pathlib import Path

from proxy.cli import common
from proxy.dialects.registry import UPSTREAMS
from proxy.mock.files import recordings_in
from proxy.recording.shelf import Titled


def add_source(parser: argparse.ArgumentParser) -> None:
    """Add what says where the recording is."""
    parser.add_argument(
        "file", metavar="FILE", help="a recording, a HAR file, or the bytes of an answer"
    )
    parser.add_argument(
        "--dialect",
        choices=[*UPSTREAMS],
        metavar="DIALECT",
        help="the dialect of the file, where it does not say it",
    )
    parser.add_argument(
        "--entry", type=common.count, metavar="N", help="which answer of a HAR file, from 1"
    )


def all_of(options: argparse.Namespace) -> tuple[Titled, ...]:
    """The recordings in the file: all, or that of --entry. Raises MockError, WrongInputError."""
    found = recordings_in(Path(options.file), options.dialect)
    if options.entry is None:
        return found
    if options.entry > len(found):
        known = "one answer" if len(found) == 1 else f"{len(found)} answers of chat APIs"
        raise common.WrongInputError(f"{options.file} has {known}: there is no {options.entry}.")
    return (found[options.entry - 1],)


def one_of(options: argparse.Namespace) -> Titled:
    """The only one. Raises as `all_of`, and where there are several."""
    found = all_of(options)
    if len(found) > 1:
        rows = "\n".join(
            f"  {number}: {one.model} {one.request.method} {one.request.path}"
            for number, (_, one) in enumerate(found, start=1)
        )
        raise common.WrongInputError(
            f"{options.file} has {len(found)} answers: choose one with --entry N.\n{rows}"
        )
    return found[0]

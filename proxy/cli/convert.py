"""`mainstem convert`: a recording in another dialect or form."""

import argparse
import os
import sys
from pathlib import Path

import msgspec

from proxy import __version__
from proxy.cli import common, recorded
from proxy.dialects.registry import CLIENTS, UPSTREAMS
from proxy.recording.har import to_har
from proxy.recording.reading import converted, in_dialect
from proxy.recording.shelf import Titled
from proxy.recording.tape import SUFFIX, Recording, RecordingError, written
from proxy.recording.veil import masked, veiled

_HAR, _RECORDING = "har", "recording"


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", does: str) -> None:
    """Add this command to the command line; `does` is its line in the list of commands."""
    parser = commands.add_parser(
        "convert",
        help=does,
        description=(
            "Write a recording as another dialect's clients would have got it, as HAR 1.2, or, "
            "from a HAR file, as recordings. With a name that ends in "
            f"{SUFFIX}, --output of a dialect is a recording too, with the times of the first: "
            "`mainstem replay` plays it as a vendor of that dialect."
        ),
    )
    recorded.add_source(parser)
    parser.add_argument(
        "--to",
        required=True,
        choices=[*CLIENTS, _HAR, _RECORDING],
        metavar="FORM",
        help=f"a client's dialect ({', '.join(CLIENTS)}), or har, or recording",
    )
    parser.add_argument(
        "--output",
        "-o",
        metavar="PATH",
        help=(
            "the file, which must not be there yet; a folder, there or not, for several "
            "recordings; without it standard output"
        ),
    )
    parser.add_argument(
        "--redact",
        default="",
        metavar="NAMES",
        help="names of JSON fields whose values are hidden, with commas between them",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the command; answers the exit status."""
    names = tuple(name.strip() for name in options.redact.split(",") if name.strip())
    output = Path(options.output) if options.output is not None else None
    try:
        if options.to == _HAR:
            found = [_redacted(one, names) for _, one in recorded.all_of(options)]
            _out(output, to_har(found, __version__))
        elif options.to == _RECORDING and output is not None and _is_folder(output):
            answers = recorded.all_of(options)
            _make_folder(output)
            for titled in answers:
                _out(output / _name(titled), written(_redacted(titled.recording, names)))
        else:
            one = _redacted(recorded.one_of(options).recording, names)
            _out(output, _in_form(one, options.to, output))
    except RecordingError as error:
        raise common.WrongInputError(f"{options.file}: {error}.") from error
    return 0


def _is_folder(output: Path) -> bool:
    """A name without an ending that is not there yet is a folder to be made."""
    return output.is_dir() or (output.suffix == "" and not output.exists())


def _make_folder(output: Path) -> None:
    try:
        output.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise common.WrongInputError(
            f"{output} cannot be made ({error.strerror}): name another path."
        ) from error


def _in_form(one: Recording, form: str, output: Path | None) -> bytes:
    if form == _RECORDING:
        return written(one)
    if output is None or not output.name.endswith(SUFFIX):
        return b"".join(read.data for read in converted(one, form))
    if form not in UPSTREAMS:
        raise RecordingError(f"no upstream speaks dialect {form}: write its bytes instead")
    return written(in_dialect(one, form))


def _redacted(one: Recording, names: tuple[str, ...]) -> Recording:
    """With these fields hidden, beside those that are hidden already."""
    if not names:
        return one
    body, reads, at = veiled(one.body, names), [], 0
    for read in one.reads:
        reads.append(msgspec.structs.replace(read, data=body[at : at + len(read.data)]))
        at += len(read.data)
    asked = msgspec.structs.replace(
        one.request, body=masked(one.request.body, frozenset(names).__contains__)
    )
    both = tuple(dict.fromkeys([*one.masked, *names]))
    return msgspec.structs.replace(one, request=asked, reads=tuple(reads), masked=both)


def _name(titled: Titled) -> str:
    """Of a file for one answer of a HAR."""
    file, _, number = titled.title.rpartition("#")
    if not number.isdecimal():  # the mark is in the file's own name, or nowhere
        file, number = titled.title, "1"
    return f"{Path(file).stem}-{int(number):04}{SUFFIX}"


def _out(output: Path | None, data: bytes) -> None:
    """Only the owner may read a file that is made; none is overwritten."""
    if output is None:
        sys.stdout.buffer.write(data)
        return
    try:
        file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise common.WrongInputError(
            f"{output} is there already: name another file, or take it away."
        ) from None
    except OSError as error:
        raise common.WrongInputError(
            f"{output} cannot be written ({error.strerror}): name another path."
        ) from error
    with os.fdopen(file, "wb") as opened:
        opened.write(data)

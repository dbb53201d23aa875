"""Recordings out of files: Mainstem's own, HAR, or an answer's bare bytes."""

from pathlib import Path

from proxy.mock.load import read
from proxy.mock.recordings import frames
from proxy.mock.routes import place_at
from proxy.mock.script import MockError
from proxy.recording import har
from proxy.recording.reading import of_body
from proxy.recording.shelf import Titled
from proxy.recording.tape import SUFFIX, RecordingError, parsed
from proxy.settings.secret import holds_secret

SUFFIXES = (SUFFIX, har.SUFFIX)


def recordings_in(path: Path, dialect: str | None = None) -> tuple[Titled, ...]:
    """The recordings in a file, with a title each; in a folder, those of all its files by name.
    `dialect`: of a file that does not say it; without it only files that do are read.

    Raises MockError, which names the file.
    """
    if not path.is_dir():
        return _in_file(path, dialect)
    files = sorted(
        file for file in path.iterdir() if file.name.endswith(SUFFIXES) and file.name[0] != "."
    )
    if not files:
        raise MockError(f"{path}: no name of a file in it ends in {' or '.join(SUFFIXES)}")
    return tuple(titled for file in files for titled in _in_file(file, dialect))


def _in_file(file: Path, dialect: str | None) -> tuple[Titled, ...]:
    data = read(file)
    try:
        if file.name.endswith(SUFFIX):
            return (Titled(file.name, parsed(data)),)
        if file.name.endswith(har.SUFFIX):
            return _in_har(file, data, dialect)
    except RecordingError as error:
        raise MockError(f"{file}: {error}") from error
    if dialect is None:
        raise MockError(
            f"{file}: is no recording by its name, which would end in {' or '.join(SUFFIXES)}; "
            "say --dialect, if it holds the bytes of an answer"
        )
    return (Titled(file.name, of_body(frames(data), dialect)),)


def _in_har(file: Path, data: bytes, dialect: str | None) -> tuple[Titled, ...]:
    def place_of(path: str) -> har.Place | None:
        place = place_at(path)
        return place if dialect is None else (place or har.Place(dialect))._replace(dialect=dialect)

    found = har.from_har(data, har.Source(place_of, frames, holds_secret))
    if not found:
        raise MockError(
            f"{file}: no answer of a known chat API with a body is in it; say --dialect, if the "
            "paths are a vendor's own"
        )
    return tuple(
        Titled(file.name if len(found) == 1 else f"{file.name}#{number}", recording)
        for number, recording in enumerate(found, start=1)
    )

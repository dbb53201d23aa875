"""Scripts from files, by the name of the file: see `yaml_script` for those written by hand and
`recordings` for the rest.
"""

from collections.abc import Callable
from pathlib import Path

from proxy.mock import recordings, yaml_script
from proxy.mock.script import END, LAST, Manner, MockError, Status, Step
from proxy.recording import har
from proxy.recording.tape import SUFFIX
from proxy.settings.reading import read_file

# The first suffix that fits wins, so the longer ones come first.
_READERS: dict[str, Callable[[Path, bytes, Manner], list[Step]]] = {
    ".yaml": yaml_script.read_script,
    ".yml": yaml_script.read_script,
    ".chunks.jsonl": recordings.read_chunks,
    ".reads.jsonl": recordings.read_reads,
    SUFFIX: recordings.read_recording,
    ".sse": recordings.read_stream,
    ".bin": recordings.read_stream,
    ".ndjson": recordings.read_lines,
    ".json": recordings.read_document,
}
SUFFIXES = tuple(_READERS)
_MAX_BYTES = 268_435_456  # of a script or a recording


def is_path(scenario: str) -> bool:
    """Whether the name of a scenario is that of a file."""
    return "/" in scenario or scenario.endswith((*SUFFIXES, har.SUFFIX))


def load(path: Path, manner: Manner, data: bytes | None = None) -> list[Step]:
    """The script in a file, with a status and an end where the file left them out. `data`: what it
    holds, if that is known.

    Raises MockError, which names the file.
    """
    reader = next(
        (reader for suffix, reader in _READERS.items() if path.name.endswith(suffix)), None
    )
    if reader is None:
        raise MockError(f"{path}: its name must end in one of {', '.join(SUFFIXES)}")
    steps = reader(path, read(path) if data is None else data, manner)
    if not any(isinstance(step, Status) for step in steps):
        steps = [Status(200, {"content-type": manner.content_type}), *steps]
    return steps if isinstance(steps[-1], LAST) else [*steps, END]


def read(path: Path) -> bytes:
    """What a script's file holds. Raises MockError, which names the file."""
    try:
        return read_file(path, _MAX_BYTES)
    except OSError as error:
        raise MockError(
            f"{path}: cannot be read ({error.strerror}); give the path of a YAML script or of "
            "a recording"
        ) from error
    except ValueError as error:
        raise MockError(f"{path}: cannot be played: {error}") from error

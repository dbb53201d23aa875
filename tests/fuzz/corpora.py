"""The corpus: inputs that once broke something, one a file, in `corpus/`.

what it showed, in one line DIALECT MAX_EVENT_BYTES OPTIONS         of a decoder, options as JSON;
or FRAMING and the name of a target of `framing.py` the bytes, as literals of Python, one a line
"""

import ast
import json
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = Path(__file__).parent / "corpus"
FRAMING = "framing"


class Kept(NamedTuple):
    """`name` is a dialect or, where `most` is 0, a target of the framing."""

    why: str
    name: str
    most: int
    options: dict[str, Any]
    body: bytes


def corpus() -> dict[str, Kept]:
    """By file name."""
    return {path.stem: _read(path) for path in sorted(FOLDER.glob("*.txt"))}


def _read(path: Path) -> Kept:
    why, what, *literals = path.read_text("utf-8").splitlines()
    body = b"".join(ast.literal_eval(line) for line in literals)
    first, second, *rest = what.split(" ", 2)
    if first == FRAMING:
        return Kept(why, second, 0, {}, body)
    return Kept(why, first, int(second), json.loads(rest[0]), body)

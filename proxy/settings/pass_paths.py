"""Which paths of a vendor are passed on as they are: `pass_paths` of an upstream.

A pattern is a path with * for any text, perhaps behind a method: `/embeddings`, `GET /files*`; `*`
alone is every path.
"""

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Annotated

from pydantic import AfterValidator

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# no ? and no [: they would mean something to fnmatch
_PATTERN = re.compile(
    rf"(?:(?:{'|'.join(METHODS)}) )?(?:\*|/[A-Za-z0-9._~!$&'()+,;=:@/%*-]{{0,200}})"
)


def _pattern(value: str) -> str:
    pattern = value.strip()
    if not _PATTERN.fullmatch(pattern):
        raise ValueError(
            f'has {value[:60]!r}, which is none: write a path such as "/embeddings" or "/files*", '
            'perhaps behind a method as in "GET /files*", or "*" for all'
        )
    return pattern


def passes(patterns: Iterable[str], method: str, path: str) -> bool:
    """Whether a request for this path, without its query, is passed on."""
    for pattern in patterns:
        wanted, _, shape = pattern.rpartition(" ")
        if wanted in ("", method) and fnmatchcase(path, shape):
            return True
    return False


PassPath = Annotated[str, AfterValidator(_pattern)]

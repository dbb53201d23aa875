"""Lines of an event stream that are no field of the standard."""

import re

# What a field of some later standard may be called; and how the lines of a JSON text begin, which
# some vendors print bare.
_NAME = re.compile(rb"[A-Za-z0-9_.-]*")
_JSON_LINE = (b"{", b"}", b"[", b"]", b'"')


def has_swallowed(line: bytes) -> bool:
    """Whether a line that is no field, and holds the name of one, is garbage with a field behind
    it.
    """
    return not _NAME.fullmatch(line.partition(b":")[0]) and not line.lstrip().startswith(_JSON_LINE)

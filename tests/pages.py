"""What pages that are made from the code share: lines of at most 120 columns, tables apart."""

import re
import textwrap

WIDTH = 120
_ITEM = re.compile(r" *(?:[-*]|\d+\.) ")
_WHOLE = re.compile(r"`[^`]*`")  # code is not broken over two lines


def wrapped(page: str) -> str:
    """The page, whose long paragraphs and list items, one a line each, are broken."""
    return "\n".join(map(_line, page.split("\n")))


def _line(line: str) -> str:
    if len(line) <= WIDTH or line.startswith(("|", "#")):
        return line
    item = _ITEM.match(line)
    code = _WHOLE.sub(lambda found: found[0].replace(" ", "\0"), line)
    lines = textwrap.wrap(
        code,
        WIDTH,
        subsequent_indent=" " * (item.end() if item else 0),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(lines).replace("\0", " ")

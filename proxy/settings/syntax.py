"""What is wrong where a file is not YAML: the place and the fix, in one sentence.

PyYAML's own words are for those who know its grammar, and some of them repeat a value, which may be
a secret. So none of them is shown: they only choose the sentence.
"""

import yaml

_OPENED = {
    "while parsing a flow mapping": "the { of line {line} is not closed, or a comma is missing",
    "while parsing a flow sequence": "the [ of line {line} is not closed, or a comma is missing",
    "while scanning a quoted scalar": "the quote that line {line} opens is not closed",
}
_TAG = (
    'a value that begins with ! must be in quotes, and tags such as !env are not read: "${NAME}" '
    "stands for an environment variable"
)
_COLON = (
    "no colon may stand here: look at the indentation and at the colon of the line before, and "
    "put a value with a colon in quotes"
)
# By a part of PyYAML's words; the first that fits.
_MEANT = (
    ("'\\t'", "there is a tab, and YAML takes spaces alone for indentation"),
    ("found another document", "a second document begins here: keep one, and no other ---"),
    ("constructor for the tag", _TAG),
    ("while scanning a tag", _TAG),
    ("undefined alias", "a value that begins with * must be in quotes"),
    ("alphabetic or numeric character", "a value that begins with * or & must be in quotes"),
    ("cannot start any token", "a value that begins with @, ` or % must be in quotes"),
    ("unknown escape character", "a \\ within double quotes needs another one: take single quotes"),
    ("expected escape sequence", "a \\ within double quotes needs another one: take single quotes"),
    ("mapping values are not allowed", _COLON),
    ("could not find expected ':'", "a name must end in a colon and a space or the line's end"),
    ("'<document start>'", "a name must end in a colon and a space or the line's end"),
    ("sequence entries are not allowed", "the dash of a list must stand on a line of its own"),
    ("but found '-'", "a dash is indented otherwise than the lines before it"),
    ("<block sequence start>", "a dash is indented otherwise than the lines before it"),
    ("<block mapping start>", "this line is indented otherwise than the lines before it"),
    ("expected <block end>", "something stands behind the end of a value: put the whole in quotes"),
)
_UNKNOWN = "look at indentation, quotes and colons there"
_FOREIGN = "：，；“”‘’「」\u00a0\u3000"  # as keyboards and word processors write them


def syntax_fault(error: yaml.YAMLError, text: str) -> str:
    """Where and what, of the file whose whole text is `text`."""
    if isinstance(error, yaml.reader.ReaderError):
        line = text.count("\n", 0, error.position) + 1
        return f"line {line}: there is a control character, which YAML does not allow: take it out"
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return f"this is not YAML: {_UNKNOWN}"
    mark = error.problem_mark
    return (
        f"line {mark.line + 1}, column {mark.column + 1}: this is not YAML: {_meant(error, text)}"
    )


def _meant(error: yaml.MarkedYAMLError, text: str) -> str:
    mark, opened = error.problem_mark, error.context_mark
    if mark is not None and text[: mark.index + 1].endswith("${"):
        return 'within { } or [ ] a variable must be in quotes: "${NAME}"'
    lines = [one for one in (mark, opened) if one is not None]
    if found := next((sign for one in lines for sign in _line(text, one) if sign in _FOREIGN), ""):
        return f"{foreign(found)} must be a plain one"
    said = f"{error.problem} {error.context}"
    if opened is not None and error.context in _OPENED and "escape" not in said:
        return _OPENED[error.context].replace("{line}", str(opened.line + 1))
    return next((meant for words, meant in _MEANT if words in said), _UNKNOWN)


def foreign(text: str) -> str:
    """`the sign ：`: the first sign of a text that is none of YAML's, though it looks like it; or
    nothing.
    """
    found = next((sign for sign in text if sign in _FOREIGN), "")
    if not found:
        return ""
    return "a space that is none (U+00A0 or U+3000)" if found.isspace() else f"the sign {found}"


def _line(text: str, mark: yaml.Mark) -> str:
    """The line on which a mark stands."""
    begin = text.rfind("\n", 0, mark.index) + 1
    end = text.find("\n", mark.index)
    return text[begin : len(text) if end < 0 else end]

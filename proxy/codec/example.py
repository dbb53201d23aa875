"""How clients of a dialect ask, shown by one request."""

from collections.abc import Mapping
from typing import Any, NamedTuple


class Example(NamedTuple):
    """One question, as a client of the dialect sends it. In the texts of `body`, and in `path`, the
    words `{model}` and `{prompt}` stand for what is asked; in a path they are percent-encoded.

    `label` is the dialect's name for people, `chinese` the same in Chinese where it differs; `path`
    is the one of the dialect's first route unless it is given.
    """

    label: str
    body: Mapping[str, Any]
    path: str = ""
    chinese: str = ""

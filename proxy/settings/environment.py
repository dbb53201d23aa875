"""Settings out of the environment: `MAINSTEM_SERVER__PORT=9000` is server.port. Lists and sections
are written in JSON, lists of plain texts also with commas.

Names are compared without case, and `-` and `.` in an upstream's or a model's name are written `_`.
"""

import difflib
from collections.abc import Mapping
from typing import Any

from proxy.settings.mistakes import Problems
from proxy.settings.model import Settings
from proxy.settings.schema import Where

PREFIX = "MAINSTEM_"
NESTED = "__"


def read_environment(environ: Mapping[str, str], problems: Problems) -> dict[str, Any]:
    """The tree that the variables give."""
    sets = False
    for name in environ:
        section, nested, _ = name.upper().removeprefix(PREFIX).partition(NESTED)
        if not name.upper().startswith(PREFIX):
            continue
        if section.lower() in Settings.model_fields:
            sets = True
        # Without `__` it is no setting of ours: Kubernetes sets MAINSTEM_PORT and the like for a
        # service of that name.
        elif nested:
            near = difflib.get_close_matches(section.lower(), Settings.model_fields, 1)
            meant = (
                f"did you mean {PREFIX}{near[0].upper()}{NESTED}...?"
                if near
                else f"it may be {', '.join(Settings.model_fields)}"
            )
            problems.say((name,), f"names no section of the settings; {meant}")
    if not sets:
        return {}
    from proxy.settings.variables import tree_of  # noqa: PLC0415  most settings are in a file

    return tree_of(environ, PREFIX, NESTED)


def variable_of(where: Where, environ: Mapping[str, str], given: Mapping[str, Any]) -> str | None:
    """The variable that gives the value at a path, if one does. `given` is the tree of
    `read_environment`.
    """
    if where[0] in environ:
        return "environment"
    if not _holds(given, where):
        return None
    names = {_plain(name): name for name in environ}
    spelled = (
        names.get(_plain(PREFIX + NESTED.join(str(part) for part in where[:end])))
        for end in range(len(where), 0, -1)
    )
    return next((name for name in spelled if name is not None), None)


def _holds(tree: Any, where: Where) -> bool:
    """Whether there is a value at a path, or one in its place further up."""
    if not where or not isinstance(tree, dict | list):
        return True
    first = where[0]
    if isinstance(tree, list):
        return isinstance(first, int) and first < len(tree) and _holds(tree[first], where[1:])
    return any(
        _plain(name) == _plain(str(first)) and _holds(value, where[1:])
        for name, value in tree.items()
    )


def merge(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`under` with the values of `over`, section by section. A name of `over` means the one of
    `under` that it spells.
    """
    merged = dict(under)
    spelled = {_plain(name): name for name in under if isinstance(name, str)}
    for name, value in over.items():
        key = name if name in under else spelled.get(_plain(name), name)
        below = merged.get(key)
        merged[key] = (
            merge(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
        )
    return merged


def _plain(name: str) -> str:
    return name.lower().replace("-", "_").replace(".", "_")

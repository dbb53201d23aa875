"""What is wrong with a configuration, one sentence a mistake: the setting's path, what it must be,
and the fix.

`Problems` collects them while the tree is read, checked and validated; the first one at a path
wins, as what follows from it is no news. `ConfigError` carries them all, each begun with the file
or the environment variable at fault. No sentence repeats a value of a setting that may hold a
secret.
"""

import difflib
import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from proxy.settings.schema import Where, branch_at, fixed_paths
from proxy.settings.secret import holds_secret

_PLAIN = re.compile(r"[\w*/@+-][\w*/@:+-]*")
_SHOWN_CHARS = 60
_NEVER_SHOWN = frozenset({"headers", "options", "base_url"})

_WANTED = {
    "int": "a whole number",
    "float": "a number",
    "finite": "a number",
    "bool": "true or false",
    "string": "text",
    "tuple": "a list",
    "dict": "a section of names and values",
    "model": "a section of names and values",
}
_BOUNDS = {
    "greater_than": ("more than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than_equal": ("at most", "le"),
}


class ConfigError(Exception):
    """The configuration cannot be used. `problems` has one sentence for each mistake."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Problems:
    """The mistakes found so far. `hidden` are paths whose values came out of the environment and
    are not repeated.
    """

    def __init__(self) -> None:
        self._found: dict[Where, str] = {}
        self.hidden: set[Where] = set()

    def say(self, where: Where, rest: str) -> None:
        """Note a mistake. `rest` is the sentence after the path, from its verb on."""
        self._found.setdefault(where, f"{dotted(where)} {rest}".strip())

    def covers(self, where: Where) -> bool:
        """Whether something around this path is wrong already: what is wrong inside follows from
        it, or will be said then.
        """
        return any(where[:size] in self._found for size in range(1, len(where)))

    def __bool__(self) -> bool:
        return bool(self._found)

    def __iter__(self) -> Iterator[tuple[Where, str]]:
        """Every path with its sentence."""
        return iter(self._found.items())


def dotted(where: Where) -> str:
    """`models.fast[0].upstream`; what is no plain word is put in quotes."""
    out = ""
    for part in where:
        if isinstance(part, int):
            out += f"[{part}]"
        else:
            out += ("." if out else "") + (
                part
                if _PLAIN.fullmatch(part)
                else json.dumps(part[:_SHOWN_CHARS], ensure_ascii=False)
            )
    return out


def nearest(word: str, known: Collection[str]) -> str:
    """`; did you mean x?`, or else what there is to choose from."""
    close = difflib.get_close_matches(word, known, 1, 0.5)
    return (
        f"; did you mean {close[0]}?" if close else f"; known: {', '.join(sorted(known)) or 'none'}"
    )


def add_validation(error: ValidationError, problems: Problems, tree: Mapping[str, Any]) -> None:
    """Each mistake that pydantic found in the tree, in our words. What it says of the tree as a
    whole is left to `checks`, which says it better.
    """
    for detail in error.errors(include_url=False):
        where = _as_written(_where(detail), tree)
        other_branch = (
            where == ("auth",)
            and detail["type"] == "literal_error"
            and isinstance(detail["input"], dict)
        )
        if where and not problems.covers(where) and not other_branch:
            problems.say(where, _rest(where, detail, problems))


def _where(detail: ErrorDetails) -> Where:
    """Where it is in the file: without the marks that pydantic adds for the branch of a union and
    for a key.
    """
    where = tuple(part for part in detail["loc"] if part != "[key]")
    return where[:1] + where[2:] if where[:1] == ("auth",) else where


def _as_written(where: Where, tree: Mapping[str, Any]) -> Where:
    """A model that is a list of targets has no word `targets` in the file."""
    if where[:1] == ("models",) and where[2:3] == ("targets",):
        models = tree.get("models")
        if isinstance(models, Mapping) and not isinstance(models.get(where[1]), Mapping):
            return where[:2] + where[3:]
    return where


def _rest(where: Where, detail: ErrorDetails, problems: Problems) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "extra_forbidden":
        return f"is not a setting; {_meant(where)}"
    if kind == "missing":
        return f"is missing: {_description(where)}"
    if where == ("auth",):
        return "must be a section with keys, or the word none"
    if kind.startswith("model") and where[0] == "models":
        return (
            "must be a list of targets, for example [{upstream: NAME}], or a section with targets"
        )
    if kind == "value_error":
        return str(context["error"])
    if kind == "string_pattern_mismatch":
        return (
            "must be a SHA-256: 64 lower-case hex digits, as `printf %s KEY | sha256sum` prints "
            "them"
        )
    not_that = _not_that(where, detail["input"], problems)
    if kind == "literal_error":
        return f"must be one of {context['expected'].replace(chr(39), '')}{not_that}"
    if kind in _BOUNDS:
        word, key = _BOUNDS[kind]
        return f"must be {word} {context[key]:.15g}{not_that}"
    wanted = _WANTED.get(kind.split("_")[0])
    if wanted is None:
        return f"is wrong: {detail['msg']}"
    unquoted = kind == "string_type" and isinstance(detail["input"], bool | int | float)
    return f"must be {wanted}{not_that}{': put it in quotes' if unquoted else ''}"


def _meant(where: Where) -> str:
    """A neighbour of nearly that name, else the same name elsewhere, else what there is."""
    key, above = str(where[-1]), where[:-1]
    branch = branch_at(above)
    known = list(branch.model_fields) if branch else []
    paths = {path[-1]: path for path in reversed(list(fixed_paths()))}
    if near := difflib.get_close_matches(key, known, 1):
        return f"did you mean {dotted((*above, near[0]))}?"
    if near := difflib.get_close_matches(key, paths, 1, 0.8):
        return f"did you mean {dotted(paths[near[0]])}?"
    return f"{dotted(above) or 'the file'} may have {', '.join(known)}"


def _description(where: Where) -> str:
    """The field's own description, to say what must be given."""
    branch = branch_at(where[:-1])
    field = branch.model_fields.get(str(where[-1])) if branch else None
    text = (field.description or "") if field else ""
    first = text[:1] if text[1:2].isupper() else text[:1].lower()
    return (first + text[1:]).rstrip(".")


def _not_that(where: Where, given: Any, problems: Problems) -> str:
    """`, not 'abc'`: a value is repeated only where it cannot be a secret."""
    if given is None:
        return ", not empty"
    if isinstance(given, dict | list | tuple):
        return ", not a section" if isinstance(given, dict) else ", not a list"
    if where in problems.hidden or any(
        isinstance(part, str) and (part in _NEVER_SHOWN or holds_secret(part)) for part in where
    ):
        return ""
    shown = (
        repr(given[:_SHOWN_CHARS])
        if isinstance(given, str)
        else json.dumps(given, default=str)[:_SHOWN_CHARS]
    )
    return f", not {shown}"

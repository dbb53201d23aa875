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

from proxy.settings.hints import as_number, as_section, meant_name
from proxy.settings.schema import Where, branch_at, fixed_paths
from proxy.settings.secret import holds_secret
from proxy.settings.syntax import foreign

_PLAIN = re.compile(r"[\w*/@+-][\w*/@:+-]*")
_SHOWN_CHARS = 60
_NEVER_SHOWN = frozenset({"headers", "options", "base_url"})
# Sections in which secrets stand: a text in place of one, or of a part, may be all that it holds.
_HOLD_SECRETS = frozenset({"auth", "limits", "streams", "tracing", "upstreams"})

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
_TARGETS = "a list of targets, for example [{upstream: NAME}], or a section with targets"
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
    whole is left to `checks`, which says it better. A setting that is missing because its name is
    written wrong is one mistake.
    """
    details = error.errors(include_url=False)
    misspelled = {_meant_at(_where(one)) for one in details if one["type"] == "extra_forbidden"}
    for detail in details:
        if detail["type"] == "missing" and _where(detail) in misspelled:
            continue
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
        one = isinstance(where[-1], int)
        return f"must be {'a target, for example {upstream: NAME}' if one else _TARGETS}"
    if kind == "value_error":
        return str(context["error"])
    if kind == "string_pattern_mismatch":
        return (
            "must be a SHA-256: 64 lower-case hex digits, as `printf %s KEY | sha256sum` prints "
            "them"
        )
    whole = kind.startswith(("model", "dict")) or where == ("auth", "keys")
    hidden = whole and where[0] in _HOLD_SECRETS and isinstance(detail["input"], str)
    not_that = "" if hidden else _not_that(where, detail["input"], problems)
    if kind == "literal_error":
        return f"must be one of {context['expected'].replace(chr(39), '')}{not_that}"
    if kind in _BOUNDS:
        word, key = _BOUNDS[kind]
        return f"must be {word} {context[key]:.15g}{not_that}"
    wanted = _WANTED.get(kind.split("_")[0])
    if wanted is None:
        return f"is wrong: {detail['msg']}"
    return f"must be {wanted}{not_that}{_fix(kind, where, detail['input'], shown=bool(not_that))}"


def _fix(kind: str, where: Where, given: Any, *, shown: bool) -> str:
    """How to write what was meant. `shown`: the value may be repeated."""
    if kind == "string_type":
        return ": put it in quotes" if isinstance(given, bool | int | float) else ""
    if kind.startswith(("model", "dict")):
        return as_section(given)
    if not isinstance(given, str) or not shown:
        return ""
    if kind == "tuple_type":
        return "" if given.startswith("[") else ": put [ ] around it"
    name = next((part for part in reversed(where) if isinstance(part, str)), "")
    is_number = kind.startswith(("int", "float"))
    return as_number(name, given, whole=kind.startswith("int")) if is_number else ""


def _meant_at(where: Where) -> Where | None:
    """The path that one which is no setting most likely stands for, within its section."""
    branch = branch_at(where[:-1])
    meant = meant_name(str(where[-1]), list(branch.model_fields)) if branch else None
    return None if meant is None else (*where[:-1], meant)


def _meant(where: Where) -> str:
    """A neighbour of nearly that name, else the same name elsewhere, else what there is."""
    key, above = str(where[-1]), where[:-1]
    if sign := foreign(key):
        return f"look at {sign} in its name"
    if (near := _meant_at(where)) is not None:
        return f"did you mean {dotted(near)}?"
    # of those of one name the one that is nearest to the top
    paths: dict[str, Where] = {}
    for path in sorted(fixed_paths(), key=len):
        paths.setdefault(path[-1], path)
    if elsewhere := difflib.get_close_matches(key, paths, 1, 0.8):
        return f"did you mean {dotted(paths[elsewhere[0]])}?"
    branch = branch_at(above)
    known = list(branch.model_fields) if branch else []
    return f"{dotted(above) or 'the file'} may have {', '.join(known)}"


def _description(where: Where) -> str:
    """The first sentence of the field's own description, to say what must be given."""
    branch = branch_at(where[:-1])
    field = branch.model_fields.get(str(where[-1])) if branch else None
    text = (field.description or "") if field else ""
    first = text[:1] if text[1:2].isupper() else text[:1].lower()
    return (first + text[1:]).partition(". ")[0].rstrip(".")


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

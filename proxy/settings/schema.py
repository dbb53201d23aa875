"""Reads the tree's own shape: which settings a place may have. For messages, the annotated file and
the environment.
"""

from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from proxy.settings.model import Settings
from proxy.settings.tree import Tree

Where = tuple[str | int, ...]


def branch_at(where: Where) -> type[Tree] | None:
    """The section that stands at a path such as ("upstreams", "demo", "mock"); None where there is
    no section.
    """
    here: Any = Settings
    for part in where:
        here = _inside(here, part)
        if here is None:
            return None
    return here if _is_branch(here) else None


def element_of(annotation: Any) -> type[Tree] | None:
    """The section that a mapping or list of sections holds, however deep, or that an optional one
    is; None for plain values.
    """
    here = _plain(annotation)
    while here is not None and not _is_branch(here):
        here = _inside_any(here)
    return here  # type: ignore[no-any-return]  # narrowed by _is_branch


def fixed_paths(
    branch: type[Tree] = Settings, above: tuple[str, ...] = ()
) -> Iterator[tuple[str, ...]]:
    """Every setting whose path has no name of the operator's in it: server.port, but not
    upstreams.x.dialect.
    """
    for name, field in branch.model_fields.items():
        yield (*above, name)
        plain = _plain(field.annotation)
        if _is_branch(plain):
            yield from fixed_paths(plain, (*above, name))


def _inside(here: Any, part: str | int) -> Any:
    if _is_branch(here):
        # Number 0 of a model that was written as a list is number 0 of its targets.
        field = here.model_fields.get("targets" if isinstance(part, int) else part)
        if isinstance(part, int) and field is not None:
            return _inside_any(_plain(field.annotation))
        return None if field is None else _plain(field.annotation)
    return _inside_any(here)


def _inside_any(here: Any) -> Any:
    """What a dict or a tuple holds."""
    if get_origin(here) is dict:
        return _plain(get_args(here)[1])
    return _plain(get_args(here)[0]) if get_origin(here) is tuple else None


def _plain(annotation: Any) -> Any:
    """Without Annotated, and of a union the member that has an inside."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, UnionType):
        members = [_plain(member) for member in get_args(annotation)]
        return next(
            (
                member
                for member in members
                if _is_branch(member) or get_origin(member) in (dict, tuple)
            ),
            members[0],
        )
    return annotation


def _is_branch(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Tree)

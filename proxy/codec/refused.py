"""What an operator does not let through to an upstream (`options.refuse`): kinds of tools, and what
a native client says in `vendor`, which goes into the request as it is.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any


def is_refused(tool: Any, refuse: Collection[str]) -> bool:
    """Whether a tool is of such a kind. A name stands for its versions too: `web_search` for
    web_search_20250305 and web_search_preview.
    """
    kind = tool.get("type") if isinstance(tool, dict) else None
    return isinstance(kind, str) and any(
        kind == name or kind.startswith(f"{name}_") for name in refuse
    )


def let_through(said: Mapping[str, Any], refuse: Collection[str]) -> dict[str, Any]:
    """An object without what is refused, at any depth: keys, however they are spelt (google_search
    and googleSearch), and tools.
    """
    names = {*map(_plain, refuse)}
    return {
        name: _inner(value, refuse) for name, value in said.items() if _plain(name) not in names
    }


def _inner(value: Any, refuse: Collection[str]) -> Any:
    if isinstance(value, dict):
        return let_through(value, refuse)
    return list(_kept(value, refuse)) if isinstance(value, list) else value


def _kept(values: list[Any], refuse: Collection[str]) -> Iterator[Any]:
    """Without tools of which nothing is left: Google's are what their one key says."""
    for value in values:
        left = _inner(value, refuse)
        if not is_refused(value, refuse) and (left or not value):
            yield left


def _plain(name: str) -> str:
    return name.replace("_", "").lower()

"""A vendor's citation to ours: one of ours for each of its sources."""

from collections.abc import Iterator
from typing import Any

from proxy.events import Citation

_SOURCE_TEXTS = ("text", "snippet")


def is_of_text(said: dict[str, Any]) -> bool:
    """Whether it cites the answer's text, and not its thinking or its plan."""
    return said.get("type") in (None, "", "TEXT_CONTENT")


def citations(said: dict[str, Any], block: int) -> Iterator[Citation]:
    """`start` and `end` count from the beginning of the content, which is a block of ours."""
    start, end = (
        value if type(value := said.get(key)) is int and value >= 0 else None
        for key in ("start", "end")
    )
    if start is not None and end is not None and end < start:
        start = end = None
    sources = said.get("sources")
    for source in sources if isinstance(sources, list) and sources else [None]:
        document = _document(source)
        text = next((found for key in _SOURCE_TEXTS if (found := _text(document.get(key)))), None)
        yield Citation(
            block, _text(document.get("url")), _text(document.get("title")), text, start, end
        )


def _document(source: Any) -> dict[str, Any]:
    """What a source says about itself: a document as the client gave it, or what a tool
    answered.
    """
    if not isinstance(source, dict):
        return {}
    return next(
        (
            found
            for key in ("document", "tool_output")
            if isinstance(found := source.get(key), dict)
        ),
        {},
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None

"""Which headers a recording keeps: those named here. All others may hold a key, a cookie or whose
account it is.
"""

from collections.abc import Iterable, Mapping

_OF_REQUESTS = frozenset(
    {
        "accept",
        "anthropic-beta",
        "anthropic-version",
        "content-type",
        "openai-beta",
        "x-dashscope-sse",
    }
)
_OF_ANSWERS = frozenset(
    {
        "cache-control",
        "content-type",
        "openai-processing-ms",
        "openai-version",
        "retry-after",
        "x-accel-buffering",
        "x-vercel-ai-ui-message-stream",
    }
)


def of_request(headers: Mapping[str, str] | Iterable[tuple[str, str]]) -> dict[str, str]:
    """The headers of a request that are kept, with names in lower case."""
    return _kept(headers, _OF_REQUESTS)


def of_answer(headers: Mapping[str, str] | Iterable[tuple[str, str]]) -> dict[str, str]:
    """Likewise, of an answer."""
    return _kept(headers, _OF_ANSWERS)


def _kept(
    headers: Mapping[str, str] | Iterable[tuple[str, str]], names: frozenset[str]
) -> dict[str, str]:
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    return {
        name.lower(): value
        for name, value in pairs
        if name.lower() in names and value.isprintable() and value.isascii()
    }

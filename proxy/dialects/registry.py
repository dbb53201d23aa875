"""Every dialect, by name. A new one is a line here and a folder beside it.

A dialect is imported when one of its halves is first asked for, so that a proxy loads only what its
configuration and its clients' paths use.
"""

from collections.abc import Callable, Iterable, Iterator, MutableMapping
from functools import cache
from importlib import import_module
from typing import TypeVar

from proxy.codec.halves import ClientHalf, Dialect, UpstreamHalf

# Which halves each has. Of clients' dialects that share a path the first here gets what none
# claims.
_HALVES = {
    "native": ("client", "upstream"),
    "openai_chat": ("client", "upstream"),
    "anthropic": ("client", "upstream"),
    "plain": ("client", "upstream"),
    "sider": ("client", "upstream"),
    "chatglm": ("client", "upstream"),
    "baidu_chat": ("client", "upstream"),
    "yiyan": ("client", "upstream"),
    "dify": ("client", "upstream"),
    "coze": ("upstream",),
    "dashscope": ("upstream",),
    "hunyuan": ("upstream",),
    "qianfan": ("upstream",),
    "zhipu": ("upstream",),
    "minimax": ("upstream",),
    "tgi": ("upstream",),
    "cohere": ("client", "upstream"),
    "ollama": ("client", "upstream"),
    "ai_sdk": ("client",),
    "ag_ui": ("client",),
    "openai_responses": ("client", "upstream"),
    "openai_completions": ("client", "upstream"),
    "bedrock_converse": ("upstream",),
    "bedrock_invoke": ("upstream",),
    "gemini": ("client", "upstream"),
    "replicate": ("upstream",),
}
NAMES = tuple(_HALVES)
# The dialects whose forms bedrock_invoke wraps. It is handed them, as no dialect imports another.
_WRAPPED = ("anthropic", "openai_chat")
_Half = TypeVar("_Half", bound=ClientHalf | UpstreamHalf)


@cache
def dialect(name: str) -> Dialect:
    """The dialect of one of NAMES."""
    module = import_module(f"proxy.dialects.{name}")
    found: Dialect = (
        module.dialect(*map(dialect, _WRAPPED)) if name == "bedrock_invoke" else module.DIALECT
    )
    return found


class _Halves(MutableMapping[str, _Half]):
    """Halves by their dialect's name, each loaded when it is first taken."""

    def __init__(self, names: Iterable[str], load: Callable[[str], _Half | None]) -> None:
        self._found: dict[str, _Half | None] = dict.fromkeys(names)
        self._load = load

    def __getitem__(self, name: str) -> _Half:
        half = self._found[name]
        if half is None:
            half = self._found[name] = self._load(name)
            assert half is not None
        return half

    def __contains__(self, name: object) -> bool:
        return name in self._found

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def __setitem__(self, name: str, half: _Half) -> None:
        self._found[name] = half

    def __delitem__(self, name: str) -> None:
        del self._found[name]


def _names(half: str) -> Iterator[str]:
    return (name for name, halves in _HALVES.items() if half in halves)


CLIENTS = _Halves[ClientHalf](_names("client"), lambda name: dialect(name).client)
UPSTREAMS = _Halves[UpstreamHalf](_names("upstream"), lambda name: dialect(name).upstream)

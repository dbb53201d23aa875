"""Every dialect, by name. A new one is a line here and a folder beside it."""

from collections.abc import Iterator
from importlib import import_module

from proxy.codec.base import ClientHalf, Dialect, UpstreamHalf

_NAMES = (
    "native",
    "openai_chat",
    "anthropic",
    "plain",
    "sider",
    "chatglm",
    "baidu_chat",
    "yiyan",
    "dify",
    "coze",
    "dashscope",
    "hunyuan",
    "qianfan",
    "zhipu",
    "minimax",
    "tgi",
    "cohere",
    "ollama",
    "ai_sdk",
    "openai_responses",
    "openai_completions",
    "bedrock_converse",
    "bedrock_invoke",
    "gemini",
    "replicate",
)
# The dialects whose forms bedrock_invoke wraps. It is handed them, as no dialect imports another.
_WRAPPED = ("anthropic", "openai_chat")


def _dialects() -> Iterator[Dialect]:
    found: dict[str, Dialect] = {}
    for name in _NAMES:
        module = import_module(f"proxy.dialects.{name}")
        if name == "bedrock_invoke":
            found[name] = module.dialect(*(found[wrapped] for wrapped in _WRAPPED))
        else:
            found[name] = module.DIALECT
        yield found[name]


DIALECTS: tuple[Dialect, ...] = tuple(_dialects())
CLIENTS: dict[str, ClientHalf] = {d.name: d.client for d in DIALECTS if d.client is not None}
UPSTREAMS: dict[str, UpstreamHalf] = {
    d.name: d.upstream for d in DIALECTS if d.upstream is not None
}

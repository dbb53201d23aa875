"""Every dialect, by name. A new one is a line here and a folder beside it."""

from proxy.codec.base import ClientHalf, Dialect, UpstreamHalf
from proxy.dialects import (
    ai_sdk,
    anthropic,
    baidu_chat,
    bedrock_converse,
    bedrock_invoke,
    chatglm,
    cohere,
    coze,
    dashscope,
    dify,
    gemini,
    hunyuan,
    minimax,
    native,
    ollama,
    openai_chat,
    openai_completions,
    openai_responses,
    plain,
    qianfan,
    replicate,
    sider,
    tgi,
    yiyan,
    zhipu,
)

DIALECTS: tuple[Dialect, ...] = (
    native.DIALECT,
    openai_chat.DIALECT,
    anthropic.DIALECT,
    plain.DIALECT,
    sider.DIALECT,
    chatglm.DIALECT,
    baidu_chat.DIALECT,
    yiyan.DIALECT,
    dify.DIALECT,
    coze.DIALECT,
    dashscope.DIALECT,
    hunyuan.DIALECT,
    qianfan.DIALECT,
    zhipu.DIALECT,
    minimax.DIALECT,
    tgi.DIALECT,
    cohere.DIALECT,
    ollama.DIALECT,
    ai_sdk.DIALECT,
    openai_responses.DIALECT,
    openai_completions.DIALECT,
    bedrock_converse.DIALECT,
    bedrock_invoke.dialect(anthropic.DIALECT, openai_chat.DIALECT),  # the forms that it wraps
    gemini.DIALECT,
    replicate.DIALECT,
)
CLIENTS: dict[str, ClientHalf] = {d.name: d.client for d in DIALECTS if d.client is not None}
UPSTREAMS: dict[str, UpstreamHalf] = {
    d.name: d.upstream for d in DIALECTS if d.upstream is not None
}

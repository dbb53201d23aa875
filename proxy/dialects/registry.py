"""Every dialect, by name. A new one is a line here and a folder beside it."""

from proxy.dialects import anthropic, baidu_chat, chatglm, native, openai_chat, plain, sider, yiyan
from proxy.dialects.base import ClientHalf, Dialect, UpstreamHalf

DIALECTS: tuple[Dialect, ...] = (
    native.DIALECT,
    openai_chat.DIALECT,
    anthropic.DIALECT,
    plain.DIALECT,
    sider.DIALECT,
    chatglm.DIALECT,
    baidu_chat.DIALECT,
    yiyan.DIALECT,
)
CLIENTS: dict[str, ClientHalf] = {d.name: d.client for d in DIALECTS if d.client is not None}
UPSTREAMS: dict[str, UpstreamHalf] = {d.name: d.upstream for d in DIALECTS if d.upstream is not None}

"""Baidu's AI chat, `POST /aichat/api/conversation`: the bodies of 2023 and those of 2026, on one
path.

The stream is `event:basedata`, then `event:message` packets; the last says `endTurn`. HTTP 200 says
nothing: a packet's `status` does. Cookies, tokens and ids are values of the operator's own session
and come from the configuration alone: nothing here makes one up.
"""

from proxy.codec.base import Route
from proxy.codec.example import Example
from proxy.codec.halves import ClientHalf, Dialect, UpstreamHalf, without_options
from proxy.dialects.baidu_chat import build, encode, errors, parse
from proxy.dialects.baidu_chat.decode import BaiduChatDecoder
from proxy.dialects.baidu_chat.wire import NAME, PATH

DIALECT = Dialect(
    NAME,
    client=ClientHalf(
        name=NAME,
        routes=(Route("POST", PATH),),
        example=Example(
            "Baidu AI chat",
            {
                "message": {
                    "query": [{"type": "TEXT", "data": {"text": {"query": "{prompt}"}}}],
                    "searchInfo": {"usedModel": {"modelName": "{model}"}},
                }
            },
            chinese="百度 AI 对话",
        ),
        omits=frozenset({"tool_call", "image"}),
        parse_request=parse.parse_request,
        encoder=encode.encoder,
        watching=parse.Options(),
        whole=encode.whole,
        render_error=encode.render_error,
    ),
    upstream=UpstreamHalf(
        name=NAME,
        tools=False,
        rewrites=True,
        build_request=build.build_request,
        relays=frozenset({NAME}),
        relay_request=build.relay_request,
        decoder=without_options(BaiduChatDecoder),
        parse_error=errors.parse_error,
    ),
)

"""Baidu's Yiyan (ERNIE Bot), `POST /eb/chat/conversation/v2`: named events, text deltas, and the
whole text again at the end.
"""

from proxy.codec.base import Route
from proxy.codec.example import Example
from proxy.codec.halves import ClientHalf, Dialect, UpstreamHalf
from proxy.dialects.yiyan import build, encode, errors, parse
from proxy.dialects.yiyan.decode import YiyanDecoder
from proxy.dialects.yiyan.wire import NAME, PATH

DIALECT = Dialect(
    NAME,
    client=ClientHalf(
        name=NAME,
        routes=(Route("POST", PATH),),
        example=Example(
            "Yiyan", {"text": "{prompt}", "model": "{model}", "sessionId": ""}, chinese="文心一言"
        ),
        omits=frozenset({"tool_call", "citation", "image"}),
        parse_request=parse.parse_request,
        encoder=encode.encoder,
        whole=encode.whole,
        render_error=encode.render_error,
    ),
    upstream=UpstreamHalf(
        name=NAME,
        tools=False,
        rewrites=True,
        fixed=frozenset({"model"}),
        build_request=build.build_request,
        relays=frozenset({NAME}),
        relay_request=build.relay_request,
        decoder=YiyanDecoder,
        parse_error=errors.parse_error,
    ),
)

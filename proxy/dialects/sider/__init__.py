"""Sider's chat API: `/api/v1..v3/completion/text` and `/api/chat/v1/completions`.

Frames are `data:{"code":0,"msg":"","data":{...}}` without a space, ended by `data:[DONE]`. One
prompt a call; the vendor keeps the conversation under a `cid`. Every status 200 may still be an
error: `code` says.
"""

from proxy.codec.base import Route
from proxy.codec.example import Example
from proxy.codec.halves import TEXT_ALONE, ClientHalf, Dialect, UpstreamHalf
from proxy.dialects.sider import build, encode, errors, parse
from proxy.dialects.sider.decode import SiderDecoder
from proxy.dialects.sider.wire import NAME, TEXT_PATHS

DIALECT = Dialect(
    NAME,
    client=ClientHalf(
        name=NAME,
        routes=(
            Route("POST", "/api/{generation:v[123]}/completion/text"),
            Route("POST", TEXT_PATHS["chat"]),
            Route("POST", "/data"),
        ),
        example=Example(
            "Sider",
            {
                "prompt": "{prompt}",
                "model": "{model}",
                "stream": True,
                "app_name": "ChitChat_Web",
                "from": "chat",
            },
            path="/api/v2/completion/text",
        ),
        omits=TEXT_ALONE,
        parse_request=parse.parse_request,
        encoder=encode.encoder,
        watching=parse.Options(),
        whole=encode.whole,
        render_error=encode.render_error,
        claims=parse.claims,
    ),
    upstream=UpstreamHalf(
        name=NAME,
        tools=False,
        fixed=frozenset({"model", "stream"}),
        build_request=build.build_request,
        relays=frozenset({NAME}),
        relay_request=build.relay_request,
        decoder=SiderDecoder,
        parse_error=errors.parse_error,
    ),
)

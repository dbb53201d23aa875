"""The native schema, both halves. Clients: `POST /v1/stream`, `GET /v1/stream` for the native
EventSource. Upstreams: another Mainstem.
"""

from proxy.codec.base import Route
from proxy.codec.example import Example
from proxy.codec.halves import ClientHalf, Dialect, UpstreamHalf, without_options
from proxy.dialects.native import build, encode, errors, parse, whole
from proxy.dialects.native.decode import NativeDecoder
from proxy.dialects.native.wire import NAME

DIALECT = Dialect(
    NAME,
    client=ClientHalf(
        name=NAME,
        routes=(Route("POST", "/v1/stream"), Route("GET", "/v1/stream")),
        example=Example("Mainstem", {"model": "{model}", "prompt": "{prompt}"}),
        rewrites=True,
        parse_request=parse.parse_request,
        encoder=encode.encoder,
        whole=whole.whole,
        render_error=whole.render_error,
    ),
    upstream=UpstreamHalf(
        name=NAME,
        rewrites=True,  # those of its own upstreams
        custom_tools=True,
        build_request=build.build_request,
        relays=frozenset({NAME}),
        relay_request=build.relay_request,
        decoder=without_options(NativeDecoder),
        parse_error=errors.parse_error,
    ),
)

"""Plain text over server-sent events: `data: <text>` and nothing else. The form of the smallest
hand-written servers and pages.

No JSON, no roles, no usage, no finish reason. As an upstream such a server often ends by closing
the body alone; towards clients the last frame is `data: [done]`, which a page's native EventSource
needs in order to stop reconnecting.
"""

from proxy.codec.base import Route
from proxy.codec.example import Example
from proxy.codec.failures import framework_failure
from proxy.codec.halves import TEXT_ALONE, ClientHalf, Dialect, UpstreamHalf
from proxy.codec.resuming import Resuming
from proxy.dialects.plain import build, encode, parse, resume
from proxy.dialects.plain.decode import PlainDecoder
from proxy.dialects.plain.wire import NAME, PATH

DIALECT = Dialect(
    NAME,
    client=ClientHalf(
        name=NAME,
        # Other dialects share the POST path: a request that none of them claims is this one's.
        routes=(Route("GET", PATH), Route("POST", PATH)),
        example=Example(
            "Plain text events", {"model": "{model}", "prompt": "{prompt}"}, chinese="纯文本事件"
        ),
        omits=TEXT_ALONE,
        parse_request=parse.parse_request,
        encoder=encode.encoder,
        watching=parse.Options(),
        resuming=Resuming(wanted=resume.wanted, again=True),
        whole=encode.whole,
        render_error=encode.render_error,
    ),
    upstream=UpstreamHalf(
        name=NAME,
        tools=False,
        fixed=frozenset({"model"}),
        build_request=build.build_request,
        relays=frozenset({NAME}),
        relay_request=build.relay_request,
        decoder=PlainDecoder,
        parse_error=framework_failure,
    ),
)

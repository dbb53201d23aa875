"""Coze's v3 chat with a bot, and its workflows, as an upstream. There is no client half: nothing
calls a proxy in this dialect.
"""

from proxy.codec.halves import Dialect, UpstreamHalf, without_options
from proxy.dialects.coze.build import build_request
from proxy.dialects.coze.decode import CozeDecoder
from proxy.dialects.coze.errors import parse_error
from proxy.dialects.coze.wire import NAME

DIALECT = Dialect(
    NAME,
    upstream=UpstreamHalf(
        name=NAME,
        tools=False,
        fixed=frozenset({"bot_id", "stream", "user_id"}),
        build_request=build_request,
        decoder=without_options(CozeDecoder),
        parse_error=parse_error,
    ),
)

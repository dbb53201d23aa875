"""Alibaba's DashScope, its own generation API (not the OpenAI-compatible one). Upstream half
only.
"""

from functools import partial

from proxy.codec.failures import answer_failure
from proxy.codec.halves import Dialect, UpstreamHalf
from proxy.dialects.dashscope import build
from proxy.dialects.dashscope.decode import DashScopeDecoder
from proxy.dialects.dashscope.errors import error_of
from proxy.dialects.dashscope.wire import NAME

DIALECT = Dialect(
    NAME,
    upstream=UpstreamHalf(
        name=NAME,
        fixed=frozenset({"model"}),
        build_request=build.build_request,
        decoder=DashScopeDecoder,
        parse_error=partial(answer_failure, tell=error_of),
    ),
)

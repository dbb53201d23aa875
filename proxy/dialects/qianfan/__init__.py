"""Baidu Qianfan's first API (ERNIE; the second is OpenAI-compatible). Upstream half only."""

from functools import partial

from proxy.codec.failures import answer_failure
from proxy.codec.halves import Dialect, UpstreamHalf, without_options
from proxy.dialects.qianfan import build
from proxy.dialects.qianfan.decode import QianfanDecoder, error_of
from proxy.dialects.qianfan.wire import NAME

DIALECT = Dialect(
    NAME,
    upstream=UpstreamHalf(
        name=NAME,
        fixed=frozenset({"stream"}),
        build_request=build.build_request,
        decoder=without_options(QianfanDecoder),
        parse_error=partial(answer_failure, tell=error_of),
    ),
)

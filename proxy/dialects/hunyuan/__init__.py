"""Tencent Hunyuan's own API (not the OpenAI-compatible one). Upstream half only; nothing is signed,
see `build`.
"""

from functools import partial

from proxy.codec.failures import answer_failure
from proxy.codec.halves import Dialect, UpstreamHalf, without_options
from proxy.dialects.hunyuan import build
from proxy.dialects.hunyuan.decode import HunyuanDecoder, error_of
from proxy.dialects.hunyuan.wire import NAME

DIALECT = Dialect(
    NAME,
    upstream=UpstreamHalf(
        name=NAME,
        fixed=frozenset({"Model", "Stream"}),
        build_request=build.build_request,
        decoder=without_options(HunyuanDecoder),
        parse_error=partial(answer_failure, tell=error_of),
    ),
)

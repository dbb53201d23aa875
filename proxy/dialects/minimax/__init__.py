"""MiniMax's own `chatcompletion_v2` (its other endpoints speak as OpenAI and Anthropic do).
Upstream half only.
"""

from functools import partial

from proxy.codec.failures import answer_failure
from proxy.codec.halves import Dialect, UpstreamHalf, without_options
from proxy.dialects.minimax import build
from proxy.dialects.minimax.decode import MiniMaxDecoder, error_of
from proxy.dialects.minimax.wire import NAME

DIALECT = Dialect(
    NAME,
    upstream=UpstreamHalf(
        name=NAME,
        fixed=frozenset({"model", "stream", "stream_options"}),
        build_request=build.build_request,
        decoder=without_options(MiniMaxDecoder),
        parse_error=partial(answer_failure, tell=error_of),
    ),
)

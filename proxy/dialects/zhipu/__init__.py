"""Zhipu's third API (`sse-invoke`, superseded by the OpenAI-compatible fourth). Upstream half only.

Source: the vendor's old SDK and relays that spoke to it; there are no recordings. An answer is made
of events whose data is raw text, and the last one carries its counts in `meta`, a field that the
standard of event streams does not have:

    event:add        more text; many `data` lines are one text with line feeds
    event:finish     the end, perhaps with a last piece of text
    event:error      what went wrong
    event:interrupted   the end, by the content filter
"""

from functools import partial

from proxy.codec.failures import answer_failure
from proxy.codec.halves import Dialect, UpstreamHalf
from proxy.dialects.zhipu.build import build_request
from proxy.dialects.zhipu.decode import ZhipuDecoder, error_of
from proxy.dialects.zhipu.wire import NAME

DIALECT = Dialect(
    NAME,
    upstream=UpstreamHalf(
        name=NAME,
        tools=False,
        fixed=frozenset({"incremental"}),
        build_request=build_request,
        decoder=ZhipuDecoder,
        parse_error=partial(answer_failure, tell=error_of),
    ),
)

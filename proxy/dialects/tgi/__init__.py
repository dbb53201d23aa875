"""Hugging Face's Text Generation Inference, its own `/generate_stream` (it speaks as OpenAI does at
`/v1` too). Upstream half only.

Source: the server's OpenAPI document and its router. One event a token; the last one has
`generated_text`, and nothing comes after it.
"""

from functools import partial

from proxy.codec.failures import answer_failure
from proxy.codec.halves import Dialect, UpstreamHalf, without_options
from proxy.dialects.tgi.build import build_request
from proxy.dialects.tgi.decode import TgiDecoder, error_of
from proxy.dialects.tgi.wire import NAME

DIALECT = Dialect(
    NAME,
    upstream=UpstreamHalf(
        name=NAME,
        tools=False,
        fixed=frozenset({"stream"}),
        build_request=build_request,
        decoder=without_options(TgiDecoder),
        parse_error=partial(answer_failure, tell=error_of),
    ),
)

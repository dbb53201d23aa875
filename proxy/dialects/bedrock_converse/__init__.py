"""AWS Bedrock's ConverseStream, upstream half: one form for the models of all vendors. `POST
/model/{id}/converse-stream`.
"""

from proxy.codec.bedrock.errors import parse_error
from proxy.codec.halves import Dialect, UpstreamHalf, without_options
from proxy.dialects.bedrock_converse.build import build_request
from proxy.dialects.bedrock_converse.decode import ConverseDecoder
from proxy.dialects.bedrock_converse.wire import NAME

DIALECT = Dialect(
    NAME,
    upstream=UpstreamHalf(
        name=NAME,
        build_request=build_request,
        decoder=without_options(ConverseDecoder),
        parse_error=parse_error,
    ),
)

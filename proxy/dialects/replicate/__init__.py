"""Replicate's predictions, behind a base URL without the version. Upstream half only: its own
clients poll, or know each model's inputs.

Source: the vendor's HTTP reference and its Python client, and a recording of a stream. An answer
comes in two steps: the request makes a prediction, whose document says in `urls.stream` where its
output can be read. A client that leaves closes the stream; the vendor lets the prediction
itself run on.
"""

from functools import partial

from proxy.codec.failures import answer_failure
from proxy.codec.halves import Dialect, UpstreamHalf, without_options
from proxy.dialects.replicate import build
from proxy.dialects.replicate.decode import ReplicateDecoder
from proxy.dialects.replicate.wire import NAME, error_of

DIALECT = Dialect(
    NAME,
    upstream=UpstreamHalf(
        name=NAME,
        tools=False,
        fixed=frozenset({"stream", "version"}),
        build_request=build.build_request,
        decoder=without_options(ReplicateDecoder),
        parse_error=partial(answer_failure, tell=error_of),
        follow=build.follow,
    ),
)

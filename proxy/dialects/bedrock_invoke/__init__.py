"""AWS Bedrock's InvokeModelWithResponseStream, upstream half: `POST
/model/{id}/invoke-with-response-stream`, each model in its own form.

Some of these forms are dialects of their own. No dialect knows another, so the registry hands them
in: `dialect` makes ours around them.
"""

from functools import partial

from proxy.codec.bedrock.errors import parse_error
from proxy.codec.halves import Dialect, UpstreamHalf
from proxy.dialects.bedrock_invoke.build import build_request, relay_request
from proxy.dialects.bedrock_invoke.decode import InvokeDecoder
from proxy.dialects.bedrock_invoke.wire import NAME


def dialect(*carried: Dialect) -> Dialect:
    """The dialect, around others: `carried` are those whose forms it may wrap."""
    halves = {one.name: one.upstream for one in carried if one.upstream is not None}
    return Dialect(
        NAME,
        upstream=UpstreamHalf(
            name=NAME,
            fixed=frozenset({"anthropic_version"}),
            build_request=partial(build_request, carried=halves),
            relays=frozenset(name for name, half in halves.items() if name in half.relays),
            relay_request=partial(relay_request, carried=halves),
            decoder=partial(InvokeDecoder, carried=halves),
            parse_error=parse_error,
        ),
    )

"""OpenAI's Responses API, which the Open Responses specification describes for all vendors; both
halves.

Clients: `POST /v1/responses`. Upstreams: the same path behind a base URL that ends in the version.
"""

from proxy.codec.base import Route
from proxy.codec.example import Example
from proxy.codec.halves import ClientHalf, Dialect, UpstreamHalf
from proxy.codec.openai.errors import parse_error
from proxy.codec.openai.render_error import render_error
from proxy.dialects.openai_responses import build, count, encode, keep, parse, relay, whole
from proxy.dialects.openai_responses.decode import decoder
from proxy.dialects.openai_responses.wire import NAME

DIALECT = Dialect(
    NAME,
    client=ClientHalf(
        name=NAME,
        # The SDKs list the models as those of chat completions do, on the same path.
        routes=(Route("POST", "/v1/responses"),),
        example=Example(
            "OpenAI Responses", {"model": "{model}", "input": "{prompt}", "stream": True}
        ),
        parse_request=keep.parse_request,
        encoder=encode.encoder,
        watching=parse.Options({}),
        whole=whole.whole,
        render_error=render_error,
        counting=count.COUNTING,
    ),
    upstream=UpstreamHalf(
        name=NAME,
        custom_tools=True,
        fixed=frozenset({"model", "store", "stream"}),
        build_request=build.build_request,
        relays=frozenset({NAME}),
        relay_request=relay.relay_request,
        decoder=decoder,
        parse_error=parse_error,
        count_request=count.count_request,
        count_answer=count.count_answer,
    ),
)

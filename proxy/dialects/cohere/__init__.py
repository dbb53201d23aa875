"""Cohere's chat, API v2, both halves. Clients: `POST /v2/chat`. Upstreams: the same path behind the
configured base URL.
"""

from proxy.codec.alike import alike
from proxy.codec.base import Route
from proxy.codec.example import Example
from proxy.codec.halves import ClientHalf, Dialect, UpstreamHalf, without_options
from proxy.dialects.cohere import build, encode, errors, models, parse, relay, whole
from proxy.dialects.cohere.decode import CohereDecoder
from proxy.dialects.cohere.wire import NAME

DIALECT = Dialect(
    NAME,
    client=ClientHalf(
        name=NAME,
        routes=(Route("POST", "/v2/chat"),),
        example=Example(
            "Cohere",
            {
                "model": "{model}",
                "messages": [{"role": "user", "content": "{prompt}"}],
                "stream": True,
            },
        ),
        omits=frozenset({"image"}),
        parse_request=parse.parse_request,
        encoder=encode.encoder,
        whole=whole.whole,
        render_error=errors.render_error,
        listing="/v1/models",
        lists=models.lists,
        models=models.models,
        model=models.model,
    ),
    upstream=UpstreamHalf(
        name=NAME,
        fixed=frozenset({"model", "stream"}),
        build_request=build.build_request,
        relays=frozenset({NAME}),
        relay_request=relay.relay_request,
        decoder=alike(without_options(CohereDecoder)),
        parse_error=errors.parse_error,
    ),
)

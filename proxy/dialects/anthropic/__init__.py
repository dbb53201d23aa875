"""Anthropic's Messages API, both halves. Clients: `POST /v1/messages`. Upstreams: the same path
behind the configured base URL, or the model's own at Vertex AI.
"""

from proxy.codec.alike import alike
from proxy.codec.base import Route
from proxy.codec.example import Example
from proxy.codec.halves import ClientHalf, Dialect, UpstreamHalf, without_options
from proxy.dialects.anthropic import build, count, encode, errors, models, parse, relay, whole
from proxy.dialects.anthropic.decode import AnthropicDecoder
from proxy.dialects.anthropic.wire import NAME

DIALECT = Dialect(
    NAME,
    client=ClientHalf(
        name=NAME,
        routes=(Route("POST", "/v1/messages"),),
        example=Example(
            "Anthropic Messages",
            {
                "model": "{model}",
                "max_tokens": 1024,
                "messages": [{"role": "user", "content": "{prompt}"}],
                "stream": True,
            },
        ),
        parse_request=parse.parse_request,
        encoder=encode.encoder,
        whole=whole.whole,
        render_error=errors.render_error,
        listing="/v1/models",
        lists=models.lists,
        models=models.models,
        model=models.model,
        counting=count.COUNTING,
    ),
    upstream=UpstreamHalf(
        name=NAME,
        fixed=frozenset({"model", "stream"}),
        build_request=build.build_request,
        relays=frozenset({NAME}),
        relay_request=relay.relay_request,
        decoder=alike(without_options(AnthropicDecoder)),
        parse_error=errors.parse_error,
        count_request=count.count_request,
        count_answer=count.count_answer,
    ),
)

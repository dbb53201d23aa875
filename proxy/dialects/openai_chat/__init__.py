"""OpenAI's chat completions, both halves. Clients: `POST /v1/chat/completions`. Upstreams: OpenAI
and the many that speak like it.
"""

from proxy.codec.alike import alike
from proxy.codec.base import Route
from proxy.codec.example import Example
from proxy.codec.halves import ClientHalf, Dialect, UpstreamHalf
from proxy.codec.openai.errors import parse_error
from proxy.codec.openai.render_error import render_error
from proxy.dialects.openai_chat import build, forms, models, parse, relay
from proxy.dialects.openai_chat.decode import ChatDecoder
from proxy.dialects.openai_chat.wire import NAME

DIALECT = Dialect(
    NAME,
    client=ClientHalf(
        name=NAME,
        routes=(Route("POST", "/v1/chat/completions"),),
        example=Example(
            "OpenAI Chat Completions",
            {
                "model": "{model}",
                "messages": [{"role": "user", "content": "{prompt}"}],
                "stream": True,
                "stream_options": {"include_usage": True},
            },
        ),
        parse_request=parse.parse_request,
        encoder=forms.encoder,
        watching=parse.Options(),
        whole=forms.whole,
        render_error=render_error,
        listing="/v1/models",
        models=models.models,
        model=models.model,
    ),
    upstream=UpstreamHalf(
        name=NAME,
        fixed=frozenset({"model", "stream", "stream_options"}),
        build_request=build.build_request,
        relays=frozenset({NAME}),
        relay_request=relay.relay_request,
        decoder=alike(ChatDecoder),
        parse_error=parse_error,
    ),
)

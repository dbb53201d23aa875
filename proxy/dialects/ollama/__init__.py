"""Ollama's own API, both halves. Clients: `POST /api/chat` and `POST /api/generate`. Upstreams:
either, behind the configured base URL.
"""

from proxy.codec.base import Route
from proxy.codec.example import Example
from proxy.codec.halves import ClientHalf, Dialect, UpstreamHalf, without_options
from proxy.dialects.ollama import build, encode, errors, models, parse, relay, whole
from proxy.dialects.ollama.decode import OllamaDecoder
from proxy.dialects.ollama.wire import NAME

DIALECT = Dialect(
    NAME,
    client=ClientHalf(
        name=NAME,
        routes=(Route("POST", "/api/{form:chat|generate}"),),
        example=Example(
            "Ollama",
            {
                "model": "{model}",
                "messages": [{"role": "user", "content": "{prompt}"}],
                "stream": True,
            },
            path="/api/chat",
        ),
        omits=frozenset({"citation"}),
        parse_request=parse.parse_request,
        encoder=encode.encoder,
        watching=parse.Options(),
        whole=whole.whole,
        render_error=errors.render_error,
        listing="/api/tags",
        models=models.models,
        asides=models.ASIDES,
    ),
    upstream=UpstreamHalf(
        name=NAME,
        fixed=frozenset({"model", "stream"}),
        build_request=build.build_request,
        relays=frozenset({NAME}),
        relay_request=relay.relay_request,
        decoder=without_options(OllamaDecoder),
        parse_error=errors.parse_error,
    ),
)

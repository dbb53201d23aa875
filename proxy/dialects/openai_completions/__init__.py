"""OpenAI's legacy completions, text to text; both halves.

Clients: `POST /v1/completions`. Upstreams: OpenAI, vLLM, llama.cpp and others that have the same
endpoint.
"""

from proxy.codec.alike import alike
from proxy.codec.base import Route
from proxy.codec.example import Example
from proxy.codec.halves import TEXT_ALONE, ClientHalf, Dialect, UpstreamHalf, without_options
from proxy.codec.openai.errors import parse_error
from proxy.codec.openai.render_error import render_error
from proxy.dialects.openai_completions import build, encode, parse
from proxy.dialects.openai_completions.decode import CompletionsDecoder
from proxy.dialects.openai_completions.wire import NAME

DIALECT = Dialect(
    NAME,
    client=ClientHalf(
        name=NAME,
        # The SDKs list the models as those of chat completions do, on the same path.
        routes=(Route("POST", "/v1/completions"),),
        example=Example(
            "OpenAI Completions", {"model": "{model}", "prompt": "{prompt}", "stream": True}
        ),
        omits=TEXT_ALONE,
        parse_request=parse.parse_request,
        encoder=encode.encoder,
        watching=parse.Options(),
        whole=encode.whole,
        render_error=render_error,
    ),
    upstream=UpstreamHalf(
        name=NAME,
        tools=False,
        fixed=frozenset({"model", "stream", "stream_options"}),
        build_request=build.build_request,
        relays=frozenset({NAME}),
        relay_request=build.relay_request,
        decoder=alike(without_options(CompletionsDecoder)),
        parse_error=parse_error,
    ),
)

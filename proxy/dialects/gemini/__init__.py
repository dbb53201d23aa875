"""Google's Gemini API, both halves; Vertex AI is the same behind another path.

Clients: `POST /v1beta/models/{model}:streamGenerateContent`, by `alt=sse` as events, without it as
a JSON array; `:generateContent`; the same without a version, as clients with a base URL of their
own ask; Vertex AI's paths; and Code Assist's (see `code_assist`). Upstreams: see `target`.
"""

from proxy.codec.base import Route
from proxy.codec.example import Example
from proxy.codec.halves import ClientHalf, Dialect, UpstreamHalf, without_options
from proxy.dialects.gemini import (
    build,
    code_assist,
    count,
    encode,
    errors,
    models,
    parse,
    relay,
    whole,
)
from proxy.dialects.gemini.decode import GeminiDecoder
from proxy.dialects.gemini.wire import NAME

_METHOD = "{model:.+}:{method:streamGenerateContent|generateContent}"
_VERTEX = "{version:v1|v1beta1}/{parent:projects/[^/]+/locations/[^/]+}/publishers/google/models"

DIALECT = Dialect(
    NAME,
    client=ClientHalf(
        name=NAME,
        routes=(
            Route("POST", f"/{{version:v1beta|v1alpha|v1}}/models/{_METHOD}"),
            Route("POST", f"/models/{_METHOD}"),
            Route("POST", f"/{_VERTEX}/{_METHOD}"),
            code_assist.ROUTE,
        ),
        example=Example(
            "Gemini",
            {"contents": [{"role": "user", "parts": [{"text": "{prompt}"}]}]},
            path="/v1beta/models/{model}:streamGenerateContent?alt=sse",
        ),
        parse_request=parse.parse_request,
        encoder=encode.encoder,
        watching=parse.Options(),
        whole=whole.whole,
        render_error=errors.render_error,
        listing="/v1beta/models",
        other_listings=("/v1/models",),
        lists=models.lists,
        models=models.models,
        model=models.model,
        asides=code_assist.ASIDES,
        counting=count.COUNTING,
    ),
    upstream=UpstreamHalf(
        name=NAME,
        build_request=build.build_request,
        relays=frozenset({NAME}),
        relay_request=relay.relay_request,
        decoder=without_options(GeminiDecoder),
        parse_error=errors.parse_error,
        count_request=count.count_request,
        count_answer=count.count_answer,
    ),
)

"""The AI SDK's UI message stream, as a client: `POST /v1/ai-sdk` is what `useChat` may name as its
`api`. It is no vendor's dialect.

useChat({ transport: new DefaultChatTransport({ api: "https://proxy/v1/ai-sdk", body: { model:
"fast" } }) })
"""

from proxy.codec.base import ClientHalf, Dialect, Reply, Resuming, Route
from proxy.dialects.ai_sdk import encode, errors, parse, whole
from proxy.dialects.ai_sdk.wire import NAME

DIALECT = Dialect(
    NAME,
    client=ClientHalf(
        name=NAME,
        # It lists no models, as the SDK has no form for that.
        routes=(Route("POST", "/v1/ai-sdk"),),
        parse_request=parse.parse_request,
        encoder=encode.encoder,
        watching=parse.Options(),
        # `chat` is the body's `id`; 204 tells the SDK that there is nothing to resume
        resuming=Resuming(
            Route("GET", "/v1/ai-sdk/{chat:[^/]+}/stream"),
            Route("POST", "/v1/ai-sdk/{chat:[^/]+}/stop"),
            Reply(204, b""),
        ),
        whole=whole.whole,
        render_error=errors.render_error,
    ),
)

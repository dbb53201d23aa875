"""The AI SDK's UI message stream, as a client: `POST /v1/ai-sdk` is what `useChat` may name as its
`api`. It is no vendor's dialect.

useChat({ transport: new DefaultChatTransport({ api: "https://proxy/v1/ai-sdk", body: { model:
"fast" } }) })
"""

from proxy.codec.base import ClientHalf, Dialect, Route
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
        whole=whole.whole,
        render_error=errors.render_error,
    ),
)

"""The AI SDK's UI message stream, as a client: `POST /v1/ai-sdk` is what `useChat` may name as its
`api`. It is no vendor's dialect.

useChat({ transport: new DefaultChatTransport({ api: "https://proxy/v1/ai-sdk", body: { model:
"fast" } }) })

Its `WorkflowChatTransport` says no type of its own for the JSON that it posts:
`prepareSendMessagesRequest: ({ messages }) => ({ headers: { "content-type": "application/json" },
body: { messages, model: "fast" } })`.
"""

from proxy.codec.base import Route
from proxy.codec.example import Example
from proxy.codec.halves import ClientHalf, Dialect
from proxy.codec.resuming import Resuming
from proxy.dialects.ai_sdk import encode, errors, parse, resume, whole
from proxy.dialects.ai_sdk.wire import NAME

DIALECT = Dialect(
    NAME,
    client=ClientHalf(
        name=NAME,
        # It lists no models, as the SDK has no form for that.
        routes=(Route("POST", "/v1/ai-sdk"),),
        example=Example(
            "Vercel AI SDK",
            {
                "id": "playground",
                "model": "{model}",
                "trigger": "submit-message",
                "messages": [
                    {"id": "1", "role": "user", "parts": [{"type": "text", "text": "{prompt}"}]}
                ],
            },
        ),
        parse_request=parse.parse_request,
        encoder=encode.encoder,
        watching=parse.Options(),
        # `chat` is the body's `id`; 204 tells the SDK that there is nothing to resume
        resuming=Resuming(
            Route("GET", "/v1/ai-sdk/{chat:[^/]+}/stream"),
            Route("POST", "/v1/ai-sdk/{chat:[^/]+}/stop"),
            wanted=resume.wanted,
            named="x-workflow-run-id",
            tail="x-workflow-stream-tail-index",
        ),
        whole=whole.whole,
        render_error=errors.render_error,
    ),
)

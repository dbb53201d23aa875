"""AG-UI, the protocol between agents and their pages: `POST /v1/ag-ui` is what CopilotKit's and
TanStack AI's clients may name as their agent. It is no vendor's dialect.

new HttpAgent({ url: "https://proxy/v1/ag-ui?model=fast" })

fetchServerSentEvents("https://proxy/v1/ag-ui", { body: { model: "fast" } })
"""

from proxy.codec.base import Route
from proxy.codec.example import Example
from proxy.codec.halves import ClientHalf, Dialect
from proxy.codec.resuming import Resuming
from proxy.dialects.ag_ui import encode, errors, parse, resume, whole
from proxy.dialects.ag_ui.wire import NAME

DIALECT = Dialect(
    NAME,
    client=ClientHalf(
        name=NAME,
        # It lists no models, as the protocol has no form for that.
        routes=(Route("POST", "/v1/ag-ui"),),
        example=Example(
            "AG-UI",
            {
                "threadId": "playground",
                "runId": "1",
                "state": {},
                "messages": [{"id": "1", "role": "user", "content": "{prompt}"}],
                "tools": [],
                "context": [],
                "forwardedProps": {"model": "{model}"},
            },
        ),
        parse_request=parse.parse_request,
        encoder=encode.encoder,
        watching=parse.Options(),
        resuming=Resuming(
            follow=Route("GET", "/v1/ag-ui"),
            wanted=resume.wanted,
            again=True,
        ),
        whole=whole.whole,
        render_error=errors.render_error,
    ),
)

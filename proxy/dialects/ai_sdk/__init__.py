"""The AI SDK's UI message stream, as a client: `POST /v1/ai-sdk` is what `useChat` may name as its
`api`. It is no vendor's dialect.

useChat({ transport: new DefaultChatTransport({ api: "https://proxy/v1/ai-sdk", body: { model:
"fast" } }) })
"""

from proxy.codec.base import ClientHalf, Dialect, Encoder, Incoming, Parsed, Reply, Route
from proxy.codec.fold import WholeAnswer
from proxy.dialects.ai_sdk.encode import UIMessageEncoder
from proxy.dialects.ai_sdk.parse import Options, parse_request
from proxy.dialects.ai_sdk.whole import whole
from proxy.errors import Failure

NAME = "ai_sdk"


class Client(ClientHalf):
    """What the SDK's chat transport sees. It lists no models and knows no other form than the
    stream.
    """

    name = NAME
    routes = (Route("POST", "/v1/ai-sdk"),)

    def parse_request(self, incoming: Incoming) -> Parsed:
        return parse_request(incoming)

    def encoder(self, parsed: Parsed) -> Encoder:
        options = _options(parsed)
        return UIMessageEncoder(options.message_id, strict=options.strict)

    def whole(self, parsed: Parsed, answer: WholeAnswer) -> Reply:
        return whole(answer, _options(parsed).message_id)

    def render_error(self, failure: Failure) -> Reply:
        """A sentence: the transport throws an Error whose message is the body, and pages show
        that.
        """
        return Reply(
            failure.status, failure.message.encode(), content_type="text/plain; charset=utf-8"
        )


def _options(parsed: Parsed) -> Options:
    return parsed.options if isinstance(parsed.options, Options) else Options()


DIALECT = Dialect(NAME, client=Client())

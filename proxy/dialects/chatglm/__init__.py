"""The founding post's ChatGLM report server: JSON objects back to back, each holding the whole
answer so far, under an SSE content type.

The same model's OpenAI-like server is the dialect `openai_chat`, not this one.
"""

from proxy.codec.base import Route
from proxy.codec.example import Example
from proxy.codec.failures import framework_failure
from proxy.codec.halves import TEXT_ALONE, ClientHalf, Dialect, UpstreamHalf, without_options
from proxy.dialects.chatglm import build, encode, parse
from proxy.dialects.chatglm.decode import ChatGLMDecoder
from proxy.dialects.chatglm.wire import NAME, REPORT_PATH

DIALECT = Dialect(
    NAME,
    client=ClientHalf(
        name=NAME,
        routes=(Route("POST", REPORT_PATH),),
        example=Example(
            "ChatGLM reports",
            {"query": "{prompt}", "history": [], "data": []},
            path="/data?model={model}",
            chinese="ChatGLM 报告",
        ),
        rewrites=True,
        omits=TEXT_ALONE,
        parse_request=parse.parse_request,
        encoder=encode.encoder,
        watching=parse.Options(),
        whole=encode.whole,
        render_error=encode.render_error,
        claims=parse.claims,
    ),
    upstream=UpstreamHalf(
        name=NAME,
        tools=False,
        rewrites=True,
        build_request=build.build_request,
        relays=frozenset({NAME}),
        relay_request=build.relay_request,
        decoder=without_options(ChatGLMDecoder),
        parse_error=framework_failure,
    ),
)

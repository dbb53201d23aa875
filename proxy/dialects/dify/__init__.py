"""Dify's app API: `POST /v1/chat-messages` for chat, agent and chatflow apps; upstream also
completion and workflow apps.

An app of Dify is a prompt, a model and its tools, chosen by the key. It keeps the conversation
itself and takes one message at a time.
"""

from proxy.codec.base import Reply, Route
from proxy.codec.example import Example
from proxy.codec.halves import ClientHalf, Dialect, UpstreamHalf, without_options
from proxy.codec.resuming import Resuming
from proxy.dialects.dify import build, encode, errors, parse, whole
from proxy.dialects.dify.decode import DifyDecoder
from proxy.dialects.dify.wire import NAME

DIALECT = Dialect(
    NAME,
    client=ClientHalf(
        name=NAME,
        routes=(Route("POST", "/v1/chat-messages"),),
        example=Example(
            "Dify",
            {"query": "{prompt}", "inputs": {}, "response_mode": "streaming", "user": "playground"},
            path="/v1/chat-messages?model={model}",
        ),
        rewrites=True,
        omits=frozenset({"tool_call", "image"}),
        parse_request=parse.parse_request,
        encoder=encode.encoder,
        # `chat` is the answer's task_id, which is the stream's id
        resuming=Resuming(
            None,
            Route("POST", "/v1/chat-messages/{chat:[^/]+}/stop"),
            Reply(200, b'{"result":"success"}'),
        ),
        whole=whole.whole,
        render_error=errors.render_error,
    ),
    upstream=UpstreamHalf(
        name=NAME,
        tools=False,
        rewrites=True,
        fixed=frozenset({"response_mode", "user"}),
        build_request=build.build_request,
        relays=frozenset({NAME}),
        relay_request=build.relay_request,
        decoder=without_options(DifyDecoder),
        parse_error=errors.parse_error,
    ),
)

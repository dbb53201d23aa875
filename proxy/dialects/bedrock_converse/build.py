"""A `ChatRequest` to a ConverseStream request. For the upstream's options see
`proxy/codec/bedrock/call.py`.

A client's `vendor` object may hold whatever else Converse knows (guardrailConfig, serviceTier,
...); its additionalModelRequestFields, the model's own, are put over ours one by one.
"""

from proxy.codec.base import Outgoing, TargetConfig
from proxy.codec.bedrock.body import converse_body
from proxy.codec.bedrock.call import Options, called, model_of, model_path
from proxy.codec.chat_turns import options_of
from proxy.events import Note
from proxy.request import ChatRequest


def build_request(request: ChatRequest, target: TargetConfig) -> Outgoing:
    """See `UpstreamHalf.build_request`."""
    notes: list[Note] = []
    model = model_of(request, target)
    body = converse_body(request, model, target, notes)
    return called(
        model_path(model, "converse-stream"),
        body,
        target.api_key,
        options_of(target, Options),
        notes,
    )

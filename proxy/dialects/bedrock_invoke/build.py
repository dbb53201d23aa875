"""A `ChatRequest` to InvokeModelWithResponseStream: the body is in the form that the model itself
takes.

Options of the upstream: those of `proxy/codec/bedrock/call.py`, and `inner`, the form, where the
model's id does not tell it (the ARN of an inference profile): anthropic, openai_chat, nova, llama,
mistral, titan, cohere or cohere_chat. Forms that are dialects take their own options too (see the
build of each). Guardrails are headers here, which the upstream's `headers` may hold.
"""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from proxy.codec.base import Outgoing, TargetConfig
from proxy.codec.bedrock.body import EXTRA, converse_body
from proxy.codec.bedrock.call import Options, called, model_of, model_path
from proxy.codec.chat_turns import drop, options_of
from proxy.codec.halves import UpstreamHalf
from proxy.dialects.bedrock_invoke.forms import FORMS
from proxy.errors import Refused, failure
from proxy.events import Note
from proxy.request import ChatRequest, Original

_Inner = Literal[
    "anthropic", "openai_chat", "nova", "llama", "mistral", "titan", "cohere", "cohere_chat"
]
# By the beginning of a model's id, which may stand behind a region (`eu.`) or in an ARN.
_BY_MODEL: tuple[tuple[str, _Inner], ...] = (
    ("anthropic.", "anthropic"),
    ("amazon.nova", "nova"),
    ("amazon.titan-text", "titan"),
    ("amazon.titan-tg1", "titan"),
    ("meta.llama", "llama"),
    ("cohere.command-r", "cohere_chat"),
    ("cohere.command", "cohere"),
    ("mistral.mistral-7b", "mistral"),
    ("mistral.mixtral", "mistral"),
    ("openai.gpt-oss", "openai_chat"),
    ("qwen.", "openai_chat"),
)
# What other dialects say in the body, and this service in the path.
_SAID_BY_PATH = ("model", "stream", "stream_options")
_ANTHROPIC_VERSION = "bedrock-2023-05-31"
# Keys of Anthropic's own service, which refuses a body here. Its service tier is a header of AWS's.
_ANTHROPICS_KEYS = (
    "service_tier",
    "container",
    "mcp_servers",
    "inference_geo",
    "speed",
    "fallbacks",
)


class _Options(Options, frozen=True, forbid_unknown_fields=True):
    inner: _Inner | None = None


_OWN = frozenset(_Options.__struct_fields__)
_OPERATION = "invoke-with-response-stream"


def build_request(
    request: ChatRequest, target: TargetConfig, carried: Mapping[str, UpstreamHalf]
) -> Outgoing:
    """See `UpstreamHalf.build_request`. `carried` are the dialects that may be wrapped, by name."""
    model = model_of(request, target)
    options, inner, wrapped = _told(target, model)
    notes: list[Note] = []
    if inner in carried:
        body = _carried(carried[inner].build_request(request, wrapped), notes)
    else:
        options = options_of(target, _Options)  # nobody else's are left
        body = (
            _nova(request, model, target, notes)
            if inner == "nova"
            else FORMS[inner](request, notes) | request.vendor
        )
    return called(model_path(model, _OPERATION), body, target.api_key, options, notes)


def relay_request(
    request: ChatRequest,
    original: Original,
    target: TargetConfig,
    carried: Mapping[str, UpstreamHalf],
) -> Outgoing | None:
    """See `UpstreamHalf.relay_request`. None where the model takes another form than the client's
    dialect.
    """
    model = model_of(request, target)
    options, inner, wrapped = _told(target, model)
    half = carried.get(inner)
    if half is None or half.relay_request is None or inner != original.dialect:
        return None
    call = half.relay_request(request, original, wrapped)
    if call is None:
        return None
    notes: list[Note] = []
    body = _carried(call, notes)
    path = model_path(model, _OPERATION)
    sent = called(path, body, target.api_key, options, notes)
    return sent._replace(tool_names=call.tool_names)


def _told(target: TargetConfig, model: str) -> tuple[_Options, _Inner, TargetConfig]:
    """Our options, the form that the model takes, and the target as a dialect is told of it that
    makes this form.
    """
    others = {key: value for key, value in target.options.items() if key not in _OWN}
    own = {key: value for key, value in target.options.items() if key in _OWN}
    options = options_of(target._replace(options=own), _Options)
    wrapped = target._replace(api_key=None, options=others)
    return options, options.inner or _inner_of(model), wrapped


def _inner_of(model: str) -> _Inner:
    for name, inner in _BY_MODEL:
        if name in model:
            return inner
    said = (
        "The form that this model takes is not known: set options.inner of its upstream, or use "
        "the dialect bedrock_converse."
    )
    raise Refused(failure("model_not_found", said, param="model"))


def _carried(call: Outgoing, notes: list[Note]) -> dict[str, Any]:
    """Another dialect's body, without what the path says. Anthropic's version and beta, headers
    elsewhere, stand in the body.
    """
    notes += call.notes
    body: dict[str, Any] = {
        key: value
        for key, value in msgspec.json.decode(call.body).items()
        if key not in _SAID_BY_PATH
    }
    if "anthropic-version" in call.headers:
        for key in _ANTHROPICS_KEYS:
            if body.pop(key, None) is not None:
                notes.append(Note("dropped", key, f"Bedrock's Claude models take no {key}."))
        body.pop("anthropic_version", None)  # a client's own
        body = {"anthropic_version": _ANTHROPIC_VERSION} | body
        if "anthropic-beta" in call.headers:
            body["anthropic_beta"] = call.headers["anthropic-beta"].split(",")
    return body


def _nova(
    request: ChatRequest, model: str, target: TargetConfig, notes: list[Note]
) -> dict[str, Any]:
    """Nova's own form is that of Converse, with the model's own fields beside the rest."""
    body = converse_body(request, model, target, notes)
    if body.pop("outputConfig", None):
        drop(
            notes, "response_format", "Nova takes no format in its own form: say it in the prompt."
        )
    if body.pop("requestMetadata", None):
        drop(notes, "metadata", "Nova takes no metadata in its own form.")
    own: dict[str, Any] = body.pop(EXTRA, {})
    return {"schemaVersion": "messages-v1"} | body | own

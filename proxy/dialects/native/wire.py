"""The shapes of the native schema that are not events: the request body, the whole answer, an
error's body. All are in the JSON Schema.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from proxy.errors import Failure
from proxy.events import BlockKind, Citation, Finish, Image, Note, Timing, Tool, Usage, Vendor
from proxy.request import Message, OnLoss, Reasoning, TextPart, ToolChoice, ToolSpec

NAME = "native"
# Keys of a request that have the same name and meaning in a ChatRequest, and that only some vendors
# know.
SETTINGS = (
    "top_k",
    "min_p",
    "frequency_penalty",
    "presence_penalty",
    "repetition_penalty",
    "logit_bias",
    "logprobs",
    "top_logprobs",
    "verbosity",
    "service_tier",
    "store",
    "cache_key",
    "safety_identifier",
)
Tokens = Annotated[int, Meta(ge=1)]


class StreamRequest(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The body of `POST /v1/stream`. Null is the same as leaving a key out.

    Give `messages` or, for a single turn, `prompt`. `vendor` is merged last into the request that
    goes to the upstream. `on_loss` says what to do with a parameter that the upstream cannot say:
    `note` it in stream.start, or `refuse` the request.

    `system` may be a list of texts, for the sake of their cache marks. `cache_key` names what
    shares the vendor's prompt cache; `verbosity` and `service_tier` are in the vendor's words.
    """

    model: Annotated[str, Meta(min_length=1)]
    messages: list[Message] | None = None
    prompt: str | None = None
    system: str | list[TextPart] | None = None
    max_tokens: Tokens | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    stop: str | list[str] | None = None
    seed: int | None = None
    tools: list[ToolSpec] | None = None
    tool_choice: ToolChoice | Literal["auto", "none", "required"] | None = None
    response_format: dict[str, Any] | None = None
    reasoning: Reasoning | None = None
    user: str | None = None
    metadata: dict[str, Any] | None = None
    vendor: dict[str, Any] | None = None
    stream: bool | None = None
    on_loss: OnLoss | None = None
    top_k: int | None = None
    min_p: float | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    repetition_penalty: float | None = None
    logit_bias: dict[str, float] | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    verbosity: str | None = None
    service_tier: str | None = None
    store: bool | None = None
    cache_key: str | None = None
    safety_identifier: str | None = None


class ToolCall(msgspec.Struct):
    """A tool call, whole. `arguments` is JSON text; "" stands for {}. `custom`: see Tool."""

    id: str
    name: str
    arguments: str
    custom: bool | UnsetType = UNSET


class WholeBlock(msgspec.Struct):
    """One piece of the answer, whole. `text` holds its text, reasoning or arguments; `choice` only
    where there are several answers. `signature`, `format`, `redacted` and `id` are those of
    BlockEnd, `refusal` that of BlockStart.
    """

    kind: BlockKind
    text: str
    tool: Tool | UnsetType = UNSET
    signature: str | UnsetType = UNSET
    citations: list[Citation] | UnsetType = UNSET
    choice: int | UnsetType = UNSET
    refusal: bool | UnsetType = UNSET
    format: str | UnsetType = UNSET
    redacted: bool | UnsetType = UNSET
    id: str | UnsetType = UNSET


class Whole(msgspec.Struct):
    """The answer to `stream: false`: the events of a stream, folded.

    `text`, `reasoning` and `tool_calls` are those of the first choice; `blocks` has everything, in
    order.
    """

    stream: str
    model: str
    upstream: str
    upstream_model: str
    created: int
    notes: list[Note]
    text: str
    reasoning: str
    tool_calls: list[ToolCall]
    blocks: list[WholeBlock]
    images: list[Image]
    vendor: list[Vendor]
    finish: Finish
    usage: Usage
    timing: Timing | None


class Problem(msgspec.Struct):
    """The body of every answer whose HTTP status is 400 or more."""

    error: Failure

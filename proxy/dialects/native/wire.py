"""The shapes of the native schema that are not events: the request body, the whole answer, an
error's body. All are in the JSON Schema.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from proxy.errors import Failure
from proxy.events import BlockKind, Citation, Finish, Note, Timing, Tool, Usage, Vendor
from proxy.request import Message, OnLoss, Reasoning, ToolChoice, ToolSpec

NAME = "native"
Tokens = Annotated[int, Meta(ge=1)]


class StreamRequest(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The body of `POST /v1/stream`. Null is the same as leaving a key out.

    Give `messages` or, for a single turn, `prompt`. `vendor` is merged last into the request that
    goes to the upstream. `on_loss` says what to do with a parameter that the upstream cannot say:
    `note` it in stream.start, or `refuse` the request.
    """

    model: Annotated[str, Meta(min_length=1)]
    messages: list[Message] | None = None
    prompt: str | None = None
    system: str | None = None
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


class ToolCall(msgspec.Struct):
    """A tool call, whole. `arguments` is JSON text; "" stands for {}."""

    id: str
    name: str
    arguments: str


class WholeBlock(msgspec.Struct):
    """One piece of the answer, whole. `text` holds its text, reasoning or arguments; `choice` only
    where there are several answers.
    """

    kind: BlockKind
    text: str
    tool: Tool | UnsetType = UNSET
    signature: str | UnsetType = UNSET
    citations: list[Citation] | UnsetType = UNSET
    choice: int | UnsetType = UNSET


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
    vendor: list[Vendor]
    finish: Finish
    usage: Usage
    timing: Timing | None


class Problem(msgspec.Struct):
    """The body of every answer whose HTTP status is 400 or more."""

    error: Failure

"""What a client asks, in one form: every client dialect parses into it, every upstream dialect
builds from it.

The structs are frozen data with no behaviour but small look-ups. They are also the native request
body's types (see `proxy/dialects/native`), so their field names are the contract's.
"""

from typing import Any, Literal

import msgspec

Role = Literal["system", "user", "assistant", "tool"]
Effort = Literal["none", "minimal", "low", "medium", "high"]
OnLoss = Literal["note", "refuse"]


class TextPart(msgspec.Struct, frozen=True, tag="text", forbid_unknown_fields=True):
    """Plain text."""

    text: str


class ImagePart(msgspec.Struct, frozen=True, tag="image_url", forbid_unknown_fields=True):
    """An image: `url` is http(s), or a data: URL that holds it in base64."""

    url: str


class ToolCallPart(msgspec.Struct, frozen=True, tag="tool_call", forbid_unknown_fields=True):
    """A call that the assistant made in an earlier turn. `arguments` is JSON text."""

    id: str
    name: str
    arguments: str = ""


class ToolResultPart(msgspec.Struct, frozen=True, tag="tool_result", forbid_unknown_fields=True):
    """The answer to a tool call."""

    id: str
    content: str
    is_error: bool = False


class ReasoningPart(msgspec.Struct, frozen=True, tag="reasoning", forbid_unknown_fields=True):
    """Reasoning of an earlier turn, with the signature that its vendor wants to see again."""

    text: str
    signature: str | None = None


Part = TextPart | ImagePart | ToolCallPart | ToolResultPart | ReasoningPart


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One turn. A plain string as content is the same as one text part."""

    role: Role
    content: str | list[Part]

    @property
    def parts(self) -> list[Part]:
        return [TextPart(self.content)] if isinstance(self.content, str) else self.content

    @property
    def text(self) -> str:
        """All text parts joined."""
        if isinstance(self.content, str):
            return self.content
        return "".join(part.text for part in self.content if isinstance(part, TextPart))


class ToolSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tool that the model may call. `parameters` is a JSON Schema."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class ToolChoice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which tool must be called. `name` with mode `tool`. `parallel` false: at most one call."""

    mode: Literal["auto", "none", "required", "tool"] = "auto"
    name: str | None = None
    parallel: bool | None = None


class Reasoning(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much to think: by effort or by a budget in tokens."""

    effort: Effort | None = None
    max_tokens: int | None = None


class ChatRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One request, in no vendor's form.

    `system` holds what stands before the first turn; a system message later in the talk stays a
    message. `vendor` is merged last into the body that goes upstream. `n` (several answers) exists
    for clients whose dialect has it; the native one has not.
    """

    model: str
    messages: list[Message]
    system: str | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    stop: list[str] = []
    seed: int | None = None
    tools: list[ToolSpec] = []
    tool_choice: ToolChoice | None = None
    response_format: dict[str, Any] | None = None
    reasoning: Reasoning | None = None
    user: str | None = None
    metadata: dict[str, Any] = {}
    vendor: dict[str, Any] = {}
    stream: bool = True
    on_loss: OnLoss = "note"
    n: int | None = None

    @property
    def last_user_text(self) -> str:
        """The newest user turn's text: all that a vendor with a single prompt field can be told."""
        return next((m.text for m in reversed(self.messages) if m.role == "user"), "")

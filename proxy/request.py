"""What a client asks, in one form: every client dialect parses into it, every upstream dialect
builds from it.

The structs are frozen data with no behaviour but small look-ups. They are also the native request
body's types (see `proxy/dialects/native`), so their field names are the contract's.
"""

from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import Any, Literal

import msgspec

Role = Literal["system", "user", "assistant", "tool"]
Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
OnLoss = Literal["note", "refuse"]


class Cache(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A mark for the vendor's prompt cache: what stands up to here, this included, is kept. `ttl`
    is how long, in the vendor's words (`5m`, `1h`); null is its default.
    """

    ttl: str | None = None


class TextPart(msgspec.Struct, frozen=True, tag="text", forbid_unknown_fields=True):
    """Plain text."""

    text: str
    cache: Cache | None = None


class ImagePart(msgspec.Struct, frozen=True, tag="image_url", forbid_unknown_fields=True):
    """An image: `url` is http(s), or a data: URL that holds it in base64. `detail` is how closely
    to look, in OpenAI's words: `low`, `high`, `auto`.
    """

    url: str
    detail: str | None = None
    cache: Cache | None = None


class DocumentPart(msgspec.Struct, frozen=True, tag="document", forbid_unknown_fields=True):
    """A document, a PDF or a text: `url` is http(s), or a data: URL that holds it in base64.
    `citations`: whether the answer shall say which passages it used.
    """

    url: str
    title: str | None = None
    citations: bool | None = None
    cache: Cache | None = None


class AudioPart(msgspec.Struct, frozen=True, tag="audio", forbid_unknown_fields=True):
    """Speech or sound: `url` is a data: URL that holds it in base64 (`data:audio/wav;base64,`)."""

    url: str


ResultPart = TextPart | ImagePart | DocumentPart | AudioPart


class ToolCallPart(msgspec.Struct, frozen=True, tag="tool_call", forbid_unknown_fields=True):
    """A call that the assistant made in an earlier turn. `arguments` is JSON text; of a `custom`
    tool, which takes free text, it is `{"input": "<the text>"}`. `signature` is what its vendor
    wants to see again, `format` whose it is (see ReasoningPart).
    """

    id: str
    name: str
    arguments: str = ""
    custom: bool = False
    signature: str | None = None
    format: str | None = None
    cache: Cache | None = None


class ToolResultPart(msgspec.Struct, frozen=True, tag="tool_result", forbid_unknown_fields=True):
    """The answer to a tool call: a text, or parts where it holds more."""

    id: str
    content: str | list[ResultPart]
    is_error: bool = False
    cache: Cache | None = None

    @property
    def parts(self) -> list[ResultPart]:
        return [TextPart(self.content)] if isinstance(self.content, str) else self.content

    @property
    def text(self) -> str:
        """All text parts, one a line."""
        if isinstance(self.content, str):
            return self.content
        return "\n".join(part.text for part in self.content if isinstance(part, TextPart))

    @property
    def media(self) -> list[ResultPart]:
        """What is no text."""
        return [part for part in self.parts if not isinstance(part, TextPart)]


class ReasoningPart(msgspec.Struct, frozen=True, tag="reasoning", forbid_unknown_fields=True):
    """Reasoning of an earlier turn, with what its vendor wants to see again.

    `signature` proves the text; with `redacted` it is the whole reasoning, encrypted, and there is
    no text. `format` says whose it is (`proxy/codec/proofs.py` has the words); null: not known, and
    then it goes to whoever is asked. `id` is the vendor's name of the piece, where it has one.
    """

    text: str
    signature: str | None = None
    redacted: bool = False
    format: str | None = None
    id: str | None = None


Part = (
    TextPart | ImagePart | DocumentPart | AudioPart | ToolCallPart | ToolResultPart | ReasoningPart
)


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


_content_of = attrgetter("content")


def only_texts(messages: Iterable[Message]) -> bool:
    """Whether each turn is a plain text, as in most requests: there are no parts to look at."""
    return {str}.issuperset(map(type, map(_content_of, messages)))


class ToolSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tool that the model may call. `parameters` is a JSON Schema.

    `custom`: the tool takes free text instead of JSON arguments, in this format: `{}` for any text,
    or OpenAI's `{"type": "grammar", "syntax", "definition"}`.
    """

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None
    custom: dict[str, Any] | None = None
    cache: Cache | None = None


class ToolChoice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which tool must be called. `name` with mode `tool`. `parallel` false: at most one call."""

    mode: Literal["auto", "none", "required", "tool"] = "auto"
    name: str | None = None
    parallel: bool | None = None


class Reasoning(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much to think: by effort or by a budget in tokens. `adaptive`: the model decides, within
    the effort. `summary`: how what was thought is shown, in OpenAI's words (`auto`, `concise`,
    `detailed`).
    """

    effort: Effort | None = None
    max_tokens: int | None = None
    adaptive: bool | None = None
    summary: str | None = None


class Original(msgspec.Struct, frozen=True):
    """The request as the client wrote it, for an upstream of the same dialect: nothing of it is
    lost there. `body` has its keys in the client's order. `headers` are those that belong to the
    dialect, such as anthropic-beta: names in lower case, chosen by its parser. `at` has other
    bodies for upstreams, by their configured name, that keep the beginning of the conversation
    themselves.
    """

    dialect: str
    body: Mapping[str, Any]
    headers: Mapping[str, str] = {}
    at: Mapping[str, Mapping[str, Any]] = {}


class OnlyRelayed(msgspec.Struct, frozen=True):
    """Why only an upstream of the client's dialect, which gets the request as it is, can answer it:
    the field at fault, and a sentence without its end that says what to do instead.
    """

    param: str
    message: str


class ChatRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One request, in no vendor's form.

    `system` holds what stands before the first turn; a system message later in the talk stays a
    message. `system_parts`, where there are any, are the same text in pieces, for the sake of their
    cache marks. `vendor` is merged last into the body that goes upstream. `n` (several answers)
    exists for clients whose dialect has it; the native one has not.

    `original` is the client's own request; whoever changes another field of the request must set it
    to None, or an upstream of the same dialect does not see the change. With `only_relayed` no
    other upstream is asked.
    """

    model: str
    messages: list[Message]
    original: Original | None = None
    only_relayed: OnlyRelayed | None = None
    system: str | None = None
    system_parts: list[TextPart] = []
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
    # What the client says to vendors of one dialect alone, in the form of their requests, by the
    # dialect's name; an upstream of another one notes it.
    own: dict[str, dict[str, Any]] = {}
    # What some vendors know and others do not; null is unsaid.
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
    cache_key: str | None = None  # what shares the vendor's prompt cache
    safety_identifier: str | None = None

    @property
    def last_user_text(self) -> str:
        """The newest user turn's text: all that a vendor with a single prompt field can be told."""
        return next((m.text for m in reversed(self.messages) if m.role == "user"), "")

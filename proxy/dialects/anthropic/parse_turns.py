"""The turns of a Messages request to ours, block by block.

One turn of this dialect may hold several of ours: a user turn may mix tool results, which are turns
of their own here, with new text. Blocks that cannot be carried are dropped with a note; blocks with
a missing or wrong field are refused, the field named.
"""

from typing import Any, Literal

import msgspec

from proxy.codec.json_body import fitted
from proxy.errors import bad_request
from proxy.events import Note
from proxy.request import (
    ImagePart,
    Message,
    Part,
    ReasoningPart,
    Role,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)

CACHE_NOTE = Note(
    "dropped",
    "cache_control",
    (
        "Marks for Anthropic's prompt cache are left out: other vendors cache by themselves or "
        "not at all."
    ),
)
_REDACTED = Note(
    "dropped", "redacted_thinking", "Reasoning that Anthropic redacted can be read by nobody else."
)
_SERVER_TOOLS = Note(
    "dropped", "server_tools", "What Anthropic's own tools did in earlier turns is left out."
)
_DOCUMENT = Note("dropped", "document", "A document that is not plain text cannot be carried.")
_PLAIN_DOCUMENT = Note("changed", "document", "A plain-text document is sent as text.")
_RESULT_CONTENT = Note(
    "dropped", "tool_result.content", "Of a tool's result only the text is carried."
)
_CITATIONS = Note("dropped", "citations", "Citations of earlier turns are left out.")
_UNKNOWN = Note(
    "dropped", "unknown_block", "A content block of a kind that is not known was left out."
)


class _Text(msgspec.Struct):
    text: str


class _Source(msgspec.Struct):
    type: Literal["base64", "url", "text", "content", "file"]
    media_type: str | None = None
    data: str | None = None
    url: str | None = None


class _Sourced(msgspec.Struct):
    source: _Source
    title: str | None = None


class _ToolUse(msgspec.Struct):
    id: str
    name: str
    input: dict[str, Any]


class _ToolResult(msgspec.Struct):
    tool_use_id: str
    content: str | list[dict[str, Any]] | None = None
    is_error: bool | None = None


class _Thinking(msgspec.Struct):
    thinking: str
    signature: str | None = None


class Turns:
    """Turns of one request. Appends to `notes`, each loss once."""

    def __init__(self, notes: list[Note]) -> None:
        self._notes = notes

    def note(self, note: Note) -> None:
        if note not in self._notes:
            self._notes.append(note)

    def text(self, content: str | list[dict[str, Any]] | None, at: str) -> str | None:
        """The text of a system prompt. `at` names its place for refusals."""
        if content is None or isinstance(content, str):
            return content
        parts = [self._part(block, f"{at}[{number}]") for number, block in enumerate(content)]
        texts = [part.text for part in parts if isinstance(part, TextPart)]
        return "\n\n".join(texts) if texts else None

    def messages(
        self,
        role: Literal["user", "assistant", "system"],
        content: str | list[dict[str, Any]],
        at: str,
    ) -> list[Message]:
        """One turn as turns of ours: runs of tool results become `tool` turns."""
        if isinstance(content, str):
            return [Message(role, content)]
        if role == "system":
            return [Message(role, self.text(content, f"{at}.content") or "")]
        turns: list[tuple[Role, list[Part]]] = []
        for number, block in enumerate(content):
            part = self._part(block, f"{at}.content[{number}]")
            if part is None:
                continue
            owner: Role = "tool" if isinstance(part, ToolResultPart) else role
            if not turns or turns[-1][0] != owner:
                turns.append((owner, []))
            turns[-1][1].append(part)
        return [Message(owner, parts) for owner, parts in turns]

    def _part(self, block: dict[str, Any], at: str) -> Part | None:
        kind = block.get("type")
        if not isinstance(kind, str):
            raise bad_request(
                f"{at}.type is required: it says what kind of block this is.", param=f"{at}.type"
            )
        if block.get("cache_control") is not None:
            self.note(CACHE_NOTE)
        match kind:
            case "text":
                if block.get("citations"):
                    self.note(_CITATIONS)
                return TextPart(fitted(block, _Text, at).text)
            case "image":
                return _image(fitted(block, _Sourced, at).source, f"{at}.source")
            case "document":
                return self._document(fitted(block, _Sourced, at))
            case "tool_use":
                call = fitted(block, _ToolUse, at)
                return ToolCallPart(call.id, call.name, msgspec.json.encode(call.input).decode())
            case "tool_result":
                result = fitted(block, _ToolResult, at)
                return ToolResultPart(
                    result.tool_use_id,
                    self._result(result.content, f"{at}.content"),
                    bool(result.is_error),
                )
            case "thinking":
                thinking = fitted(block, _Thinking, at)
                return ReasoningPart(thinking.thinking, thinking.signature or None)
            case "redacted_thinking":
                self.note(_REDACTED)
            case _:
                self.note(
                    _SERVER_TOOLS if kind.endswith(("_tool_use", "_tool_result")) else _UNKNOWN
                )
        return None

    def _document(self, block: _Sourced) -> Part | None:
        if block.source.type != "text" or block.source.data is None:
            self.note(_DOCUMENT)
            return None
        self.note(_PLAIN_DOCUMENT)
        return TextPart(
            f"{block.title}\n\n{block.source.data}" if block.title else block.source.data
        )

    def _result(self, content: str | list[dict[str, Any]] | None, at: str) -> str:
        if content is None or isinstance(content, str):
            return content or ""
        texts = [
            fitted(block, _Text, f"{at}[{number}]").text
            for number, block in enumerate(content)
            if block.get("type") == "text"
        ]
        if len(texts) < len(content):
            self.note(_RESULT_CONTENT)
        return "\n".join(texts)


def _image(source: _Source, at: str) -> ImagePart:
    if source.type == "url" and source.url:
        return ImagePart(source.url)
    if source.type == "base64" and source.data and source.media_type:
        return ImagePart(f"data:{source.media_type};base64,{source.data}")
    raise bad_request(
        f"{at} must be of type base64, with media_type and data, or of type url, with url.",
        param=at,
    )

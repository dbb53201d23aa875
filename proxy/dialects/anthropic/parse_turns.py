"""The turns of a Messages request to ours, block by block.

One turn of this dialect may hold several of ours: a user turn may mix tool results, which are turns
of their own here, with new text. Blocks that cannot be carried are dropped with a note; blocks with
a missing or wrong field are refused, the field named.

Proofs of other vendors, which answers bring to the client in `signature` and `data` (see `carriers`
and proxy/codec/proofs.py), are read back with their maker's word.
"""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from proxy.codec import proofs
from proxy.codec.json_body import fitted
from proxy.codec.note_once import note_once
from proxy.codec.proofs import ANTHROPIC, Proof
from proxy.codec.shared_notes import UNKNOWN_KEY
from proxy.dialects.anthropic.parse_media import (
    Sourced,
    document_parts,
    image_part,
    search_result,
)
from proxy.errors import bad_request
from proxy.events import Note
from proxy.request import (
    Cache,
    Message,
    Part,
    ReasoningPart,
    ResultPart,
    Role,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)

NO_CACHE = Note(
    "dropped", "cache_control", "A mark for the prompt cache cannot be said in this place."
)
_SERVER_TOOLS = Note(
    "dropped", "server_tools", "What Anthropic's own tools did in earlier turns is left out."
)
_SOURCE = Note("dropped", "source", "A file at Anthropic cannot be shown to another vendor.")
_RESULT_CONTENT = Note(
    "dropped",
    "tool_result.content",
    "Of a tool's result only text, images and documents are carried.",
)
_CITATIONS = Note("dropped", "citations", "Citations of earlier turns are left out.")
_CONTEXT = Note("dropped", "document.context", "What is said about a document is left out.")
_CALLER = Note("dropped", "tool_use.caller", "Who called a tool in an earlier turn is left out.")
_UNKNOWN = Note(
    "dropped", "unknown_block", "A content block of a kind that is not known was left out."
)
# By kind of block, the keys that are carried, or noted on their own; those of other kinds are noted
# as a whole.
_OF_KIND = {
    "text": ("text", "citations"),
    "image": ("source",),
    "document": ("source", "title", "context", "citations"),
    "search_result": ("source", "title", "content", "citations"),
    "tool_use": ("id", "name", "input", "caller"),
    "tool_result": ("tool_use_id", "content", "is_error"),
    "thinking": ("thinking", "signature"),
    "redacted_thinking": ("data",),
}
_KEYS = {kind: frozenset({"type", "cache_control", *keys}) for kind, keys in _OF_KIND.items()}


class _Text(msgspec.Struct):
    text: str


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


class _Redacted(msgspec.Struct):
    data: str


class Turns:
    """Turns of one request. Appends to `notes`, each loss once."""

    def __init__(self, notes: list[Note]) -> None:
        self._notes = notes
        self._call_proofs: dict[str, Proof] = {}  # of the turn that is read

    def note(self, note: Note) -> None:
        note_once(self._notes, note)

    def system(self, content: str | list[dict[str, Any]] | None, at: str) -> list[TextPart]:
        """The texts of a system prompt. `at` names its place for refusals."""
        if content is None or isinstance(content, str):
            return [TextPart(content)] if content else []
        parts: list[TextPart] = []
        for number, block in enumerate(content):
            for part in self._parts(block, f"{at}[{number}]"):
                if isinstance(part, TextPart):
                    parts.append(part)
                else:
                    self.note(_UNKNOWN)
        return parts

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
            return [Message(role, [*self.system(content, f"{at}.content")])]
        self._call_proofs = {}
        turns: list[tuple[Role, list[Part]]] = []
        for number, block in enumerate(content):
            for part in self._parts(block, f"{at}.content[{number}]"):
                owner: Role = "tool" if isinstance(part, ToolResultPart) else role
                if not turns or turns[-1][0] != owner:
                    turns.append((owner, []))
                turns[-1][1].append(part)
        return [
            Message(owner, [self._proved(part) for part in parts] if self._call_proofs else parts)
            for owner, parts in turns
        ]

    def _proved(self, part: Part) -> Part:
        """A call, with its proof, which stood in a block of its own."""
        proof = self._call_proofs.get(part.id) if isinstance(part, ToolCallPart) else None
        if proof is None:
            return part
        return replace(part, signature=proof.text, format=proof.format)

    def _parts(self, block: dict[str, Any], at: str) -> list[Part]:
        kind = block.get("type")
        if not isinstance(kind, str):
            raise bad_request(
                f"{at}.type is required: it says what kind of block this is.", param=f"{at}.type"
            )
        known = _KEYS.get(kind)
        if known is not None and not known.issuperset(block):
            self.note(UNKNOWN_KEY)
        cache = cache_of(block.get("cache_control"), self)
        match kind:
            case "tool_use":
                call = fitted(block, _ToolUse, at)
                if block.get("caller"):
                    self.note(_CALLER)
                arguments = msgspec.json.encode(call.input).decode()
                return [ToolCallPart(call.id, call.name, arguments, cache=cache)]
            case "tool_result":
                result = fitted(block, _ToolResult, at)
                content = self._result(result.content, f"{at}.content")
                failed = bool(result.is_error)
                return [ToolResultPart(result.tool_use_id, content, failed, cache)]
            case "thinking" | "redacted_thinking":
                return self._reasoning(block, kind, at)
        content_parts: list[Part] = [*self._content(block, kind, cache, at)]
        if not content_parts and kind not in _KEYS:
            own = kind.endswith(("_tool_use", "_tool_result"))
            self.note(_SERVER_TOOLS if own else _UNKNOWN)
        return content_parts

    def _content(
        self, block: dict[str, Any], kind: str, cache: Cache | None, at: str
    ) -> list[ResultPart]:
        """What may stand in a turn and in a tool's result; nothing for other kinds."""
        match kind:
            case "text":
                if block.get("citations"):
                    self.note(_CITATIONS)
                return [TextPart(fitted(block, _Text, at).text, cache)]
            case "image":
                image = image_part(fitted(block, Sourced, at).source, cache, f"{at}.source")
                if image is None:
                    self.note(_SOURCE)
                return [] if image is None else [image]
            case "document":
                if block.get("context"):
                    self.note(_CONTEXT)
                found = document_parts(fitted(block, Sourced, at), cache, self.note)
                if not found:
                    self.note(_SOURCE)
                return found
            case "search_result":
                return search_result(block, cache, self.note)
        return []

    def _reasoning(self, block: dict[str, Any], kind: str, at: str) -> list[Part]:
        if kind == "thinking":
            said = fitted(block, _Thinking, at)
            if not said.signature:
                return [ReasoningPart(said.thinking)]
            proof = proofs.read(said.signature, ANTHROPIC)
            return [ReasoningPart(said.thinking, proof.text, format=proof.format, id=proof.name)]
        proof = proofs.read(fitted(block, _Redacted, at).data, ANTHROPIC)
        if proof.call is not None:
            self._call_proofs[proof.call] = proof
            return []
        return [ReasoningPart("", proof.text, redacted=True, format=proof.format, id=proof.name)]

    def _result(
        self, content: str | list[dict[str, Any]] | None, at: str
    ) -> str | list[ResultPart]:
        if content is None or isinstance(content, str):
            return content or ""
        parts: list[ResultPart] = []
        for number, block in enumerate(content):
            kind = block.get("type")
            cache = cache_of(block.get("cache_control"), self)
            found = self._content(block, str(kind), cache, f"{at}[{number}]")
            if not found:
                self.note(_RESULT_CONTENT)
            elif not _KEYS[str(kind)].issuperset(block):
                self.note(UNKNOWN_KEY)
            parts += found
        return parts


def cache_of(said: Any, turns: Turns) -> Cache | None:
    """The mark for the prompt cache."""
    if said is None:
        return None
    if not isinstance(said, Mapping) or said.get("type") != "ephemeral":
        turns.note(NO_CACHE)
        return None
    if not {"type", "ttl"}.issuperset(said):
        turns.note(UNKNOWN_KEY)
    ttl = said.get("ttl")
    return Cache(ttl if isinstance(ttl, str) else None)

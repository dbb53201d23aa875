"""A client's input items to our turns: what the assistant said, thought and called between two
turns of others is one turn of its own.
"""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from msgspec.structs import replace

from proxy.codec import proofs
from proxy.codec.custom_tools import arguments_of
from proxy.codec.json_body import fitted
from proxy.codec.roles import unknown_role
from proxy.dialects.openai_responses.foreign import ROLES
from proxy.dialects.openai_responses.parse_parts import OTHER_KEYS, Parts
from proxy.dialects.openai_responses.parse_tools import ADDITIONAL, Tools
from proxy.dialects.openai_responses.sealed import unsealed
from proxy.dialects.openai_responses.wire_request import (
    WireCall,
    WireMessage,
    WireOutput,
    WireReasoning,
)
from proxy.errors import bad_request
from proxy.events import Note
from proxy.request import (
    Message,
    Part,
    ReasoningPart,
    ResultPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)

_SERVER_TOOLS = Note(
    "dropped", "input.server_tools", "What the vendor's own tools did in earlier turns is left out."
)
_TWICE = Note(
    "dropped",
    "input.reasoning.content",
    "Of reasoning that is told both as a summary and in full, the summary is sent.",
)
_REFERENCE = (
    "it refers to an item that the vendor keeps, so only the vendor itself knows it: "
    "send the item itself"
)
# Keys of items that are read, or say nothing that is asked for.
_KEYS = frozenset(
    {
        *("type", "id", "status", "role", "content", "call_id", "name", "namespace", "arguments"),
        *("input", "output", "summary", "encrypted_content", "phase"),
    }
)


class Turns:
    """Reads items in their order. `notes` gains what is lost, `kept` the refusals (param, message)
    of what only the vendor itself can know.
    """

    def __init__(self, tools: Tools, notes: list[Note], kept: list[tuple[str, str]]) -> None:
        self._tools = tools
        self._kept = kept
        self._reader = Parts(notes, kept)
        self._leading: list[TextPart] = []
        self._messages: list[Message] = []
        self._assistant: list[Part] = []
        self._calls: dict[str, int] = {}  # id -> where in the assistant's turn it stands

    def read(self, items: Sequence[dict[str, Any]]) -> tuple[list[TextPart], list[Message]]:
        """What stood before the first turn, a text for each message, and the turns. Raises Refused
        for an item that is none.
        """
        for at, item in enumerate(items):
            self._read(item, f"input[{at}]")
        self._end_assistant()
        return self._leading, self._messages

    def _read(self, item: dict[str, Any], at: str) -> None:
        kind = item.get("type", "message")
        if kind != ADDITIONAL and any(v for k, v in item.items() if k not in _KEYS):
            self._reader.note(OTHER_KEYS)
        match kind:
            case "message":
                self._message(fitted(item, WireMessage, at), at)
            case "function_call" | "custom_tool_call":
                call = fitted(item, WireCall, at)
                self._calls[call.call_id] = len(self._assistant)
                self._assistant.append(self._call(call, kind))
            case "function_call_output" | "custom_tool_call_output":
                output = fitted(item, WireOutput, at)
                content = self._output(output.output, f"{at}.output")
                self._turn(Message("tool", [ToolResultPart(output.call_id, content)]))
            case "reasoning":
                self._reasoning(fitted(item, WireReasoning, at))
            case "item_reference":
                self._kept.append((at, _REFERENCE))
            case str():
                if kind != ADDITIONAL:
                    self._reader.note(_SERVER_TOOLS)
            case _:
                raise bad_request(f"{at}.type must be text.", param=f"{at}.type")

    def _call(self, call: WireCall, kind: str) -> ToolCallPart:
        name = self._tools.name(call.namespace, call.name)
        if kind == "function_call":
            return ToolCallPart(call.call_id, name, call.arguments)
        return ToolCallPart(call.call_id, name, arguments_of(call.input), custom=True)

    def _message(self, message: WireMessage, at: str) -> None:
        said = message.content
        parts = [TextPart(said)] if isinstance(said, str) else self._parts(said, f"{at}.content")
        if message.role == "assistant":
            self._assistant += parts
        elif message.role == "user":
            self._turn(Message("user", _plain(parts)))
        elif message.role not in ROLES:
            why = unknown_role(at, message.role, ROLES)
            self._kept.append((why.param, why.message))
        elif self._messages or self._assistant:
            self._turn(Message("system", Message("system", cast("list[Part]", parts)).text))
        else:
            marks = [part.cache for part in parts if isinstance(part, TextPart) and part.cache]
            text = Message("system", cast("list[Part]", parts)).text
            self._leading.append(TextPart(text, marks[-1] if marks else None))

    def _reasoning(self, item: WireReasoning) -> None:
        """Text for people to read, or the encrypted form, or both."""
        if item.summary and item.content:
            self._reader.note(_TWICE)
        said = item.summary or item.content or []
        text = "\n\n".join(part.text for part in said if part.text)
        if not item.encrypted_content:
            if text:
                self._assistant.append(ReasoningPart(text, id=item.id))
            return
        proof = unsealed(item.encrypted_content)
        called = None if proof.call is None else self._calls.get(proof.call)
        if called is None:
            name = item.id if proof.format == proofs.OPENAI else proof.name
            self._assistant.append(
                ReasoningPart(text, proof.signature, proof.redacted, proof.format, name)
            )
            return
        call = self._assistant[called]
        assert isinstance(call, ToolCallPart)
        self._assistant[called] = replace(call, signature=proof.signature, format=proof.format)

    def _parts(self, said: Sequence[Mapping[str, Any]], at: str) -> list[ResultPart]:
        read = (self._reader.read(dict(part), f"{at}[{n}]") for n, part in enumerate(said))
        return [part for part in read if part is not None]

    def _output(self, output: str | list[dict[str, Any]], at: str) -> str | list[ResultPart]:
        if isinstance(output, str):
            return output
        parts = self._parts(output, at)
        texts = [part.text for part in parts if isinstance(part, TextPart) and part.cache is None]
        return "".join(texts) if len(texts) == len(parts) else parts

    def _turn(self, message: Message) -> None:
        self._end_assistant()
        self._messages.append(message)

    def _end_assistant(self) -> None:
        if self._assistant:
            self._messages.append(Message("assistant", _plain(self._assistant)))
        self._assistant, self._calls = [], {}


def _plain(parts: Sequence[Part]) -> str | list[Part]:
    """A single text needs no list."""
    match parts:
        case [TextPart(text, None)]:
            return text
    return list(parts)

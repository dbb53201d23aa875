"""A client's input items to our turns: what the assistant said, thought and called between two
turns of others is one turn of its own.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from proxy.codec.json_body import fitted
from proxy.dialects.openai_responses.wire_request import (
    WireCall,
    WireMessage,
    WireOutput,
    WirePart,
    WireReasoning,
)
from proxy.errors import bad_request
from proxy.events import Note
from proxy.request import (
    ImagePart,
    Message,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)

_DETAIL = Note(
    "dropped",
    "input_image.detail",
    "How closely to look at an image cannot be said to other vendors.",
)
_OUTPUT = Note(
    "dropped", "function_call_output.output", "Of a tool's output only the text is carried."
)
_CUSTOM = Note(
    "changed",
    "input.custom_tool_call",
    "A call of a custom tool is sent as a call of a function, its input as text.",
)
_SERVER_TOOLS = Note(
    "dropped", "input.server_tools", "What the vendor's own tools did in earlier turns is left out."
)
_TEXT = ("input_text", "output_text", "text", "summary_text", "reasoning_text")


class Turns:
    """Reads items in their order. `notes` gains what is lost."""

    def __init__(self, notes: list[Note]) -> None:
        self._notes = notes
        self._leading: list[str] = []
        self._messages: list[Message] = []
        self._assistant: list[Part] = []

    def read(self, items: Sequence[dict[str, Any]]) -> tuple[str | None, list[Message]]:
        """What stood before the first turn, and the turns. Raises Refused for an item that is
        none.
        """
        for at, item in enumerate(items):
            self._read(item, f"input[{at}]")
        self._end_assistant()
        return "\n\n".join(self._leading) or None, self._messages

    def _read(self, item: dict[str, Any], at: str) -> None:
        match item.get("type", "message"):
            case "message":
                self._message(fitted(item, WireMessage, at), at)
            case "function_call":
                call = fitted(item, WireCall, at)
                self._assistant.append(ToolCallPart(call.call_id, call.name, call.arguments))
            case "custom_tool_call":
                self._note(_CUSTOM)
                call = fitted(item, WireCall, at)
                self._assistant.append(ToolCallPart(call.call_id, call.name, _input(call.input)))
            case "function_call_output" | "custom_tool_call_output":
                output = fitted(item, WireOutput, at)
                self._turn(
                    Message("tool", [ToolResultPart(output.call_id, self._output(output.output))])
                )
            case "reasoning":
                self._reasoning(fitted(item, WireReasoning, at))
            case "item_reference":
                raise bad_request(
                    f"{at} refers to an item that is not kept here: send the item itself.", param=at
                )
            case str():
                self._note(_SERVER_TOOLS)
            case _:
                raise bad_request(f"{at}.type must be text.", param=f"{at}.type")

    def _message(self, message: WireMessage, at: str) -> None:
        if message.role == "assistant":
            self._assistant += (
                [TextPart(message.content)]
                if isinstance(message.content, str)
                else self._parts(message.content, at)
            )
        elif message.role == "user":
            content = (
                message.content
                if isinstance(message.content, str)
                else self._parts(message.content, at)
            )
            match content:
                case [TextPart(text)]:
                    content = text
            self._turn(Message("user", content))
        else:
            text = (
                message.content
                if isinstance(message.content, str)
                else Message("system", self._parts(message.content, at)).text
            )
            if self._messages or self._assistant:
                self._turn(Message("system", text))
            else:
                self._leading.append(text)

    def _reasoning(self, item: WireReasoning) -> None:
        """Text for people to read, or the encrypted form, or both."""
        said = item.summary or item.content or []
        text = "\n\n".join(part.text for part in said if part.text)
        if text or item.encrypted_content:
            self._assistant.append(ReasoningPart(text, item.encrypted_content or None))

    def _parts(self, parts: Sequence[WirePart], at: str) -> list[Part]:
        return [self._part(part, f"{at}.content[{number}]") for number, part in enumerate(parts)]

    def _part(self, part: WirePart, at: str) -> Part:
        if part.type in _TEXT and part.text is not None:
            return TextPart(part.text)
        if part.type == "refusal" and part.refusal is not None:
            return TextPart(part.refusal)
        if part.type == "input_image" and part.image_url is not None:
            if part.detail not in (None, "auto"):
                self._note(_DETAIL)
            return ImagePart(part.image_url)
        needed = {"refusal": "refusal", "input_image": "image_url"}.get(
            part.type, "text" if part.type in _TEXT else None
        )
        if needed is not None:
            raise bad_request(
                f"{at}.{needed} is required in a part of type {part.type}; no files are kept here.",
                param=f"{at}.{needed}",
            )
        raise bad_request(
            f"{at}.type is {part.type[:40]!r}, which cannot be carried: send input_text or "
            "input_image.",
            param=f"{at}.type",
        )

    def _output(self, output: str | list[WirePart]) -> str:
        if isinstance(output, str):
            return output
        if any(part.text is None for part in output):
            self._note(_OUTPUT)
        return "".join(part.text for part in output if part.text is not None)

    def _turn(self, message: Message) -> None:
        self._end_assistant()
        self._messages.append(message)

    def _end_assistant(self) -> None:
        match self._assistant:
            case []:
                return
            case [TextPart(text)]:
                self._messages.append(Message("assistant", text))
            case parts:
                self._messages.append(Message("assistant", parts))
        self._assistant = []

    def _note(self, note: Note) -> None:
        if note not in self._notes:
            self._notes.append(note)


def _input(text: str) -> str:
    """The input of a custom tool, which is any text, as arguments."""
    return msgspec.json.encode({"input": text}).decode()

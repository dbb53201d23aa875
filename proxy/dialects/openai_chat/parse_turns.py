"""A client's messages to ours."""

from collections.abc import Sequence

from proxy.codec.message_parts import assistant_turn, content_parts, text_alone
from proxy.dialects.openai_chat.wire_request import WireMessage, WirePart
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


class Turns:
    """Reads messages in their order. `notes` gains what is lost; `system` is what stood before the
    first turn.
    """

    def __init__(self, notes: list[Note]) -> None:
        self._notes = notes
        self._leading: list[str] = []
        self._messages: list[Message] = []
        self._function_ids: dict[str, str] = {}  # the old function calls have names for ids

    def read(self, messages: Sequence[WireMessage]) -> tuple[str | None, list[Message]]:
        """Raises Refused for a message that is none."""
        for at, message in enumerate(messages):
            self._read(message, f"messages[{at}]")
        return "\n\n".join(self._leading) or None, self._messages

    def _read(self, message: WireMessage, where: str) -> None:
        if message.name and message.role != "function":
            self._note(
                "messages.name", "The name of a message's author cannot be said to other vendors."
            )
        if message.prefix:
            self._note(
                "messages.prefix",
                "That the answer must begin with a message's text cannot be said to other vendors.",
            )
        match message.role:
            case "system" | "developer":
                text = self._text(message, where)
                if self._messages:
                    self._messages.append(Message("system", text))
                else:
                    self._leading.append(text)
            case "user":
                self._messages.append(Message("user", self._content(message, where)))
            case "assistant":
                self._messages.append(self._assistant(message, where))
            case "tool":
                if not message.tool_call_id:
                    raise bad_request(
                        f"{where}.tool_call_id is required in a message of role tool.",
                        param=f"{where}.tool_call_id",
                    )
                self._result(message.tool_call_id, message, where)
            case "function":
                if not message.name:
                    raise bad_request(
                        f"{where}.name is required in a message of role function.",
                        param=f"{where}.name",
                    )
                self._result(
                    self._function_ids.get(message.name, f"call_{message.name}"), message, where
                )

    def _assistant(self, message: WireMessage, where: str) -> Message:
        parts: list[Part] = []
        if message.reasoning_content:
            parts.append(ReasoningPart(message.reasoning_content))
        if message.content:
            content = self._content(message, where)
            parts += [TextPart(content)] if isinstance(content, str) else content
        if message.refusal:
            parts.append(TextPart(message.refusal))
        if message.audio:
            self._note(
                "messages.audio", "Audio of an earlier answer cannot be sent back to other vendors."
            )
        for at, call in enumerate(message.tool_calls or ()):
            if call.function is None:
                place = f"{where}.tool_calls[{at}]"
                raise bad_request(
                    f"{place} must be a call of a function; {call.type or 'what it is'} "
                    "cannot be carried.",
                    param=place,
                )
            parts.append(ToolCallPart(call.id, call.function.name, call.function.text()))
        if message.function_call is not None:
            called = message.function_call
            call_id = f"call_{called.name}_{len(self._messages)}"
            self._function_ids[called.name] = call_id
            parts.append(ToolCallPart(call_id, called.name, called.text()))
        return assistant_turn(parts)

    def _result(self, call_id: str, message: WireMessage, where: str) -> None:
        self._messages.append(
            Message("tool", [ToolResultPart(call_id, self._text(message, where))])
        )

    def _text(self, message: WireMessage, where: str) -> str:
        return text_alone(self._content(message, where), message.role, where, between="")

    def _content(self, message: WireMessage, where: str) -> str | list[Part]:
        return content_parts(message.content, where, self._part)

    def _part(self, part: WirePart, where: str) -> Part:
        match part.type:
            case "text" if part.text is not None:
                return TextPart(part.text)
            case "refusal" if part.refusal is not None:
                return TextPart(part.refusal)
            case "image_url" if part.image_url is not None:
                if isinstance(part.image_url, str):
                    return ImagePart(part.image_url)
                if part.image_url.detail not in (None, "auto"):
                    self._note(
                        "image_url.detail",
                        "How closely to look at an image cannot be said to other vendors.",
                    )
                return ImagePart(part.image_url.url)
            case "thinking" if part.thinking is not None:
                return ReasoningPart(
                    "".join(piece.text or "" for piece in part.thinking), part.signature
                )
            case "text" | "refusal" | "image_url" | "thinking":
                raise bad_request(
                    f"{where}.{part.type} is required in a part of type {part.type}.",
                    param=f"{where}.{part.type}",
                )
        raise bad_request(
            f"{where}.type is {part.type[:40]!r}, which cannot be carried: send text or image_url.",
            param=f"{where}.type",
        )

    def _note(self, param: str, message: str) -> None:
        note = Note("dropped", param, message)
        if note not in self._notes:
            self._notes.append(note)

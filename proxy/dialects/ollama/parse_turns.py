"""A client's messages to ours. This vendor's calls have no ids that its clients would keep: they
are numbered here, and matched.
"""

import msgspec

from proxy.codec.open_calls import OpenCalls
from proxy.dialects.ollama.images import data_url
from proxy.dialects.ollama.wire_request import WireCall, WireMessage
from proxy.errors import bad_request
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
    """Reads messages in their order."""

    def __init__(self) -> None:
        self._leading: list[str] = []
        self._messages: list[Message] = []
        self._unanswered = OpenCalls()
        self._calls = 0

    def read(self, messages: list[WireMessage]) -> tuple[str | None, list[Message]]:
        """What stood before the first turn, and the turns. Raises Refused for a message that is
        none.
        """
        for at, message in enumerate(messages):
            self._read(message, f"messages[{at}]")
        return "\n\n".join(self._leading) or None, self._messages

    def _read(self, message: WireMessage, at: str) -> None:
        text = message.content or ""
        match message.role:
            case "system" if not self._messages:
                self._leading.append(text)
            case "system":
                self._messages.append(Message("system", text))
            case "user":
                self._messages.append(Message("user", with_images(text, message.images, at)))
            case "assistant":
                self._messages.append(self._assistant(message, text))
            case _:
                self._messages.append(
                    Message("tool", [ToolResultPart(self._answered(message, at), text)])
                )

    def _assistant(self, message: WireMessage, text: str) -> Message:
        parts: list[Part] = [ReasoningPart(message.thinking)] if message.thinking else []
        if text:
            parts.append(TextPart(text))
        parts += [self._call(call) for call in message.tool_calls or ()]
        return Message("assistant", text if len(parts) == bool(text) else parts)

    def _call(self, call: WireCall) -> ToolCallPart:
        self._calls += 1
        call_id = call.id or f"call_{self._calls}_{call.function.name}"
        self._unanswered.add(call_id, call.function.name)
        said = call.function.arguments
        arguments = said if isinstance(said, str) else msgspec.json.encode(said or {}).decode()
        return ToolCallPart(call_id, call.function.name, arguments)

    def _answered(self, message: WireMessage, at: str) -> str:
        """The id of the call that a result answers: by its id, by the tool's name, or the first
        that waits.
        """
        name = message.tool_name or message.name
        unanswered = self._unanswered
        if message.tool_call_id:
            return unanswered.take_id(message.tool_call_id) or message.tool_call_id
        found = unanswered.take() if name is None else unanswered.take_name(name)
        if found is not None:
            return found
        if name:
            return f"call_{name}"
        raise bad_request(
            f"{at}.tool_name is required: no earlier call waits for a result.",
            param=f"{at}.tool_name",
        )


def with_images(text: str, images: list[str] | None, at: str) -> str | list[Part]:
    """A user's turn. `at` is where it stands in the body, "" for the body itself."""
    if not images:
        return text
    where = f"{at}.images" if at else "images"
    pictures: list[Part] = [
        ImagePart(data_url(image, f"{where}[{number}]")) for number, image in enumerate(images)
    ]
    return [TextPart(text), *pictures] if text else pictures

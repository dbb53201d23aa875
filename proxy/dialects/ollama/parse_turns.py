"""A client's messages to ours. This vendor's calls have no ids that its clients would keep: they
are numbered here, and matched. A client that talked with another vendor sends back what that vendor
must see again, in the `reasoning_details` that it was given (see `encode`).
"""

from collections.abc import Mapping

import msgspec

from proxy.codec.chat_turns import drop
from proxy.codec.open_calls import OpenCalls
from proxy.codec.reasoning_details import NO_PROOF, CallProof, read_with
from proxy.codec.roles import unknown_role
from proxy.dialects.ollama.images import data_url
from proxy.dialects.ollama.wire_request import WireCall, WireMessage
from proxy.errors import bad_request
from proxy.events import Note
from proxy.request import (
    ImagePart,
    Message,
    OnlyRelayed,
    Part,
    ReasoningPart,
    ResultPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)

ROLES = ("system", "user", "assistant", "tool")


class Turns:
    """Reads messages in their order. Appends to `notes`, each loss once; `only_relayed` is of the
    first message of a role that is not known.
    """

    def __init__(self, notes: list[Note]) -> None:
        self._notes = notes
        self._leading: list[str] = []
        self._messages: list[Message] = []
        self.only_relayed: OnlyRelayed | None = None
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
            case "system":
                if message.images:
                    drop(self._notes, "messages.images", "The system can say text only.")
                if self._messages:
                    self._messages.append(Message("system", text))
                else:
                    self._leading.append(text)
            case "user":
                self._messages.append(Message("user", with_images(text, message.images, at)))
            case "assistant":
                self._messages.append(self._assistant(message, text, at))
            case "tool":
                images = _images(message.images, f"{at}.images")
                parts: list[ResultPart] = [TextPart(text), *images] if text else [*images]
                result = ToolResultPart(self._answered(message, at), parts if images else text)
                self._messages.append(Message("tool", [result]))
            case role if self.only_relayed is None:  # some models know others
                self.only_relayed = unknown_role(at, role, ROLES)

    def _assistant(self, message: WireMessage, text: str, at: str) -> Message:
        parts: list[Part] = [ReasoningPart(message.thinking)] if message.thinking else []
        if text:
            parts.append(TextPart(text))
        parts += _images(message.images, f"{at}.images")
        calls = message.tool_calls or ()
        ids = {call.id for call in calls if call.id}
        proved = read_with(parts, message.reasoning_details, ids)
        parts = [*proved.parts, *(self._call(call, proved.calls) for call in calls)]
        return Message("assistant", text if len(parts) == bool(text) else parts)

    def _call(self, call: WireCall, proofs: Mapping[str, CallProof]) -> ToolCallPart:
        self._calls += 1
        call_id = call.id or f"call_{self._calls}_{call.function.name}"
        self._unanswered.add(call_id, call.function.name)
        said = call.function.arguments
        arguments = said if isinstance(said, str) else msgspec.json.encode(said or {}).decode()
        signature, of = proofs.get(call_id, NO_PROOF)
        return ToolCallPart(call_id, call.function.name, arguments, signature=signature, format=of)

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
    pictures = _images(images, f"{at}.images" if at else "images")
    return [TextPart(text), *pictures] if text else [*pictures]


def _images(images: list[str] | None, where: str) -> list[ImagePart]:
    return [
        ImagePart(data_url(image, f"{where}[{number}]"))
        for number, image in enumerate(images or ())
    ]

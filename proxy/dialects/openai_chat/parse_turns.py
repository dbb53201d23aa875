"""A client's messages to ours."""

from collections import deque
from collections.abc import Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from proxy.codec import proofs
from proxy.codec import reasoning_details as details
from proxy.codec.custom_tools import arguments_of
from proxy.codec.message_parts import assistant_turn
from proxy.codec.note_once import note_once
from proxy.codec.proofs import GEMINI
from proxy.codec.roles import unknown_role
from proxy.dialects.openai_chat.parse_parts import message_part
from proxy.dialects.openai_chat.wire_request import ROLES, WireCall, WireMessage
from proxy.errors import bad_request
from proxy.events import Note
from proxy.request import (
    AudioPart,
    DocumentPart,
    ImagePart,
    Message,
    OnlyRelayed,
    Part,
    ResultPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)

# What a message may say that has no place in other vendors' requests.
_LOST = {
    "name": "The name of a message's author cannot be said to other vendors.",
    "prefix": "That the answer must begin with a message's text cannot be said to other vendors.",
    "partial": "That the answer must begin with a message's text cannot be said to other vendors.",
    "audio": "Audio of an earlier answer cannot be sent back to other vendors.",
    "annotations": "Sources of an earlier answer cannot be sent back to other vendors.",
}


_lost_of = attrgetter(*_LOST)


class System(NamedTuple):
    """What stands before the first turn: as one text, and in pieces where one has a cache mark."""

    text: str | None
    parts: list[TextPart]


class Turns:
    """Reads messages in their order. `notes` gains what is lost; `only_relayed` is of the first
    message of a role that is not known.
    """

    def __init__(self, notes: list[Note]) -> None:
        self._notes = notes
        self._leading: list[list[TextPart]] = []
        self._messages: list[Message] = []
        self.only_relayed: OnlyRelayed | None = None
        self._function_ids: dict[str, str] = {}  # the old function calls have names for ids
        self._unnamed: deque[str] = deque()  # our ids of the last turn's calls without one

    def read(self, messages: Sequence[WireMessage]) -> tuple[System, list[Message]]:
        """Raises Refused for a message that is none."""
        for at, message in enumerate(messages):
            self._read(message, f"messages[{at}]")
        text = "\n\n".join("".join(part.text for part in parts) for parts in self._leading) or None
        pieces = [part for parts in self._leading for part in parts]
        marked = any(part.cache for part in pieces)
        return System(text, pieces if marked else []), self._messages

    def note(self, param: str, message: str) -> None:
        """Note a loss, once."""
        note_once(self._notes, Note("dropped", param, message))

    def _read(self, message: WireMessage, where: str) -> None:
        for field, why in _LOST.items() if any(_lost_of(message)) else ():
            if getattr(message, field) and not (field == "name" and message.role == "function"):
                self.note(f"messages.{field}", why)
        match message.role:
            case "system" | "developer":
                self._system(self._texts(message, where))
            case "user":
                content = self._content(message, where)
                self._messages.append(
                    Message("user", content if isinstance(content, str) else list(content))
                )
            case "assistant":
                self._messages.append(self._assistant(message, where))
            case "tool":
                self._result(self._answered(message, where), message, where)
            case "function":
                if not message.name:
                    raise bad_request(
                        f"{where}.name is required in a message of role function.",
                        param=f"{where}.name",
                    )
                self._result(
                    self._function_ids.get(message.name, f"call_{message.name}"), message, where
                )
            case role if self.only_relayed is None:
                self.only_relayed = unknown_role(where, role, ROLES)

    def _answered(self, message: WireMessage, where: str) -> str:
        """The id of the call that a tool's message answers: without one, as some servers give calls
        none, the first of such calls that has no result.
        """
        if message.tool_call_id:
            return message.tool_call_id
        if self._unnamed:
            return self._unnamed.popleft()
        raise bad_request(
            f"{where}.tool_call_id is required in a message of role tool.",
            param=f"{where}.tool_call_id",
        )

    def _system(self, parts: list[TextPart]) -> None:
        if self._messages:
            marked = any(part.cache for part in parts)
            text = "".join(part.text for part in parts)
            self._messages.append(Message("system", list(parts) if marked else text))
        else:
            self._leading.append(parts)

    def _assistant(self, message: WireMessage, where: str) -> Message:
        said = details.read(
            message.reasoning_details,
            message.thinking_blocks,
            message.reasoning_content or message.reasoning,
            {call.id for call in message.tool_calls or ()},
        )
        self._unnamed.clear()
        parts: list[Part] = list(said.parts)
        if message.content:
            content = self._content(message, where)
            parts += [TextPart(content)] if isinstance(content, str) else content
        if message.refusal:
            parts.append(TextPart(message.refusal))
        for image in message.images if isinstance(message.images, list) else ():
            match image:
                case {"image_url": {"url": str(url)}}:
                    parts.append(ImagePart(url))
                case _:
                    self.note("messages.images", "A picture that is none was left out.")
        for at, call in enumerate(message.tool_calls or ()):
            read = self._call(
                call, f"{where}.tool_calls[{at}]", said.calls.get(call.id, details.NO_PROOF)
            )
            if read is not None:
                parts.append(read)
                if not call.id:
                    self._unnamed.append(read.id)
        if message.function_call is not None:
            called = message.function_call
            call_id = f"call_{called.name}_{len(self._messages)}"
            self._function_ids[called.name] = call_id
            parts.append(ToolCallPart(call_id, called.name, called.text()))
        return assistant_turn(parts)

    def _call(self, call: WireCall, place: str, known: details.CallProof) -> ToolCallPart | None:
        proof, of = known
        call_id = call.id or f"call_{len(self._messages)}_{len(self._unnamed)}"
        match call.extra_content:
            case {"google": {"thought_signature": str(signature)}} if signature:
                of, proof = proofs.read(signature, GEMINI)[:2]
            case None:
                pass
            case _:
                self.note("tool_calls.extra_content", "Only Gemini's signature is understood.")
        if call.custom is not None:
            text = arguments_of(call.custom.input)
            return ToolCallPart(call_id, call.custom.name, text, True, proof, of)
        if call.function is None:
            kind = call.type or "function"
            if kind in ("function", "custom"):
                raise bad_request(f"{place}.{kind} is required.", param=f"{place}.{kind}")
            self.note("tool_calls", "Calls that only their vendor knows cannot be said to others.")
            return None
        return ToolCallPart(
            call_id, call.function.name, call.function.text(), signature=proof, format=of
        )

    def _result(self, call_id: str, message: WireMessage, where: str) -> None:
        content = self._content(message, where)
        if isinstance(content, str):
            held: str | list[ResultPart] = content
        else:
            parts: list[ResultPart] = []
            for number, part in enumerate(content):
                if not isinstance(part, TextPart | ImagePart | DocumentPart | AudioPart):
                    place = f"{where}.content[{number}]"
                    raise bad_request(f"{place} cannot stand in a tool's result.", param=place)
                parts.append(part)
            plain = all(isinstance(part, TextPart) and part.cache is None for part in parts)
            held = "".join(p.text for p in parts if isinstance(p, TextPart)) if plain else parts
        self._messages.append(Message("tool", [ToolResultPart(call_id, held)]))

    def _texts(self, message: WireMessage, where: str) -> list[TextPart]:
        """The parts of a message whose role may say nothing but text."""
        content = self._content(message, where)
        if isinstance(content, str):
            return [TextPart(content)]
        texts: list[TextPart] = []
        for number, part in enumerate(content):
            if not isinstance(part, TextPart):
                place = f"{where}.content[{number}]"
                raise bad_request(
                    f"{place} must be text in a message of role {message.role}.", param=place
                )
            texts.append(part)
        return texts

    def _content(self, message: WireMessage, where: str) -> str | list[Any]:
        content = message.content
        if content is None:
            raise bad_request(
                f"{where}.content must be text or a list of parts.", param=f"{where}.content"
            )
        if isinstance(content, str):
            return content
        read = [
            message_part(part, f"{where}.content[{at}]", self.note)
            for at, part in enumerate(content)
        ]
        return [part for part in read if part is not None]

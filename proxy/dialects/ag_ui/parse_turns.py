"""The messages of a run to our turns."""

from proxy.codec import proofs
from proxy.codec.json_body import fitted
from proxy.codec.media import data_url
from proxy.codec.message_parts import assistant_turn, content_parts, text_alone
from proxy.codec.note_once import note_once
from proxy.codec.shared_notes import UNKNOWN_PART
from proxy.dialects.ag_ui.wire import WireCall, WireMessage, WirePart
from proxy.errors import bad_request
from proxy.events import Note
from proxy.request import (
    AudioPart,
    DocumentPart,
    ImagePart,
    Message,
    Part,
    ReasoningPart,
    ResultPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)

_ACTIVITY = Note(
    "dropped", "messages.activity", "Activities of earlier runs are for the page alone."
)
_FILE = Note(
    "dropped",
    "messages.file",
    "Videos, files that only their vendor can read, and files of unknown kinds are left out.",
)
_UNKNOWN_ROLE = Note(
    "dropped", "messages.role", "A message of a role that is not known was left out."
)
_NOTHING = TextPart("")  # in place of a part that was left out


class Turns:
    """Reads messages in their order. Appends to `notes`, each loss once."""

    def __init__(self, notes: list[Note]) -> None:
        self._notes = notes
        self._leading: list[str] = []
        self._messages: list[Message] = []
        self._thoughts: list[Part] = []  # of an answer that is yet to come

    def read(self, messages: list[WireMessage]) -> tuple[str | None, list[Message]]:
        """The system text that stands before the first turn, and the turns. Raises Refused."""
        for at, message in enumerate(messages):
            self._read(message, f"messages[{at}]")
        self._thought()
        if not self._messages:
            raise bad_request(
                "messages must hold at least one turn that is not of the system.", param="messages"
            )
        return "\n\n".join(filter(None, self._leading)) or None, self._messages

    def _read(self, message: WireMessage, at: str) -> None:
        match message.role:
            case "reasoning":
                self._thoughts.append(self._reasoning(message, at))
                return
            case "assistant":
                self._messages.append(self._assistant(message, at))
                return
            case "activity":
                note_once(self._notes, _ACTIVITY)
                return
        self._thought()
        match message.role:
            case "system" | "developer":
                text = text_alone(self._content(message, at), message.role, at, "")
                if self._messages:
                    self._messages.append(Message("system", text))
                else:
                    self._leading.append(text)
            case "user":
                self._messages.append(Message("user", self._content(message, at)))
            case "tool":
                self._messages.append(Message("tool", [self._result(message, at)]))
            case _:
                note_once(self._notes, _UNKNOWN_ROLE)

    def _thought(self) -> None:
        """Reasoning that no answer followed is a turn by itself."""
        if self._thoughts:
            self._messages.append(Message("assistant", self._thoughts))
            self._thoughts = []

    def _reasoning(self, message: WireMessage, at: str) -> ReasoningPart:
        text = text_alone(self._content(message, at), message.role, at, "")
        if not message.encrypted_value:
            return ReasoningPart(text)
        proof = proofs.read(message.encrypted_value, None)
        return ReasoningPart(text, proof.text, not text, proof.format, proof.name)

    def _assistant(self, message: WireMessage, at: str) -> Message:
        parts, self._thoughts = self._thoughts, []
        if message.content:
            content = self._content(message, at)
            parts += [TextPart(content)] if isinstance(content, str) else content
        parts += [_call(call) for call in message.tool_calls or ()]
        return assistant_turn(parts)

    def _result(self, message: WireMessage, at: str) -> ToolResultPart:
        if not message.tool_call_id:
            place = f"{at}.toolCallId"
            raise bad_request(f"{place} is required in a message of role tool.", param=place)
        content = self._content(message, at)
        held: str | list[ResultPart] = (
            content
            if isinstance(content, str)
            else [part for part in content if isinstance(part, ResultPart)]
        )
        if message.error and not held:
            held = message.error
        return ToolResultPart(message.tool_call_id, held, is_error=bool(message.error))

    def _content(self, message: WireMessage, at: str) -> str | list[Part]:
        said = message.content
        if said is None and message.role in ("assistant", "reasoning", "tool"):
            return ""
        if not isinstance(said, str | list):
            said = None  # refused below, with a sentence
        if isinstance(said, list):
            said = [
                fitted(part, WirePart, f"{at}.content[{number}]")
                for number, part in enumerate(said)
            ]
        read = content_parts(said, at, self._part)
        return read if isinstance(read, str) else [part for part in read if part is not _NOTHING]

    def _part(self, part: WirePart, at: str) -> Part:
        if part.type == "text":
            if part.text is None:
                raise bad_request(f"{at}.text is required in a part of type text.", param=at)
            return TextPart(part.text)
        if part.type not in ("image", "audio", "video", "document", "binary"):
            note_once(self._notes, UNKNOWN_PART)
            return _NOTHING
        media = _media(part, at)
        if media is None:
            note_once(self._notes, _FILE)
            return _NOTHING
        return media


def _call(call: WireCall) -> ToolCallPart:
    said = call.function
    if not call.encrypted_value:
        return ToolCallPart(call.id, said.name, said.arguments)
    proof = proofs.read(call.encrypted_value, None)
    return ToolCallPart(
        call.id, said.name, said.arguments, signature=proof.text, format=proof.format
    )


def _media(part: WirePart, at: str) -> ImagePart | DocumentPart | AudioPart | None:
    """A picture, a document or sound; None for what no vendor takes. Raises Refused."""
    kind, place = part.type, at
    url, data, media_type = part.url, part.data, part.mime_type
    if part.source is not None:
        place, media_type = f"{at}.source", part.source.mime_type
        url = part.source.value if part.source.type == "url" else None
        data = part.source.value if part.source.type == "data" else None
    if data is not None:
        if not media_type:
            raise bad_request(
                f"{place}.mimeType is required: it says what the data is.",
                param=f"{place}.mimeType",
            )
        url = data_url(media_type, data)
    if not url:
        return None
    if kind == "binary":
        kind = (media_type or "").partition("/")[0]
    if kind == "image":
        return ImagePart(url)
    if kind == "audio":
        return AudioPart(url) if data is not None else None
    return DocumentPart(url, part.filename) if kind in ("document", "application", "text") else None

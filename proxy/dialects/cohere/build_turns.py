"""Our turns as the messages of a chat request of API v2.

The vendor refuses text beside tool calls: what a turn said before its calls is its plan, or its
thinking where the model thinks.
"""

from typing import Any

from proxy.codec.media import media_behind, media_notes, said, text_of, text_stays
from proxy.codec.note_once import note_once
from proxy.codec.shared_notes import IS_ERROR, SIGNATURE, WRAPPED_ARGUMENTS
from proxy.codec.tool_calls import readable
from proxy.events import Note
from proxy.request import (
    AudioPart,
    ChatRequest,
    DocumentPart,
    ImagePart,
    Message,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)

_UNTHINKING = Note(
    "dropped",
    "messages.reasoning",
    "Earlier reasoning is taken back only where thinking is asked for.",
)
_PLANLESS = Note(
    "dropped",
    "messages.tool_plan",
    "This upstream is configured not to be sent a plan beside tool calls.",
)
_TEXT_WITH_CALLS = Note(
    "changed",
    "messages.text",
    "Text beside tool calls is refused by this vendor: it is sent as the turn's plan.",
)
_IMAGE = Note("dropped", "messages.image_url", "Only a user's turn can hold an image.")


class TurnBuilder:
    """The messages of one request. Appends to `notes`, each loss once. `thinking`: the model
    thinks; `plans`: it takes plans back. `documents` are set by `built`.
    """

    def __init__(self, notes: list[Note], *, thinking: bool, plans: bool) -> None:
        self._notes = notes
        self._thinking = thinking
        self._plans = plans
        self.documents: list[dict[str, Any]] = []

    def built(self, request: ChatRequest) -> list[dict[str, Any]]:
        """The wire's messages."""
        messages = [{"role": "system", "content": request.system}] if request.system else []
        for message in media_behind(request.messages, self._notes, text_stays):
            messages += self._turn(message)
        return messages

    def _document(self, part: DocumentPart) -> bool:
        """Add a document of plain text that is to be cited to those of the request."""
        text = text_of(part) if part.citations else None
        if text is not None:
            data = {"title": part.title, "text": text} if part.title else {"text": text}
            self.documents.append({"id": f"doc:{len(self.documents)}", "data": data})
        return text is not None

    def _turn(self, message: Message) -> list[dict[str, Any]]:
        """One turn as one message, and one more for each tool result; none for a turn that says
        nothing.
        """
        if message.role == "assistant":
            turn = self._assistant(message)
            return [turn] if len(turn) > 1 else []
        results: list[dict[str, Any]] = []
        content: list[dict[str, Any]] = []
        for part in message.parts:
            match part:
                case ImagePart(url, detail) if message.role == "user":
                    closely = {} if detail is None else {"detail": detail}
                    image = {"type": "image_url", "image_url": {"url": url, **closely}}
                    content.append(image)
                case ImagePart():
                    note_once(self._notes, _IMAGE)
                case DocumentPart() if self._document(part):
                    pass
                case TextPart() | DocumentPart() | AudioPart():
                    content += [{"type": "text", "text": text} for text in said([part]) if text]
                    for note in media_notes([part], images=True):
                        note_once(self._notes, note)
                case ToolResultPart(call_id):
                    if part.is_error:
                        note_once(self._notes, IS_ERROR)
                    text = "\n".join(said(part.parts))
                    results.append({"role": "tool", "tool_call_id": call_id, "content": text})
        if not content:
            return results
        role = "user" if message.role == "tool" else message.role
        return [
            *results,
            {
                "role": role,
                "content": "".join(part["text"] for part in content)
                if all(part["type"] == "text" for part in content)
                else content,
            },
        ]

    def _assistant(self, message: Message) -> dict[str, Any]:
        calls: list[dict[str, Any]] = []
        reasoning = ""
        for part in message.parts:
            match part:
                case ToolCallPart(call_id, name, arguments):
                    if part.signature is not None:
                        note_once(self._notes, SIGNATURE)
                    said = readable(arguments)
                    if arguments not in ("", said):
                        note_once(self._notes, WRAPPED_ARGUMENTS)
                    function = {"name": name, "arguments": said}
                    calls.append({"id": call_id, "type": "function", "function": function})
                case ReasoningPart(text, signature):
                    reasoning += text
                    if signature is not None:
                        note_once(self._notes, SIGNATURE)
                case ImagePart() | DocumentPart() | AudioPart():
                    for note in media_notes([part], images=False):
                        note_once(self._notes, note)
        turn: dict[str, Any] = {"role": "assistant"}
        if calls:
            turn |= {**self._before_calls(reasoning, message.text), "tool_calls": calls}
        elif reasoning and self._thinking:
            answer = [{"type": "text", "text": message.text}] if message.text else []
            turn["content"] = [{"type": "thinking", "thinking": reasoning}, *answer]
        else:
            if reasoning:
                note_once(self._notes, _UNTHINKING)
            if message.text:
                turn["content"] = message.text
        return turn

    def _before_calls(self, reasoning: str, text: str) -> dict[str, Any]:
        if text:
            note_once(self._notes, _TEXT_WITH_CALLS)
        plan = "\n\n".join(piece for piece in (reasoning, text) if piece)
        if not plan:
            return {}
        if self._thinking:
            return {"content": [{"type": "thinking", "thinking": plan}]}
        if self._plans:
            return {"tool_plan": plan}
        note_once(self._notes, _PLANLESS)
        return {}

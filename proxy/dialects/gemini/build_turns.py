"""Our turns as a request's `contents`: user and model alternate, tool results are the user's, no
part is empty.

A signature goes on the part that follows its reasoning, as it came (see `signatures`). Gemini 3
refuses a call of the newest steps without one, and some clients have no place to keep it: then the
vendor's own word for "none was kept" is sent.
"""

from typing import Any

import msgspec

from proxy.codec.chat_turns import drop
from proxy.codec.tool_calls import arguments_object
from proxy.dialects.gemini.signatures import is_base64
from proxy.errors import bad_request
from proxy.events import Note
from proxy.request import (
    ChatRequest,
    ImagePart,
    Message,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)

# "Thought signatures" of the vendor's guide: for calls that did not come from it, or whose
# signature was lost.
NO_SIGNATURE = "skip_thought_signature_validator"
_IMAGE_TYPES = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
    "heic": "image/heic",
    "heif": "image/heif",
}
_UNKNOWN_IMAGE = "image/jpeg"
_Parts = list[dict[str, Any]]


class TurnBuilder:
    """The turns of one request. Appends to `notes`; `system` is set by `built`.

    `ids`: whether calls and results carry their ids. `signed`: whether the model refuses calls
    without a signature.
    """

    def __init__(self, notes: list[Note], *, ids: bool, signed: bool) -> None:
        self._notes = notes
        self._ids = ids
        self._signed = signed
        self._names: dict[str, str] = {}  # call -> its function
        self.system = ""

    def built(self, request: ChatRequest) -> list[dict[str, Any]]:
        """The wire's contents. Raises Refused for an image that has no form there."""
        system = [request.system] if request.system else []
        turns: list[dict[str, Any]] = []
        for at, message in enumerate(request.messages):
            role = "model" if message.role == "assistant" else "user"
            if message.role == "system":
                if not turns:
                    system.append(message.text)
                    continue
                drop(
                    self._notes,
                    "messages.system",
                    "A system message behind the first turn was sent as the user's.",
                    "changed",
                )
            parts = self._parts(message, f"messages[{at}]")
            if not parts:
                continue
            if turns and turns[-1]["role"] == role:
                turns[-1]["parts"] += parts
            else:
                turns.append({"role": role, "parts": parts})
        self.system = "\n\n".join(system)
        return turns

    def _parts(self, message: Message, at: str) -> _Parts:
        out: _Parts = []
        signature: str | None = None  # of the reasoning just said, for the part that follows
        for number, part in enumerate(message.parts):
            if isinstance(part, ReasoningPart):
                if signature is not None:
                    out.append({"text": "", "thoughtSignature": signature})
                signature = self._reasoning(part, out)
                continue
            built = self._part(part, f"{at}.content[{number}]")
            if built is not None:
                if signature is not None:
                    built["thoughtSignature"] = signature
                    signature = None
                out.append(built)
        if signature is not None:
            out.append({"text": "", "thoughtSignature": signature})
        return self._with_signatures(out) if self._signed else out

    def _part(self, part: Part, at: str) -> dict[str, Any] | None:
        match part:
            case TextPart(text):
                return {"text": text} if text else None
            case ImagePart(url):
                return self._image(url, at)
            case ToolCallPart(call_id, name, arguments):
                self._names[call_id] = name
                return {
                    "functionCall": {
                        **self._id(call_id),
                        "name": name,
                        "args": self._arguments(arguments),
                    }
                }
            case ToolResultPart(call_id):
                name = self._names.get(call_id, "")
                if not name:
                    raise bad_request(
                        f"{at} answers the tool call {call_id[:60]!r}, which no earlier turn "
                        "holds.",
                        param=at,
                    )
                return {
                    "functionResponse": {
                        **self._id(call_id),
                        "name": name,
                        "response": _response(part.text, is_error=part.is_error),
                    }
                }
            case _:
                return None

    def _id(self, call_id: str) -> dict[str, str]:
        return {"id": call_id} if self._ids else {}

    def _reasoning(self, part: ReasoningPart, out: _Parts) -> str | None:
        """Say the thought; answers the signature to go on the next part."""
        if part.signature is None:
            drop(
                self._notes,
                "messages.reasoning",
                "Gemini takes earlier reasoning back only with its signature.",
            )
            return None
        if not is_base64(part.signature):
            drop(
                self._notes,
                "messages.reasoning",
                "Reasoning that another vendor signed cannot be sent back to Gemini.",
            )
            return None
        if part.text:
            out.append({"text": part.text, "thought": True})
        return part.signature

    def _arguments(self, text: str) -> dict[str, Any]:
        value = arguments_object(text)
        if value is not None:
            return value
        said = "Arguments of an earlier tool call that are no JSON object were wrapped in one."
        drop(self._notes, "messages.tool_call", said, "changed")
        return {"arguments": text}

    def _with_signatures(self, parts: _Parts) -> _Parts:
        """Of calls side by side the first must have a signature."""
        for at, part in enumerate(parts):
            follows = at > 0 and "functionCall" in parts[at - 1]
            if "functionCall" in part and not follows and "thoughtSignature" not in part:
                said = (
                    "The signature of an earlier tool call was not kept; the model is told so, "
                    "and reasons without it."
                )
                drop(self._notes, "messages.tool_call", said, "changed")
                part["thoughtSignature"] = NO_SIGNATURE
        return parts

    def _image(self, url: str, at: str) -> dict[str, Any]:
        if url.startswith("data:"):
            head, _, data = url.removeprefix("data:").partition(",")
            mime_type, _, encoding = head.rpartition(";")
            if encoding == "base64" and mime_type and data:
                return {"inlineData": {"mimeType": mime_type, "data": data}}
        elif url.startswith(("http://", "https://", "gs://")):
            guessed = _IMAGE_TYPES.get(url.partition("?")[0].rpartition(".")[2].lower())
            if guessed is None:
                note = Note(
                    "defaulted",
                    "messages.image_url",
                    f"Gemini insists on an image's type; {_UNKNOWN_IMAGE} was taken.",
                )
                if note not in self._notes:
                    self._notes.append(note)
            return {"fileData": {"mimeType": guessed or _UNKNOWN_IMAGE, "fileUri": url}}
        raise bad_request(
            f"{at}.url must be an http(s) or gs address, or a data: URL with base64 data.",
            param=f"{at}.url",
        )


def _response(content: str, *, is_error: bool) -> dict[str, Any]:
    """A tool's answer as the object that the API insists on: its own where it is one."""
    if is_error:
        return {"error": content}
    try:
        value = msgspec.json.decode(content)
    except (ValueError, RecursionError):
        value = None
    return value if isinstance(value, dict) else {"output": content}

"""Our turns as a request's `contents`: user and model alternate, tool results are the user's, no
part is empty.

A signature goes on the part that it came with (see `signatures`). Gemini 3 refuses a call of the
newest steps without one, and some clients have no place to keep it: then the vendor's own word for
"none was kept" is sent.
"""

from typing import Any

import msgspec

from proxy.codec.chat_turns import drop
from proxy.codec.fillers import BEGINNING
from proxy.codec.media import media_behind, takes
from proxy.codec.proofs import GEMINI, fits
from proxy.codec.rules import Rules
from proxy.codec.tool_calls import arguments_object
from proxy.dialects.gemini.build_media import media_part
from proxy.dialects.gemini.signatures import NO_SIGNATURE, UNSIGNED_CALL, is_base64
from proxy.errors import bad_request
from proxy.events import Note
from proxy.request import (
    AudioPart,
    ChatRequest,
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

_Parts = list[dict[str, Any]]
_REFERENCE = '"$ref"'


class TurnBuilder:
    """The turns of one request. Appends to `notes`; `system` is set by `built`.

    `ids`: whether calls and results carry their ids.
    """

    def __init__(self, notes: list[Note], rules: Rules, *, ids: bool) -> None:
        self._notes = notes
        self._rules = rules
        self._ids = ids
        self._names: dict[str, str] = {}  # call -> its function
        self.system = ""

    def built(self, request: ChatRequest) -> list[dict[str, Any]]:
        """The wire's contents. Raises Refused for media that have no form there."""
        system = [request.system] if request.system else []
        turns: list[dict[str, Any]] = []
        for at, message in enumerate(media_behind(request.messages, self._notes, self._stays)):
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
        if turns and turns[0]["role"] == "model" and _calls(turns[0]["parts"]):
            # a call may stand behind a turn of the user alone
            turns.insert(0, {"role": "user", "parts": [{"text": BEGINNING}]})
        return turns

    def _stays(self, part: ResultPart) -> bool:
        return takes(self._rules.result_media, part)

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
                self._sign(built, signature, out)
                signature = None
                out.append(built)
        if signature is not None:
            out.append({"text": "", "thoughtSignature": signature})
        return self._with_signatures(out) if self._rules.proves_calls else out

    def _sign(self, built: dict[str, Any], before: str | None, out: _Parts) -> None:
        """The part's own signature stays, else it has that of the reasoning before it."""
        own = built.setdefault("thoughtSignature", before)
        if own is None:
            del built["thoughtSignature"]
        elif before is not None and own != before:
            out.append({"text": "", "thoughtSignature": before})

    def _part(self, part: Part, at: str) -> dict[str, Any] | None:
        match part:
            case TextPart(text):
                return {"text": text} if text else None
            case ImagePart() | DocumentPart() | AudioPart():
                return media_part(part, at, self._notes)
            case ToolCallPart(call_id, name, arguments):
                self._names[call_id] = name
                call = {**self._id(call_id), "name": name, "args": self._arguments(arguments)}
                signature = self._own(part.signature, part.format)
                signed = {} if signature is None else {"thoughtSignature": signature}
                return {"functionCall": call, **signed}
            case ToolResultPart():
                return {"functionResponse": self._result(part, at)}
            case _:
                return None

    def _result(self, part: ToolResultPart, at: str) -> dict[str, Any]:
        name = self._names.get(part.id, "")
        if not name:
            raise bad_request(
                f"{at} answers the tool call {part.id[:60]!r}, which no earlier turn holds.",
                param=at,
            )
        response = _response(part.text, is_error=part.is_error)
        media = [
            media_part(each, at, self._notes)
            for each in part.media
            if not isinstance(each, TextPart)
        ]
        more = {"parts": media} if media else {}
        return {**self._id(part.id), "name": name, "response": response, **more}

    def _id(self, call_id: str) -> dict[str, str]:
        return {"id": call_id} if self._ids else {}

    def _own(self, signature: str | None, of: str | None) -> str | None:
        """A signature that this vendor gave; None, with a note, for another's."""
        if signature is None:
            return None
        if fits(of, self._rules.proofs or GEMINI) and is_base64(signature):
            return signature
        said = "Reasoning that another vendor signed cannot be sent back to Gemini."
        drop(self._notes, "messages.reasoning", said)
        return None

    def _reasoning(self, part: ReasoningPart, out: _Parts) -> str | None:
        """Say the thought; answers the signature to go on the next part."""
        if part.signature is None:
            said = "Gemini takes earlier reasoning back only with its signature."
            drop(self._notes, "messages.reasoning", said)
            return None
        signature = self._own(part.signature, part.format)
        if signature is not None and part.text:
            out.append({"text": part.text, "thought": True})
        return signature

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
                drop(self._notes, "messages.tool_call", UNSIGNED_CALL, "changed")
                part["thoughtSignature"] = NO_SIGNATURE
        return parts


def _response(content: str, *, is_error: bool) -> dict[str, Any]:
    """A tool's answer as the object that the API insists on: its own where it is one. One with a
    reference in it, as a schema has them, stays text: the API would look for what it names.
    """
    if is_error:
        return {"error": content}
    if _REFERENCE in content:
        return {"output": content}
    try:
        value = msgspec.json.decode(content)
    except (ValueError, RecursionError):
        value = None
    return value if isinstance(value, dict) else {"output": content}


def _calls(parts: _Parts) -> bool:
    return any("functionCall" in part for part in parts)

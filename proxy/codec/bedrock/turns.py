"""Our turns as Converse messages: user and assistant alternate, tool results stand first in a user
turn, no text is blank.
"""

import base64
import binascii
import re
from typing import Any, NamedTuple

from proxy.codec.chat_turns import drop
from proxy.codec.media import AUDIO_LOST, DOCUMENT_LOST
from proxy.codec.tool_calls import arguments_object
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
    TextPart,
    ToolCallPart,
    ToolResultPart,
)

# Of toolUseId; other vendors' ids may hold more. What stands for them only has to be the same in a
# call and its result.
_NOT_IN_ID = re.compile(r"[^a-zA-Z0-9_.:-]")
_ID_CHARS = 64
_IMAGE_FORMATS = {
    "image/png": "png",
    "image/jpeg": "jpeg",
    "image/jpg": "jpeg",
    "image/gif": "gif",
    "image/webp": "webp",
}
_NOTHING = "(nothing)"  # a tool's result may be empty, a text may not


class Talk(NamedTuple):
    """`called`: the names of the tools that earlier turns called, None for a result whose call is
    not there.
    """

    system: str
    messages: list[dict[str, Any]]
    called: list[str | None]


def talk(request: ChatRequest, notes: list[Note]) -> Talk:
    """The request's turns. Raises Refused for an image whose data is none, and where nothing is
    left to be said.
    """
    system = [request.system] if request.system else []
    turns: list[dict[str, Any]] = []
    called: dict[str, str | None] = {}
    for at, message in enumerate(request.messages):
        if message.role == "system" and not turns:
            system.append(message.text)
            continue
        if message.role == "system":
            drop(
                notes,
                "messages.system",
                "Bedrock takes system texts only before the first turn; a later one is the user's.",
                "changed",
            )
        role = "assistant" if message.role == "assistant" else "user"
        blocks = _blocks(message, f"messages[{at}]", notes, called)
        if blocks and turns and turns[-1]["role"] == role:
            turns[-1]["content"] += blocks
        elif blocks:
            turns.append({"role": role, "content": blocks})
    if not turns:
        raise bad_request("messages must hold a turn that is not empty.", param="messages")
    for turn in turns:
        turn["content"].sort(key=lambda block: "toolResult" not in block)
    return Talk("\n\n".join(text for text in system if text.strip()), turns, list(called.values()))


def _blocks(
    message: Message, at: str, notes: list[Note], called: dict[str, str | None]
) -> list[dict[str, Any]]:
    built = []
    for number, part in enumerate(message.parts):
        if isinstance(part, ToolCallPart):
            called[part.id] = part.name
        elif isinstance(part, ToolResultPart):
            called.setdefault(part.id, None)
        block = _block(part, f"{at}.content[{number}]", notes)
        if block is not None:
            built.append(block)
    return built


def _block(part: Part, at: str, notes: list[Note]) -> dict[str, Any] | None:
    match part:
        case TextPart(text):
            return {"text": text} if text.strip() else None
        case ImagePart(url):
            return _image(url, at, notes)
        case ToolCallPart(id, name, arguments):
            return {
                "toolUse": {
                    "toolUseId": _id(id),
                    "name": name,
                    "input": _arguments(arguments, notes),
                }
            }
        case DocumentPart():
            drop(notes, DOCUMENT_LOST.param, DOCUMENT_LOST.message)
            return None
        case AudioPart():
            drop(notes, AUDIO_LOST.param, AUDIO_LOST.message)
            return None
        case ToolResultPart(id, _, is_error):
            content = part.text
            result = {
                "toolUseId": _id(id),
                "content": [{"text": content if content.strip() else _NOTHING}],
            }
            return {"toolResult": result | ({"status": "error"} if is_error else {})}
        case ReasoningPart(text, signature):
            if signature is None:
                drop(
                    notes,
                    "messages.reasoning",
                    "Bedrock's models take earlier reasoning back only with its signature.",
                )
                return None
            return {"reasoningContent": {"reasoningText": {"text": text, "signature": signature}}}


def _arguments(text: str, notes: list[Note]) -> dict[str, Any]:
    value = arguments_object(text)
    if value is None:
        drop(
            notes,
            "messages.tool_call",
            "Arguments of an earlier tool call that are no JSON object are wrapped in one.",
            "changed",
        )
        return {"arguments": text}
    return value


def _id(own: str) -> str:
    return _NOT_IN_ID.sub("_", own)[-_ID_CHARS:] or "_"


def _image(url: str, at: str, notes: list[Note]) -> dict[str, Any] | None:
    """Only data and S3 objects: the service fetches nothing from the web."""
    if url.startswith(("http://", "https://")):
        drop(
            notes,
            "messages.image_url",
            "Bedrock fetches no images from the web: send them as data: URLs, or from s3://.",
        )
        return None
    if url.startswith("s3://"):
        ending = url.rpartition(".")[2].lower()
        form = _IMAGE_FORMATS.get(f"image/{ending}")
        source: dict[str, Any] = {"s3Location": {"uri": url}}
    else:
        head, _, data = url.removeprefix("data:").partition(",")
        media_type, _, encoding = head.rpartition(";")
        if not url.startswith("data:") or encoding != "base64" or not _is_base64(data):
            raise bad_request(
                f"{at}.url must be a data: URL with base64 data, or an s3:// address.",
                param=f"{at}.url",
            )
        form = _IMAGE_FORMATS.get(media_type.partition(";")[0].strip().lower())
        source = {"bytes": data}
    if form is None:
        raise bad_request(
            f"{at}.url must be a PNG, JPEG, GIF or WebP image for this upstream.", param=f"{at}.url"
        )
    return {"image": {"format": form, "source": source}}


def _is_base64(data: str) -> bool:
    try:
        return bool(base64.b64decode(data, validate=True))
    except (binascii.Error, ValueError):
        return False

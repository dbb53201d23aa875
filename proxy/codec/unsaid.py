"""A newest turn of which nothing would reach the vendor: pictures, documents or sound alone, none
of which its dialect or the model takes. Without that turn the vendor would answer an earlier one,
unless it stands behind the results of tools, which go on alone.
"""

from msgspec.structs import replace

from proxy.codec.base import Outgoing, TargetConfig
from proxy.codec.halves import Build
from proxy.errors import bad_request
from proxy.events import Note
from proxy.request import (
    AudioPart,
    ChatRequest,
    DocumentPart,
    ImagePart,
    Message,
    Part,
    TextPart,
)

_MEDIA = (ImagePart, DocumentPart, AudioPart)
_LOST = ("messages.image_url", "messages.document", "messages.audio")
_BESIDE = TextPart("?")  # a turn that holds nothing is refused


def refuse_unsaid(build: Build, request: ChatRequest, config: TargetConfig) -> None:
    """Raises Refused for such a request, with what the vendor's half says of each part."""
    last = request.messages[-1] if request.messages else None
    if last is None or last.role != "user" or isinstance(last.content, str):
        return
    if len(request.messages) > 1 and request.messages[-2].role == "tool":
        return
    if not last.content:  # what other vendors know was left out as the request was read
        raise bad_request(
            f"The newest turn holds only what {config.upstream} cannot be told, such as a video or "
            "a file of an unknown kind: say it in words.",
            param="messages",
        )
    if not all(isinstance(part, _MEDIA) for part in last.content):
        return
    plain = ChatRequest(model=request.model, messages=[], on_loss=request.on_loss)
    lost: dict[str, None] = {}
    for part in last.content:
        note = _loss(part, build, plain, config)
        if note is None:
            return
        lost[note.message] = None
    said = " ".join(lost)
    raise bad_request(
        f"Nothing of the newest turn can be told to {config.upstream}: {said}", param="messages"
    )


def _loss(part: Part, build: Build, plain: ChatRequest, config: TargetConfig) -> Note | None:
    """Why a part is left out; None: it is sent."""
    alone: Outgoing = build(replace(plain, messages=[Message("user", [_BESIDE, part])]), config)
    return next((n for n in alone.notes if n.note == "dropped" and n.param in _LOST), None)

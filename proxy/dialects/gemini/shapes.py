"""What a streamed and a whole answer say alike: the finish, a call, the sources, and the vendor's
own words in their places.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import msgspec
from msgspec import UNSET

from proxy.codec.media import data_of
from proxy.codec.tool_calls import arguments_object
from proxy.dialects.gemini.signatures import Signed, to_wire
from proxy.dialects.gemini.wire import FINISH, FINISH_WORD, NAME
from proxy.events import BlockEnd, Citation, Finish, Image, StreamStart, Tool, Vendor

_SOURCES = ("groundingMetadata", "citationMetadata")


class Extras(NamedTuple):
    """A `vendor` event of this dialect taken apart: the candidates, what was counted beside, and
    the other keys of the chunk.
    """

    chunk: dict[str, Any]
    candidates: list[dict[str, Any]]
    usage: dict[str, Any]

    @property
    def cites(self) -> bool:
        """Whether it names sources. Then our citations say the same again."""
        return any(key in candidate for candidate in self.candidates for key in _SOURCES)

    @property
    def blocks(self) -> bool:
        """Whether it says that the prompt was blocked."""
        feedback = self.chunk.get("promptFeedback")
        return isinstance(feedback, dict) and bool(feedback.get("blockReason"))


class Sourced(NamedTuple):
    """A citation and its place in the vendor's counting, {} where that is not known."""

    citation: Citation
    place: dict[str, int]


def extras(event: Vendor) -> Extras:
    """What of a `vendor` event this form has a place for: nothing, if it is another dialect's."""
    if event.dialect != NAME or not isinstance(event.data, dict):
        return Extras({}, [], {})
    chunk = {
        key: value
        for key, value in event.data.items()
        if key not in ("candidates", "usageMetadata")
    }
    candidates, usage = event.data.get("candidates"), event.data.get("usageMetadata")
    listed = candidates if isinstance(candidates, list) else []
    known = [
        item for item in listed if isinstance(item, dict) and isinstance(item.get("index"), int)
    ]
    return Extras(chunk, known, usage if isinstance(usage, dict) else {})


def head(start: StreamStart | None) -> dict[str, Any]:
    """The keys that every chunk has."""
    return {
        "modelVersion": start.model if start else "",
        "responseId": start.stream if start else "",
    }


def finish_word(finish: Finish) -> str:
    """The vendor's own word where it was one, else that for our reason."""
    if finish.raw in FINISH and (
        FINISH[finish.raw] == finish.reason or finish.reason == "tool_calls"
    ):
        return finish.raw
    return FINISH_WORD[finish.reason]


def call_part(tool: Tool, arguments: str) -> dict[str, Any]:
    """A call. Arguments that are no object, for example cut by a limit, are kept under one key."""
    args: Any = {"arguments": arguments}
    if arguments_object(arguments) is not None:
        args = msgspec.Raw(arguments.encode() or b"{}")
    return {"functionCall": {"id": tool.id, "name": tool.name, "args": args}}


def image_part(image: Image) -> dict[str, Any]:
    """A picture: the data itself, or where it is."""
    data = data_of(image.url)
    if data is not None:
        return {"inlineData": {"mimeType": data.media_type, "data": data.base64}}
    return {"fileData": {"mimeType": "image/png", "fileUri": image.url}}


def signature_of(end: BlockEnd, call: str = "") -> str:
    """A block's signature, which it has, on the wire. `call`: the id of the call whose own it
    is.
    """
    of = None if end.format is UNSET else end.format
    name = None if end.id is UNSET else end.id
    return to_wire(Signed(cast("str", end.signature), of, end.redacted is True, name), call)


def signed(part: dict[str, Any], signature: str | None) -> dict[str, Any]:
    """The part with the signature of the thought before it."""
    return part if signature is None else {**part, "thoughtSignature": signature}


def grounding(sources: Sequence[Sourced]) -> dict[str, Any]:
    """Citations as `groundingMetadata`, the form in which this vendor's clients look for them."""
    chunks: dict[tuple[str | None, str | None], int] = {}
    supports: list[dict[str, Any]] = []
    for citation, place in sources:
        index = chunks.setdefault((citation.url, citation.title), len(chunks))
        segment: dict[str, Any] = {**place, **({"text": citation.text} if citation.text else {})}
        if segment:
            supports.append({"segment": segment, "groundingChunkIndices": [index]})
    web = [
        {"web": {key: text for key, text in (("uri", url), ("title", title)) if text}}
        for url, title in chunks
    ]
    return {"groundingChunks": web, **({"groundingSupports": supports} if supports else {})}

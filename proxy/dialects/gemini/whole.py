"""A whole answer as one GenerateContentResponse."""

from typing import Any

import msgspec

from proxy.codec.base import Parsed, Reply
from proxy.codec.fold import Block, WholeAnswer
from proxy.dialects.gemini.citations import Said
from proxy.dialects.gemini.shapes import (
    Extras,
    Sourced,
    call_part,
    extras,
    finish_word,
    grounding,
    head,
    image_part,
    signature_of,
    signed,
)
from proxy.dialects.gemini.usage import on_wire

# of a candidate in the stream, what does not hold for the whole
_PIECEWISE = ("index", "content", "finishReason")


def whole(parsed: Parsed, answer: WholeAnswer) -> Reply:
    """See `ClientHalf.whole`. What a vendor of this dialect said beside goes where its own clients
    look for it.
    """
    own = [extras(event) for event in answer.vendor]
    chunk: dict[str, Any] = {}
    usage: dict[str, Any] = {}
    for said in own:
        chunk.update(said.chunk)
        usage.update(said.usage)
    document: dict[str, Any] = {**chunk}
    if not any(said.blocks for said in own):
        pictured = (image.choice or 0 for image in answer.images)
        numbers = sorted({0, *(block.choice for block in answer.blocks.values()), *pictured})
        document["candidates"] = [
            _candidate(answer, own, number, thoughts=parsed.options.thoughts) for number in numbers
        ]
    if counts := on_wire(answer.usage, usage):
        document["usageMetadata"] = counts
    document |= head(answer.start)
    if parsed.options.wrapped:
        document = {"response": document}
    return Reply(200, msgspec.json.encode(document))


def _candidate(
    answer: WholeAnswer, own: list[Extras], number: int, *, thoughts: bool
) -> dict[str, Any]:
    said = [
        candidate for more in own for candidate in more.candidates if candidate["index"] == number
    ]
    word = next(
        (c["finishReason"] for c in said if isinstance(c.get("finishReason"), str)),
        finish_word(answer.finish),
    )
    beside = {
        key: value
        for candidate in said
        for key, value in candidate.items()
        if key not in _PIECEWISE
    }
    sources = _sources(answer, number)
    if sources and not any(more.cites for more in own):
        beside["groundingMetadata"] = grounding(sources)
    parts = _parts(answer, own, number, thoughts=thoughts) or [{"text": ""}]
    return {
        "content": {"parts": parts, "role": "model"},
        "finishReason": word,
        "index": number,
        **beside,
    }


def _parts(
    answer: WholeAnswer, own: list[Extras], number: int, *, thoughts: bool
) -> list[dict[str, Any]]:
    """The blocks in their order, with pictures and the vendor's own parts between them where they
    stood.
    """
    parts: list[dict[str, Any]] = []
    signature: str | None = None
    for at, block in enumerate([*answer.blocks.values(), None]):
        for where, image in zip(answer.images_at, answer.images, strict=True):
            if where == at and (image.choice or 0) == number:
                parts.append(signed(image_part(image), signature))
                signature = None
        parts += [
            part
            for where, more in zip(answer.vendor_at, own, strict=True)
            if where == at
            for part in _own_parts(more, number)
        ]
        if block is None or block.choice != number:
            continue
        if block.kind == "tool_call" and block.proof is not None and block.tool is not None:
            parts += [signed({"text": ""}, signature)] if signature is not None else []
            signature = None
            parts.append(signed(_part(block), signature_of(block.proof, block.tool.id)))
        elif block.kind != "reasoning":
            if block.text or block.kind == "tool_call":
                parts.append(signed(_part(block), signature))
                signature = None
        else:
            if thoughts and block.text:
                parts.append({"text": block.text, "thought": True})
            if block.proof is not None:
                parts += [signed({"text": ""}, signature)] if signature is not None else []
                signature = signature_of(block.proof)
    return parts if signature is None else [*parts, signed({"text": ""}, signature)]


def _part(block: Block) -> dict[str, Any]:
    if block.kind == "text":
        return {"text": block.text}
    assert block.tool is not None
    return call_part(block.tool, block.text)


def _own_parts(more: Extras, number: int) -> list[dict[str, Any]]:
    contents = [
        candidate.get("content") for candidate in more.candidates if candidate["index"] == number
    ]
    return [
        part
        for content in contents
        if isinstance(content, dict)
        for part in content.get("parts") or []
        if isinstance(part, dict)
    ]


def _sources(answer: WholeAnswer, number: int) -> list[Sourced]:
    said = Said()
    found: list[Sourced] = []
    for at, block in answer.blocks.items():
        if block.choice == number and block.kind == "text":
            said.add(at, block.text)
            found += [
                Sourced(citation, said.on_wire(at, citation.start, citation.end))
                for citation in block.citations
            ]
    return found

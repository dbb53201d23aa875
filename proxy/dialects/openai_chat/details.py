"""`reasoning_details` and `thinking_blocks` of a message: what a vendor wants to see again of the
reasoning, in the forms of OpenRouter and of LiteLLM. Written for clients and for upstreams, and
read when a client sends it back.

Source: https://openrouter.ai/docs/use-cases/reasoning-tokens, "Preserving reasoning blocks".
"""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from msgspec.structs import replace

from proxy.codec.proofs import ANTHROPIC, GEMINI, OPENAI, OTHER, XAI
from proxy.request import ReasoningPart

# Their reasoning is shown in summaries, and what proves one is all of it, encrypted.
RESPONSES = (OPENAI, XAI)


def details_of(part: ReasoningPart, index: int) -> list[dict[str, Any]]:
    """A piece of reasoning as `reasoning_details`. `index` counts the pieces of a message."""
    place: dict[str, Any] = {"format": part.format or OTHER, "index": index}
    if part.id is not None:
        place["id"] = part.id
    secret = {"type": "reasoning.encrypted", "data": part.signature, **place}
    if part.redacted:
        return [secret]
    if part.format in RESPONSES:
        shown = {"type": "reasoning.summary", "summary": part.text, **place}
        return [*([shown] if part.text else ()), *([secret] if part.signature else ())]
    proof = {} if part.signature is None else {"signature": part.signature}
    return [{"type": "reasoning.text", "text": part.text, **proof, **place}]


def thinking_block_of(part: ReasoningPart) -> dict[str, Any] | None:
    """A piece of Claude's reasoning as one of `thinking_blocks`; None for that of others."""
    if part.format != ANTHROPIC or part.signature is None:
        return None
    if part.redacted:
        return {"type": "redacted_thinking", "data": part.signature}
    return {"type": "thinking", "thinking": part.text, "signature": part.signature}


class Read(NamedTuple):
    """The pieces of reasoning of a message, and the proofs of its calls, by their ids."""

    parts: list[ReasoningPart]
    calls: Mapping[str, str]


def read(details: Any, blocks: Any, text: Any, call_ids: Collection[str]) -> Read:
    """What a client sends back as `reasoning_details`, `thinking_blocks` and plain text, of which
    the first that is there says all. `call_ids` are those of the message's calls.
    """
    calls: dict[str, str] = {}
    parts: list[ReasoningPart] = []
    for detail in details if isinstance(details, list) else ():
        if isinstance(detail, dict):
            _add(parts, calls, detail, call_ids)
    if not parts:
        listed = blocks if isinstance(blocks, list) else ()
        parts = [made for block in listed if (made := _of_block(block)) is not None]
    if isinstance(text, dict):  # some gateways make an object of it
        text = text.get("text")
    if isinstance(text, str) and text and not any(part.text for part in parts):
        parts = _with_text(parts, text)
    return Read(parts, calls)


def _add(
    parts: list[ReasoningPart],
    calls: dict[str, str],
    detail: Mapping[str, Any],
    call_ids: Collection[str],
) -> None:
    of, name = _word(detail, "format"), _word(detail, "id")
    of = None if of == OTHER else of
    data, signature = _word(detail, "data"), _word(detail, "signature")
    last = parts[-1] if parts else None
    goes_on = last is not None and (last.format, last.id) == (of, name) and not last.redacted
    if data is not None:
        if of == GEMINI and name in call_ids and name is not None:
            calls[name] = data
        elif of in RESPONSES:
            if goes_on and last is not None and last.signature is None:
                parts[-1] = replace(last, signature=data)
            else:
                parts.append(ReasoningPart("", data, format=of, id=name))
        else:
            parts.append(ReasoningPart("", data, redacted=True, format=of, id=name))
        return
    text = _word(detail, "text") or _word(detail, "summary") or ""
    if goes_on and last is not None and last.signature is None:
        parts[-1] = replace(last, text=last.text + text, signature=signature)  # a piece of a stream
    elif text or signature is not None:
        parts.append(ReasoningPart(text, signature, format=of, id=name))


def _of_block(block: Any) -> ReasoningPart | None:
    match block:
        case {"type": "redacted_thinking", "data": str(data)}:
            return ReasoningPart("", data, redacted=True, format=ANTHROPIC)
        case {"thinking": str(text)}:
            signature = _word(block, "signature")
            return ReasoningPart(text, signature, format=ANTHROPIC if signature else None)
    return None


def _with_text(parts: list[ReasoningPart], text: str) -> list[ReasoningPart]:
    """Proofs without their text: it stands beside them."""
    at = next((at for at, part in enumerate(parts) if not part.redacted), None)
    if at is None:
        return [ReasoningPart(text), *parts]
    return [*parts[:at], replace(parts[at], text=text), *parts[at + 1 :]]


def _word(said: Mapping[str, Any], name: str) -> str | None:
    value = said.get(name)
    return value if isinstance(value, str) and value else None

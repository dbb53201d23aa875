"""`reasoning_details` and `thinking_blocks` of a message: what a vendor wants to see again of the
reasoning, in the forms of OpenRouter and of LiteLLM. Written for clients and for upstreams, and
read when a client sends it back.

Clients of dialects that have no place of their own for a proof get `reasoning_details` too, as a
key of the message: that of a call is a `reasoning.encrypted` with the call's id.

Source: https://openrouter.ai/docs/use-cases/reasoning-tokens, "Preserving reasoning blocks".
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from msgspec import UNSET
from msgspec.structs import replace

from proxy.codec.fold import Block
from proxy.codec.proofs import ANTHROPIC, OPENAI, OTHER, XAI
from proxy.events import BlockEnd, BlockKind, Tool
from proxy.request import Part, ReasoningPart

# Their reasoning is shown in summaries, and what proves one is all of it, encrypted.
RESPONSES = (OPENAI, XAI)


def details_of(part: ReasoningPart, index: int) -> list[dict[str, Any]]:
    """A piece of reasoning as `reasoning_details`. `index` is that of the first of them in its
    message; each has its own, as OpenAI's SDKs merge those of one index in a stream.
    """
    place: dict[str, Any] = {"format": part.format or OTHER, "index": index}
    if part.id is not None:
        place["id"] = part.id
    secret = {"type": "reasoning.encrypted", "data": part.signature, **place}
    if part.redacted:
        return [secret]
    if part.format in RESPONSES:
        shown = {"type": "reasoning.summary", "summary": part.text, **place}
        if part.text and part.signature:
            return [shown, {**secret, "index": index + 1}]
        return [shown] if part.text else [secret] if part.signature else []
    proof = {} if part.signature is None else {"signature": part.signature}
    return [{"type": "reasoning.text", "text": part.text, **proof, **place}]


def part_of(end: BlockEnd, text: str) -> ReasoningPart:
    """A piece of an answer's reasoning that ended with this."""
    return ReasoningPart(
        text,
        None if end.signature is UNSET else end.signature,
        end.redacted is True,
        None if end.format is UNSET else end.format,
        None if end.id is UNSET else end.id,
    )


def details_of_call(end: BlockEnd, call_id: str, index: int) -> list[dict[str, Any]]:
    """What a call has that must be seen again. It names the call."""
    return details_of(replace(part_of(end, ""), redacted=True, id=call_id), index)


def details_of_answer(blocks: Iterable[Block]) -> list[dict[str, Any]]:
    """All of a whole answer that must be seen again, in its order."""
    told = DetailsOfStream()
    out: list[dict[str, Any]] = []
    for number, block in enumerate(blocks):
        if block.proof is not None:
            call = block.tool if block.kind == "tool_call" else None
            told.begin(number, block.kind, call)
            told.add(number, block.text)
            out += told.end(number, block.proof)
    return out


class DetailsOfStream:
    """The same of a streamed answer, block by block. It keeps the reasoning, as a proof comes
    behind it, and says it with the proof.
    """

    def __init__(self) -> None:
        self._pieces: dict[int, list[str]] = {}  # of reasoning
        self._calls: dict[int, str] = {}
        self._told = 0

    def begin(self, block: int, kind: BlockKind, tool: Tool | None) -> None:
        """A block has begun."""
        if kind == "reasoning":
            self._pieces[block] = []
        elif tool is not None:
            self._calls[block] = tool.id

    def add(self, block: int, text: str) -> None:
        """More of a block."""
        pieces = self._pieces.get(block)
        if pieces is not None:
            pieces.append(text)

    def end(self, block: int, end: BlockEnd) -> list[dict[str, Any]]:
        """A block has ended: what of it must be seen again, if anything."""
        pieces, call = self._pieces.pop(block, None), self._calls.pop(block, None)
        if end.signature is UNSET:
            return []
        if call is not None:
            details = details_of_call(end, call, self._told)
        else:
            details = details_of(part_of(end, "".join(pieces or ())), self._told)
        self._told += len(details)
        return details


def thinking_block_of(part: ReasoningPart) -> dict[str, Any] | None:
    """A piece of Claude's reasoning as one of `thinking_blocks`; None for that of others."""
    if part.format != ANTHROPIC or part.signature is None:
        return None
    if part.redacted:
        return {"type": "redacted_thinking", "data": part.signature}
    return {"type": "thinking", "thinking": part.text, "signature": part.signature}


class CallProof(NamedTuple):
    """What must be seen again with a call, and whose it is."""

    signature: str | None = None
    format: str | None = None


NO_PROOF = CallProof()


class Read(NamedTuple):
    """The pieces of reasoning of a message, and the proofs of its calls, by their ids."""

    parts: list[ReasoningPart]
    calls: Mapping[str, CallProof]


class ReadTurn(NamedTuple):
    """All parts of a turn but its calls, and the proofs of those."""

    parts: list[Part]
    calls: Mapping[str, CallProof]


def read(details: Any, blocks: Any, text: Any, call_ids: Collection[str]) -> Read:
    """What a client sends back as `reasoning_details`, `thinking_blocks` and plain text, of which
    the first that is there says all. `call_ids` are those of the message's calls.
    """
    calls: dict[str, CallProof] = {}
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


def read_with(parts: Sequence[Part], details: Any, call_ids: Collection[str]) -> ReadTurn:
    """`parts` of a turn with the reasoning that stands in `reasoning_details` instead of their own,
    which is the same without its proofs.
    """
    said = read(details, None, None, call_ids)
    if not said.parts:
        return ReadTurn(list(parts), said.calls)
    shown = "".join(part.text for part in parts if isinstance(part, ReasoningPart))
    if shown and not any(part.text for part in said.parts):
        said = Read(_with_text(said.parts, shown), said.calls)
    others = (part for part in parts if not isinstance(part, ReasoningPart))
    return ReadTurn([*said.parts, *others], said.calls)


def _add(
    parts: list[ReasoningPart],
    calls: dict[str, CallProof],
    detail: Mapping[str, Any],
    call_ids: Collection[str],
) -> None:
    of, name = _word(detail, "format"), _word(detail, "id")
    of = None if of == OTHER else of
    data, signature = _word(detail, "data"), _word(detail, "signature")
    last = parts[-1] if parts else None
    goes_on = last is not None and (last.format, last.id) == (of, name) and not last.redacted
    if data is not None:
        if name is not None and name in call_ids:
            calls[name] = CallProof(data, of)
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

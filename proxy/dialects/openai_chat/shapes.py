"""What a streamed and a whole answer say alike: the finish, the usage, a citation, a picture, and
what a vendor must see again.
"""

from typing import Any, NamedTuple

from msgspec import UNSET

from proxy.codec.openai.finish_reasons import finish_reason
from proxy.codec.proofs import GEMINI, carried
from proxy.codec.reasoning_details import details_of, part_of, thinking_block_of
from proxy.dialects.openai_chat.wire import NAME
from proxy.events import BlockEnd, Citation, Finish, Image, Vendor


def finish_word(finish: Finish) -> str:
    """One of the words that OpenAI's clients know.

    A refusal of OpenAI's own ends with `stop`, one of Anthropic's is nearest to `content_filter`.
    What is neither ours nor theirs is `stop`: the answer is complete, or it would be an error.
    """
    if finish.reason == "refusal":
        return "stop" if finish.raw == "stop" else "content_filter"
    return "stop" if finish.reason == "other" else finish.reason


def other_finish(raw: str, *, called: bool) -> str:
    """The finish of a choice that has a word of its own. `called`: it called a tool."""
    return finish_word(Finish(finish_reason(raw, called=called, refused=False), raw))


# Where a vendor's parts of content stand that are neither text nor thinking, for clients that know
# content as text alone.
PARTS = "content_parts"


def apart(choice: dict[str, Any]) -> dict[str, Any]:
    """A vendor's choice, with its parts of content under a key of their own."""
    match choice.get("delta"):
        case {"content": list(parts), **rest}:
            return {**choice, "delta": {**rest, PARTS: parts}}
    return choice


class Extras(NamedTuple):
    """A `vendor` event of this dialect taken apart: keys of the chunk, its choices, and keys of the
    usage.
    """

    chunk: dict[str, Any]
    choices: list[dict[str, Any]]
    usage: dict[str, Any]


def extras(event: Vendor) -> Extras:
    """What of a `vendor` event this form has a place for: nothing, if it is another dialect's. The
    model stays the one asked for.
    """
    if event.dialect != NAME or not isinstance(event.data, dict):
        return Extras({}, [], {})
    chunk = {
        name: value
        for name, value in event.data.items()
        if name not in ("model", "choices", "usage")
    }
    choices, usage = event.data.get("choices"), event.data.get("usage")
    listed = choices if isinstance(choices, list) else []
    known = [
        choice
        for choice in listed
        if isinstance(choice, dict) and isinstance(choice.get("index"), int)
    ]
    return Extras(chunk, known, usage if isinstance(usage, dict) else {})


def annotation(citation: Citation) -> dict[str, Any] | None:
    """A citation as `url_citation`. It must have all four fields: unknown places are 0, an unknown
    title is the address. Without an address there is none.
    """
    if citation.url is None:
        return None
    said: dict[str, Any] = {
        "url": citation.url,
        "title": citation.title or citation.url,
        "start_index": citation.start or 0,
        "end_index": citation.end or 0,
    }
    if citation.text is not None:
        said["content"] = citation.text  # OpenRouter's
    return {"type": "url_citation", "url_citation": said}


def image(event: Image, index: int) -> dict[str, Any]:
    """A picture as OpenRouter's clients know it. `index` counts those of the answer."""
    return {"type": "image_url", "image_url": {"url": event.url}, "index": index}


class ReasoningProofs(NamedTuple):
    """What a message has for a piece of reasoning with its proof: `reasoning_details`, and, where
    it is Claude's, `thinking_blocks`.
    """

    details: list[dict[str, Any]]
    blocks: list[dict[str, Any]]


def reasoning_proofs(end: BlockEnd, text: str, index: int) -> ReasoningProofs:
    """`index` is that of the next of the `reasoning_details`."""
    part = part_of(end, text)
    block = thinking_block_of(part)
    return ReasoningProofs(details_of(part, index), [] if block is None else [block])


def call_proof(end: BlockEnd) -> dict[str, Any]:
    """What a call has more that must come back with its proof: Gemini's place for it."""
    if end.signature is UNSET:
        return {}
    proof = carried(end.signature, None if end.format is UNSET else end.format, GEMINI)
    return {"extra_content": {"google": {"thought_signature": proof}}}

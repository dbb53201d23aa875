"""What a streamed and a whole answer say alike: the finish, a citation, and what an answer of this
vendor said beside.
"""

from typing import Any

from msgspec import UNSET, UnsetType

from proxy.dialects.cohere.wire import FINISH, FINISH_WORD, NAME
from proxy.events import Citation, Finish, Vendor

# Frames that have a place of their own, or belong to what is no more.
_PLACED = frozenset({"tool-plan-delta", "tool-call-delta", "citation-start", "message-end"})


def finish_word(finish: Finish) -> str:
    """The vendor's word: its own where it was one of these, else the one for our reason."""
    if finish.raw in FINISH and FINISH[finish.raw] == finish.reason:
        return finish.raw
    return FINISH_WORD[finish.reason]


def citation_object(citation: Citation, content: int) -> dict[str, Any]:
    """One of another vendor's sources as a document. `content` is the index of the text that it
    stands in; unknown is left out.
    """
    document = {"url": citation.url, "title": citation.title, "text": citation.text}
    known = {name: value for name, value in document.items() if value is not None}
    place = {
        name: value
        for name, value in (("start", citation.start), ("end", citation.end))
        if value is not None
    }
    source = {"type": "document", "id": citation.url or citation.title or "", "document": known}
    return {
        **place,
        "text": citation.text or "",
        "sources": [source],
        "content_index": content,
        "type": "TEXT_CONTENT",
    }


def own_citation(event: Vendor) -> dict[str, Any] | None:
    """The citation that a vendor event of this dialect holds whole, if it is one."""
    match event.data:
        case {"type": "citation-start", "delta": {"message": {"citations": dict(said)}}} if (
            event.dialect == NAME
        ):
            return said
    return None


def own_usage(event: Vendor) -> dict[str, Any] | None:
    """What this vendor counted beside, if a vendor event says so."""
    match event.data:
        case {"type": "message-end", "delta": {"usage": dict(said)}} if event.dialect == NAME:
            return said
    return None


def own_frame(event: Vendor) -> dict[str, Any] | None:
    """Any other frame of this vendor's, to go out as it is; log-probs stand with a piece of the
    content, which is empty.
    """
    match event.data:
        case {"type": "content-delta", "logprobs": logprobs} if event.dialect == NAME:
            delta = {"message": {"content": {"text": ""}}}
            index = event.data.get("index")
            return {"type": "content-delta", "index": index, "delta": delta, "logprobs": logprobs}
        case {"type": str(kind)} if event.dialect == NAME and kind not in _PLACED:
            return dict(event.data)
    return None


def is_plan(event: Vendor) -> bool:
    """Whether it says that the reasoning that has just begun is this vendor's plan before it calls
    tools.
    """
    return event.dialect == NAME and event.data == {"type": "tool-plan-delta"}


def first_choice(choice: int | UnsetType) -> bool:
    """Whether a block is of the first answer, the only one that this dialect knows."""
    return choice is UNSET or choice == 0

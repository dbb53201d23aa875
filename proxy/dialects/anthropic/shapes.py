"""What streamed and whole answers have in common: the vendor's words and objects for our events,
and what its own Vendor events hold.
"""

from typing import Any

from proxy.dialects.anthropic import wire
from proxy.dialects.anthropic.wire import NAME
from proxy.events import Citation, Finish, StreamStart, Vendor


def stop_reason(finish: Finish, *, refused: bool) -> str:
    """The vendor's word: its own where it was one of these, else the one for our reason. `refused`:
    the text said that the model will not answer.
    """
    if refused and finish.reason == "stop":
        return wire.STOP_REASON["refusal"]
    if finish.raw in wire.FINISH and wire.FINISH[finish.raw] == finish.reason:
        return finish.raw
    return wire.STOP_REASON[finish.reason]


def citation_object(citation: Citation) -> dict[str, Any] | None:
    """The vendor's form of a source. Only one of its five can be formed, and only for a source with
    an address.
    """
    if citation.url is None:
        return None
    found = {"type": "web_search_result_location", "url": citation.url, "title": citation.title}
    return {**found, "cited_text": citation.text or "", "encrypted_index": ""}


def message_head(start: StreamStart | None) -> dict[str, Any]:
    """The fields that a message begins with."""
    return {
        "id": f"msg_{start.stream if start else ''}",
        "type": "message",
        "role": "assistant",
        "model": start.model if start else "",
    }


def stop_extras(event: Vendor) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """What the vendor itself said with its stop reason, and counted beside: for answers that come
    from this dialect.
    """
    data = event.data
    if kind_of(event) != wire.MESSAGE_DELTA:
        return None
    delta, more = data.get("delta"), data.get("usage")
    return (delta if isinstance(delta, dict) else {}, more if isinstance(more, dict) else {})


def kind_of(event: Vendor) -> str:
    """The `type` of what the vendor said, "" for what another vendor said."""
    kind = event.data.get("type") if isinstance(event.data, dict) else None
    return kind if event.dialect == NAME and isinstance(kind, str) else ""


def opaque_block(event: Vendor) -> dict[str, Any] | None:
    """The content block that a vendor event of this dialect holds whole, if it is one."""
    kind = kind_of(event)
    return event.data if kind and wire.is_opaque_block(kind) else None

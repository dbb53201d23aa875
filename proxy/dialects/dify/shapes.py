"""What a stream and a whole answer say alike."""

from collections.abc import Sequence
from typing import Any

from proxy.dialects.dify.wire import IDS, NAME
from proxy.events import NO_USAGE, Citation, StreamStart, Usage, Vendor

# Dify's own counts for a model whose price it does not know; its SDKs insist on every one of these.
_PRICES: dict[str, Any] = {
    "prompt_unit_price": "0",
    "prompt_price_unit": "0",
    "prompt_price": "0",
    "completion_unit_price": "0",
    "completion_price_unit": "0",
    "completion_price": "0",
    "total_price": "0",
    "currency": "USD",
    "latency": 0.0,
}


def ids(start: StreamStart | None, conversation: str) -> dict[str, str]:
    """Ids of our own, where the upstream is none of Dify's."""
    stream = start.stream if start is not None else ""
    return {"task_id": stream, "message_id": stream, "conversation_id": conversation or stream}


def told_ids(event: Vendor) -> dict[str, str]:
    """The ids that a Dify upstream said, of its vendor event about them."""
    data = event.data
    if event.dialect != NAME or not isinstance(data, dict) or "event" in data:
        return {}
    return {name: data[name] for name in IDS if isinstance(data.get(name), str)}


def told_event(event: Vendor) -> dict[str, Any] | None:
    """An event of Dify's own that has no place in ours."""
    data = event.data
    return (
        data
        if event.dialect == NAME and isinstance(data, dict) and isinstance(data.get("event"), str)
        else None
    )


def metadata(
    usage: Usage, cited: Sequence[Citation], own: dict[str, Any], *, insist: bool = False
) -> dict[str, Any]:
    """`metadata` of the end: what Dify itself said, else what is known. Empty when that is nothing,
    unless its SDKs `insist` on counts.
    """
    if own:
        return own
    if usage == NO_USAGE and not cited and not insist:
        return {}
    prompt, completion = usage.input_tokens or 0, usage.output_tokens or 0
    counts = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }
    resources = [_resource(number, citation) for number, citation in enumerate(cited, 1)]
    return {"usage": {**counts, **_PRICES}, "retriever_resources": resources}


def _resource(position: int, citation: Citation) -> dict[str, Any]:
    return {
        "position": position,
        "dataset_id": "",
        "dataset_name": "",
        "document_id": citation.url or "",
        "document_name": citation.title or citation.url or "",
        "segment_id": "",
        "score": 0.0,
        "content": citation.text or "",
    }

"""Where an answer's parts stand that this dialect has no block for, so that its clients have them
and, for what a vendor must see again, send them back.

    proof of reasoning, of any vendor   `signature` of a thinking block, or `data` of a
                                        redacted_thinking block where there is no text
    proof of a call or of a text        `data` of a redacted_thinking block behind it
    image                               an image block, in the form that requests have for it

A proof of another vendor than Anthropic has its maker's word with it (`proofs.carried`), by which
`parse_turns` reads it back. Clients of this dialect send all blocks back as they came.
"""

from typing import Any

from msgspec import UNSET

from proxy.codec.media import data_of
from proxy.codec.proofs import ANTHROPIC, carried
from proxy.events import BlockEnd, Image


def signature(end: BlockEnd) -> str:
    """The proof of reasoning."""
    assert end.signature is not UNSET
    return carried(end.signature, end.format or None, ANTHROPIC, name=end.id or None)


def redacted(end: BlockEnd) -> dict[str, Any]:
    """Reasoning that is encrypted as a whole."""
    return {"type": "redacted_thinking", "data": signature(end)}


def behind(end: BlockEnd, call: str | None) -> dict[str, Any]:
    """The proof of a text, or of the call with this id."""
    assert end.signature is not UNSET
    proof = carried(end.signature, end.format or None, ANTHROPIC, call=call)
    return {"type": "redacted_thinking", "data": proof}


def image(event: Image) -> dict[str, Any]:
    """A picture, in the form that a request of this dialect has for it: the vendor's own answers
    have none, and SDKs pass over blocks that they do not know.
    """
    data = data_of(event.url)
    if data is None:
        return {"type": "image", "source": {"type": "url", "url": event.url}}
    source = {"type": "base64", "media_type": data.media_type, "data": data.base64}
    return {"type": "image", "source": source}

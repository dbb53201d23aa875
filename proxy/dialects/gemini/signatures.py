"""Thought signatures, between this vendor's wire and our events.

On the wire a signature is base64 and sits on the part that followed the thought: a text, a call, a
picture, or an empty part at the end. With us that of a call is the call's own; any other is the end
of a reasoning block, an empty one where no reasoning was shown, right before that part. Both halves
keep to this, so that a signature comes back on the part that it came with.

This vendor's SDKs decode it to bytes, and write it again in base64's other alphabet: so one that is
not base64, or is in that alphabet, travels wrapped.
"""

import binascii
from base64 import b64decode, b64encode

# "Thought signatures" of the vendor's guide: for calls that did not come from it, or whose
# signature was lost.
NO_SIGNATURE = "skip_thought_signature_validator"
UNSIGNED_CALL = (
    "The signature of an earlier tool call was not kept; the model is told so, and reasons without "
    "it."
)
_WRAPPED = b"text:"
_OTHER_ALPHABET = str.maketrans("-_", "+/")


def is_base64(signature: str) -> bool:
    """Whether it is base64 in the standard alphabet, as this vendor's own are."""
    decoded = _decoded(signature)
    return decoded is not None and b64encode(decoded).decode() == signature


def to_wire(signature: str) -> str:
    """Any vendor's signature, for clients of this dialect."""
    if is_base64(signature) and not b64decode(signature).startswith(_WRAPPED):
        return signature
    return b64encode(_WRAPPED + signature.encode("utf-8", "replace")).decode()


def from_wire(said: str) -> str:
    """What `to_wire` was given, from what a client sent back."""
    standard = said.translate(_OTHER_ALPHABET)
    decoded = _decoded(standard + "=" * (-len(standard) % 4))
    if decoded is None:
        return said
    if decoded.startswith(_WRAPPED):
        return decoded.removeprefix(_WRAPPED).decode("utf-8", "replace")
    return b64encode(decoded).decode()


def _decoded(text: str) -> bytes | None:
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None

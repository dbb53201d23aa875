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
from typing import NamedTuple

from proxy.codec.proofs import GEMINI, carried, read

# "Thought signatures" of the vendor's guide: for calls that did not come from it, or whose
# signature was lost.
NO_SIGNATURE = "skip_thought_signature_validator"
UNSIGNED_CALL = (
    "The signature of an earlier tool call was not kept; the model is told so, and reasons without "
    "it."
)
_WRAPPED, _REDACTED = b"text:", b"dark:"
_OTHER_ALPHABET = str.maketrans("-_", "+/")


def is_base64(signature: str) -> bool:
    """Whether it is base64 in the standard alphabet, as this vendor's own are."""
    decoded = _decoded(signature)
    return decoded is not None and b64encode(decoded).decode() == signature


class Signed(NamedTuple):
    """A signature, and whose it is (see `proxy/codec/proofs.py`). `redacted`: it is the whole
    reasoning, encrypted; `name` is the vendor's of the reasoning. `of_call`: it is the call's that
    it came with, not that of the reasoning before it.
    """

    signature: str
    format: str | None
    redacted: bool = False
    name: str | None = None
    of_call: bool = False


def to_wire(signed: Signed, call: str = "") -> str:
    """Any vendor's signature, for clients of this dialect; `call` is the id of the call whose own
    it is.
    """
    own = signed.format in (None, GEMINI) and not signed.redacted
    place = call if call and not own else None
    text = carried(signed.signature, signed.format, GEMINI, name=signed.name, call=place)
    if own and is_base64(text) and not b64decode(text).startswith((_WRAPPED, _REDACTED)):
        return text
    head = _REDACTED if signed.redacted else _WRAPPED
    return b64encode(head + text.encode("utf-8", "replace")).decode()


def from_wire(said: str) -> Signed:
    """What `to_wire` was given, from what a client sent back on a call or on another part."""
    standard = said.translate(_OTHER_ALPHABET)
    decoded = _decoded(standard + "=" * (-len(standard) % 4))
    if decoded is None:
        return Signed(said, GEMINI, of_call=True)
    for head in (_WRAPPED, _REDACTED):
        if decoded.startswith(head):
            of, text, name, call = read(
                decoded.removeprefix(head).decode("utf-8", "replace"), GEMINI
            )
            return Signed(text, of, head is _REDACTED, name, call is not None or of == GEMINI)
    return Signed(b64encode(decoded).decode(), GEMINI, of_call=True)


def _decoded(text: str) -> bytes | None:
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None

"""What other vendors must see again, in the one place that a client of this dialect sends back: the
`encrypted_content` of a reasoning item. OpenAI's own stands there as it is; of others stands whose
it is, too (`proxy/codec/proofs.py`). The proof of a tool call has a reasoning item of its own
behind the call.
"""

from typing import NamedTuple

from msgspec import UNSET, UnsetType

from proxy.codec import proofs
from proxy.events import BlockEnd

_REDACTED = "+redacted"


class Unsealed(NamedTuple):
    """`call` is the id of the call that the proof is of; None for the reasoning's own."""

    signature: str
    format: str | None
    redacted: bool
    name: str | None
    call: str | None


def sealed(end: BlockEnd, call: str | None = None) -> str | None:
    """The encrypted content of a block that has ended; None where it has no proof."""
    if end.signature is UNSET:
        return None
    of = proofs.OTHER if end.format is UNSET else end.format
    if of == proofs.OPENAI and call is None:
        return end.signature
    word = of + _REDACTED if end.redacted is True else of
    return proofs.carried(end.signature, word, None, name=_given(end.id), call=call)


def is_sealed(text: str) -> bool:
    """Whether an encrypted content is ours, with a word about whose it is."""
    return text.startswith(proofs.MARK)


def unsealed(text: str) -> Unsealed:
    """The inverse of `sealed`. Who made a proof that came without a word is not known."""
    proof = proofs.read(text, proofs.OPENAI)
    of = proof.format or proofs.OTHER
    word = of.removesuffix(_REDACTED)
    known = None if word == proofs.OTHER else word
    return Unsealed(proof.text, known, word != of, proof.name, proof.call)


def _given(name: str | UnsetType) -> str | None:
    return None if name is UNSET else name

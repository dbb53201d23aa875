"""What a vendor must see again in a later turn (a signature, encrypted reasoning), on its way
through clients and back.

A proof is of use only to the vendor that made it, so it travels with a word that says whose it is.
The words are OpenRouter's, from the field `format` of its `reasoning_details`
(https://openrouter.ai/docs/use-cases/reasoning-tokens), as clients know them already.

A client's dialect may have a field for a proof, but none for the word: there the two travel as one
text (`carried`), unless the proof is that dialect's own, which stays as it is.
"""

from typing import NamedTuple

ANTHROPIC = "anthropic-claude-v1"
GEMINI = "google-gemini-v1"
OPENAI = "openai-responses-v1"
XAI = "xai-responses-v1"
BEDROCK = ANTHROPIC  # its Claude models sign as Anthropic does
OTHER = "unknown"
_MARK = "mainstem:"


class Proof(NamedTuple):
    """`format` None: the text did not say whose it is."""

    format: str | None
    text: str


def carried(proof: str, of: str | None, own: str | None) -> str:
    """A proof, and whose it is, as one text for a field of a client whose own proofs are `own`.
    Colons do not stand in a format's word.
    """
    return proof if of is None or of == own else f"{_MARK}{of}:{proof}"


def read(text: str, own: str | None) -> Proof:
    """The inverse of `carried`."""
    if not text.startswith(_MARK):
        return Proof(own, text)
    of, colon, proof = text.removeprefix(_MARK).partition(":")
    return Proof(of, proof) if colon else Proof(own, text)


def fits(of: str | None, target: str | None) -> bool:
    """Whether a vendor whose own proofs are `target` can be shown a proof. One whose maker is not
    known is shown: the vendor knows best.
    """
    return of is None or target is None or of == target

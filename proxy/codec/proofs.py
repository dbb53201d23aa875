"""What a vendor must see again in a later turn (a signature, encrypted reasoning), on its way
through clients and back.

A proof is of use only to the vendor that made it, so it travels with a word that says whose it is.
The words are OpenRouter's, from the field `format` of its `reasoning_details`
(https://openrouter.ai/docs/use-cases/reasoning-tokens), as clients know them already.

A client's dialect may have a field for a proof, but none for the word: there the two travel as one
text (`carried`), unless the proof is that dialect's own, which stays as it is.
"""

from typing import NamedTuple
from urllib.parse import quote, unquote

ANTHROPIC = "anthropic-claude-v1"
GEMINI = "google-gemini-v1"
OPENAI = "openai-responses-v1"
XAI = "xai-responses-v1"
BEDROCK = ANTHROPIC  # its Claude models sign as Anthropic does
OTHER = "unknown"
MARK = "mainstem:"  # begins a text that is `carried`


class Proof(NamedTuple):
    """`format` None: the text did not say whose it is. `name` is the vendor's of the reasoning,
    `call` the id of the tool call that the proof belongs to, where the text says so.
    """

    format: str | None
    text: str
    name: str | None = None
    call: str | None = None


def carried(
    proof: str, of: str | None, own: str | None, *, name: str | None = None, call: str | None = None
) -> str:
    """A proof, and whose it is, as one text for a field of a client whose own proofs are `own`.

    `name` is the vendor's of the reasoning, `call` the id of the tool call that the proof is of.
    The text is `mainstem:FORMAT:PROOF`, where `#NAME` and `@CALL` may follow the format; both are
    percent-encoded, so that no sign of them is read as one of ours. With `call`, the text always
    has this form.
    """
    if call is None and (of is None or of == own):
        return proof
    title = "" if name is None else f"#{quote(name, safe='')}"
    place = "" if call is None else f"@{quote(call, safe='')}"
    return f"{MARK}{of or OTHER}{title}{place}:{proof}"


def read(text: str, own: str | None) -> Proof:
    """The inverse of `carried`."""
    if not text.startswith(MARK):
        return Proof(own, text)
    head, colon, proof = text.removeprefix(MARK).partition(":")
    if not colon:
        return Proof(own, text)
    head, at, call = head.partition("@")
    of, sharp, name = head.partition("#")
    return Proof(of, proof, unquote(name) if sharp else None, unquote(call) if at else None)


def fits(of: str | None, target: str | None) -> bool:
    """Whether a vendor whose own proofs are `target` can be shown a proof. One whose maker is not
    known is shown: the vendor knows best.
    """
    return of is None or target is None or of == target

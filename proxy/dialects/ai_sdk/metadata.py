"""Provider metadata: what a vendor must see again, on its way through a page. The SDK keeps it with
the part that it is of, and posts it with the next turn (`providerMetadata` of reasoning,
`callProviderMetadata` of a tool call).

Ours has all that `BlockEnd` says, under the name `mainstem`. A page that talked to a vendor by
another way before has that vendor's, under its provider's name: those of `@ai-sdk/anthropic`,
`@ai-sdk/openai` and `@ai-sdk/google` are read, too.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from msgspec import UNSET

from proxy.codec import proofs
from proxy.events import BlockEnd

PROVIDER = "mainstem"
# Provider -> (key of the proof, whose it is, whether it is the whole reasoning).
_OTHERS: dict[str, tuple[tuple[str, str, bool], ...]] = {
    "anthropic": (
        ("signature", proofs.ANTHROPIC, False),
        ("redactedData", proofs.ANTHROPIC, True),
    ),
    "openai": (("reasoningEncryptedContent", proofs.OPENAI, False),),
    "google": (("thoughtSignature", proofs.GEMINI, False),),
    "vertex": (("thoughtSignature", proofs.GEMINI, False),),
}


class Proof(NamedTuple):
    """See `BlockEnd`."""

    signature: str | None = None
    format: str | None = None
    redacted: bool = False
    id: str | None = None


def written(end: BlockEnd) -> dict[str, Any]:
    """The metadata of a block that has ended; none where there is no proof."""
    if end.signature is UNSET:
        return {}
    said = {
        "signature": end.signature,
        "format": end.format,
        "redacted": end.redacted,
        "id": end.id,
    }
    return {PROVIDER: {name: value for name, value in said.items() if value is not UNSET}}


def read(metadata: Mapping[str, Any] | None) -> Proof:
    """What a page brings back; an empty one where there is none."""
    for provider, said in (metadata or {}).items():
        if not isinstance(said, dict):
            continue
        if provider == PROVIDER and isinstance(said.get("signature"), str):
            of, name = _text(said, "format"), _text(said, "id")
            return Proof(said["signature"], of, said.get("redacted") is True, name)
        for key, of, redacted in _OTHERS.get(provider, (("signature", proofs.OTHER, False),)):
            proof = _text(said, key)
            if proof is not None:
                known = None if of == proofs.OTHER else of
                return Proof(proof, known, redacted, _text(said, "itemId"))
    return Proof()


def _text(said: Mapping[str, Any], key: str) -> str | None:
    value = said.get(key)
    return value if isinstance(value, str) and value else None

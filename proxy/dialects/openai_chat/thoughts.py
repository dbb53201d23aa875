"""What a delta says of the model's reasoning, under the names that vendors have for it.

`reasoning_content`, `reasoning`, `reasoning_text` and `thinking` are one text under four names.
`reasoning_details` (OpenRouter) and `thinking_blocks` (LiteLLM) say it once more, with what the
vendor wants to see again. Source: https://openrouter.ai/docs/use-cases/reasoning-tokens.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from proxy.codec.proofs import ANTHROPIC, OTHER
from proxy.dialects.openai_chat.wire import Delta


class Proof(NamedTuple):
    """What must be seen again: `whole` if it is all of the reasoning, encrypted, else it proves the
    text before it. `id` is the vendor's name of the reasoning, or of the call that it belongs to.
    """

    text: str
    of: str | None
    id: str | None
    whole: bool


class Thoughts(NamedTuple):
    """One delta's reasoning. `plain`: its text is not from details alone. `opaque` are details that
    are neither text nor proof.
    """

    text: str
    plain: bool
    proofs: list[Proof]
    opaque: list[Any]


def thoughts(delta: Delta) -> Thoughts:
    """All that it says."""
    said = delta.reasoning_content or delta.reasoning or delta.reasoning_text or delta.thinking
    proofs: list[Proof] = []
    opaque: list[Any] = []
    text = ""
    if isinstance(said, str):
        text = said
    elif isinstance(said, dict):
        text = _text(said, "text", "content", "thinking")
        proofs += _signature(said, None)
    beside: list[str] = []
    for detail in delta.reasoning_details or ():
        if not isinstance(detail, dict):
            continue
        of = _text(detail, "format") or None
        piece = _text(detail, "text", "summary")
        beside.append(piece)
        found = [*_signature(detail, None if of == OTHER else of), *_encrypted(detail, "data", of)]
        proofs += found
        if not found and not piece and _says(detail):
            opaque.append(detail)
    if delta.thinking_blocks and not delta.reasoning_details:
        for block in delta.thinking_blocks:
            if isinstance(block, dict):
                beside.append(_text(block, "thinking"))
                proofs += [*_signature(block, ANTHROPIC), *_encrypted(block, "data", ANTHROPIC)]
    # Snowflake says it nowhere else; OpenRouter says it twice
    return Thoughts(text or "".join(beside), bool(text), proofs, opaque)


def _text(said: dict[str, Any], *names: str) -> str:
    return next((value for name in names if isinstance(value := said.get(name), str) and value), "")


def _signature(said: dict[str, Any], of: str | None) -> Iterator[Proof]:
    if signature := _text(said, "signature"):
        yield Proof(signature, of, _text(said, "id") or None, whole=False)


def _encrypted(said: dict[str, Any], name: str, of: str | None) -> Iterator[Proof]:
    if data := _text(said, name):
        yield Proof(data, None if of == OTHER else of, _text(said, "id") or None, whole=True)


def _says(detail: dict[str, Any]) -> bool:
    """Whether a detail says more than what it is and where it stands."""
    return any(
        value not in (None, "") and name not in ("type", "index", "format", "id")
        for name, value in detail.items()
    )

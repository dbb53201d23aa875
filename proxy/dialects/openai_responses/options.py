"""An upstream's options, and what every request to it has alike."""

from collections.abc import Mapping, MutableMapping
from typing import Any

import msgspec

from proxy.codec import proofs
from proxy.codec.base import JSON, TargetConfig
from proxy.events import Note

PATH = "/responses"


class Options(msgspec.Struct, forbid_unknown_fields=True):
    """The upstream's options, all with defaults; `build` says what they mean."""

    store: bool | None = None
    encrypted_reasoning: bool | None = None
    reasoning_summary: str = "auto"
    proof_format: str = proofs.OPENAI
    organization: str | None = None
    project: str | None = None
    api_key_header: str | None = None
    omit: list[str] = []


def headers(target: TargetConfig, options: Options) -> dict[str, str]:
    """Whose request it is."""
    said = {"content-type": JSON, "accept": "text/event-stream"}
    if target.api_key is not None:
        if options.api_key_header is None:
            said["authorization"] = f"Bearer {target.api_key}"
        else:
            said[options.api_key_header] = target.api_key
    if options.organization is not None:
        said["openai-organization"] = options.organization
    if options.project is not None:
        said["openai-project"] = options.project
    return said


def omit(
    options: Options, body: MutableMapping[str, Any], notes: list[Note], upstream: str
) -> None:
    """Leave out what the upstream is configured not to be sent."""
    omitted = [name for name in options.omit if body.pop(name, None) is not None]
    notes += [
        Note("dropped", name, f"{upstream} is configured not to be sent {name}.")
        for name in omitted
    ]


def proof_format(options: Mapping[str, Any]) -> str:
    """Whose proofs an upstream gives, for its decoder."""
    said = options.get("proof_format")
    return said if isinstance(said, str) else proofs.OPENAI

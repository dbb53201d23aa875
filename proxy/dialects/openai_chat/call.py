"""The HTTP request that a body goes up in, built or relayed."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from proxy.codec.base import Outgoing, TargetConfig
from proxy.codec.chat_turns import drop
from proxy.codec.wire_rules import keep_to, keep_to_thinking
from proxy.dialects.openai_chat.options import UpstreamOptions
from proxy.dialects.openai_chat.wanted import as_asked
from proxy.events import Note

_PATH = "/chat/completions"


def called(
    body: dict[str, Any],
    target: TargetConfig,
    options: UpstreamOptions,
    notes: list[Note],
    *,
    tool_names: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    vendor: Mapping[str, Any] | None = None,
) -> Outgoing:
    """The body without what the target refuses or the operator leaves out. `headers` are the
    client's, of this dialect; `vendor` is what goes over the body.
    """
    body = as_asked(body, target.rules, options.ask_reasoning, notes)
    body = renamed(omitted(body, options.omit, target, notes), options.rename)
    body.update(vendor or {})
    keep_to(target.rules, body, notes, target.upstream)
    keep_to_thinking(target.rules, body.get("reasoning_effort"), body, notes)
    return Outgoing(
        _PATH,
        msgspec.json.encode(body),
        {**(headers or {}), **_headers(target, options)},
        tuple(notes),
        tool_names=tool_names or {},
    )


def omitted(
    body: dict[str, Any], names: Iterable[str], target: TargetConfig, notes: list[Note]
) -> dict[str, Any]:
    """The body without these, with a note for each that it had."""
    for name in names:
        if body.pop(name, None) is not None:
            drop(notes, name, f"{target.upstream} is configured not to be sent {name}.")
    return body


def renamed(body: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """The body with the vendor's names of fields, each where it stood."""
    if not names.keys() & body.keys():
        return body
    return {names.get(name, name): value for name, value in body.items()}


def _headers(target: TargetConfig, options: UpstreamOptions) -> dict[str, str]:
    headers = {"content-type": "application/json", "accept": "text/event-stream"}
    if target.api_key is not None:
        if options.api_key_header is None:
            headers["authorization"] = f"Bearer {target.api_key}"
        else:
            headers[options.api_key_header] = target.api_key
    if options.organization is not None:
        headers["openai-organization"] = options.organization
    if options.project is not None:
        headers["openai-project"] = options.project
    return headers

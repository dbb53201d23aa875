"""A `ChatRequest` to the third API, behind a base URL that ends in `/api/paas/v3`.

`api_key` goes into `Authorization` as it is: the vendor wants a token there that is signed with the
time of day, which this package does not have, so making one is the operator's business.

The upstream's options: `incremental`, true (default): each event has a new piece; false: each
repeats the text so far.
"""

from typing import Any

import msgspec

from proxy.codec.base import Outgoing, TargetConfig
from proxy.codec.chat_turns import Turn, chat_turns, drop, headers, merged, options_of, path_part
from proxy.codec.single_prompt import cannot_say
from proxy.codec.wire_rules import keep_to
from proxy.errors import bad_request
from proxy.events import Note
from proxy.request import ChatRequest


class _Options(msgspec.Struct, forbid_unknown_fields=True):
    incremental: bool = True


def build_request(request: ChatRequest, target: TargetConfig) -> Outgoing:
    """See `UpstreamHalf.build_request`."""
    options = options_of(target, _Options)
    notes = cannot_say(request, ("temperature", "top_p"))
    body: dict[str, Any] = {
        "prompt": _prompt(request, notes),
        **_sampling(request),
        **request.vendor,
        "incremental": options.incremental,
    }
    keep_to(target.rules, body, notes, target.upstream)
    sent = headers(None)
    if target.api_key is not None:
        sent["authorization"] = target.api_key
    path = f"/model-api/{path_part(target.model or request.model)}/sse-invoke"
    return Outgoing(path, msgspec.json.encode(body), sent, tuple(notes))


def _sampling(request: ChatRequest) -> dict[str, float]:
    said = {"temperature": request.temperature, "top_p": request.top_p}
    return {name: value for name, value in said.items() if value is not None}


def _prompt(request: ChatRequest, notes: list[Note]) -> list[dict[str, str]]:
    """User and assistant in turns. System texts and tools' results, which the vendor has no role
    for, are the user's text.
    """
    turns = []
    for turn in chat_turns(request, notes, images=False):
        if turn.role == "system":
            drop(
                notes,
                "system",
                "The upstream has no system text: it stands in the user's turn.",
                "changed",
            )
        elif turn.role == "tool":
            drop(
                notes,
                "messages.tool_result",
                "The upstream knows no tools: a tool's result stands in the user's turn.",
                "changed",
            )
        if turn.calls:
            drop(
                notes,
                "messages.tool_call",
                "Earlier tool calls are left out: the upstream knows no tools.",
            )
        role = turn.role if turn.role == "assistant" else "user"
        if turn.text:
            turns.append(Turn(role, turn.text))
    turns = merged(turns, notes)
    if not turns or turns[-1].role == "assistant":
        raise bad_request(
            "messages must end with a user's turn that has text: this upstream only answers.",
            param="messages",
        )
    return [{"role": turn.role, "content": turn.text} for turn in turns]

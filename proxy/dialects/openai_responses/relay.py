"""The request of a client of this dialect on its way to an upstream of this dialect: the client's
own body. What is changed: the model, the key, `stream`, what the target's rules and the operator's
options forbid, and the id of an earlier answer, which the client has from us.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from proxy.codec import proofs
from proxy.codec.base import Outgoing, TargetConfig
from proxy.codec.chat_turns import options_of
from proxy.codec.efforts import EFFORTS, nearest_effort
from proxy.codec.note_once import note_once
from proxy.codec.refused import is_refused
from proxy.codec.relaying import own_body
from proxy.codec.rules import Rules, kept_name, renamed
from proxy.codec.shared_notes import RENAMED_TOOLS
from proxy.codec.wire_rules import at_most, keep_to, keep_to_thinking, short_names
from proxy.dialects.openai_responses.options import PATH, Options, headers, omit
from proxy.dialects.openai_responses.relay_items import mended_item, without_lone_reasoning
from proxy.dialects.openai_responses.sealed import is_sealed, unsealed
from proxy.dialects.openai_responses.shapes import vendors_id
from proxy.errors import bad_request
from proxy.events import Note
from proxy.request import ChatRequest, Original, ToolCallPart

_Objects = list[dict[str, Any]]
_CALLS = ("function_call", "custom_tool_call")
_NAMED = ("function", "custom")


def relay_request(
    request: ChatRequest, original: Original, target: TargetConfig
) -> Outgoing | None:
    """See `UpstreamHalf.relay_request`. A vendor without tools that take free text gets a request
    that is built, with functions in their place.
    """
    if target.rules.custom_tools is False and _has_free_text(request):
        return None
    options = options_of(target, Options)
    notes: list[Note] = []
    changes: dict[str, Any] = {"model": target.model or request.model, "stream": True}
    if options.store is not None:
        changes["store"] = options.store
        if request.store and not options.store:
            notes.append(Note("dropped", "store", f"{target.upstream} is configured not to store."))
    if target.upstream in original.at and options.store is not False:
        original = replace(original, body=original.at[target.upstream])
    previous = original.body.get("previous_response_id")
    if isinstance(previous, str):
        changes["previous_response_id"] = _previous(previous)
    body = own_body(original, changes)
    names: dict[str, str] = {}
    _mend_proofs(body, options.proof_format, notes)
    _mend_names(body, target.rules, names, notes)
    if isinstance(body.get("input"), list):
        items = without_lone_reasoning(body["input"], target.rules, notes)
        body["input"] = [mended_item(item, target.rules) for item in items]
    _mend_bounds(body, target.rules, notes)
    keep_to(target.rules, body, notes, target.upstream)
    keep_to_thinking(target.rules, _effort(body), body, notes)
    _keep_tools(body, target.rules, notes, target.upstream)
    omit(options, body, notes, target.upstream)
    return Outgoing(
        PATH,
        msgspec.json.encode(body),
        {**original.headers, **headers(target, options)},
        tuple(notes),
        tool_names=names,
    )


def _has_free_text(request: ChatRequest) -> bool:
    return any(tool.custom is not None for tool in request.tools) or any(
        isinstance(part, ToolCallPart) and part.custom
        for message in request.messages
        for part in message.parts
    )


def _previous(said: str) -> str:
    """The vendor's id of an earlier answer."""
    theirs = vendors_id(said)
    if theirs is None:
        raise bad_request(
            "previous_response_id is of an answer that no Responses vendor gave: send the whole "
            "input, with the items of the earlier answer.",
            param="previous_response_id",
        )
    return theirs


# Lists and objects of the client's are replaced, never changed: another target may be asked next.


def _mend_proofs(body: dict[str, Any], own: str, notes: list[Note]) -> None:
    """What we gave the client of other vendors' proofs, this vendor could not read."""
    items = body.get("input")
    if not isinstance(items, list):
        return
    kept = [each for item in items if (each := _with_proof(item, own)) is not None]
    if len(kept) < len(items):
        why = "Earlier reasoning of another vendor cannot be sent back to this one."
        notes.append(Note("dropped", "input.reasoning", why))
    body["input"] = kept


def _with_proof(item: Any, own: str) -> Any:
    said = item.get("encrypted_content") if isinstance(item, dict) else None
    if not isinstance(said, str) or not is_sealed(said):
        return item
    proof = unsealed(said)
    fits = proof.call is None and proofs.fits(proof.format, own)
    return {**item, "encrypted_content": proof.signature} if fits else None


def _mend_names(
    body: dict[str, Any], rules: Rules, names: dict[str, str], notes: list[Note]
) -> None:
    """Names of tools and ids of calls that the target refuses, wherever they stand."""
    named, called = rules.tool_name, rules.call_id

    def name(said: Any) -> Any:
        return kept_name(named, said, names)

    def tool(said: dict[str, Any]) -> dict[str, Any]:
        if isinstance(said.get("tools"), list):
            said = {**said, "tools": _each(said["tools"], tool)}
        return _put(said, "name", name) if said.get("type") in _NAMED else said

    def item(said: dict[str, Any]) -> dict[str, Any]:
        if said.get("type") in _CALLS:
            said = _put(said, "name", name)
        elif isinstance(said.get("tools"), list):
            return {**said, "tools": _each(said["tools"], tool)}
        return _put(said, "call_id", lambda of: renamed(called, of) or of)

    if named is None and called is None:
        return
    for key, change in (("tools", tool), ("input", item)):
        if isinstance(body.get(key), list):
            body[key] = _each(body[key], change)
    if isinstance(body.get("tool_choice"), dict):
        body["tool_choice"] = tool(body["tool_choice"])
    if names:
        notes.append(RENAMED_TOOLS)


def _each(said: list[Any], change: Callable[[dict[str, Any]], dict[str, Any]]) -> list[Any]:
    return [change(each) if isinstance(each, dict) else each for each in said]


def _put(said: dict[str, Any], key: str, change: Callable[[Any], Any]) -> dict[str, Any]:
    if key not in said:
        return said
    changed = change(said[key])
    return said if changed == said[key] else {**said, key: changed}


def _mend_bounds(body: dict[str, Any], rules: Rules, notes: list[Note]) -> None:
    at_most(body, "max_output_tokens", rules.largest_max_tokens, notes)
    at_most(body, "temperature", rules.largest_temperature, notes)
    short_names(body, rules, notes)
    effort = _effort(body)
    known = next((word for word in EFFORTS if word == effort), None)
    if known is not None and rules.efforts:
        nearest = nearest_effort(known, rules.efforts)
        if nearest != known:
            body["reasoning"] = {**body["reasoning"], "effort": nearest}
            why = f"Effort {known} is said as {nearest}, the nearest that is taken."
            notes.append(Note("changed", "reasoning.effort", why))


def _effort(body: Mapping[str, Any]) -> Any:
    reasoning = body.get("reasoning")
    return reasoning.get("effort") if isinstance(reasoning, dict) else None


def _keep_tools(body: dict[str, Any], rules: Rules, notes: list[Note], upstream: str) -> None:
    """Without the kinds of tools that the operator does not let through."""

    def kept(tools: _Objects) -> Iterator[Any]:
        for tool in tools:
            if not is_refused(tool, rules.refuse):
                yield tool
                continue
            said = f"{tool['type']} is left out: the configuration does not let it through to "
            note = Note("dropped", "refuse", f"{said}{upstream}.")
            note_once(notes, note)

    def item(said: dict[str, Any]) -> dict[str, Any]:
        inner = said.get("tools")
        return {**said, "tools": list(kept(inner))} if isinstance(inner, list) else said

    if not rules.refuse:
        return
    if isinstance(body.get("tools"), list):
        body["tools"] = [
            item(each) if isinstance(each, dict) else each for each in kept(body["tools"])
        ]
    if isinstance(body.get("input"), list):
        body["input"] = _each(body["input"], item)

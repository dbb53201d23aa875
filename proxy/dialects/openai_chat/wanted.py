"""What a request wants of the answer (its form, how many, and that a tool is called), as the target
can be asked for it: in the body as it goes up, built or the client's own.
"""

from typing import Any

import msgspec

from proxy.codec.chat_turns import drop
from proxy.codec.response_format import IN_WORDS, SCHEMA_IN_WORDS
from proxy.codec.rules import Rules
from proxy.dialects.openai_chat.build_reasoning import asked
from proxy.dialects.openai_chat.options import AskReasoning
from proxy.events import Note
from proxy.request import Reasoning

# Where it is said whether to think.
_SAYS = ("thinking", "enable_thinking", "reasoning_effort")


def as_asked(
    body: dict[str, Any], rules: Rules, ask: AskReasoning, notes: list[Note]
) -> dict[str, Any]:
    """The body within the target's rules; the very same one where it is so. `ask` is how the vendor
    is told to think.
    """
    most, wanted = rules.largest_n, body.get("n")
    if most is not None and isinstance(wanted, int) and wanted > most:
        drop(notes, "n", f"The upstream gives {most} of the {wanted} answers.", "changed")
        body = {**body, "n": most}
    if rules.greedy_alone and body.get("temperature") == 0 and body.get("top_p", 1) != 1:
        drop(notes, "top_p", "The upstream takes no top_p together with a temperature of 0.")
        body = {name: value for name, value in body.items() if name != "top_p"}
    return _tool_choice(_form(body, rules, notes), rules, ask, notes)


def _form(body: dict[str, Any], rules: Rules, notes: list[Note]) -> dict[str, Any]:
    """A form that the target does not know is told to the model in words."""
    form = body.get("response_format")
    if not rules.answer_forms or not isinstance(form, dict):
        return body
    match form:
        case {"type": "json_schema", "json_schema": dict(named)} if _unknown("json_schema", rules):
            said = "The answer's JSON Schema is told to the model, as this upstream takes none."
            drop(notes, "response_format.json_schema", said, "changed")
            schema = msgspec.json.encode(named.get("schema", {})).decode()
            body = {**body, "response_format": {"type": "json_object"}}
            return _told(body, SCHEMA_IN_WORDS + schema)
        case {"type": "json_object"} if _unknown("json_object", rules):
            said = "This upstream knows JSON by a schema only; the model is told to answer with it."
            drop(notes, "response_format", said, "changed")
            left = {name: value for name, value in body.items() if name != "response_format"}
            return _told(left, IN_WORDS)
    return body


def _unknown(form: str, rules: Rules) -> bool:
    return form not in rules.answer_forms


def _told(body: dict[str, Any], words: str) -> dict[str, Any]:
    """With words of the system's, behind those that it says at the beginning."""
    match body.get("messages"):
        case [{"role": "system", "content": str(text)} as first, *rest]:
            first = {**first, "content": f"{text}\n\n{words}" if text else words}
            return {**body, "messages": [first, *rest]}
        case list(messages):
            return {**body, "messages": [{"role": "system", "content": words}, *messages]}
    return body


def _tool_choice(
    body: dict[str, Any], rules: Rules, ask: AskReasoning, notes: list[Note]
) -> dict[str, Any]:
    """To call a tool is left to a model that cannot be told that it must. One that cannot only
    while it thinks, as it does by default, is told not to think.
    """
    choice = body.get("tool_choice")
    if choice in (None, "auto", "none"):
        return body
    thinks = _thinks(body) or (rules.thinks_by_default and rules.thinking_off == "")
    if rules.forces_tools is False or (rules.forces_tools_thinking is False and thinks):
        drop(notes, "tool_choice", "This model cannot be told, here, that it must call a tool.")
        return {name: value for name, value in body.items() if name != "tool_choice"}
    if rules.forces_tools_thinking is False and rules.thinks_by_default and not _says(body):
        drop(notes, "reasoning", "This model cannot think where a tool call is forced.", "changed")
        return {**body, **asked(Reasoning("none"), ask, rules.efforts, notes)}
    return body


def _says(body: dict[str, Any]) -> bool:
    return any(body.get(name) is not None for name in _SAYS)


def _thinks(body: dict[str, Any]) -> bool:
    """Whether the request asks for thinking, in one of the ways that these vendors have."""
    if body.get("enable_thinking") is True or body.get("reasoning_effort") not in (None, "none"):
        return True
    match body.get("thinking"):
        case {"type": "enabled"}:
            return True
    return False

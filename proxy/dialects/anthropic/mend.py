"""What a model refuses, said as it takes it, in the turns and choices of a Messages body. For
bodies that were built and for clients' own.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from proxy.codec.chat_turns import drop
from proxy.codec.fillers import GO_ON
from proxy.codec.response_format import SCHEMA_IN_WORDS
from proxy.codec.rules import Rules
from proxy.codec.strict import NOT_HELD
from proxy.events import Note


def without_prefill(
    messages: list[dict[str, Any]], rules: Rules, notes: list[Note]
) -> list[dict[str, Any]]:
    """The turns for a model that does not take up an answer that was begun for it: a turn of the
    user behind it asks for the rest. The very same list where there is nothing to do. A turn of the
    vendor's own tools, which paused, is no such beginning.
    """
    if not messages or messages[-1].get("role") != "assistant":
        return messages
    content = messages[-1].get("content")
    if not isinstance(content, str) and not _is_text(content):
        return messages
    if rules.prefill is not False:
        return _without_last_blanks(messages)
    said = "This model takes up no answer that was begun: a turn of the user asks it to go on."
    notes.append(Note("changed", "messages.prefill", said))
    return [*messages, {"role": "user", "content": GO_ON}]


def _without_last_blanks(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """An answer that was begun may not end in white space; the model goes on with its own."""
    *earlier, last = messages
    content = last["content"]
    if isinstance(content, str):
        kept: Any = content.rstrip()
    elif content and isinstance(content[-1].get("text"), str):
        kept = [*content[:-1], {**content[-1], "text": content[-1]["text"].rstrip()}]
    else:
        return messages
    return messages if kept == content else [*earlier, {**last, "content": kept}]


def unforced(choice: Any, rules: Rules, notes: list[Note]) -> Any:
    """A tool_choice for a model that cannot be told that it must call a tool."""
    if rules.forces_tools is not False or not isinstance(choice, dict):
        return choice
    if choice.get("type") not in ("any", "tool"):
        return choice
    said = "This model cannot be told that it must call a tool; it may."
    notes.append(Note("changed", "tool_choice", said))
    rest = {key: value for key, value in choice.items() if key not in ("type", "name")}
    return {"type": "auto", **rest}


def unheld(body: dict[str, Any], rules: Rules, notes: list[Note]) -> None:
    """A client's body for a model that cannot be held to a schema: the form of the answer is told
    to it in words, behind what the system says.
    """
    if rules.holds_to_schemas:
        return
    tools, config = body.get("tools"), body.get("output_config")
    if isinstance(tools, list) and any(_has(tool, "strict") for tool in tools):
        body["tools"] = [_without(tool, "strict") for tool in tools]
        drop(notes, *NOT_HELD)
    form = body.pop("output_format", None)
    if isinstance(config, dict) and _has(config, "format"):
        form = config["format"]
        body["output_config"] = _without(config, "format")
        if not body["output_config"]:
            del body["output_config"]
    if isinstance(form, dict):
        words = SCHEMA_IN_WORDS + msgspec.json.encode(form.get("schema", {})).decode()
        system = body.get("system") or ""
        said = f"{system}\n\n{words}" if system else words
        text = {"type": "text", "text": words}
        body["system"] = [*system, text] if isinstance(system, list) else said
        told = "The form of the answer is told to the model in words, as it knows it not."
        drop(notes, "output_config.format", told, "changed")


def _has(holder: Any, key: str) -> bool:
    return isinstance(holder, dict) and holder.get(key) is not None


def _without(holder: Any, key: str) -> Any:
    if not _has(holder, key):
        return holder
    return {name: value for name, value in holder.items() if name != key}


def _is_text(content: Any) -> bool:
    return isinstance(content, Sequence) and all(
        isinstance(block, dict) and block.get("type") == "text" for block in content
    )

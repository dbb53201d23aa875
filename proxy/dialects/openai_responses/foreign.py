"""A client's body in which something stands in the words of chat completions, in those of this API.

Programs that moved from one API to the other leave tools with a `function`, turns of role `tool`,
calls beside a message's content, `messages` and `max_tokens`. The vendor takes none of these, so
nothing is lost.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from proxy.codec.mapped import changed, mapped
from proxy.codec.roles import with_known_roles

_Object = dict[str, Any]
ROLES = ("user", "assistant", "system", "developer")
_LIMITS = ("max_completion_tokens", "max_tokens")


def in_own_words(body: _Object) -> _Object:
    """The body; the very same object where there is nothing to change."""
    body = with_known_roles(_with_settings(body), "input", ROLES)
    changes: _Object = {}
    items = body.get("input")
    if isinstance(items, list):
        free: set[str] = set()
        changes["input"] = changed(items, [said for item in items for said in _item(item, free)])
    if "tools" in body:
        changes["tools"] = mapped(body["tools"], _tool)
    if "tool_choice" in body:
        changes["tool_choice"] = _choice(body["tool_choice"])
    return body if all(body[key] is said for key, said in changes.items()) else {**body, **changes}


def _with_settings(body: _Object) -> _Object:
    """What this API calls otherwise, where the client does not say it in its words too."""
    made: _Object = {}
    if body.get("input") is None and isinstance(body.get("messages"), list):
        made["input"] = body["messages"]
    limit = next((body[name] for name in _LIMITS if body.get(name) is not None), None)
    if limit is not None and body.get("max_output_tokens") is None:
        made["max_output_tokens"] = limit
    effort = body.get("reasoning_effort")
    if effort is not None and body.get("reasoning") is None:
        made["reasoning"] = {"effort": effort}
    form = body.get("response_format")
    if isinstance(form, dict) and body.get("text") is None:
        made["text"] = {"format": _form(form)}
    if not made:
        return body
    taken = ("messages", *_LIMITS, "reasoning_effort", "response_format")
    return {name: said for name, said in body.items() if name not in taken} | made


def _form(form: _Object) -> _Object:
    match form:
        case {"type": "json_schema", "json_schema": dict(named)}:
            return {"type": "json_schema", **named}
    return form


# Items.


def _item(item: Any, free: set[str]) -> Iterator[Any]:
    """One message of chat completions as the items that it is here; an item as it is. `free` are
    the ids of earlier calls of tools that take free text.
    """
    match item:
        case {"type": str(kind)} if kind != "message":
            yield item
        case {"role": "tool", "tool_call_id": str(name)}:
            said = mapped(item.get("content") or "", _heard)
            kind = "custom_tool_call_output" if name in free else "function_call_output"
            yield {"type": kind, "call_id": name, "output": said}
        case {"role": "assistant", "tool_calls": list(calls)}:
            rest = {name: said for name, said in item.items() if name != "tool_calls"}
            if rest.get("content"):
                yield {**rest, "content": mapped(rest["content"], _spoken)}
            yield from _calls(calls, free)
        case {"role": str(role), "content": list(content)}:
            parts = mapped(content, _spoken if role == "assistant" else _heard)
            yield item if parts is content else {**item, "content": parts}
        case _:
            yield item


def _calls(calls: list[Any], free: set[str]) -> Iterator[_Object]:
    for call in calls:
        match call:
            case {"id": str(name), "function": {"name": str(tool), **said}}:
                text = said.get("arguments") or "{}"
                if not isinstance(text, str):
                    text = msgspec.json.encode(text).decode()
                yield {"type": "function_call", "call_id": name, "name": tool, "arguments": text}
            case {"id": str(name), "custom": {"name": str(tool), "input": str(text)}}:
                free.add(name)
                yield {"type": "custom_tool_call", "call_id": name, "name": tool, "input": text}


def _heard(part: Any) -> Any:
    """A part of what others than the assistant say."""
    match part:
        case str():
            return {"type": "input_text", "text": part}
        case {"type": "text", "text": str(text)}:
            return {"type": "input_text", "text": text}
        case {"type": "image_url", "image_url": {"url": str(url), **said}}:
            closely = {"detail": said["detail"]} if said.get("detail") else {}
            return {"type": "input_image", "image_url": url, **closely}
        case {"type": "image_url", "image_url": str(url)}:
            return {"type": "input_image", "image_url": url}
        case {"type": "file", "file": dict(file)}:
            return {"type": "input_file", **file}
    return part


def _spoken(part: Any) -> Any:
    """A part of what the assistant said."""
    match part:
        case str():
            return {"type": "output_text", "text": part}
        case {"type": "text", "text": str(text)}:
            return {"type": "output_text", "text": text}
    return part


# Tools.


def _tool(tool: Any) -> Any:
    match tool:
        case {"type": "function", "function": {"name": str()} as spec}:
            return {"type": "function", "strict": False, **spec}  # it is the default there alone
        case {"type": "custom", "custom": {"name": str()} as spec}:
            return {"type": "custom", **spec, **_free_text(spec.get("format"))}
    return tool


def _free_text(form: Any) -> _Object:
    """The form of free text, whose grammar stands here beside its type."""
    match form:
        case {"type": "grammar", "grammar": dict(grammar)}:
            return {"format": {"type": "grammar", **grammar}}
    return {}


def _choice(choice: Any) -> Any:
    match choice:
        case {"type": "function" | "custom" as kind} if isinstance(choice.get(kind), dict):
            return {"type": kind, **choice[kind]}
        case {"type": "auto" | "none" | "required" as word}:
            return word
        case "any":
            return "required"
    return choice

"""A client's body in which something stands in OpenAI's words, in those of this API.

Programs that can talk to both APIs, and tools that were written for one of them, mix them up: tools
with a `function`, calls beside a message's content, results in turns of their own, choices that are
a word. The vendor takes none of these, so nothing is lost.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from proxy.codec.mapped import changed, mapped
from proxy.codec.media import data_of
from proxy.codec.roles import with_known_roles

_Object = dict[str, Any]
ROLES = ("user", "assistant", "system")
_CHOICES = {"auto": "auto", "none": "none", "required": "any", "any": "any"}
_SAME = {"stop": "stop_sequences", "max_completion_tokens": "max_tokens"}


def in_own_words(body: _Object) -> _Object:
    """The body; the very same object where there is nothing to change."""
    body = _with_settings(with_known_roles(body, "messages", ROLES))
    changes: _Object = {}
    messages, tools = body.get("messages"), body.get("tools")
    if isinstance(messages, list):
        changes["messages"] = changed(messages, _turns(messages))
    if tools is not None:
        changes["tools"] = mapped(tools, _tool)
    if "tool_choice" in body:
        changes["tool_choice"] = _choice(body["tool_choice"])
    return body if all(body[key] is said for key, said in changes.items()) else {**body, **changes}


def _with_settings(body: _Object) -> _Object:
    """Settings under OpenAI's names, where the client says them under no other."""
    made = body
    for theirs, ours in _SAME.items():
        if (said := body.get(theirs)) is not None and body.get(ours) is None:
            rest = {name: value for name, value in made.items() if name != theirs}
            made = {**rest, ours: [said] if theirs == "stop" and isinstance(said, str) else said}
    if isinstance(parallel := made.get("parallel_tool_calls"), bool):
        rest = {name: value for name, value in made.items() if name != "parallel_tool_calls"}
        choice = _choice(rest.get("tool_choice")) or {"type": "auto"}
        if not parallel and rest.get("tools") and isinstance(choice, dict):
            rest["tool_choice"] = {"disable_parallel_tool_use": True, **choice}
        made = rest
    return made


# Turns.


def _turns(messages: list[Any]) -> list[Any]:
    """The turns; results that stand in turns of their own, one behind another, are one turn."""
    turns: list[Any] = []
    results: list[_Object] = []
    for message in messages:
        match message:
            case {"role": "tool", "tool_call_id": str(name)}:
                block = {"type": "tool_result", "tool_use_id": name}
                results.append({**block, "content": mapped(message.get("content") or "", _block)})
                continue
        if results:
            turns.append({"role": "user", "content": results})
            results = []
        turns.append(_turn(message))
    return [*turns, {"role": "user", "content": results}] if results else turns


def _turn(message: Any) -> Any:
    if not isinstance(message, dict):
        return message
    content, calls = message.get("content"), message.get("tool_calls")
    if isinstance(calls, list) and calls:
        said = [{"type": "text", "text": content}] if isinstance(content, str) else content or []
        blocks = [*mapped([part for part in said if part != _EMPTY], _block), *_calls(calls)]
        rest = {name: value for name, value in message.items() if name != "tool_calls"}
        return {**rest, "content": blocks}
    blocks = mapped(content, _block)
    return message if blocks is content else {**message, "content": blocks}


_EMPTY = {"type": "text", "text": ""}


def _calls(calls: list[Any]) -> Iterator[_Object]:
    for call in calls:
        match call:
            case {"id": str(name), "function": {"name": str(tool), **said}}:
                yield {"type": "tool_use", "id": name, "name": tool, "input": _arguments(said)}


def _arguments(said: Mapping[Any, Any]) -> _Object:
    """The arguments as an object; a text that is none is wrapped in one."""
    text = said.get("arguments") or "{}"
    if isinstance(text, dict):
        return text
    try:
        read = msgspec.json.decode(text)
    except msgspec.DecodeError:
        read = text
    return read if isinstance(read, dict) else {"arguments": read}


def _block(part: Any) -> Any:
    match part:
        case str():
            return {"type": "text", "text": part}
        case {"type": "input_text" | "output_text", "text": str(text)}:
            return _kept(part, {"type": "text", "text": text})
        case {"type": "image_url", "image_url": {"url": str(url)} | str(url)}:
            return _kept(part, {"type": "image", "source": _source(url)})
        case {"type": "input_image", "image_url": str(url)}:
            return _kept(part, {"type": "image", "source": _source(url)})
        case {"type": "file", "file": {"file_data": str(url), **said}}:
            named = {"title": said["filename"]} if said.get("filename") else {}
            return _kept(part, {"type": "document", "source": _source(url), **named})
    return part


def _source(url: str) -> _Object:
    data = data_of(url)
    if data is None:
        return {"type": "url", "url": url}
    return {"type": "base64", "media_type": data.media_type, "data": data.base64}


def _kept(part: _Object, said: _Object) -> _Object:
    """A mark for the prompt cache is the same in both APIs."""
    mark = part.get("cache_control")
    return said if mark is None else {**said, "cache_control": mark}


# Tools.


def _tool(tool: Any) -> Any:
    match tool:
        case {"type": "function", "function": {"name": str()} as spec}:
            return _kept(tool, _spec(spec))
        case {"type": "function", "name": str()}:
            return _kept(tool, _spec(tool))
    return tool


def _spec(spec: _Object) -> _Object:
    said = {name: spec[name] for name in ("name", "description", "strict") if spec.get(name)}
    return {**said, "input_schema": spec.get("parameters") or {"type": "object", "properties": {}}}


def _choice(choice: Any) -> Any:
    match choice:
        case str() if choice in _CHOICES:
            return {"type": _CHOICES[choice]}
        case {"type": "function", "function": {"name": str(name)}}:
            return {"type": "tool", "name": name}
        case {"type": "function", "name": str(name)}:
            return {"type": "tool", "name": name}
        case {"type": "required"}:
            return {**choice, "type": "any"}
    return choice

"""A client's body in which something stands in the words of another API, in those of this one.

Editors and agents that can talk to several vendors send here what they would send to Anthropic
(tools with `input_schema`, blocks `tool_use`, `tool_result`, `image`) or to OpenAI's Responses API
(flat tools, parts `input_text`), and others leave out what the vendor insists on (the `type` of a
call, the text of an empty result). No vendor of this dialect takes these, so nothing is lost.
"""

from collections.abc import Iterator
from typing import Any

import msgspec

from proxy.codec.mapped import changed, mapped
from proxy.codec.media import data_url
from proxy.codec.roles import known_role
from proxy.dialects.openai_chat.foreign_items import with_messages
from proxy.dialects.openai_chat.wire_request import ROLES

_Object = dict[str, Any]
_TEXTS = ("input_text", "output_text")
_WORDS = {"any": "required"}
_LIMITS = ("max_tokens", "max_completion_tokens")
_COUNTS = (*_LIMITS, "n", "seed", "top_logprobs")
# Of the Responses API, and of Anthropic's.
_BESIDE = ("instructions", "system", "stop_sequences")


def in_own_words(body: _Object) -> _Object:
    """The body; the very same object where there is nothing to change. Raises Refused for a body of
    the Responses API that says less than a whole conversation.
    """
    body = _with_system(_counted(with_messages(body)))
    changes: _Object = {}
    for key, change in (("messages", _messages), ("tools", _tools), ("tool_choice", _choice)):
        said = body.get(key)
        if said is not None and (made := change(said)) is not said:
            changes[key] = made
    return {**body, **changes} if changes else body


def _with(holder: _Object, **changes: Any) -> _Object:
    """With these keys where they differ."""
    same = all(holder.get(key) is value for key, value in changes.items())
    return holder if same else {**holder, **changes}


# Beside the messages.


def _counted(body: _Object) -> _Object:
    """Counts as whole numbers, and none of -1: servers of open models mean by that that the answer
    may be of any length.
    """
    given = {name: body[name] for name in _COUNTS if name in body}
    if all(isinstance(said, int) and said != -1 for said in given.values()):
        return body
    whole = {
        name: int(said) if isinstance(said, float) and said.is_integer() else said
        for name, said in given.items()
    }
    none = [name for name in _LIMITS if whole.get(name) == -1]
    return {name: whole.get(name, said) for name, said in body.items() if name not in none}


def _with_system(body: _Object) -> _Object:
    """What other APIs say beside the messages: what the system says (`system`, `instructions`), and
    where the answer stops.
    """
    said = [name for name in _BESIDE if body.get(name)]
    messages = body.get("messages")
    if not said or not isinstance(messages, list):
        return body
    made = {name: value for name, value in body.items() if name not in said}
    if "stop_sequences" in said:
        made.setdefault("stop", body["stop_sequences"])
    leading = [
        {"role": "system", "content": body[name]} for name in said if name != "stop_sequences"
    ]
    return {**made, "messages": [*leading, *messages]}


# Messages.


def _messages(messages: Any) -> Any:
    if not isinstance(messages, list):
        return messages
    return changed(messages, [said for message in messages for said in _message(message)])


def _message(message: Any) -> list[Any]:
    """One message as one, behind one for each result of a tool in it."""
    if not isinstance(message, dict):
        return [message]
    content = message.get("content")
    if isinstance(role := message.get("role"), str):
        message = _with(message, role=known_role(role, ROLES))
    if isinstance(message.get("tool_calls"), list):
        message = _with(message, tool_calls=mapped(message["tool_calls"], _call))
    if message.get("role") == "tool" and (content is None or isinstance(content, dict)):
        message = {**message, "content": "" if content is None else _json(content)}
    elif isinstance(content, list):
        return list(_with_parts(message, content))
    return [message]


def _with_parts(message: _Object, content: list[Any]) -> Iterator[_Object]:
    kept: list[Any] = []
    calls: list[_Object] = []
    thoughts: list[_Object] = []
    results = 0
    for part in content:
        match part:
            case {"type": "tool_result", "tool_use_id": str(name)}:
                results += 1
                yield {"role": "tool", "tool_call_id": name, "content": _result(part)}
            case {"type": "tool_use", "id": str(name), "name": str(tool)}:
                said = {"name": tool, "arguments": _json(part.get("input") or {})}
                calls.append({"id": name, "type": "function", "function": said})
            case {"type": "thinking", "thinking": str()} | {"type": "redacted_thinking", "data": _}:
                thoughts.append(part)
            case _:
                kept.append(_part(part))
    if not (calls or thoughts or results):
        yield _with(message, content=changed(content, kept))
        return
    changes: _Object = {"content": kept or None}
    if calls:
        changes["tool_calls"] = [*(message.get("tool_calls") or ()), *calls]
    if thoughts:
        changes["thinking_blocks"] = [*(message.get("thinking_blocks") or ()), *thoughts]
    if kept or message.get("role") == "assistant":
        yield {**message, **changes}


def _result(block: _Object) -> Any:
    """What a tool answered: a text where there is nothing else in it."""
    said = block.get("content")
    if not isinstance(said, list):
        return "" if said is None else said
    texts = [part["text"] for part in said if _is_text(part)]
    return "\n".join(texts) if len(texts) == len(said) else mapped(said, _part)


def _is_text(part: Any) -> bool:
    return isinstance(part, dict) and part.get("type") == "text" and part.keys() <= {"type", "text"}


def _part(part: Any) -> Any:
    match part:
        case str():
            return {"type": "text", "text": part}
        case {"type": str(kind), "text": str(text)} if kind in _TEXTS:
            return _kept(part, {"type": "text", "text": text})
        case {"type": "image_url", "image_url": str(url)}:
            return {**part, "image_url": {"url": url}}
        case {"type": "input_image", "image_url": str(url)}:
            closely = {"detail": part["detail"]} if part.get("detail") else {}
            return _kept(part, {"type": "image_url", "image_url": {"url": url, **closely}})
        case {"type": "input_file"}:
            file = {key: part[key] for key in ("filename", "file_data", "file_id") if key in part}
            if "file_url" in part:
                file["file_data"] = part["file_url"]
            return _kept(part, {"type": "file", "file": file})
        case {"type": "image", "source": dict(source)} if (at := _url_of(source)) is not None:
            return _kept(part, {"type": "image_url", "image_url": {"url": at}})
        case {"type": "document", "source": {"type": "text", "data": str(text)}}:
            return _kept(part, {"type": "text", "text": text})
        case {"type": "document", "source": dict(source)} if (at := _url_of(source)) is not None:
            file = {"filename": part.get("title") or "document.pdf", "file_data": at}
            return _kept(part, {"type": "file", "file": file})
    return part


def _kept(part: _Object, said: _Object) -> _Object:
    """A mark for the prompt cache is the same in all of these APIs."""
    mark = part.get("cache_control")
    return said if mark is None else {**said, "cache_control": mark}


def _url_of(source: _Object) -> str | None:
    match source:
        case {"type": "base64", "media_type": str(kind), "data": str(data)}:
            return data_url(kind, data)
        case {"type": "url", "url": str(url)}:
            return url
    return None


def _call(call: Any) -> Any:
    """Clients of vendors that do not insist leave out the type, or the arguments."""
    match call:
        case {"function": dict(function)}:
            if function.get("arguments", "") in (None, ""):
                call = {**call, "function": {**function, "arguments": "{}"}}
            return call if call.get("type") else {**call, "type": "function"}
    return call


# Tools.


def _tools(tools: Any) -> Any:
    return mapped(tools, _tool)


def _tool(tool: Any) -> Any:
    match tool:
        case {"function": _} | {"custom": _}:
            return tool
        case {"name": str(), "input_schema": schema} if tool.get("type") in (None, "custom"):
            return _told("function", tool, {"parameters": schema})
        case {"type": "function", "name": str()}:
            return _told("function", tool, {"parameters": tool.get("parameters")})
        case {"type": "custom", "name": str()}:
            return _told("custom", tool, {"format": _free_text(tool.get("format"))})
    return tool


def _free_text(form: Any) -> Any:
    """The Responses API says a grammar beside its type, this one in an object of its own."""
    match form:
        case {"type": "grammar", "syntax": _, "definition": _}:
            said = {name: value for name, value in form.items() if name != "type"}
            return {"type": "grammar", "grammar": said}
    return form


def _told(kind: str, tool: _Object, form: _Object) -> _Object:
    said = {key: tool.get(key) for key in ("name", "description")} | form
    if kind == "function":
        said["strict"] = tool.get("strict")
    told = {key: value for key, value in said.items() if value is not None}
    return _kept(tool, {"type": kind, kind: told})


def _choice(choice: Any) -> Any:
    match choice:
        case {"function": _} | {"custom": _} | {"allowed_tools": _}:
            return choice
        case {"type": "tool" | "function", "name": str(name)}:
            return {"type": "function", "function": {"name": name}}
        case {"type": "custom", "name": str(name)}:
            return {"type": "custom", "custom": {"name": name}}
        case {"type": "auto" | "none" | "required" | "any" as word}:
            return _WORDS.get(word, word)
        case "any":
            return _WORDS[choice]
    return choice


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()

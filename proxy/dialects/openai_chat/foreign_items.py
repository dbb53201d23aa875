"""A body of OpenAI's Responses API that a client sends to chat completions, as editors do that
choose the API by the model's name: its input is said as messages, its settings in this API's words.
"""

from typing import Any

from proxy.errors import bad_request

_Object = dict[str, Any]
# What only an upstream of that API could know: an earlier answer, a conversation, a kept prompt.
_KEPT = ("previous_response_id", "conversation", "prompt")
_CALLS = ("function_call", "custom_tool_call")
_RESULTS = ("function_call_output", "custom_tool_call_output")


def with_messages(body: _Object) -> _Object:
    """The body; the very same object where it has messages, or no input either. Raises Refused
    where it goes on from what a Responses vendor keeps.
    """
    said = body.get("input")
    if body.get("messages") or not isinstance(said, str | list):
        return body
    for name in _KEPT:
        if body.get(name) is not None:
            raise bad_request(
                f"{name} is of the Responses API: ask POST /v1/responses, or send the whole "
                "conversation as messages.",
                param=name,
            )
    items = [{"role": "user", "content": said}] if isinstance(said, str) else said
    rest = {name: value for name, value in body.items() if name not in ("input", "messages")}
    return {**_settings(rest), "messages": _turns(items)}


def _settings(body: _Object) -> _Object:
    """What this API calls otherwise."""
    said = dict(body)
    limit = said.pop("max_output_tokens", None)
    if limit is not None:
        said.setdefault("max_completion_tokens", limit)
    text = said.pop("text", None)
    if isinstance(text, dict):
        if isinstance(form := text.get("format"), dict):
            said.setdefault("response_format", _form(form))
        if text.get("verbosity") is not None:
            said.setdefault("verbosity", text["verbosity"])
    reasoning = said.pop("reasoning", None)
    if isinstance(reasoning, dict) and reasoning.get("effort") is not None:
        said.setdefault("reasoning_effort", reasoning["effort"])
    return said


def _form(form: _Object) -> _Object:
    if form.get("type") != "json_schema":
        return form
    named = {name: value for name, value in form.items() if name != "type" and value is not None}
    return {"type": "json_schema", "json_schema": named}


def _turns(items: list[Any]) -> list[Any]:
    """The items as messages: what the assistant says and calls between two turns of others is one
    message. Left out is what its own vendor alone could read: reasoning, and what its tools did.
    """
    turns: list[Any] = []
    for at, item in enumerate(items):
        kind = item.get("type", "message") if isinstance(item, dict) else "message"
        if kind in _CALLS:
            _call(item, kind, turns)
        elif kind in _RESULTS:
            turns.append(
                {
                    "role": "tool",
                    "tool_call_id": item.get("call_id"),
                    "content": item.get("output"),
                }
            )
        elif kind == "item_reference":
            where = f"input[{at}]"
            said = f"{where} refers to an item that a Responses vendor keeps: send the item itself."
            raise bad_request(said, param=where)
        elif kind == "message":
            turns.append(_message(item))
    return turns


def _message(item: Any) -> Any:
    if not isinstance(item, dict):
        return item
    said = ("role", "content", "name", "tool_call_id")
    message = {name: item[name] for name in said if name in item}
    calls = item.get("tool_calls")
    return {**message, "tool_calls": [*calls]} if isinstance(calls, list) else message


def _call(item: _Object, kind: str, turns: list[Any]) -> None:
    if kind == "function_call":
        form, key, said = "function", "arguments", item.get("arguments") or "{}"
    else:
        form, key, said = "custom", "input", item.get("input") or ""
    call = {"id": item.get("call_id"), "type": form, form: {"name": item.get("name"), key: said}}
    if not turns or not isinstance(turns[-1], dict) or turns[-1].get("role") != "assistant":
        turns.append({"role": "assistant", "content": None})
    turns[-1].setdefault("tool_calls", []).append(call)

"""A `ChatRequest` to Qianfan's first API, behind a base URL that ends in `/wenxinworkshop`. The
model's name is the endpoint's (`completions_pro`, `ernie-4.0-8k`), as the path has it.

`api_key` is an access token, which goes into the query. The vendor gives one for 30 days in
exchange for a key pair; getting it is the operator's business. Without one, the configuration's
`headers` must carry what the vendor takes instead.

The vendor insists on an odd number of messages, user (or function) and assistant in turns, and
knows one call a turn: neighbouring turns are joined, and parallel calls are told one after the
other, each with its result.
"""

from typing import Any
from urllib.parse import quote

import msgspec

from proxy.codec.base import Outgoing, TargetConfig
from proxy.codec.chat_turns import Turn, chat_turns, drop, headers, merged, path_part
from proxy.codec.response_format import wanted_format
from proxy.codec.single_prompt import cannot_say
from proxy.codec.wire_rules import keep_to
from proxy.errors import bad_request
from proxy.events import Note
from proxy.request import ChatRequest, ToolSpec

_SAID = (
    "max_tokens",
    "temperature",
    "top_p",
    "repetition_penalty",
    "stop",
    "tools",
    "tool_choice",
    "response_format",
    "user",
)


def build_request(request: ChatRequest, target: TargetConfig) -> Outgoing:
    """Raises Refused for turns that do not end with the user's, or a tool's result."""
    notes = cannot_say(request, _SAID)
    system, turns = _without_system(chat_turns(request, notes, images=False), notes)
    messages = _messages(merged(turns, notes), notes)
    if not messages or messages[-1]["role"] == "assistant":
        raise bad_request(
            "messages must end with a turn of the user, or a tool's result: this upstream "
            "only answers.",
            param="messages",
        )
    body: dict[str, Any] = {"messages": messages, "stream": True, **_settings(request, notes)}
    if system:
        body["system"] = system
    body |= request.vendor
    keep_to(target.rules, body, notes, target.upstream)
    path = f"/chat/{path_part(target.model or request.model)}"
    if target.api_key is not None:
        path += f"?access_token={quote(target.api_key, safe='')}"
    return Outgoing(path, msgspec.json.encode(body), headers(None), tuple(notes))


def _without_system(turns: list[Turn], notes: list[Note]) -> tuple[str, list[Turn]]:
    """The system text, which has a field of its own, and the other turns."""
    said = [turn.text for turn in turns if turn.role == "system" and turn.text]
    if any(turn.role == "system" for turn in turns[1:]):
        drop(
            notes,
            "system",
            (
                "System messages later in the talk stand before it: the upstream knows one system "
                "text."
            ),
            "changed",
        )
    return "\n\n".join(said), [turn for turn in turns if turn.role != "system"]


def _messages(turns: list[Turn], notes: list[Note]) -> list[dict[str, Any]]:
    """The messages. Until all are there, `content` is the list of its texts."""
    results = {turn.call_id: turn for turn in turns if turn.role == "tool"}
    out: list[dict[str, Any]] = []
    for turn in turns:
        if turn.calls:
            _calls(turn, results, out, notes)
        elif turn.role == "assistant" and not out:
            drop(
                notes,
                "messages",
                (
                    "The talk must begin with the user: the assistant's first turn stands in the "
                    "user's first."
                ),
                "changed",
            )
            out.append({"role": "user", "content": [f"Assistant: {turn.text}"]})
        elif turn.role != "tool":
            _say("user" if turn.role == "user" else "assistant", turn.text, out, notes)
        elif turn.call_id in results:  # of a call that is not there
            drop(
                notes,
                "messages.tool_result",
                "A tool's result without its call is sent as the user's text.",
                "changed",
            )
            _say("user", turn.text, out, notes)
    for message in out:
        message["content"] = "\n\n".join(filter(None, message["content"]))
    return out


def _say(role: str, text: str, out: list[dict[str, Any]], notes: list[Note]) -> None:
    """A turn of text; behind one of the same side it is joined to it, as the sides must
    alternate.
    """
    last = out[-1] if out else None
    if last is None or (last["role"] == "assistant") != (role == "assistant"):
        out.append({"role": role, "content": [text]})
        return
    drop(
        notes,
        "messages",
        "Neighbouring turns of one role are joined: the upstream wants turns that alternate.",
        "changed",
    )
    last["content"].append(text)


def _calls(
    turn: Turn, results: dict[str, Turn], out: list[dict[str, Any]], notes: list[Note]
) -> None:
    """Each call with its result, in the vendor's `function` role, taken out of `results`. A call
    without one would break the order.
    """
    texts = [turn.text]
    for call in turn.calls:
        result = results.pop(call.id, None)
        if result is None or not out:
            drop(
                notes,
                "messages.tool_call",
                "A tool call that has no result, or that nobody asked for, is left out.",
            )
            continue
        if len(turn.calls) > 1:
            drop(
                notes,
                "messages.tool_call",
                "Parallel tool calls are told one after the other.",
                "changed",
            )
        said = {"name": call.name, "arguments": call.arguments or "{}"}
        if out[-1]["role"] == "assistant":
            texts = out.pop()["content"] + texts
        out.append({"role": "assistant", "content": texts, "function_call": said})
        out.append({"role": "function", "name": call.name, "content": [result.text]})
        texts = []
    for text in filter(None, texts):
        _say("assistant", text, out, notes)


def _settings(request: ChatRequest, notes: list[Note]) -> dict[str, Any]:
    choice = request.tool_choice
    offered = request.tools if choice is None or choice.mode != "none" else []
    said: dict[str, Any] = {
        "max_output_tokens": request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "penalty_score": request.repetition_penalty,
        "stop": request.stop or None,
        "user_id": request.user,
        "functions": [_function(tool, notes) for tool in offered] or None,
        "response_format": _format(request, notes),
    }
    if choice is not None and offered:
        if choice.parallel is not None:
            drop(notes, "tool_choice.parallel", "The upstream calls one tool a turn.")
        if choice.mode == "tool":
            said["tool_choice"] = {"type": "function", "function": {"name": choice.name}}
        elif choice.mode == "required":
            drop(
                notes,
                "tool_choice",
                "The upstream cannot be made to call some tool, only one by name.",
            )
    return {name: value for name, value in said.items() if value is not None}


def _function(spec: ToolSpec, notes: list[Note]) -> dict[str, Any]:
    if spec.strict:
        drop(
            notes,
            "tools.strict",
            "The upstream cannot be made to keep strictly to a tool's schema.",
        )
    parameters = spec.parameters or {"type": "object", "properties": {}}
    return {
        "name": spec.name,
        "description": spec.description or spec.name,
        "parameters": parameters,
    }


def _format(request: ChatRequest, notes: list[Note]) -> str | None:
    """The vendor takes a word and no schema."""
    wanted = wanted_format(request.response_format, notes)
    if wanted is None:
        return None
    if wanted.schema is not None:
        said = "The upstream takes no schema, only that the answer is JSON."
        drop(notes, "response_format", said, "changed")
    return "json_object"

"""A `ChatRequest` to the body of `POST /api/chat` or `/api/generate`, behind a base URL like
`http://127.0.0.1:11434`.

The upstream's options:

    endpoint        `chat` (default), or `generate` for models without a chat template: the talk is
                    written into one prompt
    options         the vendor's own runtime options, for example {num_ctx: 32768}; what the client
                    asks for comes on top
    keep_alive      how long the model stays loaded, as the vendor has it ("10m", seconds, -1)
    think_levels    whether the model takes an effort for `think`; by default its rules say so,
                    others take true or false
"""

from typing import Any, Literal

import msgspec

from proxy.codec.base import JSON, NDJSON, Outgoing, TargetConfig
from proxy.codec.chat_turns import options_of, plain_function, with_vendor
from proxy.codec.efforts import effort_of, note_adaptive, three_steps
from proxy.codec.response_format import wanted_format
from proxy.codec.shared_notes import PARALLEL
from proxy.codec.single_prompt import cannot_say, one_prompt
from proxy.codec.wire_rules import keep_to
from proxy.dialects.ollama.build_turns import TurnBuilder, newest_images
from proxy.errors import bad_request
from proxy.events import Note
from proxy.request import ChatRequest, Reasoning

CHAT_PATH = "/api/chat"
GENERATE_PATH = "/api/generate"
_SAID = (
    *("max_tokens", "temperature", "top_p", "top_k", "min_p", "stop", "seed"),
    *("frequency_penalty", "presence_penalty", "repetition_penalty", "logprobs", "top_logprobs"),
    *("response_format", "reasoning"),
)
_TOOLS = ("tools", "tool_choice")


class Options(msgspec.Struct, forbid_unknown_fields=True):
    """See above."""

    endpoint: Literal["chat", "generate"] = "chat"
    options: dict[str, Any] = {}
    keep_alive: str | int | float | None = None
    think_levels: bool | None = None


def build_request(request: ChatRequest, target: TargetConfig) -> Outgoing:
    """See `UpstreamHalf.build_request`. Options that are none raise Refused (`internal`): the
    operator's fault.
    """
    options = options_of(target, Options)
    chat = options.endpoint == "chat"
    notes = cannot_say(request, (*_SAID, *_TOOLS) if chat else _SAID)
    model = target.model or request.model
    said: dict[str, Any] = {"model": model, "stream": True}
    said |= _talk(request, notes) if chat else _prompt(request, notes)
    levels = target.rules.thinking == "level"
    levels = levels if options.think_levels is None else options.think_levels
    said["think"] = _think(request.reasoning, notes, levels=levels)
    said["format"] = _format(request, notes)
    said["options"] = {**options.options, **_runtime(request)} or None
    said["keep_alive"] = options.keep_alive
    said["logprobs"], said["top_logprobs"] = request.logprobs, request.top_logprobs
    body = {name: value for name, value in said.items() if value is not None}
    body = (
        with_vendor(body, request.vendor, "options")
        if "options" in body
        else {
            **body,
            **request.vendor,
        }
    )
    keep_to(target.rules, body, notes, target.upstream)
    path = CHAT_PATH if chat else GENERATE_PATH
    return Outgoing(path, msgspec.json.encode(body), headers(target), tuple(notes))


def headers(target: TargetConfig) -> dict[str, str]:
    """What goes with every request."""
    sent = {"content-type": JSON, "accept": NDJSON}
    if target.api_key is not None:
        sent["authorization"] = f"Bearer {target.api_key}"
    return sent


def _talk(request: ChatRequest, notes: list[Note]) -> dict[str, Any]:
    messages = TurnBuilder(notes).built(request)
    if not messages:
        raise bad_request("messages must hold at least one turn.", param="messages")
    return {"messages": messages, "tools": _tools(request, notes) or None}


def _prompt(request: ChatRequest, notes: list[Note]) -> dict[str, Any]:
    """The talk as one prompt, with the system's text in its own place and the images of the newest
    turn.
    """
    images = newest_images(
        next((turn.parts for turn in reversed(request.messages) if turn.role == "user"), []), notes
    )
    prompt = one_prompt(msgspec.structs.replace(request, system=None), notes, images=True)
    return {"prompt": prompt, "system": request.system, "images": images or None}


def _runtime(request: ChatRequest) -> dict[str, Any]:
    said = {
        "num_predict": request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "top_k": request.top_k,
        "min_p": request.min_p,
        "repeat_penalty": request.repetition_penalty,
        "presence_penalty": request.presence_penalty,
        "frequency_penalty": request.frequency_penalty,
        "seed": request.seed,
        "stop": request.stop or None,
    }
    return {name: value for name, value in said.items() if value is not None}


def _tools(request: ChatRequest, notes: list[Note]) -> list[dict[str, Any]]:
    """The tools, of which the model is free to choose: `none` is said by naming none, one by name
    by naming that alone.
    """
    choice, tools = request.tool_choice, request.tools
    if choice is not None and choice.mode == "none":
        if tools:
            notes.append(
                Note(
                    "changed",
                    "tool_choice",
                    "That no tool may be called is said here by naming none.",
                )
            )
        return []
    if choice is not None and choice.mode in ("required", "tool"):
        notes.append(
            Note("dropped", "tool_choice", "Ollama cannot be told that a tool must be called.")
        )
    if choice is not None and choice.mode == "tool":
        tools = [tool for tool in tools if tool.name == choice.name] or tools
    if choice is not None and choice.parallel is False:
        notes.append(PARALLEL)
    if any(tool.strict for tool in tools):
        notes.append(Note("dropped", "tools.strict", "Strict arguments cannot be asked for here."))
    return [plain_function(tool) for tool in tools]


def _think(reasoning: Reasoning | None, notes: list[Note], *, levels: bool) -> bool | str | None:
    """Whether to think, or how hard; a budget is said as the effort that has it."""
    if reasoning is None or reasoning == Reasoning(summary=reasoning.summary):
        return None
    effort = reasoning.effort
    if reasoning.max_tokens is not None:
        effort = effort or effort_of(reasoning.max_tokens)
        said = "A budget of reasoning tokens is said as an effort here, or as thinking at all."
        notes.append(Note("changed", "reasoning.max_tokens", said))
    if effort is not None:
        note_adaptive(reasoning, notes)
    if effort is None or effort == "none":
        return effort is None  # how much is left to the model
    if not levels:
        if reasoning.effort is not None:
            said = "How hard to think cannot be said to this model, only that it is to think."
            notes.append(Note("changed", "reasoning.effort", said))
        return True
    level = three_steps(effort)
    if level != effort and reasoning.effort is not None:
        notes.append(Note("changed", "reasoning.effort", f"Effort {effort} is said as {level}."))
    return level


def _format(request: ChatRequest, notes: list[Note]) -> str | dict[str, Any] | None:
    """`json`, or a bare schema."""
    wanted = wanted_format(request.response_format, notes)
    return None if wanted is None else wanted.schema or "json"

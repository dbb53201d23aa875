"""A `ChatRequest` to the body of a Converse request."""

from typing import Any

import msgspec

from proxy.codec.base import TargetConfig
from proxy.codec.bedrock.reasoning import think
from proxy.codec.bedrock.turns import Talk
from proxy.codec.chat_turns import drop, with_vendor
from proxy.codec.json_schema import CLOSED, adapted
from proxy.codec.rules import Rules
from proxy.codec.shared_notes import NO_TOOLS
from proxy.codec.strict import claude_tools
from proxy.codec.wire_rules import keep_to
from proxy.events import Note
from proxy.request import ChatRequest, ToolChoice, ToolSpec

EXTRA = "additionalModelRequestFields"
_TIERS = ("default", "flex", "priority")
# Fields of a ChatRequest that Converse has no word for.
_LOST = (
    "seed",
    "min_p",
    "frequency_penalty",
    "presence_penalty",
    "repetition_penalty",
    "logit_bias",
    "logprobs",
    "top_logprobs",
    "verbosity",
    "store",
    "cache_key",
    "safety_identifier",
)
_STRICT = Note("defaulted", "response_format.strict", "Bedrock holds to a schema in any case.")
_NO_PARAMETERS = {"type": "object", "properties": {}}
_METADATA_ENTRIES = 16
_METADATA_CHARS = 256
_METADATA_SIGNS = frozenset(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 :_@$#=/+,-."
)


def converse_body(
    request: ChatRequest, model: str, target: TargetConfig, notes: list[Note]
) -> dict[str, Any]:
    """The body, with the client's own keys over it. Raises Refused for what cannot be formed."""
    rules = target.rules
    said = Talk(request, rules, notes)
    inference = _inference(request)
    # first, as it may change the next
    extra = think(request, model, rules, inference, notes, last_kinds=said.last_call_kinds())
    tools = _tools(request, said, rules, notes)
    if tools and request.tool_choice is not None and request.tool_choice.parallel is False:
        extra |= _one_call(tools, model, notes)
    parts = {
        "system": said.system,
        EXTRA: extra,
        "inferenceConfig": inference,
        "toolConfig": tools,
        "serviceTier": _tier(request, notes),
        "requestMetadata": _metadata(request, notes),
        "outputConfig": _output(request, notes),
    }
    _losses(request, notes)
    body = {"messages": said.messages} | {name: part for name, part in parts.items() if part}
    body = with_vendor(body, request.vendor, EXTRA)
    keep_to(rules, body, notes, target.upstream)
    return body


def _inference(request: ChatRequest) -> dict[str, Any]:
    config: dict[str, Any] = {}
    if request.max_tokens is not None:
        config["maxTokens"] = request.max_tokens
    stop = [text for text in request.stop if text]
    if stop:
        config["stopSequences"] = stop
    return config


def _tools(request: ChatRequest, said: Talk, rules: Rules, notes: list[Note]) -> dict[str, Any]:
    """The tools, and which must be used. The service insists on tools where an earlier turn used
    some, and knows no choice `none`.
    """
    specs, choice, called = request.tools, request.tool_choice, said.called
    if not specs and choice is not None and choice.mode in ("required", "tool"):
        notes.append(NO_TOOLS)
    if specs and choice is not None and choice.mode == "none":
        if called:
            drop(
                notes,
                "tool_choice",
                (
                    "Bedrock cannot forbid tools that earlier turns used; they are sent, and may "
                    "be called."
                ),
            )
        else:
            drop(
                notes,
                "tool_choice",
                "Bedrock has no choice `none`: the tools are left out instead.",
                "changed",
            )
            specs = []
    if not specs and called:
        notes.append(
            Note(
                "defaulted",
                "tools",
                (
                    "Bedrock insists on the tools that earlier turns used; they are sent without "
                    "parameters."
                ),
            )
        )
        specs = [ToolSpec(name) for name in dict.fromkeys(name or "unknown" for name in called)]
        choice = None
    if not specs:
        return {}
    tools = [
        block
        for spec in claude_tools(specs, rules, notes)
        for block in said.marked({"toolSpec": _tool(spec)}, spec.cache, "tools")
    ]
    config: dict[str, Any] = {"tools": tools}
    if choice is not None:
        _choose(choice, rules, config, notes)
    return config


def _tool(spec: ToolSpec) -> dict[str, Any]:
    built: dict[str, Any] = {
        "name": spec.name,
        "inputSchema": {"json": spec.parameters or _NO_PARAMETERS},
    }
    if spec.description:
        built["description"] = spec.description
    if spec.strict is not None:
        built["strict"] = spec.strict
    return built


def _choose(choice: ToolChoice, rules: Rules, config: dict[str, Any], notes: list[Note]) -> None:
    if choice.mode in ("tool", "required") and rules.forces_tools is False:
        said = "This model cannot be told that it must call a tool; it may."
        drop(notes, "tool_choice", said, "changed")
        config["toolChoice"] = {"auto": {}}
    elif choice.mode == "tool":
        config["toolChoice"] = {"tool": {"name": choice.name}}
    elif choice.mode != "none":
        config["toolChoice"] = {"any": {}} if choice.mode == "required" else {"auto": {}}


def _one_call(tools: dict[str, Any], model: str, notes: list[Note]) -> dict[str, Any]:
    """The model's own fields that limit a turn to one call. The service has no word for it; Claude
    has, within its own choice of a tool, beside which the service's may not stand.
    """
    if "anthropic." not in model:
        drop(notes, "tool_choice.parallel", "Bedrock cannot limit a turn to one tool call.")
        return {}
    match tools.pop("toolChoice", {"auto": {}}):
        case {"tool": {"name": str(name)}}:
            choice = {"type": "tool", "name": name}
        case {"any": _}:
            choice = {"type": "any"}
        case _:
            choice = {"type": "auto"}
    return {"tool_choice": {**choice, "disable_parallel_tool_use": True}}


def _metadata(request: ChatRequest, notes: list[Note]) -> dict[str, str]:
    """What the service writes into its own log beside the request: few and short texts of plain
    signs.
    """
    sent = {
        key: value
        for key, value in request.metadata.items()
        if key and isinstance(value, str) and _plain(key) and _plain(value)
    }
    kept = dict(list(sent.items())[:_METADATA_ENTRIES])
    if len(kept) < len(request.metadata):
        drop(
            notes,
            "metadata",
            (
                f"Bedrock keeps {_METADATA_ENTRIES} plain texts of {_METADATA_CHARS} characters; "
                "the rest is left out."
            ),
        )
    return kept


def _plain(text: str) -> bool:
    return len(text) <= _METADATA_CHARS and _METADATA_SIGNS.issuperset(text)


def _output(request: ChatRequest, notes: list[Note]) -> dict[str, Any]:
    form = request.response_format or {}
    kind, schema = form.get("type"), form.get("json_schema")
    if (
        kind == "json_schema"
        and isinstance(schema, dict)
        and isinstance(schema.get("schema"), dict)
    ):
        if "strict" in schema:
            notes.append(_STRICT)
        held = adapted(schema["schema"], CLOSED)
        definition = {"schema": msgspec.json.encode(held).decode()}
        definition |= {
            key: schema[key] for key in ("name", "description") if isinstance(schema.get(key), str)
        }
        return {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": definition}}}
    if kind not in (None, "text"):
        drop(
            notes,
            "response_format",
            "Bedrock can hold a model to a JSON Schema only: say any other form in the prompt.",
        )
    return {}


def _tier(request: ChatRequest, notes: list[Note]) -> dict[str, str]:
    """The service's own tiers have the names that OpenAI's have."""
    if request.service_tier in _TIERS:
        return {"type": request.service_tier}
    if request.service_tier not in (None, "auto"):
        drop(notes, "service_tier", "Bedrock's service tiers are default, flex and priority.")
    return {}


def _losses(request: ChatRequest, notes: list[Note]) -> None:
    for name in _LOST:
        if getattr(request, name) is not None:
            drop(notes, name, f"Bedrock has no {name}.")
    if request.n is not None and request.n > 1:
        drop(notes, "n", "Bedrock gives one answer a request.")
    if request.user is not None:
        drop(notes, "user", "Bedrock keeps no id of the end user.")

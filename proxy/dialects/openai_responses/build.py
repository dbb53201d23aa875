"""A `ChatRequest` to the body of `POST /responses`, behind a base URL that ends in the version
(`https://api.openai.com/v1`).

The upstream's options, all with defaults:

    store                 whether the vendor keeps the answer; by default as the client says, and
                          false where it says nothing, as nothing here would ask for it again
    encrypted_reasoning   whether to ask for reasoning in the form that may be sent back; by default
                          of models that think by themselves and wherever the client asks for
                          reasoning (a model that does not reason refuses to be asked)
    reasoning_summary     how reasoning is to be summarised, where the client asks for reasoning and
                          does not say it: `auto`; "" to leave it out, for accounts that may not see
                          summaries
    proof_format          whose encrypted reasoning it gives and takes back, in the words of
                          `proxy/codec/proofs.py`; OpenAI's by default
    organization, project   OpenAI's headers of that name
    api_key_header        the header that takes the bare key, for example `api-key` for Azure; by
                          default `Authorization: Bearer`
    omit                  fields that this vendor refuses, for example [user, metadata]

They hold as well for the request of a client of this dialect, which goes up as it is (`relay.py`).
"""

from typing import Any

import msgspec

from proxy.codec.base import Outgoing, TargetConfig
from proxy.codec.chat_turns import options_of
from proxy.codec.efforts import effort_of, nearest_effort, note_adaptive
from proxy.codec.response_format import NO_NAME
from proxy.codec.rules import Rules
from proxy.codec.shared_notes import CHOICE_ALONE
from proxy.codec.strict import openai_format, openai_tool
from proxy.codec.wire_rules import keep_to, keep_to_thinking
from proxy.dialects.openai_responses.build_input import InputItems
from proxy.dialects.openai_responses.options import PATH, Options, headers, omit
from proxy.dialects.openai_responses.relay_items import without_lone_reasoning
from proxy.errors import bad_request
from proxy.events import Note
from proxy.request import ChatRequest, Reasoning, ToolChoice, ToolSpec

_NO_PARAMETERS = {"type": "object", "properties": {}}
# What a ChatRequest has and the Responses API has not.
_NO_PLACE = {
    "stop": "stop sequences",
    "seed": "seed",
    "top_k": "top_k",
    "min_p": "min_p",
    "frequency_penalty": "frequency penalty",
    "presence_penalty": "presence penalty",
    "repetition_penalty": "repetition penalty",
    "logit_bias": "bias of tokens",
}


def build_request(request: ChatRequest, target: TargetConfig) -> Outgoing:
    """See `UpstreamHalf.build_request`. Options that are none raise Refused (`internal`): the
    operator's fault.
    """
    options = options_of(target, Options)
    rules = target.rules
    notes: list[Note] = []
    model = target.model or request.model
    turns = InputItems(
        notes, options.proof_format, marks=bool(rules.cache_marks), sounds=rules.sounds
    )
    items = without_lone_reasoning(turns.built(request.messages), rules, notes)
    if not items:
        raise bad_request("messages must hold a turn that is not empty.", param="messages")
    store = options.store if options.store is not None else bool(request.store)
    if request.store and not store:
        notes.append(Note("dropped", "store", f"{target.upstream} is configured not to store."))
    body: dict[str, Any] = {"model": model, "input": items, "stream": True, "store": store}
    body.update(_settings(request, notes))
    if any(part.cache for part in request.system_parts):
        said = "Instructions have no place for marks for the prompt cache."
        notes.append(Note("dropped", "system.cache", said))
    reasoning = _reasoning(request.reasoning, options, rules, notes)
    if reasoning:
        body["reasoning"] = reasoning
    body.update(_included(request, options, rules, reasoning))
    _note_losses(request, notes)
    keep_to(rules, body, notes, target.upstream)
    keep_to_thinking(rules, reasoning.get("effort"), body, notes)
    omit(options, body, notes, target.upstream)
    body.update(request.vendor)
    return Outgoing(PATH, msgspec.json.encode(body), headers(target, options), tuple(notes))


def _settings(request: ChatRequest, notes: list[Note]) -> dict[str, Any]:
    """Everything that is said in one field, left out where the client said nothing."""
    text = {"format": _format(request.response_format, notes), "verbosity": request.verbosity}
    said: dict[str, Any] = {
        "instructions": request.system,
        "max_output_tokens": request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "user": request.user,
        "safety_identifier": request.safety_identifier,
        "prompt_cache_key": request.cache_key,
        "service_tier": request.service_tier,
        "metadata": _metadata(request.metadata, notes) or None,
        "text": {name: value for name, value in text.items() if value is not None} or None,
        "top_logprobs": request.top_logprobs,
    }
    if request.tools:
        said["tools"] = [_tool(openai_tool(tool, notes)) for tool in request.tools]
        said.update(_tool_choice(request.tool_choice, request.tools))
        if any(tool.cache is not None for tool in request.tools):
            said_of = "Tools have no place for marks for the prompt cache."
            notes.append(Note("dropped", "tools.cache", said_of))
    elif request.tool_choice is not None and request.tool_choice.mode in ("required", "tool"):
        notes.append(CHOICE_ALONE)
    elif request.tool_choice is not None and request.tool_choice.parallel is not None:
        said["parallel_tool_calls"] = request.tool_choice.parallel
    return {name: value for name, value in said.items() if value is not None}


def _tool(spec: ToolSpec) -> dict[str, Any]:
    """Flat, unlike in chat completions. A schema is held to strictly here unless it is said not to
    be; ours mean it only if they say so.
    """
    tool: dict[str, Any] = {"type": "function", "name": spec.name}
    if spec.custom is not None:
        tool["type"] = "custom"
        if spec.custom:
            tool["format"] = _flat_grammar(spec.custom)
    else:
        tool["parameters"] = spec.parameters or _NO_PARAMETERS
        tool["strict"] = bool(spec.strict)
    if spec.description is not None:
        tool["description"] = spec.description
    return tool


def _flat_grammar(form: dict[str, Any]) -> dict[str, Any]:
    """Chat completions keep a grammar in an object of its own."""
    grammar = form.get("grammar")
    return {"type": "grammar", **grammar} if isinstance(grammar, dict) else form


def _tool_choice(choice: ToolChoice | None, tools: list[ToolSpec]) -> dict[str, Any]:
    if choice is None:
        return {}
    custom = any(tool.name == choice.name and tool.custom is not None for tool in tools)
    named = {"type": "custom" if custom else "function", "name": choice.name}
    return {
        "tool_choice": named if choice.mode == "tool" else choice.mode,
        "parallel_tool_calls": choice.parallel,
    }


def _format(wanted: dict[str, Any] | None, notes: list[Note]) -> dict[str, Any] | None:
    """The form of the answer: chat completions keep a schema in an object of its own, here it
    stands beside the type.
    """
    if wanted is None or wanted.get("type") == "text":
        return None
    wanted = openai_format(wanted, notes)
    if wanted.get("type") == "json_object":
        return {"type": "json_object"}
    schema = wanted.get("json_schema")
    if wanted.get("type") == "json_schema" and isinstance(schema, dict):
        return {"name": NO_NAME, **schema, "type": "json_schema"}
    notes.append(
        Note("dropped", "response_format", "This form of an answer cannot be asked for here.")
    )
    return None


def _reasoning(
    wanted: Reasoning | None, options: Options, rules: Rules, notes: list[Note]
) -> dict[str, Any]:
    """A budget in tokens is said as the effort that it stands for."""
    if wanted is None:
        return {}
    effort = wanted.effort
    if wanted.max_tokens is not None:
        effort = effort or nearest_effort(effort_of(wanted.max_tokens), rules.efforts)
        said = f"A budget of reasoning tokens cannot be said here; effort {effort} was sent."
        notes.append(Note("changed", "reasoning.max_tokens", said))
    note_adaptive(wanted, notes)
    summary = wanted.summary or (effort != "none" and effort and options.reasoning_summary)
    found = {"effort": effort, "summary": summary or None}
    return {name: value for name, value in found.items() if value is not None}


def _included(
    request: ChatRequest, options: Options, rules: Rules, reasoning: dict[str, Any]
) -> dict[str, Any]:
    wanted = options.encrypted_reasoning
    if wanted is None:
        wanted = bool(reasoning) or bool(rules.thinks_by_default)
    included = [
        *(["reasoning.encrypted_content"] if wanted else []),
        *(["message.output_text.logprobs"] if request.logprobs else []),
    ]
    return {"include": included} if included else {}


def _metadata(metadata: dict[str, Any], notes: list[Note]) -> dict[str, str]:
    """Values must be text."""
    said = {
        name: value if isinstance(value, str) else msgspec.json.encode(value).decode()
        for name, value in metadata.items()
    }
    if said != metadata:
        changed = "Values of the metadata that are no text were sent as JSON text."
        notes.append(Note("changed", "metadata", changed))
    return said


def _note_losses(request: ChatRequest, notes: list[Note]) -> None:
    for name, what in _NO_PLACE.items():
        if getattr(request, name) not in (None, []):
            notes.append(Note("dropped", name, f"The Responses API has no {what}."))
    if request.n is not None and request.n > 1:
        notes.append(Note("dropped", "n", "The Responses API gives one answer a request."))

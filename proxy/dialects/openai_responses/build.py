"""A `ChatRequest` to the body of `POST /responses`, behind a base URL that ends in the version
(`https://api.openai.com/v1`).

The upstream's options, all with defaults:

    store                 whether the vendor keeps the answer; false, as nothing here would ask for
                          it again
    encrypted_reasoning   whether to ask for reasoning in the form that may be sent back; by default
                          for OpenAI's reasoning models and wherever the client asks for reasoning
                          (a model that does not reason refuses to be asked)
    reasoning_summary     how reasoning is to be summarised, where the client asks for reasoning:
                          `auto`; "" to leave it out, for accounts that may not see summaries
    organization, project   OpenAI's headers of that name
    api_key_header        the header that takes the bare key, for example `api-key` for Azure; by
                          default `Authorization: Bearer`
    omit                  fields that this vendor refuses, for example [user, metadata]
"""

import re
from typing import Any

import msgspec

from proxy.codec.base import JSON, Outgoing, TargetConfig
from proxy.codec.chat_turns import options_of
from proxy.dialects.openai_responses.parse_input import InputItems
from proxy.errors import bad_request
from proxy.events import Note
from proxy.request import ChatRequest, ToolChoice, ToolSpec

_PATH = "/responses"
_REASONING_MODEL = re.compile(r"(?:^|/)(?:o[134](?:$|-)|gpt-5(?!-chat)|codex)")
_NO_PARAMETERS = {"type": "object", "properties": {}}


class _Options(msgspec.Struct, forbid_unknown_fields=True):
    store: bool = False
    encrypted_reasoning: bool | None = None
    reasoning_summary: str = "auto"
    organization: str | None = None
    project: str | None = None
    api_key_header: str | None = None
    omit: list[str] = []


def build_request(request: ChatRequest, target: TargetConfig) -> Outgoing:
    """See `UpstreamHalf.build_request`. Options that are none raise Refused (`internal`): the
    operator's fault.
    """
    options = options_of(target, _Options)
    notes: list[Note] = []
    model = target.model or request.model
    items = InputItems(notes).built(request.messages)
    if not items:
        raise bad_request("messages must hold a turn that is not empty.", param="messages")
    body: dict[str, Any] = {"model": model, "input": items, "stream": True, "store": options.store}
    body.update(_settings(request, notes))
    if request.reasoning is not None and request.reasoning.effort is not None:
        body["reasoning"] = {"effort": request.reasoning.effort}
        if options.reasoning_summary and request.reasoning.effort != "none":
            body["reasoning"]["summary"] = options.reasoning_summary
    encrypted = options.encrypted_reasoning
    if (
        encrypted
        if encrypted is not None
        else "reasoning" in body or _REASONING_MODEL.search(model)
    ):
        body["include"] = ["reasoning.encrypted_content"]
    _note_losses(request, notes)
    omitted = [name for name in options.omit if body.pop(name, None) is not None]
    notes += [
        Note("dropped", name, f"{target.upstream} is configured not to be sent {name}.")
        for name in omitted
    ]
    body.update(request.vendor)
    return Outgoing(_PATH, msgspec.json.encode(body), _headers(target, options), tuple(notes))


def _headers(target: TargetConfig, options: _Options) -> dict[str, str]:
    headers = {"content-type": JSON, "accept": "text/event-stream"}
    if target.api_key is not None:
        if options.api_key_header is None:
            headers["authorization"] = f"Bearer {target.api_key}"
        else:
            headers[options.api_key_header] = target.api_key
    if options.organization is not None:
        headers["openai-organization"] = options.organization
    if options.project is not None:
        headers["openai-project"] = options.project
    return headers


def _settings(request: ChatRequest, notes: list[Note]) -> dict[str, Any]:
    """Everything that is said in one field, left out where the client said nothing."""
    said: dict[str, Any] = {
        "instructions": request.system,
        "max_output_tokens": request.max_tokens,
        "temperature": request.temperature,
        "top_p": request.top_p,
        "user": request.user,
        "metadata": _metadata(request.metadata, notes) or None,
        "text": _format(request.response_format, notes),
    }
    if request.tools:
        said["tools"] = [_tool(tool) for tool in request.tools]
        said.update(_tool_choice(request.tool_choice))
    elif request.tool_choice is not None and request.tool_choice.mode in ("required", "tool"):
        notes.append(Note("dropped", "tool_choice", "A tool choice without tools is left out."))
    return {name: value for name, value in said.items() if value is not None}


def _tool(spec: ToolSpec) -> dict[str, Any]:
    """Flat, unlike in chat completions. A schema is held to strictly here unless it is said not to
    be; ours mean it only if they say so.
    """
    tool: dict[str, Any] = {
        "type": "function",
        "name": spec.name,
        "parameters": spec.parameters or _NO_PARAMETERS,
        "strict": bool(spec.strict),
    }
    if spec.description is not None:
        tool["description"] = spec.description
    return tool


def _tool_choice(choice: ToolChoice | None) -> dict[str, Any]:
    if choice is None:
        return {}
    named = {"type": "function", "name": choice.name}
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
    if wanted.get("type") == "json_object":
        return {"format": {"type": "json_object"}}
    schema = wanted.get("json_schema")
    if wanted.get("type") == "json_schema" and isinstance(schema, dict):
        return {"format": {"name": "answer", **schema, "type": "json_schema"}}
    notes.append(
        Note("dropped", "response_format", "This form of an answer cannot be asked for here.")
    )
    return None


def _metadata(metadata: dict[str, Any], notes: list[Note]) -> dict[str, str]:
    """Values must be text."""
    said = {
        name: value if isinstance(value, str) else msgspec.json.encode(value).decode()
        for name, value in metadata.items()
    }
    if said != metadata:
        notes.append(
            Note(
                "changed",
                "metadata",
                "Values of the metadata that are no text were sent as JSON text.",
            )
        )
    return said


def _note_losses(request: ChatRequest, notes: list[Note]) -> None:
    if request.stop:
        notes.append(Note("dropped", "stop", "The Responses API has no stop sequences."))
    if request.seed is not None:
        notes.append(Note("dropped", "seed", "The Responses API has no seed."))
    if request.n is not None and request.n > 1:
        notes.append(Note("dropped", "n", "The Responses API gives one answer a request."))
    if request.reasoning is not None and request.reasoning.max_tokens is not None:
        notes.append(
            Note(
                "dropped",
                "reasoning.max_tokens",
                "A budget of reasoning tokens cannot be said here, only an effort.",
            )
        )

"""A client's `RunAgentInput` to a `ChatRequest`."""

from collections.abc import Mapping
from typing import NamedTuple

from proxy.codec.base import Incoming, Parsed
from proxy.codec.json_body import fitted, json_object
from proxy.codec.text_only import unknown_keys
from proxy.codec.unknown_keys import unknown_inner_keys
from proxy.dialects.ag_ui.parse_turns import Turns
from proxy.dialects.ag_ui.wire import Body, Context, Props
from proxy.errors import bad_request
from proxy.events import Note
from proxy.request import ChatRequest, ToolChoice, ToolSpec

# What is asked for when the page names no model: an operator gives it a row in `models`.
DEFAULT_MODEL = "ag_ui"
_STATE = Note(
    "dropped", "state", "The state of a run is its agent's: a model is not told, and changes none."
)
_RESUME = Note("dropped", "resume", "There are no interrupts here, so answers to them say nothing.")


class Options(NamedTuple):
    """The client's names for the conversation, the run and the run that this one is part of, which
    the answer says again; "" where it has none.
    """

    thread: str = ""
    run: str = ""
    parent: str = ""


def parse_request(incoming: Incoming) -> Parsed:
    """See `ClientHalf.parse_request`. The model is that of `forwardedProps`, or `?model=`."""
    document = json_object(incoming.body)
    body = fitted(document, Body)
    if not body.messages:
        raise bad_request("messages must hold at least one message.", param="messages")
    notes = [*unknown_keys(document, Body), *unknown_inner_keys(document, Body)]
    if body.state:
        notes.append(_STATE)
    if body.resume:
        notes.append(_RESUME)
    said = body.forwarded_props or {}
    props = fitted(said, Props, "forwardedProps")
    notes += [note for note in unknown_keys(said, Props) if note not in notes]
    system, messages = Turns(notes).read(body.messages)
    request = ChatRequest(
        model=props.model or incoming.query.get("model") or DEFAULT_MODEL,
        messages=messages,
        system="\n\n".join(filter(None, (system, _known(body.context)))) or None,
        max_tokens=props.max_tokens,
        temperature=props.temperature,
        top_p=props.top_p,
        top_k=props.top_k,
        presence_penalty=props.presence_penalty or None,
        frequency_penalty=props.frequency_penalty or None,
        stop=[props.stop] if isinstance(props.stop, str) else props.stop or [],
        seed=props.seed,
        tools=[ToolSpec(t.name, t.description or None, t.parameters) for t in body.tools or ()],
        tool_choice=_choice(props),
        response_format=props.response_format,
        reasoning=props.reasoning,
        user=props.user,
        stream=props.stream is not False,
    )
    run = body.run_id or _run_id(incoming.headers)
    return Parsed(
        request, Options(body.thread_id, run, body.parent_run_id or ""), tuple(notes), run
    )


def _run_id(headers: Mapping[str, str]) -> str:
    """TanStack AI's clients say it in a header, too."""
    return headers.get("x-run-id", "")


def _known(context: list[Context] | None) -> str:
    """What the page shows or knows, for the model to read."""
    return "\n\n".join(f"{each.description}:\n{each.value}" for each in context or ())


def _choice(props: Props) -> ToolChoice | None:
    if props.tool_choice != "function":
        return None if props.tool_choice is None else ToolChoice(props.tool_choice)
    if not props.tool_choice_function_name:
        place = "forwardedProps.toolChoiceFunctionName"
        raise bad_request(f"{place} is required where toolChoice is function.", param=place)
    return ToolChoice("tool", props.tool_choice_function_name)

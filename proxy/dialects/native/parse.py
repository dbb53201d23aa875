"""Native requests, from a POST's body or a GET's query string. Strict: an unknown key is refused
with the nearest known one.
"""

from operator import attrgetter

from proxy.codec.base import Incoming, Parsed
from proxy.codec.json_body import fitted, json_object, unknown_key
from proxy.dialects.native.wire import NAME, SETTINGS, StreamRequest
from proxy.errors import bad_request
from proxy.request import (
    AudioPart,
    ChatRequest,
    DocumentPart,
    ImagePart,
    Message,
    Original,
    Part,
    ReasoningPart,
    Role,
    TextPart,
    ToolCallPart,
    ToolChoice,
    ToolResultPart,
)

QUERY = ("model", "prompt", "system")
_MAY_HOLD: dict[Role, tuple[type[Part], ...]] = {
    "system": (TextPart,),
    "user": (TextPart, ImagePart, DocumentPart, AudioPart),
    "assistant": (TextPart, ReasoningPart, ToolCallPart),
    "tool": (ToolResultPart,),
}
# What a request of ours says as the client's does.
_ALIKE = (
    "model",
    "max_tokens",
    "temperature",
    "top_p",
    "seed",
    "response_format",
    "reasoning",
    "user",
    *SETTINGS,
)
_alike = attrgetter(*_ALIKE)


def parse_request(incoming: Incoming) -> Parsed:
    """See `ClientHalf.parse_request`."""
    return Parsed(_from_query(incoming) if incoming.method == "GET" else _from_body(incoming.body))


def _from_query(incoming: Incoming) -> ChatRequest:
    """The native EventSource can only GET: a prompt, and perhaps a system prompt."""
    for name in incoming.query:
        if name not in QUERY:
            raise unknown_key(name, QUERY)
    for name in ("model", "prompt"):
        if not incoming.query.get(name):
            raise bad_request(f"{name} is required in the query string.", param=name)
    system = incoming.query.get("system") or None
    return ChatRequest(
        model=incoming.query["model"],
        messages=[Message("user", incoming.query["prompt"])],
        system=system,
    )


def _from_body(data: bytes) -> ChatRequest:
    value = json_object(data)
    body = fitted(value, StreamRequest)
    system, messages = _turns(body)
    return ChatRequest(
        messages=messages,
        original=Original(NAME, value),
        system="\n\n".join([part.text for part in system if part.text]) or None,
        system_parts=system if system and any(part.cache for part in system) else [],
        stop=[body.stop] if isinstance(body.stop, str) else body.stop or [],
        tools=body.tools or [],
        tool_choice=_choice(body),
        metadata=body.metadata or {},
        vendor=body.vendor or {},
        stream=body.stream is not False,
        on_loss=body.on_loss or "note",
        **dict(zip(_ALIKE, _alike(body), strict=True)),
    )


def _turns(body: StreamRequest) -> tuple[list[TextPart], list[Message]]:
    """The system prompt and the turns. System messages before the first turn join the system
    prompt.
    """
    if body.prompt is not None:
        if body.messages is not None:
            raise bad_request(
                "prompt is short for messages with one user turn: give one of them, not both.",
                param="prompt",
            )
        return _system(body), [Message("user", body.prompt)]
    if body.messages is None:
        raise bad_request("messages is required, or prompt for a single turn.", param="messages")
    first = next((at for at, message in enumerate(body.messages) if message.role != "system"), None)
    if first is None:
        raise bad_request(
            "messages must hold at least one turn that is not of the system.", param="messages"
        )
    for at, message in enumerate(body.messages):
        _check(message, at)
    if not first:
        return _system(body), body.messages
    leading = [
        part
        for message in body.messages[:first]
        for part in _joined([part for part in message.parts if isinstance(part, TextPart)])
    ]
    return [*_system(body), *leading], body.messages[first:]


def _system(body: StreamRequest) -> list[TextPart]:
    said = body.system
    return [TextPart(said)] if isinstance(said, str) else said or []


def _joined(parts: list[TextPart]) -> list[TextPart]:
    """The texts of one message, as one where no mark stands between them."""
    if any(part.cache is not None for part in parts):
        return parts
    return [TextPart("".join(part.text for part in parts))]


def _check(message: Message, at: int) -> None:
    """Raises Refused for what its role may not hold. `at` is its place among the messages."""
    if isinstance(message.content, str):
        if message.role != "tool":
            return
        raise bad_request(
            f"messages[{at}].content of a tool must be a list of tool_result parts, which name the "
            "call they answer.",
            param=f"messages[{at}].content",
        )
    if isinstance(message.content, str):
        return
    allowed = _MAY_HOLD[message.role]
    for number, part in enumerate(message.content):
        if not isinstance(part, allowed):
            place = f"messages[{at}].content[{number}]"
            names = " or ".join(_tag(kind) for kind in allowed)
            raise bad_request(
                f"{place} of role {message.role} must be {names}, not {_tag(type(part))}.",
                param=place,
            )


def _tag(kind: type[Part]) -> str:
    return str(kind.__struct_config__.tag)


def _choice(body: StreamRequest) -> ToolChoice | None:
    choice = ToolChoice(body.tool_choice) if isinstance(body.tool_choice, str) else body.tool_choice
    if choice is not None and choice.mode == "tool":
        names = [tool.name for tool in body.tools or ()]
        if choice.name is None:
            raise bad_request(
                "tool_choice.name is required with mode tool.", param="tool_choice.name"
            )
        if choice.name not in names:
            known = ", ".join(names) or "none was given"
            raise bad_request(
                f"tool_choice.name must be one of tools ({known}).", param="tool_choice.name"
            )
    return choice

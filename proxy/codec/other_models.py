"""Other models that a request names beside its own: those that its vendor falls back to, chooses
among, or asks on the way (an advisor, a plugin, a tool that draws).

Vendors have no common name for such a field: OpenRouter has `models` and plugins with a `model` or
`allowed_models`, Anthropic `fallbacks` and an advisor's `model`, Groq `compound_custom.models`,
Vertex AI `routingConfig.manualMode.modelName`, gateways `fallback_models`, `fallbacks` and
`providerOptions.gateway.models`. What they have in common is how the name of the field ends.
"""

from collections.abc import Container, Iterator, Mapping
from typing import Any, NamedTuple

from proxy.request import ChatRequest

_ENDS = (
    *("model", "models", "modelname", "modelnames", "modelid", "modelids"),
    *("fallback", "fallbacks"),
)
_ROUTED = ("model", "vendor.model")  # routing decides it, whatever stands there
_MOST_PARAM_CHARS = 100  # a client may nest its fields as deep as it likes
# What is said, and JSON Schemas: no vendor reads a model's name there.
_SAID = frozenset(
    {
        *("messages", "input", "contents", "prompt", "system", "instructions", "metadata"),
        *("systemInstruction", "system_instruction", "labels", "chat_history", "documents"),
        *("function", "functions", "functionDeclarations", "function_declarations"),
        *("input_schema", "inputSchema", "response_format", "json_schema", "schema"),
        *("responseSchema", "response_schema", "responseJsonSchema", "output_config", "text"),
    }
)


class Named(NamedTuple):
    """A model's name, and the path of the field that has it."""

    param: str
    model: str


def foreign_model(request: ChatRequest, allowed: Container[str] | None) -> Named | None:
    """The first name that is not allowed. None: all are."""
    if allowed is None:
        return None
    return next((named for named in other_models(request) if named.model not in allowed), None)


def other_models(request: ChatRequest) -> Iterator[Named]:
    """Every name in what goes up as the client wrote it: its own body, and `vendor`."""
    for body in (request.vendor, {} if request.original is None else request.original.body):
        yield from (found for found in _within(body) if found.param not in _ROUTED)


def _within(body: Mapping[str, Any]) -> Iterator[Named]:
    """Those in an object, however deep it is: no call waits for another."""
    left: list[tuple[str, bool, Any]] = [("", False, body)]
    while left:
        at, names, value = left.pop()
        if isinstance(value, str):
            if names:
                yield Named(at, value)
        elif isinstance(value, list):
            left += [(at, names, item) for item in reversed(value)]
        elif isinstance(value, Mapping) and value.get("type") != "function":
            # a function is a tool of the client's, with a schema
            left += [
                (f"{at[:_MOST_PARAM_CHARS]}.{key}" if at else key, _names_models(key), value[key])
                for key in reversed(value)
                if key not in _SAID
            ]


def _names_models(key: str) -> bool:
    return key.replace("_", "").replace("-", "").lower().endswith(_ENDS)

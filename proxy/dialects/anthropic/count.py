"""How many input tokens a request has. Source: "Count tokens in a Message" of the API reference."""

import msgspec

from proxy.codec.base import Counting, Incoming, Outgoing, Parsed, Route
from proxy.codec.count import changed, count_in
from proxy.codec.json_body import json_object
from proxy.dialects.anthropic.parse import parse_request

_PATH = "/v1/messages"
# What a request for an answer may have and one for its count may not.
_FOR_ANSWERS = frozenset(
    {
        "container",
        "diagnostics",
        "inference_geo",
        "max_tokens",
        "metadata",
        "service_tier",
        "stop_sequences",
        "stream",
        "temperature",
        "top_k",
        "top_p",
    }
)
# A request for an answer must have a limit, one for its count has none. This one leaves room for
# any budget of thinking.
_LIMIT = 1_000_000


def count_request(call: Outgoing) -> Outgoing:
    """See `UpstreamHalf.count_request`."""
    path, mark, query = call.path.partition("?")
    return changed(call, f"{path}/count_tokens{mark}{query}", _FOR_ANSWERS)


def count_answer(body: bytes) -> int | None:
    """See `UpstreamHalf.count_answer`."""
    return count_in(body, "input_tokens")


def _parse(incoming: Incoming) -> Parsed:
    body = {**json_object(incoming.body), "max_tokens": _LIMIT, "stream": False}
    return parse_request(incoming._replace(body=msgspec.json.encode(body)))


def _reply(tokens: int) -> bytes:
    return msgspec.json.encode({"input_tokens": tokens})


COUNTING = Counting((Route("POST", f"{_PATH}/count_tokens"),), _parse, _reply)

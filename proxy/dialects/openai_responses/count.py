"""How many input tokens a request has. Source: "Get input token counts" of the API reference."""

import msgspec

from proxy.codec.base import Counting, Incoming, Outgoing, Parsed, Route
from proxy.codec.count import changed, count_in
from proxy.codec.json_body import json_object
from proxy.dialects.openai_responses.parse import parse_request

# What a request for an answer may have and one for its count may not.
_FOR_ANSWERS = frozenset(
    {
        "access_programs",
        "background",
        "background_options",
        "context_management",
        "include",
        "max_output_tokens",
        "max_tool_calls",
        "metadata",
        "moderation",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "safety_identifier",
        "service_tier",
        "store",
        "stream",
        "stream_options",
        "temperature",
        "top_logprobs",
        "top_p",
        "user",
    }
)


def count_request(call: Outgoing) -> Outgoing:
    """See `UpstreamHalf.count_request`."""
    return changed(call, f"{call.path}/input_tokens", _FOR_ANSWERS)


def count_answer(body: bytes) -> int | None:
    """See `UpstreamHalf.count_answer`."""
    return count_in(body, "input_tokens")


def _parse(incoming: Incoming) -> Parsed:
    body = {**json_object(incoming.body), "stream": False}
    return parse_request(incoming._replace(body=msgspec.json.encode(body)))


def _reply(tokens: int) -> bytes:
    return msgspec.json.encode({"object": "response.input_tokens", "input_tokens": tokens})


COUNTING = Counting((Route("POST", "/v1/responses/input_tokens"),), _parse, _reply)

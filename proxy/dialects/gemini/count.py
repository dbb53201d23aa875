"""How many tokens a request has. Source: "models.countTokens" of the API's reference, and Vertex
AI's "countTokens".

The Gemini API takes contents alone, or all of a request under `generateContentRequest`; Vertex AI
takes the request's own keys.
"""

from urllib.parse import unquote

import msgspec

from proxy.codec.base import Counting, Incoming, Outgoing, Parsed, Route
from proxy.codec.count import accepting, changed, count_in
from proxy.codec.json_body import json_object
from proxy.dialects.gemini import code_assist
from proxy.dialects.gemini.parse import parse_request

_METHOD = "{model:.+}:{method:countTokens}"
_VERTEX = "{version:v1|v1beta1}/{parent:projects/[^/]+/locations/[^/]+}/publishers/google/models"
_NOT_ON_VERTEX = frozenset({"safetySettings", "toolConfig", "labels", "cachedContent"})


def count_request(call: Outgoing) -> Outgoing:
    """See `UpstreamHalf.count_request`."""
    place = call.path.partition("?")[0].rpartition(":")[0]
    path = f"{place}:countTokens"
    if "/projects/" in place:
        return changed(call, path, _NOT_ON_VERTEX)
    model = unquote(place.split("/", 2)[2])  # behind the version
    # `model` goes before what the client may have written there
    asked = {**msgspec.json.decode(call.body), "model": model}
    body = msgspec.json.encode({"generateContentRequest": asked})
    return call._replace(path=path, body=body, headers=accepting(call))


def count_answer(body: bytes) -> int | None:
    """See `UpstreamHalf.count_answer`."""
    return count_in(body, "totalTokens")


def _parse(incoming: Incoming) -> Parsed:
    if code_assist.is_wrapped(incoming):
        return parse_request(code_assist.unwrapped(incoming))
    body = json_object(incoming.body)
    whole = body.get("generateContentRequest", body.get("generate_content_request"))
    if not isinstance(whole, dict):
        return parse_request(incoming)
    whole = {name: value for name, value in whole.items() if name != "model"}
    return parse_request(incoming._replace(body=msgspec.json.encode(whole)))


def _reply(tokens: int) -> bytes:
    return msgspec.json.encode({"totalTokens": tokens})


COUNTING = Counting(
    (
        Route("POST", f"/{{version:v1beta|v1alpha|v1}}/models/{_METHOD}"),
        Route("POST", f"/models/{_METHOD}"),
        Route("POST", f"/{_VERTEX}/{_METHOD}"),
        code_assist.COUNTING,
    ),
    _parse,
    _reply,
    unknown_status=501,
)

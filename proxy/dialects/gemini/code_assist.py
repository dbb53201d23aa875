"""The wrapper of Google's Code Assist, in which Gemini CLI asks once its user has signed in:
`POST /v1internal:streamGenerateContent` with the model and the request side by side, and each chunk
of the answer under `response`. Before its first prompt it asks who its user is there.

Source: `packages/core/src/code_assist` of Gemini CLI.
"""

from typing import Any

import msgspec

from proxy.codec.base import Aside, Incoming, Models, Reply, Route
from proxy.codec.json_body import json_object
from proxy.errors import bad_request

ROUTE = Route("POST", "/v1internal:{method:streamGenerateContent|generateContent}")
COUNTING = Route("POST", "/v1internal:{method:countTokens}")
_PROJECT = "mainstem"  # of a user who names none: the client wants one
# What the user may do: all, as the client's key decides here.
_TIER = {"id": "standard-tier", "name": "Mainstem", "description": "", "isDefault": True}
# Keys of the client's session, which the Gemini API does not know.
_OF_SESSION = ("session_id", "sessionId", "model")


def is_wrapped(incoming: Incoming) -> bool:
    """Whether a request came by these paths, which name no model."""
    return "model" not in incoming.path


def unwrapped(incoming: Incoming) -> Incoming:
    """The request as by the Gemini API's own path. To count, the model stands within the request.
    Raises Refused.
    """
    body = json_object(incoming.body)
    request = body.get("request")
    if not isinstance(request, dict):
        raise bad_request("request is required: what the model is asked.", param="request")
    model = body.get("model") or request.get("model")
    if not isinstance(model, str):
        raise bad_request("model is required.", param="model")
    inner = {name: value for name, value in request.items() if name not in _OF_SESSION}
    path = {**incoming.path, "model": model}
    return incoming._replace(path=path, body=msgspec.json.encode(inner))


def _project(incoming: Incoming) -> str:
    said = json_object(incoming.body).get("cloudaicompanionProject")
    return said if isinstance(said, str) and said else _PROJECT


def _loaded(incoming: Incoming, _models: Models) -> Reply:
    """A user who is known already needs no onboarding."""
    project = _project(incoming)
    said = {"currentTier": _TIER, "allowedTiers": [_TIER], "cloudaicompanionProject": project}
    return _said(said)


def _onboarded(incoming: Incoming, _models: Models) -> Reply:
    """An operation that is done."""
    project = _project(incoming)
    user = {"cloudaicompanionProject": {"id": project, "name": project}}
    return _said({"name": "operations/onboarded", "done": True, "response": user})


def _said(document: dict[str, Any]) -> Reply:
    return Reply(200, msgspec.json.encode(document))


ASIDES = (
    Aside(Route("POST", "/v1internal:loadCodeAssist"), _loaded),
    Aside(Route("POST", "/v1internal:onboardUser"), _onboarded),
)

"""How the Messages API is called: path, key and headers, at Anthropic and at Google's Vertex AI.

Options of the upstream: `version` (header anthropic-version), `beta` (header anthropic-beta: text
or a list), `vertex` (`project` and `location` of a Google Cloud project: the model is called
there, with an access token as the key).
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from proxy.codec.base import JSON, Outgoing, TargetConfig
from proxy.codec.chat_turns import drop, options_of
from proxy.codec.refused import is_refused
from proxy.codec.wire_rules import keep_to
from proxy.events import Note

PATH = "/v1/messages"
VERSION = "2023-06-01"
# "Claude on Vertex AI": the version stands in the body, the model in the path.
VERTEX_VERSION = "vertex-2023-10-16"
# The client's headers that say something about its request. Lower case.
OWN_HEADERS = ("anthropic-version", "anthropic-beta")
_BETA = "anthropic-beta"


class Vertex(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the model is called."""

    project: str
    location: str


class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """See the module."""

    version: str | None = None
    beta: str | list[str] | None = None
    vertex: Vertex | None = None


def called(
    body: dict[str, Any],
    target: TargetConfig,
    notes: list[Note],
    names: Mapping[str, str],
    own: Mapping[str, str],
) -> Outgoing:
    """The request. `names` are the tools' names that were changed, `own` the client's headers of
    OWN_HEADERS. The body keeps to the target's rules.
    """
    options = options_of(target, Options)
    keep_to(target.rules, body, notes, target.upstream)
    _without_tools(target, body, notes)
    headers = {"content-type": JSON, "accept": "text/event-stream"}
    beta = _beta(options, target, own, notes)
    if beta:
        headers[_BETA] = beta
    if options.vertex is None:
        path = PATH
        headers["anthropic-version"] = options.version or own.get("anthropic-version") or VERSION
        if target.api_key is not None:
            headers["x-api-key"] = target.api_key
    else:
        path = _vertex_path(options.vertex, str(body.pop("model")))
        body.pop("anthropic_version", None)  # a client's own
        body = {"anthropic_version": VERTEX_VERSION, **body}
        if target.api_key is not None:
            headers["authorization"] = f"Bearer {target.api_key}"
    return Outgoing(path, msgspec.json.encode(body), headers, tuple(notes), tool_names=names)


def _beta(options: Options, target: TargetConfig, own: Mapping[str, str], notes: list[Note]) -> str:
    """The operator's and the client's, each once."""
    said = options.beta or []
    wanted = [said] if isinstance(said, str) else list(said)
    clients = own.get(_BETA, "")
    if clients and _BETA in target.rules.refuse:
        drop(notes, "refuse", f"{_BETA} is left out: the configuration does not let it through.")
    else:
        wanted += [name.strip() for name in clients.split(",") if name.strip()]
    return ",".join(dict.fromkeys(wanted))


def _without_tools(target: TargetConfig, body: dict[str, Any], notes: list[Note]) -> None:
    """Without the kinds of tools that the operator does not let through."""
    refuse, tools = target.rules.refuse, body.get("tools")
    if not refuse or not isinstance(tools, list):
        return
    kept = [tool for tool in tools if not is_refused(tool, refuse)]
    if len(kept) == len(tools):
        return
    said = f"Tools are left out that the configuration does not let through to {target.upstream}."
    notes.append(Note("dropped", "refuse", said))
    body["tools"] = kept
    if not kept:
        del body["tools"]
        body.pop("tool_choice", None)


def _vertex_path(vertex: Vertex, model: str) -> str:
    project, location = quote(vertex.project, safe=""), quote(vertex.location, safe="")
    return (
        f"/v1/projects/{project}/locations/{location}/publishers/anthropic/models/"
        f"{quote(model, safe='@')}:streamRawPredict"
    )

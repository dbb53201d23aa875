"""Where a request goes: the upstream's options, the path with the model in it, the headers.

The model stands in the path, behind a base URL without one:
`https://generativelanguage.googleapis.com`, or Vertex AI's
`https://<location>-aiplatform.googleapis.com` (`https://aiplatform.googleapis.com` for the location
`global`).

The upstream's options, all with defaults:

    form               `sse`, or `array`: one JSON array, for servers in between that know no events
    version            of the API, in the path: `v1beta`, with Vertex AI `v1`
    vertex             {project, location, publisher: google}: the request goes to Vertex AI, and
                       the key as a Bearer token
    include_thoughts   false: where reasoning is asked for, its summary is not
    stream_arguments   true: Vertex AI sends the arguments of a call as they are written, where the
                       model can. Clients of this dialect, who get calls whole, must ask themselves
    safety_settings    sent as they are, a list of {category, threshold}, also in place of a
                       client's own
"""

import re
from typing import Any, Literal
from urllib.parse import quote

import msgspec

from proxy.codec.base import JSON
from proxy.errors import bad_request

_SEGMENT = re.compile(r"[A-Za-z0-9_@:+~ .-]+")


class Vertex(msgspec.Struct, forbid_unknown_fields=True):
    """A place at Vertex AI."""

    project: str
    location: str
    publisher: str = "google"


class Options(msgspec.Struct, forbid_unknown_fields=True):
    """See above."""

    form: Literal["sse", "array"] = "sse"
    version: str | None = None
    vertex: Vertex | None = None
    include_thoughts: bool = True
    stream_arguments: bool = False
    safety_settings: list[dict[str, Any]] = []


def path(model: str, options: Options) -> str:
    """The path of a streamed answer. Raises Refused for a model whose name could lead elsewhere."""
    method = ":streamGenerateContent" + ("?alt=sse" if options.form == "sse" else "")
    name = _quoted(model, "model")
    if options.vertex is None:
        full = name if model.startswith("tunedModels/") else f"models/{name}"
        return f"/{options.version or 'v1beta'}/{full}{method}"
    project, location = (
        _quoted(text, "vertex") for text in (options.vertex.project, options.vertex.location)
    )
    publisher = _quoted(options.vertex.publisher, "vertex")
    place = f"projects/{project}/locations/{location}/publishers/{publisher}"
    return f"/{options.version or 'v1'}/{place}/models/{name}{method}"


def headers(api_key: str | None, options: Options) -> dict[str, str]:
    """What goes with every request."""
    sent = {
        "content-type": JSON,
        "accept": "text/event-stream" if options.form == "sse" else JSON,
    }
    if api_key is not None:
        if options.vertex is None:
            sent["x-goog-api-key"] = api_key
        else:
            sent["authorization"] = f"Bearer {api_key}"
    return sent


def _quoted(name: str, param: str) -> str:
    """A name, perhaps of several segments, as a part of the path. Raises Refused for one that could
    lead elsewhere.
    """
    segments = name.split("/")
    if not all(_SEGMENT.fullmatch(segment) and segment.strip(".") for segment in segments):
        said = (
            "may have only letters, digits, blanks and . _ @ : + ~ - in it for this upstream, "
            "with single slashes between"
        )
        raise bad_request(f"{param} {said}.", param=param)
    return "/".join(quote(segment, safe="") for segment in segments)

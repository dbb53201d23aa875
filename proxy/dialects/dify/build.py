"""A `ChatRequest` to one message for an app of Dify's, behind a base URL that ends in `/v1`.

The API key, which is the app's, chooses the model. A `conversation_id` in the request's `vendor`
continues a conversation that Dify remembers: then only the newest turn is sent. Without one the
earlier turns are written into the prompt. The upstream's options:

    app      chat (default; also agents and chatflows), completion or workflow
    input    the app's variable that takes the prompt, of the latter two; `query` by default
    inputs   its other variables
    user     for requests that name none; `mainstem` by default
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from proxy.codec.base import Outgoing, TargetConfig
from proxy.codec.single_prompt import cannot_say, one_prompt
from proxy.dialects.dify.wire import PATHS
from proxy.errors import Refused, failure
from proxy.events import Note
from proxy.request import ChatRequest, ImagePart

_USER = "mainstem"
_UPLOAD = Note(
    "dropped",
    "messages.image_url",
    "Dify takes images by address: one that is sent as data would have to be uploaded there first.",
)


def build_request(request: ChatRequest, target: TargetConfig) -> Outgoing:
    """See `UpstreamHalf.build_request`. Raises Refused for an app that there is not, and when no
    user turn has text.
    """
    app = str(target.options.get("app", "chat"))
    if app not in PATHS:
        raise Refused(
            failure(
                "internal",
                f"This upstream's option app is {app!r}; it may be {', '.join(PATHS)}.",
            )
        )
    notes: list[Note] = cannot_say(request, ("user",))
    body = _body(request, target.options, app, notes)
    headers = {"Content-Type": "application/json", "Accept": "text/event-stream"}
    if target.api_key:
        headers["Authorization"] = f"Bearer {target.api_key}"
    return Outgoing(PATHS[app], msgspec.json.encode(body | request.vendor), headers, tuple(notes))


def _body(
    request: ChatRequest, options: Mapping[str, Any], app: str, notes: list[Note]
) -> dict[str, Any]:
    prompt = one_prompt(
        request, notes, images=True, remembered=bool(request.vendor.get("conversation_id"))
    )
    user = request.user or str(options.get("user", _USER))
    if request.user is None:
        notes.append(Note("defaulted", "user", f"Dify insists on a user; {user} was taken."))
    inputs = dict(options["inputs"]) if isinstance(options.get("inputs"), Mapping) else {}
    body: dict[str, Any] = {"inputs": inputs, "response_mode": "streaming", "user": user}
    if app == "chat":
        # Nobody reads the name that Dify would have a model write for the conversation.
        body |= {"query": prompt, "conversation_id": "", "auto_generate_name": False}
    else:
        inputs[str(options.get("input", "query"))] = prompt
    files = _files(request, notes)
    if files:
        body["files"] = files
    return body


def _files(request: ChatRequest, notes: list[Note]) -> list[dict[str, str]]:
    """The newest user turn's images."""
    turn = next(turn for turn in reversed(request.messages) if turn.role == "user")
    addresses = [part.url for part in turn.parts if isinstance(part, ImagePart)]
    if any(address.startswith("data:") for address in addresses):
        notes.append(_UPLOAD)
    remote = [address for address in addresses if not address.startswith("data:")]
    return [
        {"type": "image", "transfer_method": "remote_url", "url": address} for address in remote
    ]

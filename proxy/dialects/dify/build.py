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
from proxy.codec.media import is_web
from proxy.codec.relaying import own_body
from proxy.codec.single_prompt import cannot_say, one_prompt
from proxy.codec.wire_rules import keep_to
from proxy.dialects.dify.wire import PATHS
from proxy.errors import Refused, failure
from proxy.events import Note
from proxy.request import ChatRequest, DocumentPart, ImagePart, Original

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
    body = _body(request, target.options, app, notes) | request.vendor
    keep_to(target.rules, body, notes, target.upstream)
    return Outgoing(PATHS[app], msgspec.json.encode(body), _headers(target), tuple(notes))


def relay_request(
    request: ChatRequest, original: Original, target: TargetConfig
) -> Outgoing | None:
    """See `UpstreamHalf.relay_request`. What the operator gives of the app's variables goes before
    the client's; `model` is ours, as the key chooses the app. None for an app of another kind than
    a chat, which takes another body.
    """
    options = target.options
    if options.get("app", "chat") != "chat":
        return None
    notes: list[Note] = []
    body = own_body(original, {"response_mode": "streaming"})
    body.pop("model", None)
    given, said = options.get("inputs"), body.get("inputs")
    if isinstance(given, Mapping):
        body["inputs"] = {**(said if isinstance(said, dict) else {}), **given}
    body.setdefault("inputs", {})
    if body.get("user") is None:
        body["user"] = _user(request, options, notes)
    keep_to(target.rules, body, notes, target.upstream)
    return Outgoing(PATHS["chat"], msgspec.json.encode(body), _headers(target), tuple(notes))


def _headers(target: TargetConfig) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "Accept": "text/event-stream"}
    if target.api_key:
        headers["Authorization"] = f"Bearer {target.api_key}"
    return headers


def _user(request: ChatRequest, options: Mapping[str, Any], notes: list[Note]) -> str:
    if request.user is not None:
        return request.user
    user = str(options.get("user", _USER))
    notes.append(Note("defaulted", "user", f"Dify insists on a user; {user} was taken."))
    return user


def _body(
    request: ChatRequest, options: Mapping[str, Any], app: str, notes: list[Note]
) -> dict[str, Any]:
    remembered = bool(request.vendor.get("conversation_id"))
    prompt = one_prompt(request, notes, images=True, documents=True, remembered=remembered)
    user = _user(request, options, notes)
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
    """The newest user turn's images and documents."""
    turn = next(turn for turn in reversed(request.messages) if turn.role == "user")
    files = [part for part in turn.parts if isinstance(part, ImagePart | DocumentPart)]
    remote = [part for part in files if is_web(part.url)]
    if any(isinstance(part, ImagePart) and not is_web(part.url) for part in files):
        notes.append(_UPLOAD)
    return [
        {
            "type": "image" if isinstance(part, ImagePart) else "document",
            "transfer_method": "remote_url",
            "url": part.url,
        }
        for part in remote
    ]

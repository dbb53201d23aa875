"""`POST /v1/chat-messages`, as Dify's SDKs and pages call an app, to a `ChatRequest`."""

from collections.abc import Iterator

from proxy.codec.base import Incoming, Parsed
from proxy.codec.json_body import fitted, json_object
from proxy.codec.note_once import note_once
from proxy.codec.text_only import unknown_keys
from proxy.dialects.dify.wire import NAME, Body, File
from proxy.errors import bad_request
from proxy.events import Note
from proxy.request import ChatRequest, DocumentPart, ImagePart, Message, Original, Part, TextPart

# What is asked for when the client names no model, as Dify's own never do: an operator gives it a
# row in `models`.
DEFAULT_MODEL = "dify"
_LOSSES = {
    "inputs": "The variables of a prompt that Dify keeps: there is none here.",
    "conversation_id": (
        "The conversation's earlier turns are not known here: only this question is answered."
    ),
    "workflow_id": "There are no workflows here.",
    "trace_id": "Traces are Dify's own; the answer's x-request-id serves instead.",
    "parent_message_id": "The conversation's earlier turns are not known here.",
}


def parse_request(incoming: Incoming) -> Parsed:
    """See `ClientHalf.parse_request`. `model` comes from the body or the query. As at Dify, only
    `response_mode: streaming` streams.
    """
    document = json_object(incoming.body)
    body = fitted(document, Body)
    if body.response_mode not in (None, "streaming", "blocking"):
        raise bad_request("response_mode must be streaming or blocking.", param="response_mode")
    notes = [*_losses(body), *unknown_keys(document, Body)]
    files = list(_files(body.files or [], notes))
    if not body.query and not files:
        raise bad_request("query must hold the question.", param="query")
    content: str | list[Part] = [TextPart(body.query), *files] if files else body.query
    request = ChatRequest(
        model=body.model or incoming.query.get("model") or DEFAULT_MODEL,
        messages=[Message("user", content)],
        original=Original(NAME, document),
        user=body.user or None,
        stream=body.response_mode == "streaming",
    )
    return Parsed(request, body.conversation_id or "", tuple(notes))


def _files(files: list[File], notes: list[Note]) -> Iterator[ImagePart | DocumentPart]:
    for at, file in enumerate(files):
        if file.transfer_method == "remote_url" and file.type in ("image", "document"):
            if not file.url:
                raise bad_request(
                    f"files[{at}].url is required with transfer_method remote_url.",
                    param=f"files[{at}].url",
                )
            yield ImagePart(file.url) if file.type == "image" else DocumentPart(file.url)
        else:
            note = Note(
                "dropped",
                "files",
                "Files are left out, but for images and documents at an address.",
            )
            note_once(notes, note)


def _losses(body: Body) -> Iterator[Note]:
    for name, said in _LOSSES.items():
        if getattr(body, name):
            yield Note("dropped", name, said)

"""The client half: `POST /v1/chat-messages`, as Dify's SDKs and pages call an app."""

from collections.abc import Iterator

from proxy.codec.base import ClientHalf, Encoder, Incoming, Parsed, Reply, Route
from proxy.codec.fold import WholeAnswer
from proxy.codec.json_body import fitted, json_object
from proxy.codec.text_only import unknown_keys
from proxy.dialects.dify.encode import DifyEncoder
from proxy.dialects.dify.errors import render_error
from proxy.dialects.dify.whole import whole
from proxy.dialects.dify.wire import Body, File
from proxy.errors import Failure, bad_request
from proxy.events import Note
from proxy.request import ChatRequest, ImagePart, Message, Part, TextPart

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


class DifyClient(ClientHalf):
    """`model` comes from the body or the query. As at Dify, only `response_mode: streaming`
    streams.
    """

    name = "dify"
    routes = (Route("POST", "/v1/chat-messages"),)
    rewrites = True

    def parse_request(self, incoming: Incoming) -> Parsed:
        document = json_object(incoming.body)
        body = fitted(document, Body)
        if body.response_mode not in (None, "streaming", "blocking"):
            raise bad_request("response_mode must be streaming or blocking.", param="response_mode")
        notes = [*_losses(body), *unknown_keys(document, Body)]
        images = list(_images(body.files or [], notes))
        if not body.query and not images:
            raise bad_request("query must hold the question.", param="query")
        content: str | list[Part] = [TextPart(body.query), *images] if images else body.query
        request = ChatRequest(
            model=body.model or incoming.query.get("model") or DEFAULT_MODEL,
            messages=[Message("user", content)],
            user=body.user or None,
            stream=body.response_mode == "streaming",
        )
        return Parsed(request, body.conversation_id or "", tuple(notes))

    def encoder(self, parsed: Parsed) -> Encoder:
        return DifyEncoder(parsed.options or "")

    def whole(self, parsed: Parsed, answer: WholeAnswer) -> Reply:
        return whole(answer, parsed.options or "")

    def render_error(self, failure: Failure) -> Reply:
        return render_error(failure)


def _images(files: list[File], notes: list[Note]) -> Iterator[ImagePart]:
    for at, file in enumerate(files):
        if file.transfer_method == "remote_url" and file.type == "image":
            if not file.url:
                raise bad_request(
                    f"files[{at}].url is required with transfer_method remote_url.",
                    param=f"files[{at}].url",
                )
            yield ImagePart(file.url)
        else:
            note = Note(
                "dropped",
                "files",
                "Files are left out, but for images that are given by their address.",
            )
            if note not in notes:
                notes.append(note)


def _losses(body: Body) -> Iterator[Note]:
    for name, said in _LOSSES.items():
        if getattr(body, name):
            yield Note("dropped", name, said)

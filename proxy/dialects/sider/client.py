"""The client half: Sider's own paths, and `POST /data`, where the founding post's Sider-shaped
server listens.
"""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from proxy.codec.base import ClientHalf, Encoder, Incoming, Parsed, Reply, Route
from proxy.codec.fold import WholeAnswer
from proxy.codec.json_body import fitted, json_object
from proxy.codec.text_only import unknown_keys
from proxy.dialects.sider.encode import ChatEncoder, TextEncoder, error_body, text_data
from proxy.dialects.sider.wire import TEXT_PATHS, Body
from proxy.errors import Failure, Refused, bad_request
from proxy.events import Note
from proxy.request import ChatRequest, Message

# What is asked for when the client names no model: also Sider's own name for its default.
DEFAULT_MODEL = "sider"
# Keys that every version of the page has sent, and that no smaller client of POST /data has.
_MARKS = frozenset({"app_name", "prompt_key", "multi_content", "tz_name"})
_LOSSES = {
    "cid": "The conversation's earlier turns are not known here: only this prompt is answered.",
    "files": "Files are left out.",
    "tools": "Sider's own tools (search, pictures, data analysis) are left out.",
    "search": "Sider's own search is left out.",
    "chat_models": "One model answers.",
    "client_prompt": "The client's own instructions are left out.",
    "quote": "The quoted text is left out.",
}


class Options(NamedTuple):
    """`generation` by the path called; `done` false leaves out `[DONE]`, on which clients that
    parse every frame as JSON fail.
    """

    generation: str = "v1"
    cid: str = ""
    done: bool = True


class SiderClient(ClientHalf):
    """`?done=none` in the query leaves out the terminator."""

    name = "sider"
    routes = (
        Route("POST", "/api/{generation:v[123]}/completion/text"),
        Route("POST", TEXT_PATHS["chat"]),
        Route("POST", "/data"),
    )

    def claims(self, incoming: Incoming) -> bool:
        try:
            return not _MARKS.isdisjoint(json_object(incoming.body))
        except Refused:
            return False

    def parse_request(self, incoming: Incoming) -> Parsed:
        document = json_object(incoming.body)
        body = fitted(document, Body)
        generation = incoming.path.get(
            "generation", "chat" if body.multi_content is not None else "v1"
        )
        request = ChatRequest(
            model=body.model or DEFAULT_MODEL,
            messages=[Message("user", _prompt(body))],
            stream=body.stream is not False,
        )
        options = Options(generation, body.cid or "", incoming.query.get("done") != "none")
        return Parsed(request, options, (*_losses(body), *unknown_keys(document, Body)))

    def encoder(self, parsed: Parsed) -> Encoder:
        options = parsed.options if isinstance(parsed.options, Options) else Options()
        if options.generation == "chat":
            return ChatEncoder(options.cid, done=options.done)
        return TextEncoder(options.generation, options.cid, done=options.done)

    def whole(self, parsed: Parsed, answer: WholeAnswer) -> Reply:
        options = parsed.options if isinstance(parsed.options, Options) else Options()
        stream = answer.start.stream if answer.start is not None else ""
        data = {
            "type": "text",
            "text": answer.text(),
            **text_data(parsed.request.model, stream, options.cid),
        }
        return Reply(200, msgspec.json.encode({"code": 0, "msg": "", "data": data}))

    def render_error(self, failure: Failure) -> Reply:
        return Reply(failure.status, msgspec.json.encode(error_body(failure)))


def _prompt(body: Body) -> str:
    if body.multi_content is None:
        if not body.prompt:
            raise bad_request("prompt is missing.", param="prompt")
        return body.prompt
    text = "\n".join(
        part.text or part.user_input_text or ""
        for part in body.multi_content
        if part.type == "text"
    )
    if not text:
        raise bad_request(
            "multi_content must hold a part of type text that is not empty.", param="multi_content"
        )
    return text


def _losses(body: Body) -> Iterator[Note]:
    for name, said in _LOSSES.items():
        value = getattr(body, name)
        if value and not (name == "tools" and isinstance(value, dict) and not any(value.values())):
            yield Note("dropped", name, said)
    if body.multi_content is not None and any(part.type != "text" for part in body.multi_content):
        yield Note("dropped", "multi_content", "Parts that are not text are left out.")

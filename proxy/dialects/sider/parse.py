"""A request to Sider's own paths, or to `POST /data`, where the founding post's Sider-shaped server
listens, to a `ChatRequest`.
"""

from collections.abc import Iterator
from typing import NamedTuple

from proxy.codec.base import Incoming, Parsed
from proxy.codec.json_body import fitted, json_object
from proxy.codec.text_only import unknown_keys
from proxy.dialects.sider.wire import NAME, Body
from proxy.errors import Refused, bad_request
from proxy.events import Note
from proxy.request import ChatRequest, Message, Original

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


def claims(incoming: Incoming) -> bool:
    """See `ClientHalf.claims`."""
    try:
        return not _MARKS.isdisjoint(json_object(incoming.body))
    except Refused:
        return False


def parse_request(incoming: Incoming) -> Parsed:
    """See `ClientHalf.parse_request`. `?done=none` in the query leaves out the terminator."""
    document = json_object(incoming.body)
    body = fitted(document, Body)
    generation = incoming.path.get("generation", "chat" if body.multi_content is not None else "v1")
    request = ChatRequest(
        model=body.model or DEFAULT_MODEL,
        messages=[Message("user", _prompt(body))],
        original=Original(NAME, document),
        stream=body.stream is not False,
    )
    options = Options(generation, body.cid or "", incoming.query.get("done") != "none")
    return Parsed(request, options, (*_losses(body), *unknown_keys(document, Body)))


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

"""A `ChatRequest` to the page's own request, of either generation. The vendor has no list of
messages: earlier turns are written into the prompt.

The upstream's options, the first six being values of the operator's own session, "" by default:

    cookie, chat_token, session_id, aisearch_id, pv_id, ori_lid
    generation    "2026" (default) or "2023"
    deep_search   true for Baidu's own deep search (2026)
    think         true for thinking, where the client says nothing of it (2026)

Further headers come from the configuration's `headers`.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from proxy.codec.base import Outgoing, TargetConfig
from proxy.codec.efforts import note_adaptive
from proxy.codec.relaying import own_body
from proxy.codec.single_prompt import cannot_say, one_prompt
from proxy.codec.wire_rules import keep_to
from proxy.dialects.baidu_chat.wire import PATH
from proxy.errors import Refused, failure
from proxy.events import Note
from proxy.request import ChatRequest, ImagePart, Original

_DEFAULT_MODEL = "smartMode"
# Option -> its key in a body of 2023.
_SESSION = (("session_id", "sessionId"), ("aisearch_id", "aisearchId"), ("pv_id", "pvId"))


def build_request(request: ChatRequest, target: TargetConfig) -> Outgoing:
    """See `UpstreamHalf.build_request`. Raises Refused for a generation that there is not."""
    generation = str(target.options.get("generation", "2026"))
    notes: list[Note] = []
    if generation == "2026":
        notes += cannot_say(request, ("reasoning",))
        prompt = one_prompt(request, notes, images=True)
        body = _body_2026(request, target, prompt, notes)
    elif generation == "2023":
        notes += cannot_say(request)
        body = _body_2023(target.options, one_prompt(request, notes))
    else:
        raise Refused(
            failure(
                "internal",
                f"This upstream's option generation is {generation!r}; it may be 2023 or 2026.",
            )
        )
    body |= request.vendor
    return Outgoing(PATH, msgspec.json.encode(body), _headers(target.options), tuple(notes))


def relay_request(
    request: ChatRequest, original: Original, target: TargetConfig
) -> Outgoing | None:
    """See `UpstreamHalf.relay_request`. What the operator gives of the session goes before the
    client's. `stream` is ours: the page's answers always do. None for a client of another
    generation.
    """
    options = target.options
    newer = str(options.get("generation", "2026")) == "2026"
    if newer != ("query" in original.body["message"]):
        return None
    notes: list[Note] = []
    body = own_body(original, {})
    body.pop("stream", None)
    if newer:
        body["message"] = _searched(body["message"], target.model or request.model, options)
    else:
        body |= {key: value for name, key in _SESSION if (value := _option(options, name))}
    keep_to(target.rules, body, notes, target.upstream)
    return Outgoing(PATH, msgspec.json.encode(body), _headers(options), tuple(notes))


def _searched(message: dict[str, Any], model: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The client's message with the model and the operator's session in their places."""
    search: dict[str, Any] = {**message.get("searchInfo", {})}
    search["usedModel"] = {**search.get("usedModel", {}), "modelName": model}
    if lid := _option(options, "ori_lid"):
        search["ori_lid"] = lid
    if token := _option(options, "chat_token"):
        params = search.get("chatParams")
        search["chatParams"] = {**(params if isinstance(params, dict) else {}), "chat_token": token}
    return {**message, "searchInfo": search}


def _headers(options: Mapping[str, Any]) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "Accept": "text/event-stream"}
    if cookie := _option(options, "cookie"):
        headers["Cookie"] = cookie
    return headers


def _option(options: Mapping[str, Any], name: str) -> str:
    return str(options.get(name) or "")


def _body_2023(options: Mapping[str, Any], prompt: str) -> dict[str, Any]:
    content = {
        "query": prompt,
        "qtype": 0,
        "customes": [],
        "botQuery": {},
        "autoQuery": False,
        "pluginQuery": {},
        "pageInfo": {},
        "containerInfo": {"containerType": 0, "isDegrade": 0},
        "pluginInfo": [],
    }
    message = {
        "inputMethod": "keyboard",
        "isRebuild": False,
        "lastMsgId": "",
        "lastMsgIndex": 0,
        "source": "input",
        "from": "",
        "content": content,
    }
    return {
        "message": message,
        "sessionId": _option(options, "session_id"),
        "aisearchId": _option(options, "aisearch_id"),
        "pvId": _option(options, "pv_id"),
        "newTopic": False,
    }


def _body_2026(
    request: ChatRequest, target: TargetConfig, prompt: str, notes: list[Note]
) -> dict[str, Any]:
    options = target.options
    model = target.model or request.model or _DEFAULT_MODEL
    functions = {
        "deepSearch": _flag(options.get("deep_search") is True),
        "thinkMode": _flag(_thinks(request, options, notes)),
    }
    search = {
        "re_rank": "1",
        "ori_lid": _option(options, "ori_lid"),
        "sa": "bkb",
        "chatParams": {
            "setype": "csaitab",
            "chat_token": _option(options, "chat_token"),
            "scene": "",
        },
        "usedModel": {"modelName": model, "modelFunction": functions},
        "landingPage": "aitab",
    }
    text = {"type": "TEXT", "data": {"text": {"query": prompt, "extData": "{}", "text_type": ""}}}
    message = {
        "inputMethod": "chat_search",
        "isRebuild": False,
        "content": {"query": "", "qtype": 0},
        "searchInfo": search,
        "from": "",
        "source": "pc_csaitab",
        "query": [text, *_images(request)],
    }
    return {"message": message, "sa": "bkb", "setype": "csaitab", "rank": 1}


def _images(request: ChatRequest) -> list[dict[str, Any]]:
    newest = next(turn for turn in reversed(request.messages) if turn.role == "user")
    return [
        {"type": "IMAGE", "data": {"image": {"url": part.url}}}
        for part in newest.parts
        if isinstance(part, ImagePart)
    ]


def _thinks(request: ChatRequest, options: Mapping[str, Any], notes: list[Note]) -> bool:
    asked = request.reasoning
    if asked is None:
        return options.get("think") is True
    said = "The vendor knows thinking only as on or off."
    if asked.effort not in (None, "none"):
        said = f"{said} How hard to think is left out."
        note_adaptive(asked, notes)
    notes.append(Note("changed", "reasoning", said))
    return asked.effort != "none"


def _flag(value: bool) -> str:
    return "1" if value else "0"

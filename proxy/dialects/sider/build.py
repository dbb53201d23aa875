"""A `ChatRequest` to what Sider is asked, in the form of the generation that the operator chose.

The API key is the account's bearer token; it, cookies and further headers come from the operator's
configuration alone. The vendor has no list of messages. With a `cid` (an option, or in the
request's `vendor`) it remembers the talk and only the newest turn is sent; without one the earlier
turns are written into the prompt. The upstream's options, beside the decoder's `text_in_msg`:

    generation   v1 (default), v2, v3 or chat
    app_name, app_version, tz_name, from, prompt_key, cid
"""

from collections.abc import Mapping
from typing import Any, cast, get_args

import msgspec

from proxy.codec.base import Outgoing, TargetConfig
from proxy.codec.relaying import own_body
from proxy.codec.single_prompt import cannot_say, one_prompt
from proxy.codec.wire_rules import keep_to
from proxy.dialects.sider.wire import TEXT_PATHS, Generation
from proxy.errors import Refused, failure
from proxy.events import Note
from proxy.request import ChatRequest, Original

# What the founding post's request says about itself; real accounts want what their own session
# says.
_DEFAULTS = {
    "app_name": "ChitChat_Edge_Ext",
    "app_version": "2.4.0",
    "tz_name": "Asia/Hong_Kong",
    "prompt_key": "custom",
    "cid": "",
}


def build_request(request: ChatRequest, target: TargetConfig) -> Outgoing:
    """See `UpstreamHalf.build_request`. Raises Refused for a generation that there is not."""
    generation = _generation(target.options)
    said = {
        **_DEFAULTS,
        **{key: str(value) for key, value in target.options.items() if key in _DEFAULTS},
    }
    notes: list[Note] = cannot_say(request)
    remembered = bool(request.vendor.get("cid", said["cid"]))
    prompt = one_prompt(request, notes, remembered=remembered)
    body: dict[str, Any] = {
        "stream": True,
        "cid": said["cid"],
        "model": target.model or request.model,
        "from": str(target.options.get("from", "ask" if generation == "v1" else "chat")),
    }
    if generation == "chat":
        body["multi_content"] = [{"type": "text", "text": prompt, "user_input_text": prompt}]
    else:
        body |= {
            "prompt": prompt,
            **{key: said[key] for key in ("app_name", "app_version", "tz_name")},
        }
    body |= _of_generation(generation, said) | request.vendor
    keep_to(target.rules, body, notes, target.upstream)
    sent = _headers(target, generation, said)
    return Outgoing(TEXT_PATHS[generation], msgspec.json.encode(body), sent, tuple(notes))


def relay_request(
    request: ChatRequest, original: Original, target: TargetConfig
) -> Outgoing | None:
    """See `UpstreamHalf.relay_request`. What the operator gives of the account's own values goes
    before the client's. None for a client of another form of body.
    """
    generation = _generation(target.options)
    if (generation == "chat") != ("multi_content" in original.body):
        return None
    notes: list[Note] = []
    own = {key: str(value) for key, value in target.options.items() if key in _DEFAULTS}
    placed = {key: value for key, value in own.items() if key in original.body or key == "cid"}
    model = target.model or request.model
    body = own_body(original, {**placed, "model": model, "stream": True})
    keep_to(target.rules, body, notes, target.upstream)
    sent = _headers(target, generation, {**_DEFAULTS, **own})
    return Outgoing(TEXT_PATHS[generation], msgspec.json.encode(body), sent, tuple(notes))


def _headers(
    target: TargetConfig, generation: Generation, said: Mapping[str, str]
) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "Accept": "text/event-stream"}
    if target.api_key:
        headers["Authorization"] = f"Bearer {target.api_key}"
    if generation == "chat":
        headers |= {
            "X-App-Name": said["app_name"],
            "X-App-Version": said["app_version"],
            "X-Time-Zone": said["tz_name"],
        }
    return headers


def _generation(options: Mapping[str, Any]) -> Generation:
    asked = options.get("generation", "v1")
    if asked not in get_args(Generation):
        known = ", ".join(get_args(Generation))
        raise Refused(
            failure(
                "internal", f"This upstream's option generation is {asked!r}; it may be {known}."
            )
        )
    return cast("Generation", asked)


def _of_generation(generation: Generation, said: Mapping[str, str]) -> dict[str, Any]:
    """The keys that came, or went, with a generation."""
    if generation == "v1":
        return {"prompt_key": said["prompt_key"]}
    common: dict[str, Any] = {
        "filter_search_history": False,
        "chat_models": [],
        "tools": {"auto": []},
        "extra_info": {},
    }
    if generation == "chat":
        return {**common, "prompt_templates": []}
    common |= {"search": False, "auto_search": False, "group_id": "default", "files": []}
    return {**common, "prompt_templates": [], "branch": True} if generation == "v3" else common

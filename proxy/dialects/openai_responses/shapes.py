"""What a streamed and a whole answer say alike: items, the response object, its usage and its
status.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from proxy.codec.media import data_of
from proxy.codec.openai.usage import with_further
from proxy.dialects.openai_responses.wire import (
    ALONE,
    IMAGE_ITEM,
    ITEM_ADDED,
    ITEM_DONE,
    KINDS,
    NAME,
    TEXT_DELTA,
)
from proxy.events import Citation, Finish, StreamStart, Tool, Usage, Vendor

_INCOMPLETE = {
    "length": "max_output_tokens",
    "content_filter": "content_filter",
    "refusal": "content_filter",
}
# Settings of the request that a vendor of this dialect repeats as they were in force.
_IN_FORCE = frozenset({"background", "reasoning", "store", "temperature", "top_p", "truncation"})
# Of these, what is ours to say where the answer is kept here.
_OURS = frozenset({"background", "store"})
_OWN_REFUSALS = ("completed", "stop")
# A stream's id, or what a WebSocket without a stream was told.
_OWN_ID = re.compile(r"resp_[0-9a-f]{24}(?:[0-9a-f]{8})?")
_STREAM_ID = re.compile(r"resp_[0-9a-f]{32}")
_ITEM_ID = re.compile(r"[a-z]{2,3}_([0-9a-f]{32})_[0-9]{1,6}")
_NOT_THE_MODEL = ("model", "usage")


class Extras(NamedTuple):
    """A `vendor` event of this dialect taken apart. At most one is set.

    `item`: what one of our items says beside its block, told before the block begins (`begins`) or
    at its end. `logprobs`: of the text delta that follows. `annotation`: of the open text.
    `opaque`: an event of an item that is none of ours. `response`: keys of the response, and with
    it `usage`: keys of its usage.
    """

    item: dict[str, Any] | None = None
    begins: bool = False
    logprobs: list[Any] | None = None
    annotation: dict[str, Any] | None = None
    opaque: dict[str, Any] | None = None
    response: dict[str, Any] | None = None
    usage: dict[str, Any] | None = None


def extras(event: Vendor) -> Extras:
    """Nothing, if it is another dialect's. The model stays the one asked for."""
    data = event.data
    if event.dialect != NAME or not isinstance(data, dict):
        return Extras()
    if data.get(ALONE) is True and isinstance(data.get("item"), dict):
        return Extras(opaque={key: value for key, value in data.items() if key != ALONE})
    kind, item, response = data.get("type"), data.get("item"), data.get("response")
    if kind is None and isinstance(response, dict):
        usage = response.get("usage")
        rest = {key: value for key, value in response.items() if key not in _NOT_THE_MODEL}
        return Extras(response=rest, usage=usage if isinstance(usage, dict) else {})
    if (
        kind in (ITEM_ADDED, ITEM_DONE)
        and isinstance(item, dict)
        and str(item.get("type")) in KINDS
    ):
        return Extras(item=item, begins=kind == ITEM_ADDED)
    if kind == TEXT_DELTA and isinstance(data.get("logprobs"), list):
        return Extras(logprobs=data["logprobs"])
    if kind == "response.output_text.annotation.added" and isinstance(data.get("annotation"), dict):
        return Extras(annotation=data["annotation"])
    whole = item is None or (isinstance(item, dict) and isinstance(item.get("type"), str))
    return (
        Extras(opaque=data)
        if whole and isinstance(kind, str) and isinstance(data.get("output_index"), int)
        else Extras()
    )


def in_force(*, kept: bool) -> frozenset[str]:
    """The settings of which the vendor's word counts. `kept`: the answer is kept here."""
    return _IN_FORCE - _OURS if kept else _IN_FORCE


def answer_id(stream: str, theirs: Any) -> str:
    """The id of an answer: with the vendor's own, where it speaks this dialect, so that a client
    can go on from what the vendor keeps. A tilde stands in no stream's id.
    """
    return f"resp_{stream}~{theirs}" if isinstance(theirs, str) and theirs else f"resp_{stream}"


def vendors_id(said: str) -> str | None:
    """The vendor's id of an answer, from the id that `answer_id` gave it. An id that is none of
    ours is the vendor's as it is; None: ours, of an answer of another dialect.
    """
    ours, tilde, theirs = said.partition("~")
    if ours.startswith("resp_") and tilde:
        return theirs
    return None if _OWN_ID.fullmatch(said) else said


def stream_of(said: str) -> str:
    """The id of the stream whose answer has this id, as `answer_id` gives it; "" for any other."""
    ours = said.partition("~")[0]
    return ours.removeprefix("resp_") if _STREAM_ID.fullmatch(ours) else ""


def stream_of_item(said: str) -> str:
    """The id of the stream in whose answer an item has this id; "" for one that is none of ours."""
    found = _ITEM_ID.fullmatch(said)
    return found[1] if found else ""


def message_item(item_id: str, part: dict[str, Any] | None, status: str) -> dict[str, Any]:
    """A message of one part, or of none yet."""
    return {
        "id": item_id,
        "type": "message",
        "status": status,
        "role": "assistant",
        "content": [] if part is None else [part],
    }


def text_part(text: str, annotations: list[dict[str, Any]], logprobs: list[Any]) -> dict[str, Any]:
    """The part of a message that is its text."""
    return {"type": "output_text", "text": text, "annotations": annotations, "logprobs": logprobs}


def refusal_part(text: str) -> dict[str, Any]:
    """The part of a message that says no."""
    return {"type": "refusal", "refusal": text}


def raw_part(text: str) -> dict[str, Any]:
    """The part of a reasoning that is what the model thought."""
    return {"type": "reasoning_text", "text": text}


def reasoning_item(
    item_id: str,
    text: str,
    proof: str | None,
    status: str,
    beside: Mapping[str, Any] = MappingProxyType({}),
) -> dict[str, Any]:
    """What the vendor wants to see again stands in the encrypted content (see `sealed`).

    `beside` is what a vendor of this dialect says: an empty `content` there says that the text is
    what the model thought, no summary of it.
    """
    raw = beside.get("content") == []
    summary = [{"type": "summary_text", "text": text}] if text and not raw else []
    content = [raw_part(text)] if text and raw else beside.get("content")
    encrypted = {} if proof is None else {"encrypted_content": proof}
    return {
        **{key: value for key, value in beside.items() if key != "content"},
        "id": item_id,
        "type": "reasoning",
        "status": status,
        "summary": beside.get("summary") or summary,
        **({"content": content} if content else {}),
        **encrypted,
    }


def call_item(item_id: str, tool: Tool, arguments: str, status: str) -> dict[str, Any]:
    """A call. The id to answer with is `call_id`; `item_id` is the item's own."""
    return {
        "id": item_id,
        "type": "function_call",
        "status": status,
        "call_id": tool.id,
        "name": tool.name,
        "arguments": arguments,
    }


def custom_item(item_id: str, tool: Tool, text: str, status: str) -> dict[str, Any]:
    """A call of a tool that takes free text."""
    return {
        "id": item_id,
        "type": "custom_tool_call",
        "status": status,
        "call_id": tool.id,
        "name": tool.name,
        "input": text,
    }


def image_item(url: str, item_id: str) -> dict[str, Any]:
    """A picture, as the vendor's image tool gives it. One that has only an address has it in
    `result`, which no other key has a place for.
    """
    data = data_of(url)
    form = {} if data is None else {"output_format": data.media_type.removeprefix("image/")}
    return {
        "id": item_id,
        "type": IMAGE_ITEM,
        "status": "completed",
        "result": url if data is None else data.base64,
        **form,
    }


def annotation(citation: Citation) -> dict[str, Any] | None:
    """A citation as `url_citation`. It must have all four fields: unknown places are 0, an unknown
    title is the address. Without an address there is none.
    """
    if citation.url is None:
        return None
    return {
        "type": "url_citation",
        "url": citation.url,
        "title": citation.title or citation.url,
        "start_index": citation.start or 0,
        "end_index": citation.end or 0,
    }


def refused_in_full(finish: Finish) -> bool:
    """Whether the whole text is the refusal, as it is with OpenAI's models; other vendors break an
    answer off with one.
    """
    return finish.reason == "refusal" and finish.raw in _OWN_REFUSALS


def response_object(
    start: StreamStart, repeated: dict[str, Any], status: str, theirs: Any = None
) -> dict[str, Any]:
    """A response of which nothing has come yet. `repeated` are the request's own settings, `theirs`
    is the vendor's id of it.
    """
    return {
        "id": answer_id(start.stream, theirs),
        "object": "response",
        "created_at": start.created,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "model": start.model,
        "output": [],
        "usage": None,
        **repeated,
    }


def ending(finish: Finish) -> dict[str, Any]:
    """The status of a complete answer. What is neither ours nor theirs is `completed`: it would be
    an error otherwise.
    """
    if finish.reason in _INCOMPLETE and not refused_in_full(finish):
        return {
            "status": "incomplete",
            "incomplete_details": {"reason": _INCOMPLETE[finish.reason]},
        }
    return {"status": "completed"}


def usage_object(usage: Usage, further: dict[str, Any]) -> dict[str, Any] | None:
    """None where nothing is known. This form has no word for an unknown count: where another one is
    known, it is 0.

    `further` is what a vendor of this dialect said beyond our counts.
    """
    if usage.input_tokens is None and usage.output_tokens is None:
        return None
    read, written = usage.input_tokens or 0, usage.output_tokens or 0
    of_input = {
        "cached_tokens": usage.cached_input_tokens or 0,
        "cache_write_tokens": usage.cache_write_tokens,
        "audio_tokens": usage.audio_input_tokens,
    }
    of_output = {
        "reasoning_tokens": usage.reasoning_tokens or 0,
        "audio_tokens": usage.audio_output_tokens,
    }
    said: dict[str, Any] = {
        "input_tokens": read,
        "input_tokens_details": {k: v for k, v in of_input.items() if v is not None},
        "output_tokens": written,
        "output_tokens_details": {k: v for k, v in of_output.items() if v is not None},
        "total_tokens": read + written,
    }
    return with_further(said, further)

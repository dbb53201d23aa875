"""Events to `text_completion` chunks, and a whole answer to one document, which has the same form.

A chunk is built once per block, with a gap where the text goes. The finishes, the usage (if the
client asked for it) and `[DONE]` come at the end. A failed stream ends in a chunk with `error`, and
neither a finish nor `[DONE]`. This form knows text alone: reasoning, tool calls and citations have
no place in it, nor have `vendor` events of other dialects.
"""

from typing import Any

import msgspec

from proxy.codec.base import Encoder, Parsed, Reply
from proxy.codec.fold import WholeAnswer
from proxy.codec.openai.render_error import error_object
from proxy.codec.openai.usage import usage_object
from proxy.dialects.openai_completions.wire import CHOICE_EXTRAS, NAME
from proxy.events import (
    BlockStart,
    Event,
    Finish,
    StreamEnd,
    StreamError,
    StreamStart,
    TextDelta,
    Vendor,
)

_json = msgspec.json.Encoder().encode
_DONE = b"data: [DONE]\n\n"
_GAP = "\0"  # stands for the text in a chunk that is built beforehand; no JSON text holds one
_BESIDE = frozenset(CHOICE_EXTRAS)
_FINISHES = {"length": "length", "content_filter": "content_filter", "refusal": "content_filter"}


def finish_word(finish: Finish) -> str:
    """One of the three words that clients know."""
    return _FINISHES.get(finish.reason, "stop")


def _head(start: StreamStart) -> dict[str, Any]:
    return {
        "id": f"cmpl-{start.stream}",
        "object": "text_completion",
        "created": start.created,
        "model": start.model,
    }


def _extras(event: Vendor) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What a vendor of this dialect said of the answer, and of its choices."""
    if event.dialect != NAME or not isinstance(event.data, dict):
        return {}, []
    choices = event.data.get("choices")
    listed = choices if isinstance(choices, list) else []
    known = [
        choice
        for choice in listed
        if isinstance(choice, dict) and isinstance(choice.get("index"), int)
    ]
    return {
        name: value for name, value in event.data.items() if name not in ("choices", "model")
    }, known


def encoder(parsed: Parsed) -> Encoder:
    """See `ClientHalf.encoder`."""
    return CompletionsEncoder(include_usage=parsed.options.include_usage)


class CompletionsEncoder(Encoder):
    """One streamed answer. `include_usage`: the client asked for the usage; then every chunk has
    the key, null but in the last.
    """

    def __init__(self, *, include_usage: bool) -> None:
        self._include_usage = include_usage
        self._head: dict[str, Any] = {}
        # text block -> its chunk, before and after the text
        self._frames: dict[int, tuple[bytes, bytes]] = {}
        # choice -> its finish, where it is not the stream's
        self._finishes: dict[int, str | None] = {0: None}

    def encode(self, event: Event) -> bytes:
        if isinstance(event, TextDelta):
            before, after = self._frames[event.block]
            return before + _json(event.text) + after
        match event:
            case StreamStart():
                self._head = _head(event)
            case BlockStart(block, "text"):
                choice = event.choice or 0
                self._finishes.setdefault(choice, None)
                before, _, after = self._chunk([self._choice(choice, _GAP, None)]).partition(
                    _json(_GAP)
                )
                self._frames[block] = before, after
            case Vendor():
                return self._vendor(event)
            case StreamEnd():
                return self._end(event)
            case StreamError():
                return b"data: " + _json({"error": error_object(event.error)}) + b"\n\n"
        # Usage waits for the end. A text.rewrite never comes here: `rewrites` is false, so a filter
        # before this encoder holds text back.
        return b""

    def _choice(self, choice: int, text: str, finish: str | None) -> dict[str, Any]:
        return {"text": text, "index": choice, "logprobs": None, "finish_reason": finish}

    def _chunk(self, choices: list[dict[str, Any]], **more: Any) -> bytes:
        usage = {"usage": None} if self._include_usage else {}
        return b"data: " + _json({**self._head, "choices": choices, **usage, **more}) + b"\n\n"

    def _vendor(self, event: Vendor) -> bytes:
        beside, known = _extras(event)
        for choice in known:
            if isinstance(choice.get("finish_reason"), str):
                self._finishes[choice["index"]] = choice["finish_reason"]
        told = [
            {**self._choice(choice["index"], "", None), **choice, "finish_reason": None}
            for choice in known
            if choice.keys() & _BESIDE
        ]
        return self._chunk(told, **beside) if told or beside else b""

    def _end(self, event: StreamEnd) -> bytes:
        word = finish_word(event.finish)
        chunks = [
            self._chunk([self._choice(choice, "", own or word)])
            for choice, own in sorted(self._finishes.items())
        ]
        usage = usage_object(event.usage, {}) if self._include_usage else None
        if usage is not None:
            chunks.append(self._chunk([], usage=usage))
        return b"".join([*chunks, _DONE])


def _joined(before: Any, more: Any) -> Any:
    """Log-probs of two pieces: lists of what stands for each token."""
    if not isinstance(before, dict) or not isinstance(more, dict):
        return before if more is None else more
    lists = {
        name: before[name] + value
        for name, value in more.items()
        if isinstance(value, list) and isinstance(before.get(name), list)
    }
    return {**before, **more, **lists}


def whole(_parsed: Parsed, answer: WholeAnswer) -> Reply:
    """See `ClientHalf.whole`."""
    assert answer.start is not None
    beside: dict[str, Any] = {}
    own: dict[int, dict[str, Any]] = {}
    for event in answer.vendor:
        more, known = _extras(event)
        beside.update(more)
        for choice in known:
            kept = own.setdefault(choice["index"], {})
            kept.update(
                {**choice, "logprobs": _joined(kept.get("logprobs"), choice.get("logprobs"))}
            )
    word = finish_word(answer.finish)
    numbers = sorted({0, *(block.choice for block in answer.blocks.values())})
    choices = [
        {
            "text": answer.text(n),
            "index": n,
            "logprobs": None,
            "finish_reason": word,
            **own.get(n, {}),
        }
        for n in numbers
    ]
    document = {
        **beside,
        **_head(answer.start),
        "choices": choices,
        "usage": usage_object(answer.usage, {}),
    }
    if document["usage"] is None:
        del document["usage"]
    return Reply(200, _json(document))

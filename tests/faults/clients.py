"""What three clients see of an answer, and whether it is what it must be. Read from the bytes;
nothing of the project's code takes part."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from proxy.errors import KINDS, Kind
from tests.dialects.sample import BEGUN_TOKENS, FIRST, INPUT_TOKENS, TEXT
from tests.faults.faults import Fault, Outcome

PATHS = {"native": "/v1/stream", "openai_chat": "/v1/chat/completions", "anthropic": "/v1/messages"}
# Our own word for a failure is `kind` in native and `code` in OpenAI's form, unless the vendor gave
# a word of its own; Anthropic's form has types.
_TIMEOUTS = {"connect_timeout", "first_event_timeout", "idle_timeout", "total_timeout"}
_VENDORS_OWN = {
    "upstream_error",
    "upstream_status",
    "bad_request",
    "model_not_found",
    "too_large",
    "rate_limited",
    "overloaded",
}
_OVERLOADED = (503, 529)  # for an overload Anthropic has a number of its own


class Seen(NamedTuple):
    """An HTTP answer, read to its clean end."""

    status: int
    headers: Mapping[str, str]
    body: str

    def error(self) -> Any:
        return json.loads(self.body)

    def frames(self) -> list[Any]:
        """The data of an event stream, as JSON where it is some."""
        datas = [line[6:] for line in self.body.split("\n") if line.startswith("data: ")]
        return [json.loads(data) if data.startswith("{") else data for data in datas]


class Read(NamedTuple):
    """A stream's text, how it ended, and all that is wrong with it whatever it was to be."""

    text: str
    error: Any | None
    wrong: list[str]


def native(frames: list[Any]) -> Read:
    text = ""
    for frame in frames:
        if frame["type"] in ("text.delta", "text.rewrite"):
            text = text[: frame.get("keep")] + frame["text"]
    kinds = [frame["type"] for frame in frames]
    ends = [frame for frame in frames if frame["type"] in ("stream.end", "stream.error")]
    wrong = [] if frames[-1:] == ends else [f"it must end in one terminal event: {kinds}"]
    error = ends[0].get("error") if ends else None
    if error is not None and text != TEXT:  # behind a whole text the count may have come as well
        counted = {ends[0]["usage"]["input_tokens"], ends[0]["usage"]["output_tokens"]}
        wrong += (
            [f"made-up usage {counted}"] if counted - {None, INPUT_TOKENS, BEGUN_TOKENS} else []
        )
    return Read(text, error, wrong)


def openai_chat(frames: list[Any]) -> Read:
    chunks = [frame for frame in frames if isinstance(frame, dict)]
    choices = [choice for chunk in chunks for choice in chunk.get("choices", ())]
    text = "".join(choice["delta"].get("content") or "" for choice in choices)
    finishes = [choice["finish_reason"] for choice in choices if choice["finish_reason"]]
    errors = [chunk["error"] for chunk in chunks if "error" in chunk]
    if not errors:
        good = (finishes, frames[-1:], frames.count("[DONE]")) == (["stop"], ["[DONE]"], 1)
        return Read(
            text,
            None,
            [] if good else [f"it must end in stop and [DONE]: {finishes}, {frames[-1:]}"],
        )
    wrong = (
        []
        if frames[-1] == {"error": errors[0]} and len(errors) == 1
        else ["the error must be the one last frame"]
    )
    wrong += [f"a finish {finishes} in a failed stream"] if finishes else []
    wrong += ["[DONE] in a failed stream"] if "[DONE]" in frames else []
    wrong += ["made-up usage"] if any(chunk.get("usage") for chunk in chunks) else []
    return Read(text, errors[0], wrong)


def anthropic(frames: list[Any]) -> Read:
    text = "".join(
        frame["delta"].get("text", "") for frame in frames if frame["type"] == "content_block_delta"
    )
    kinds = [frame["type"] for frame in frames]
    if "error" not in kinds:
        good = kinds[-2:] == ["message_delta", "message_stop"] and kinds.count("message_stop") == 1
        return Read(text, None, [] if good else [f"it must end in message_stop: {kinds}"])
    wrong = (
        []
        if kinds[-1] == "error" and kinds.count("error") == 1
        else ["the error must be the one last frame"]
    )
    wrong += [
        f"{kind} in a failed stream" for kind in ("message_delta", "message_stop") if kind in kinds
    ]
    return Read(text, frames[-1]["error"], wrong)


_READ: dict[str, Callable[[list[Any]], Read]] = {
    "native": native,
    "openai_chat": openai_chat,
    "anthropic": anthropic,
}


def refused(client: str, seen: Seen, kind: Kind, fault: Fault) -> Iterator[str]:
    """What is wrong with an answer that must be an HTTP error."""
    status = fault.status or KINDS[kind].status
    if seen.status != status and not (
        client == "anthropic" and {seen.status, status} == set(_OVERLOADED)
    ):
        yield f"status {seen.status} instead of {status}: {seen.body[:200]}"
        return
    if not seen.headers.get("content-type", "").startswith("application/json"):
        yield f"the error is {seen.headers.get('content-type')}"
        return
    advice = seen.headers.get("retry-after")
    if advice != (None if fault.retry_after_s is None else str(fault.retry_after_s)):
        yield f"Retry-After is {advice}"
    document = seen.error()
    if client == "anthropic" and document.get("type") != "error":
        yield f"no error of Anthropic's: {seen.body[:200]}"
    yield from _told(client, document["error"], kind)
    retryable = KINDS[kind].retryable if fault.retryable is None else fault.retryable
    if (
        client == "native"
        and not fault.vendors_word
        and document["error"]["retryable"] != retryable
    ):
        yield f"retryable is {document['error']['retryable']}"


def streamed(client: str, seen: Seen, kind: Outcome, text: str) -> Iterator[str]:
    """What is wrong with an answer that must be a stream. `text` is that of a whole answer; of a
    failed one it must be the beginning."""
    if seen.status != 200 or not seen.headers.get("content-type", "").startswith(
        "text/event-stream"
    ):
        yield f"no stream but {seen.status}: {seen.body[:200]}"
        return
    read = _READ[client](seen.frames())
    yield from read.wrong
    if kind == "completed":
        if read.error is not None:
            yield f"an error in a good answer: {read.error}"
        if read.text != text:
            yield f"the text is {read.text!r}"
        return
    if read.error is None:
        yield "a failure that looks like a success"
        return
    if (
        client == "native"
        and kind != "total_timeout"
        and not (read.text.startswith(FIRST) and text.startswith(read.text))
    ):
        yield f"the text is {read.text!r}"
    yield from _told(client, read.error, kind)


def _told(client: str, error: Any, kind: Outcome) -> Iterator[str]:
    """What is wrong with the error itself."""
    if not error["message"]:
        yield "the error says nothing"
    if client == "native" and error["kind"] != kind:
        yield f"the kind is {error['kind']} instead of {kind}: {error['message']}"
    if client == "openai_chat" and kind not in _VENDORS_OWN and error["code"] != kind:
        yield f"the code is {error['code']} instead of {kind}: {error['message']}"
    wanted = "timeout_error" if kind in _TIMEOUTS else "api_error"
    if client == "anthropic" and kind not in _VENDORS_OWN and error["type"] != wanted:
        yield f"the type is {error['type']} instead of {wanted}: {error['message']}"

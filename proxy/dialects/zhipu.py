"""Zhipu's third API (`sse-invoke`, superseded by the OpenAI-compatible fourth). Upstream half only.

Source: the vendor's old SDK and relays that spoke to it; there are no recordings. An answer is made
of events whose data is raw text, and the last one carries its counts in `meta`, a field that the
standard of event streams does not have:

    event:add        more text; many `data` lines are one text with line feeds
    event:finish     the end, perhaps with a last piece of text
    event:error      what went wrong
    event:interrupted   the end, by the content filter
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from proxy.codec.base import Decoder, Dialect, Outgoing, TargetConfig, UpstreamHalf
from proxy.codec.chat_turns import Turn, drop, flat_turns, headers, merged, options_of, path_part
from proxy.codec.failures import Told, answer_failure, coded, read_error, text_of
from proxy.codec.single_prompt import cannot_say
from proxy.codec.snapshots import Snapshots
from proxy.codec.sse_json import SSEJSONDecoder, count
from proxy.errors import Failure, bad_request
from proxy.events import Event, FinishReason, Note, Usage
from proxy.framing.sse import Frame
from proxy.request import ChatRequest

NAME = "zhipu"
# The vendor's numbers -> the HTTP status that they mean. Source: the list of error codes in its
# reference.
_STATUS = {
    **dict.fromkeys(("1000", "1001", "1002", "1003", "1004"), 401),
    **dict.fromkeys(("1210", "1211", "1212", "1213", "1214", "1215", "1261", "1301"), 400),
    **dict.fromkeys(("1302", "1305"), 429),
    "1113": 402,
}


class _Options(msgspec.Struct, forbid_unknown_fields=True):
    incremental: bool = True


class _Counts(msgspec.Struct, gc=False):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _Meta(msgspec.Struct, gc=False):
    task_status: str | None = None
    usage: _Counts | None = None


_META_FIELD = b"meta:"
_META = msgspec.json.Decoder(_Meta)


def _error_of(document: Mapping[str, Any]) -> Told | None:
    """The error in a JSON object: `{code, msg, success: false}`, under status 200 too; or as the
    fourth API says it.
    """
    inner = document.get("error")
    error = inner if isinstance(inner, dict) else document
    code = text_of(error, "code")
    if code in ("", "0", "200"):
        return None
    return coded("Zhipu", code, text_of(error, "msg", "message"), _STATUS)


class ZhipuDecoder(SSEJSONDecoder):
    """Option `incremental` is the request's."""

    name = NAME
    finishes: ClassVar[Mapping[str, FinishReason]] = {
        "finish": "stop",
        "interrupted": "content_filter",
    }

    def __init__(self, max_event_bytes: int, options: Mapping[str, Any]) -> None:
        super().__init__(max_event_bytes)
        self._snapshots = Snapshots(max_event_bytes, whole=options.get("incremental") is False)

    def feed(self, data: bytes) -> list[Event]:
        """Line by line where there are counts: only those before an event's end are its own,
        however the bytes are cut.
        """
        if _META_FIELD not in data:
            return super().feed(data)
        return [
            event
            for line in data.splitlines(keepends=True)
            for event in super(ZhipuDecoder, self).feed(line)
        ]

    def _take(self, frame: Frame, out: list[Event]) -> None:
        """Data that is blank is text here."""
        if frame.event == "error":
            self._wrong(frame, out)
            return
        if frame.event not in ("add", "finish", "interrupted"):
            return
        self._text(out, self._snapshots.new("text", frame.text))
        if frame.event != "add":
            self._meta(out)
            self._choice(0, frame.event)
            self._complete(out)

    def _event(self, frame: Frame, out: list[Event]) -> None:
        """Not called: the events are no JSON."""

    def _wrong(self, frame: Frame, out: list[Event]) -> None:
        said = read_error(frame.data)
        found = _error_of(said.document) if said.document is not None else None
        self._broken(out, found or Told(said.message, said.code))

    def _meta(self, out: list[Event]) -> None:
        """The counts, if they can be read: they stand in a line that is no field of an event
        stream. The last such line is the newest.
        """
        lines = [line for line in self._parser.stray.split(b"\n") if line.startswith(_META_FIELD)]
        try:
            meta = _META.decode(lines[-1].removeprefix(_META_FIELD)) if lines else _Meta()
        except (ValueError, RecursionError):
            return
        if meta.usage is not None:
            self._count(
                out, Usage(count(meta.usage.prompt_tokens), count(meta.usage.completion_tokens))
            )

    def _error_of(self, document: Mapping[str, Any]) -> Told | None:
        return _error_of(document)


class Upstream(UpstreamHalf):
    """Behind a base URL that ends in `/api/paas/v3`.

    `api_key` goes into `Authorization` as it is: the vendor wants a token there that is signed with
    the time of day, which this package does not have, so making one is the operator's business.
    Options: `incremental`, true: each event has a new piece; false: each repeats the text so far.
    """

    name = NAME

    def build_request(self, request: ChatRequest, target: TargetConfig) -> Outgoing:
        options = options_of(target, _Options)
        notes = cannot_say(request, ("temperature", "top_p"))
        body: dict[str, Any] = {
            "prompt": _prompt(request, notes),
            **_sampling(request),
            **request.vendor,
            "incremental": options.incremental,
        }
        sent = headers(None)
        if target.api_key is not None:
            sent["authorization"] = target.api_key
        path = f"/model-api/{path_part(target.model or request.model)}/sse-invoke"
        return Outgoing(path, msgspec.json.encode(body), sent, tuple(notes))

    def decoder(self, max_event_bytes: int, options: Mapping[str, Any]) -> Decoder:
        return ZhipuDecoder(max_event_bytes, options)

    def parse_error(self, status: int, headers: Mapping[str, str], body: bytes) -> Failure | None:
        return answer_failure(status, headers, body, _error_of)


def _sampling(request: ChatRequest) -> dict[str, float]:
    said = {"temperature": request.temperature, "top_p": request.top_p}
    return {name: value for name, value in said.items() if value is not None}


def _prompt(request: ChatRequest, notes: list[Note]) -> list[dict[str, str]]:
    """User and assistant in turns. System texts and tools' results, which the vendor has no role
    for, are the user's text.
    """
    turns = []
    for turn in flat_turns(request, notes, images=False):
        if turn.role == "system":
            drop(
                notes,
                "system",
                "The upstream has no system text: it stands in the user's turn.",
                "changed",
            )
        elif turn.role == "tool":
            drop(
                notes,
                "messages.tool_result",
                "The upstream knows no tools: a tool's result stands in the user's turn.",
                "changed",
            )
        if turn.calls:
            drop(
                notes,
                "messages.tool_call",
                "Earlier tool calls are left out: the upstream knows no tools.",
            )
        role = turn.role if turn.role == "assistant" else "user"
        if turn.text:
            turns.append(Turn(role, turn.text))
    turns = merged(turns, notes)
    if not turns or turns[-1].role == "assistant":
        raise bad_request(
            "messages must end with a user's turn that has text: this upstream only answers.",
            param="messages",
        )
    return [{"role": turn.role, "content": turn.text} for turn in turns]


DIALECT = Dialect(NAME, upstream=Upstream())

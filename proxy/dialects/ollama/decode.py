"""The vendor's lines to events: /api/chat and /api/generate alike.

The last line has `done: true`; a body that ends before it is cut. Reasoning stands before the text
of a line, calls behind it. A call comes whole, and an answer that called ends with `stop` all the
same. An error may be any line, under a status of 200. Tags like `<think>` in the text stay text.
Some gateways send each line as an event of an event stream.
"""

from typing import Any

import msgspec
from msgspec import Raw

from proxy.codec.counts import count
from proxy.codec.cut_characters import RejoiningDecoder
from proxy.codec.finishes import Finishes
from proxy.codec.json_depth import too_deep
from proxy.codec.tool_calls import made_id
from proxy.dialects.ollama.errors import in_band
from proxy.dialects.ollama.images import typed
from proxy.dialects.ollama.wire import ABSENT, FINISH, NAME, NULL, PLACED, Call, Line, Message
from proxy.events import NO_USAGE, Event, Image, Tool, Usage, UsageEvent, Vendor
from proxy.framing.lines import LineSplitter

_LINE = msgspec.json.Decoder(Line)
_FINISHES = Finishes(FINISH)
_ANY = msgspec.json.Decoder()
_BRACE = 0x7B  # asked for as an integer: cheap
_FIELDS = (b"data", b"event", b"id", b"retry", b"")  # of an event stream; a comment has no name


class OllamaDecoder(RejoiningDecoder[bytes]):
    """One answer. See `Decoder`."""

    def __init__(self, max_event_bytes: int) -> None:
        self._lines = LineSplitter(max_event_bytes)
        super().__init__(self._lines, max_event_bytes)
        self._usage = NO_USAGE
        # when the answer began: it tells the made ids of one answer from those of another
        self._began = ""
        self._calls = 0

    @property
    def usage(self) -> Usage:
        return self._usage

    def _rest(self) -> list[bytes]:
        return self._lines.close()

    def _take(self, frame: bytes, out: list[Event]) -> None:
        if frame[0] != _BRACE:
            frame = _event_data(frame)
            if not frame:
                return
        line = self._read(_LINE, frame, out)
        if line is None:
            return
        if line.error is not ABSENT and line.error != NULL:
            self._fail(out, in_band(_value(line.error)))
            return
        self._line(line, out)
        if line.done and not self.done:
            self._end(line, frame, out)

    def _line(self, line: Line, out: list[Event]) -> None:
        self._began = self._began or line.created_at or ""
        message = line.message
        if message is not None:
            if message.thinking:
                self._blocks.reasoning(out, message.thinking)
            if message.content:
                self._blocks.text(out, message.content)
            if message.tool_calls:
                for call in message.tool_calls:
                    self._call(call, out)
        if line.thinking:
            self._blocks.reasoning(out, line.thinking)
        if line.response:
            self._blocks.text(out, line.response)
        if (
            line.logprobs is not ABSENT
            or line.image is not ABSENT
            or (message is not None and message.images is not ABSENT)
        ):
            self._beside(line, message, out)

    def _call(self, call: Call, out: list[Event]) -> None:
        """The vendor's own numbers are passed over: some servers give all calls the same."""
        key = self._calls
        self._calls += 1
        self._blocks.open_call(
            out, key, Tool(call.id or made_id(self._began, key), call.function.name)
        )
        arguments = call.function.arguments
        if arguments in (ABSENT, NULL):
            return
        text = bytes(arguments).decode("utf-8", "replace")
        # a few servers send the arguments as text, as others' clients want them
        if text.startswith('"'):
            said = _value(arguments)
            text = said if isinstance(said, str) else ""
        self._blocks.arguments(out, key, text)

    def _beside(self, line: Line, message: Message | None, out: list[Event]) -> None:
        """Log-probs, and images that the model made."""
        several = _value(message.images) if message is not None else None
        images = (_value(line.image), *(several if isinstance(several, list) else ()))
        out += [Image(typed(image)) for image in images if isinstance(image, str) and image]
        logprobs = _value(line.logprobs)
        if logprobs is not None:
            out.append(Vendor(NAME, {"logprobs": logprobs}))

    def _end(self, line: Line, frame: bytes, out: list[Event]) -> None:
        usage = Usage(count(line.prompt_eval_count), count(line.eval_count))
        if usage != NO_USAGE:
            self._usage = usage
            out.append(UsageEvent(*msgspec.structs.astuple(usage)))
        extras = {
            key: value
            for key, value in (_value(frame) or {}).items()
            if value is not None and key not in PLACED
        }
        if extras:
            out.append(Vendor(NAME, extras))
        raw = line.done_reason or None  # old versions give none
        broken = None if raw is None else _FINISHES.broken(raw)
        if broken is not None:
            self._fail(out, broken)
        else:
            called = self._blocks.saw_tool_call
            self._finish(out, _FINISHES.reason(raw or "stop", called=called), raw)


def _event_data(line: bytes) -> bytes:
    """The data of a line of an event stream; empty for its other lines and for what gateways end
    one with. A line of no event stream is given as it is.
    """
    name, colon, value = line.partition(b":")
    if not colon or name not in _FIELDS:
        return line
    data = value.strip() if name == b"data" else b""
    return b"" if data == b"[DONE]" else data


def _value(data: bytes | Raw) -> Any:
    """Any JSON value; None for what is absent, cannot be read, or is too deep to be passed on."""
    try:
        said = _ANY.decode(data) if data != ABSENT else None
    except (ValueError, RecursionError):
        return None
    return None if too_deep(said) else said

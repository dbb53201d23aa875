"""How `mainstem tap` shows an answer. Each view is an encoder: what it gives goes to standard
output; what was lost, and how the answer ended, to standard error.
"""

import codecs
import sys

import msgspec

from proxy.cli.markdown import DIM, RESET, Styler
from proxy.cli.plain import in_json, plain
from proxy.codec.base import Encoder
from proxy.codec.fold import WholeAnswer
from proxy.errors import Failure
from proxy.events import (
    CONTENT,
    BlockStart,
    Event,
    ReasoningDelta,
    StreamEnd,
    StreamError,
    StreamStart,
    TextDelta,
    TextRewrite,
    Tool,
    ToolCallDelta,
)

# The exit statuses, as `mainstem tap --help` has them. 2 is argparse's, 130 that of an interrupt.
COMPLETE, FAILED, CUT_SHORT, REFUSED, TRY_AGAIN = 0, 1, 3, 4, 5
_FINISHES = {"length": CUT_SHORT, "refusal": REFUSED, "content_filter": REFUSED}


def status_of(why: Failure) -> int:
    """The exit status of an answer that did not begin."""
    return TRY_AGAIN if why.retryable else FAILED


class Quiet(Encoder):
    """Prints nothing of the answer. What was lost is told at once; `summary` says how it ended, for
    when all of the answer is out; `answer` is all of it.
    """

    heartbeat = b""
    gathers = frozenset(CONTENT)
    summary = ""

    def __init__(self) -> None:
        self.answer = WholeAnswer()
        self.status = COMPLETE
        self.begun = False

    def encode(self, event: Event) -> bytes:
        self.begun = True
        self.answer.add(event)
        if isinstance(event, StreamStart):
            for note in event.notes:
                print(plain(note.message), file=sys.stderr)
        elif isinstance(event, StreamEnd):
            self.status = _FINISHES.get(event.finish.reason, COMPLETE)
            self.summary = f"[{event.finish.reason}] {_counts(event)}"
        elif isinstance(event, StreamError):
            self.status = FAILED
            self.summary = plain(f"{event.error.kind}: {event.error.message}")
        return b""

    def cut(self) -> bytes:
        """What makes good what an answer that is stopped in its midst leaves behind."""
        return b""

    def refused(self, why: Failure) -> bytes:
        """No answer began."""
        self.status = status_of(why)
        self.summary = plain(f"{why.kind}: {why.message}")
        return b""


class Raw(Quiet):
    """The upstream's bytes, which are printed before they are decoded. `chunk` makes them fit for
    a terminal.
    """

    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self._text = codecs.getincrementaldecoder("utf-8")("replace") if terminal else None

    def chunk(self, data: bytes) -> bytes:
        return data if self._text is None else plain(self._text.decode(data)).encode()


class Lines(Quiet):
    """One event a line, as JSON."""

    def encode(self, event: Event) -> bytes:
        if not isinstance(event, StreamStart):  # it has the notes
            super().encode(event)
        self.summary = ""
        return in_json(msgspec.json.encode(event).decode()).encode() + b"\n"


class Document(Quiet):
    """One line of JSON for the whole answer, at its end."""

    def encode(self, event: Event) -> bytes:
        if isinstance(event, StreamStart):
            self.answer.add(event)
            return b""
        super().encode(event)
        if not isinstance(event, StreamEnd | StreamError):
            return b""
        self.summary = ""
        return self._line(event)

    def refused(self, why: Failure) -> bytes:
        super().refused(why)
        self.summary = ""
        return self._line(StreamError(why))

    def _line(self, last: StreamEnd | StreamError) -> bytes:
        answer, start = self.answer, self.answer.start
        calls = [
            {"id": call.tool.id, "name": call.tool.name, "arguments": call.text}
            for call in answer.tool_calls()
            if call.tool is not None
        ]
        document = {
            "model": start.model if start else None,
            "upstream": start.upstream if start else None,
            "upstream_model": start.upstream_model if start else None,
            "text": answer.text(),
            "reasoning": answer.reasoning(),
            "tool_calls": calls,
            "finish": last.finish if isinstance(last, StreamEnd) else None,
            "error": last.error if isinstance(last, StreamError) else None,
            "usage": answer.usage,
            "timing": last.timing if isinstance(last, StreamEnd) and last.timing else None,
            "notes": start.notes if start else [],
        }
        return in_json(msgspec.json.encode(document).decode()).encode() + b"\n"


class Text(Quiet):
    """The answer's text and calls, each call with its name on a new line. On a terminal Markdown
    has its styles and reasoning is dimmed; elsewhere the text is as it is, without reasoning. The
    answer begins on a new line behind it.
    """

    def __init__(self, *, terminal: bool, styled: bool) -> None:
        super().__init__()
        self._terminal = terminal
        self._styler = Styler() if styled else None
        self._styled = styled
        self._kind: str | None = None  # of the block that was printed last
        self._in_line = False  # whether the line has begun

    def encode(self, event: Event) -> bytes:
        super().encode(event)
        match event:
            case BlockStart(tool=Tool(_, name)):
                return self._printed("call", f"[{name}] ", anew=True)
            case TextDelta(_, text):
                return self._printed("text", text)
            case TextRewrite(_, keep, text):
                return self._printed(
                    "text", f"[taken back to {keep} characters]\n{text}", anew=True
                )
            case ReasoningDelta(_, text) if self._terminal:
                return self._printed("reasoning", text)
            case ToolCallDelta(_, arguments):
                return self._printed("call", arguments)
            case StreamEnd() | StreamError():
                end = "\n" if self._terminal and self._in_line else ""
                return (self._over() + end).encode()
        return b""

    def cut(self) -> bytes:
        if not self._in_line or self.answer.end is not None or self.answer.error is not None:
            return b""
        self._in_line = False
        return (self._over() + ("\n" if self._terminal else "")).encode()

    def _printed(self, kind: str, text: str, *, anew: bool = False) -> bytes:
        """The text, on a new line where it is of another kind than the one before."""
        other = self._in_line and (anew or kind != self._kind)
        out = (self._over() + "\n") if other else ""
        self._kind, text = kind, plain(text)
        if text:
            self._in_line = not text.endswith("\n")
        return (out + self._shown(kind, text)).encode()

    def _shown(self, kind: str, text: str) -> str:
        if kind == "reasoning" and self._styled:
            return f"{DIM}{text}{RESET}"
        return self._styler.feed(text) if self._styler is not None and kind == "text" else text

    def _over(self) -> str:
        """What is held of the text, whose styles end."""
        return self._styler.end() if self._styler is not None else ""


def _counts(event: StreamEnd) -> str:
    usage, timing = event.usage, event.timing
    said = (
        f"{usage.input_tokens} tokens in, {usage.output_tokens} out"
        if usage.output_tokens is not None
        else "tokens unknown"
    )
    if not timing:
        return said
    first = timing.first_event_ms
    if first is not None:
        said += f", first after {first:.0f} ms"
    said += f", all after {timing.total_ms:.0f} ms"
    if first is not None and usage.output_tokens and timing.total_ms > first:
        rate = usage.output_tokens / (timing.total_ms - first) * 1000
        said += f", {rate:.1f} tokens a second"
    return said

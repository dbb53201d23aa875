"""`mainstem tap`: one prompt to the terminal."""

import argparse
import os
import sys
import time
from collections.abc import Callable

import msgspec
import structlog

from proxy.app import Process
from proxy.cli import common
from proxy.codec.base import Encoder, Parsed
from proxy.errors import Failure, Refused
from proxy.events import (
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
from proxy.observe import logs
from proxy.observe.metrics import make_metrics
from proxy.observe.record import StreamRecord
from proxy.relay.attempts import Attempts
from proxy.relay.delivery import Delivery
from proxy.relay.states import UpstreamStates
from proxy.request import ChatRequest, Message
from proxy.settings.model import Settings
from proxy.upstream.answer import Answer
from proxy.upstream.client import Upstreams

_DIM, _PLAIN = "\x1b[2m", "\x1b[0m"


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", does: str) -> None:
    """Add this command to the command line; `does` is its line in the list of commands."""
    parser = commands.add_parser(
        "tap",
        help=does,
        description=(
            "Send one prompt to a model of the configuration and print the answer as it comes. "
            "Standard error says what was lost "
            "in translation and how the answer ended."
        ),
    )
    common.add_config(parser)
    parser.add_argument("prompt", help='the prompt; "-" reads it from standard input')
    parser.add_argument("--model", help="a model of the configuration (default: the first)")
    parser.add_argument("--system", help="a system prompt")
    parser.add_argument("--max-tokens", type=common.count, metavar="N", help="longest answer")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--raw", action="store_true", help="print the upstream's bytes as they are")
    form.add_argument("--events", action="store_true", help="print one event a line, as JSON")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the command; answers the exit status."""
    logs.configure("console", "error")
    structlog.contextvars.clear_contextvars()
    settings = common.settings_of(options)
    model = options.model or next((name for name in settings.models if name != "*"), "any")
    prompt = _read() if options.prompt == "-" else _checked(options.prompt, "The prompt")
    system = None if options.system is None else _checked(options.system, "The system prompt")
    request = ChatRequest(
        model=_checked(model, "The model"),
        messages=[Message("user", prompt)],
        system=system,
        max_tokens=options.max_tokens,
    )
    return common.run(_tap(options, settings, request))


def _read() -> str:
    try:
        return sys.stdin.buffer.read().decode()
    except UnicodeDecodeError as error:
        raise common.WrongInputError(
            f"Standard input is not UTF-8 text: look at byte {error.start}."
        ) from None


def _checked(argument: str, name: str) -> str:
    """Python keeps bytes of an argument that are no text as half pairs."""
    try:
        argument.encode()
    except UnicodeEncodeError as error:
        raise common.WrongInputError(
            f"{name} is not text in this terminal's encoding: look at character {error.start}."
        ) from None
    return argument


async def _tap(options: argparse.Namespace, settings: Settings, request: ChatRequest) -> int:
    process = Process(settings)
    plan, upstreams = await process.plan(), _RawUpstreams() if options.raw else Upstreams()
    record = StreamRecord("tap", "native", time.monotonic())
    encoder = (
        _Lines()
        if options.events
        else _Quiet()
        if options.raw
        else _Text(terminal=sys.stdout.isatty())
    )
    # Where the answer goes elsewhere, its last line may stand open beside ours.
    between = "" if sys.stdout.isatty() else "\n"
    try:
        attempts = Attempts(
            plan,
            upstreams,
            UpstreamStates(make_metrics()),
            record,
            plan.router.route(request.model),
        )
        won = await attempts.first(Parsed(request), client_rewrites=True)
        start = StreamStart(
            "tap", request.model, won.target.upstream, won.target.model, 0, won.notes
        )
        log = won.generation.log
        log.begin(start)
        delivery = Delivery(log, encoder, record, plan.streams, plan.limits)
        _out(delivery.opening())
        await delivery.relay(won.generation, _Terminal())
        if encoder.summary:
            print(f"{between}{encoder.summary}", file=sys.stderr)
    except Refused as refused:
        print(f"{refused.failure.kind}: {refused.failure.message}", file=sys.stderr)
        return 1
    finally:
        await upstreams.close()
        await process.stop()
    return encoder.status


def _out(data: bytes) -> None:
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        os._exit(0)  # whoever read our output (head, less) has seen enough


class _RawAnswer(Answer):
    """Prints the upstream's bytes on their way to the decoder."""

    __slots__ = ()

    def attach(
        self, on_chunk: Callable[[bytes], None], on_end: Callable[[Failure | None], None]
    ) -> None:
        def both(chunk: bytes) -> None:
            _out(chunk)
            on_chunk(chunk)

        super().attach(both, on_end)


class _RawUpstreams(Upstreams):
    answer = _RawAnswer


class _Terminal:
    """Standard output as a sink."""

    def write(self, data: bytes) -> None:
        _out(data)

    def unsent(self) -> int:
        return 0

    async def drained(self) -> None:
        return

    def cut(self) -> None:
        return


class _Quiet(Encoder):
    """Prints nothing of the answer. What was lost is told at once; `summary` says how it ended, for
    when all of the answer is out.
    """

    heartbeat = b""
    status = 0
    summary = ""

    def encode(self, event: Event) -> bytes:
        if isinstance(event, StreamStart):
            for note in event.notes:
                print(note.message, file=sys.stderr)
        elif isinstance(event, StreamEnd):
            self.summary = f"[{event.finish.reason}] {_counts(event)}"
        elif isinstance(event, StreamError):
            self.status = 1
            self.summary = f"{event.error.kind}: {event.error.message}"
        return b""


class _Lines(_Quiet):
    """One event a line."""

    def encode(self, event: Event) -> bytes:
        self.status = int(isinstance(event, StreamError))
        return msgspec.json.encode(event) + b"\n"


class _Text(_Quiet):
    """The answer's text and calls, each call with its name on a new line. Reasoning is dimmed
    on a terminal, and left out elsewhere; the answer begins on a new line behind it.
    """

    def __init__(self, *, terminal: bool) -> None:
        self._terminal = terminal
        self._kind: str | None = None  # of the block that was printed last
        self._in_line = False  # whether the line has begun

    def encode(self, event: Event) -> bytes:
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
                super().encode(event)
                return b"\n" if self._terminal and self._in_line else b""
        return super().encode(event)

    def _printed(self, kind: str, text: str, *, anew: bool = False) -> bytes:
        """The text, on a new line where it is of another kind than the one before."""
        other = self._in_line and (anew or kind != self._kind)
        self._kind, self._in_line = kind, not text.endswith("\n")
        shown = f"{_DIM}{text}{_PLAIN}" if kind == "reasoning" else text
        return f"\n{shown}".encode() if other else shown.encode()


def _counts(event: StreamEnd) -> str:
    usage, timing = event.usage, event.timing
    tokens = (
        f"{usage.input_tokens} tokens in, {usage.output_tokens} out"
        if usage.output_tokens is not None
        else "tokens unknown"
    )
    return tokens + (f", {timing.total_ms:.0f} ms" if timing else "")

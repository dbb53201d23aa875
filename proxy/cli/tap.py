"""`mainstem tap`: one prompt, or a conversation, to the terminal."""

import argparse
import asyncio
import contextlib
import os
import sys
from collections.abc import Iterator

import structlog

from proxy.cli import common
from proxy.cli.session import Session, out
from proxy.cli.views import CUT_SHORT, FAILED, REFUSED, TRY_AGAIN, Document, Lines, Quiet, Raw, Text
from proxy.observe import logs
from proxy.request import ChatRequest, Message
from proxy.settings.model import Settings

_STATUSES = f"""\
exit status:
  0    the answer is complete
  {FAILED}    it failed or broke off, or the configuration or the input is wrong
  2    the command line is wrong, or there is no prompt
  {CUT_SHORT}    the answer was cut short by its limit of tokens
  {REFUSED}    the model refused, or a filter withheld the answer
  {TRY_AGAIN}    no answer could be had now; to ask again later may help
  130  interrupted
In a conversation it is that of the last answer.
"""
_NO_PROMPT = "There is no prompt: give one, or write it to standard input."
_NO_PROMPT_STATUS = 2


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", does: str) -> None:
    """Add this command to the command line; `does` is its line in the list of commands."""
    parser = commands.add_parser(
        "tap",
        help=does,
        description=(
            "Send a prompt to a model of the configuration and print the answer as it comes, on a "
            "terminal with Markdown's styles and dimmed reasoning. Standard error says what was "
            "lost in translation, how the answer ended and how long it took. Without a prompt it "
            "is read from standard input; on a terminal a conversation begins."
        ),
        epilog=_STATUSES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    common.add_config(parser)
    parser.add_argument("prompt", nargs="?", help='the prompt; "-" reads it from standard input')
    parser.add_argument("--model", help="a model of the configuration (default: the first)")
    parser.add_argument("--system", help="a system prompt")
    parser.add_argument("--max-tokens", type=common.count, metavar="N", help="longest answer")
    parser.add_argument(
        "--chat",
        action="store_true",
        help=(
            "a conversation: each further line of standard input is a turn; /new forgets what was "
            "said, /quit or the end of the input ends it, Ctrl-C stops an answer"
        ),
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--raw", action="store_true", help="print the upstream's bytes as they are")
    form.add_argument("--events", action="store_true", help="print one event a line, as JSON")
    form.add_argument(
        "--json",
        action="store_true",
        help="print each answer as one line of JSON: text, tool_calls, finish, usage, timing",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the command; answers the exit status."""
    logs.configure("console", "error")
    structlog.contextvars.clear_contextvars()
    settings = common.settings_of(options)
    talks = options.chat or (options.prompt is None and sys.stdin.isatty())
    given = [_checked(options.prompt, "The prompt")] if options.prompt not in (None, "-") else []
    if not given and not talks:
        given = [_read()]
        if not given[0].strip():
            print(_NO_PROMPT, file=sys.stderr)
            return _NO_PROMPT_STATUS
    model = options.model or next((name for name in settings.models if name != "*"), "any")
    request = ChatRequest(
        model=_checked(model, "The model"),
        messages=[],
        system=None if options.system is None else _checked(options.system, "The system prompt"),
        max_tokens=options.max_tokens,
    )
    return _Talk(options, settings, request).over(given, talks=talks)


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


class _Talk:
    """A conversation, of one turn or more."""

    def __init__(
        self, options: argparse.Namespace, settings: Settings, request: ChatRequest
    ) -> None:
        self._options = options
        self._terminal = sys.stdout.isatty()
        self._request = request
        self._said: list[Message] = []
        self._view = self._new_view()
        self._session = Session(settings, self._hear if options.raw else None)

    def over(self, prompts: list[str], *, talks: bool) -> int:
        """From the first turn to the last; answers the exit status."""
        status = 0
        with common.new_runner() as runner:
            try:
                runner.run(self._session.open())
                for prompt in self._turns(prompts, talks=talks):
                    try:
                        status = self._turn(runner, prompt)
                    except KeyboardInterrupt:
                        if not talks:
                            raise
                        out(self._view.cut())
                        print("[stopped]", file=sys.stderr)
                        status = 130
            finally:
                with contextlib.suppress(KeyboardInterrupt):
                    out(self._view.cut())
                    runner.run(self._session.close())
        return status

    def _turn(self, runner: asyncio.Runner, prompt: str) -> int:
        view = self._view = self._new_view()
        asked = Message("user", prompt)
        request = self._with([*self._said, asked])
        runner.run(self._session.ask(request, view))
        if view.summary:
            # Where the answer goes elsewhere, its last line may stand open beside ours.
            between = "\n" if view.begun and not self._terminal else ""
            print(f"{between}{view.summary}", file=sys.stderr, flush=True)
        if view.answer.end is not None and (text := view.answer.text()):
            self._said += [asked, Message("assistant", text)]
        return view.status

    def _with(self, messages: list[Message]) -> ChatRequest:
        request = self._request
        return ChatRequest(
            model=request.model,
            messages=messages,
            system=request.system,
            max_tokens=request.max_tokens,
        )

    def _turns(self, prompts: list[str], *, talks: bool) -> Iterator[str]:
        yield from prompts
        if not talks:
            return
        if sys.stdin.isatty():
            with contextlib.suppress(ImportError):
                import readline  # noqa: F401, PLC0415  input() then edits a line
            print(f"{self._request.model}: /new forgets, /quit ends", file=sys.stderr)
        while (line := self._line()) is not None and line != "/quit":
            if line == "/new":
                self._said.clear()
            elif line:
                yield line

    def _line(self) -> str | None:
        """The next prompt; None at the end."""
        prompts = sys.stdin.isatty() and self._terminal
        try:
            line = input("> ") if prompts else input()
        except (EOFError, KeyboardInterrupt):
            out(b"\n" if prompts else b"")  # what comes next begins on a line of its own
            return None
        except UnicodeDecodeError as error:
            raise common.WrongInputError(f"Standard input is not text: {error.reason}.") from None
        return _checked(line, "The prompt").strip()

    def _hear(self, data: bytes) -> None:
        assert isinstance(self._view, Raw)
        out(self._view.chunk(data))

    def _new_view(self) -> Quiet:
        options, terminal = self._options, self._terminal
        if options.raw:
            return Raw(terminal=terminal)
        if options.events:
            return Lines()
        if options.json:
            return Document()
        return Text(terminal=terminal, styled=terminal and _takes_styles())


def _takes_styles() -> bool:
    """https://no-color.org: any value but an empty one says no."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"

"""What the candidates of a chunk say, as events. The frames and the answer's end are `decode`'s
affair.

Text, thoughts and calls become blocks, pictures events of their own. Other parts (sound, code that
the vendor ran and what came of it) and what it says about a candidate (safety, sources, log-probs)
go to the client as the vendor's own, in the shape of a chunk; sources also become citations.
"""

from collections.abc import Callable
from functools import partial
from operator import attrgetter
from typing import Any

import msgspec
from msgspec import UNSET, Raw

from proxy.codec.blocks import Blocks
from proxy.codec.json_depth import shallow
from proxy.codec.lenient_json import NotJSONError, loads, mended
from proxy.codec.media import data_url
from proxy.codec.proofs import GEMINI
from proxy.codec.tool_calls import made_id
from proxy.dialects.gemini.citations import Cited, Said, cited, grounded
from proxy.dialects.gemini.partial import Arguments
from proxy.dialects.gemini.wire import FINISH_NUMBERS, NAME, NOTHING, Candidate, FunctionCall, Part
from proxy.events import Event, Image, Tool, Vendor
from proxy.framing import BadFrame

_EXTRAS = {
    "finish_message": "finishMessage",
    "safety_ratings": "safetyRatings",
    "citation_metadata": "citationMetadata",
    "grounding_metadata": "groundingMetadata",
    "url_context_metadata": "urlContextMetadata",
    "logprobs_result": "logprobsResult",
    "avg_logprobs": "avgLogprobs",
    "token_count": "tokenCount",
    "continuation_token": "continuationToken",
}
_extras_of = attrgetter(*_EXTRAS)
_NO_EXTRAS = (NOTHING,) * len(_EXTRAS)
_QUIET = (b"", b"null", b"{}", b"[]", b'""')
_SAID = frozenset({"text", "thought", "thoughtSignature", "functionCall"})
_PICTURE = frozenset({"inlineData", "thought", "thoughtSignature"})
# A model gives a handful of answers and calls; more is an upstream that counts up for ever.
_MAX_CHOICES = 128
_MAX_CALLS = 1024
_MAX_SOURCES = 4096
_MAX_WORD_CHARS = 100  # of a finish reason


class _Choice(msgspec.Struct, eq=False):
    """One candidate's state. `call` and `arguments` while arguments are streamed."""

    finish: str | None = None
    called: bool = False
    call: int | None = None
    arguments: Arguments | None = None
    said: Said = msgspec.field(default_factory=Said)


class Candidates:
    """The candidates of one answer, by number. Methods append to `out` and may raise
    FramingError.
    """

    def __init__(self, blocks: Blocks) -> None:
        self._blocks = blocks
        self._choices: dict[int, _Choice] = {}
        self._calls = 0
        self._told: dict[tuple[int, str], int] = {}  # extra -> hash of what was told last
        self._sources: set[int] = set()
        self.answer = ""  # the vendor's name for this answer

    @property
    def finishes(self) -> dict[int, str | None]:
        """The vendor's last word on each choice that began, in order."""
        return {number: choice.finish for number, choice in sorted(self._choices.items())}

    def called(self, number: int) -> bool:
        """Whether this choice called a tool."""
        return self._choices[number].called

    def take(self, candidates: list[Candidate], frame: bytes, out: list[Event]) -> None:
        """The candidates of a chunk. `frame` is the chunk itself, to be read again for what its
        structs leave out.
        """
        whole = _Whole(frame)
        for position, candidate in enumerate(candidates):
            self._take(candidate, position, whole, out)

    def _take(self, candidate: Candidate, position: int, frame: "_Whole", out: list[Event]) -> None:
        number = max(candidate.index or 0, 0)
        choice = self._choices.get(number)
        if choice is None:
            if len(self._choices) == _MAX_CHOICES:
                raise BadFrame(f"it holds more than {_MAX_CHOICES} answers")
            choice = self._choices[number] = _Choice()
        content = candidate.content
        if content is not None and content.parts:
            for at, part in enumerate(content.parts):
                # nearly every part
                if part.thought_signature is None and part.text is not None and not part.thought:
                    self._text(number, choice, part.text, out)
                else:
                    self._part(number, choice, part, partial(frame.part, position, at), out)
        extras = _extras_of(candidate)
        if extras != _NO_EXTRAS:
            self._extras(number, choice, extras, out)
        finish = candidate.finish_reason
        if finish:
            choice.finish = (
                FINISH_NUMBERS.get(finish, str(finish))
                if isinstance(finish, int)
                else finish[:_MAX_WORD_CHARS]
            )

    def end(self, out: list[Event]) -> None:
        """The answer is complete: close calls whose arguments were streamed, as their end is
        sometimes missing.
        """
        for number, choice in self._choices.items():
            self._end_call(number, choice, out)

    def _text(self, number: int, choice: _Choice, text: str, out: list[Event]) -> None:
        if text:
            self._end_call(number, choice, out)
            choice.said.add(self._blocks.text(out, text, number), text)

    def _part(
        self, number: int, choice: _Choice, part: Part, whole: Callable[[], Any], out: list[Event]
    ) -> None:
        signature = part.thought_signature or None
        if part.thought and part.text is not None:
            self._end_call(number, choice, out)
            if part.text or signature:
                self._blocks.reasoning(out, part.text, number)
            if signature:
                self._blocks.end_reasoning(out, number, signature, GEMINI)
            return
        if part.function_call is not None:
            self._call(number, choice, part.function_call, out, signature)
            return
        if part.text is None:
            value = whole()
            if not part.thought and (url := _picture(value)) is not None:
                self._end_call(number, choice, out)
                self._signed(number, signature, out)
                self._blocks.end_choice(out, number)  # a picture parts the texts around it
                out.append(Image(url, number or UNSET))
                return
            if not value.keys() <= _SAID:  # its signature, if it has one, is in it
                chunk = {
                    "candidates": [
                        {"index": number, "content": {"role": "model", "parts": [value]}}
                    ]
                }
                out.append(Vendor(NAME, shallow(chunk)))
                return
        if signature:
            self._end_call(number, choice, out)
            self._signed(number, signature, out)
        if part.text:
            self._text(number, choice, part.text, out)

    def _signed(self, number: int, signature: str | None, out: list[Event]) -> None:
        """The signature of a part that is no call, on a reasoning before it."""
        if signature:
            self._blocks.reasoning(out, "", number)
            self._blocks.end_reasoning(out, number, signature, GEMINI)

    def _call(
        self,
        number: int,
        choice: _Choice,
        call: FunctionCall,
        out: list[Event],
        signature: str | None,
    ) -> None:
        if call.name:
            self._end_call(number, choice, out)
            self._begin_call(number, choice, call, out)
            if signature:
                self._blocks.prove_call(self._calls - 1, signature, GEMINI, number)
        elif choice.arguments is None and bytes(call.args) not in _QUIET:
            raise BadFrame("a function call has no name")
        if choice.arguments is not None and choice.call is not None:
            for piece in call.partial_args or ():
                self._blocks.arguments(out, choice.call, choice.arguments.add(piece), number)
            if not call.will_continue:
                self._end_call(number, choice, out)

    def _begin_call(
        self, number: int, choice: _Choice, call: FunctionCall, out: list[Event]
    ) -> None:
        if self._calls == _MAX_CALLS:
            raise BadFrame(f"it calls more than {_MAX_CALLS} tools in one answer")
        key = self._calls
        self._calls += 1
        choice.called = True
        self._blocks.open_call(
            out, key, Tool(call.id or made_id(self.answer, key), call.name or ""), number
        )
        if call.will_continue or call.partial_args:
            choice.call, choice.arguments = key, Arguments()
            return
        args = bytes(call.args)
        self._blocks.arguments(out, key, "{}" if args in _QUIET else _compact(args), number)

    def _end_call(self, number: int, choice: _Choice, out: list[Event]) -> None:
        if choice.arguments is not None and choice.call is not None:
            self._blocks.arguments(out, choice.call, choice.arguments.close(), number)
            choice.call = choice.arguments = None

    def _extras(
        self, number: int, choice: _Choice, extras: tuple[Raw, ...], out: list[Event]
    ) -> None:
        """What is said of the candidate, each thing once however often it is repeated."""
        told: dict[str, Any] = {}
        for name, raw in zip(_EXTRAS.values(), extras, strict=True):
            said = bytes(raw)
            if said in _QUIET or self._told.get((number, name)) == hash(said):
                continue
            self._told[number, name] = hash(said)
            told[name] = loads(said)
        if not told:
            return
        out.append(Vendor(NAME, shallow({"candidates": [{"index": number, **told}]})))
        for found in (
            *cited(told.get("citationMetadata")),
            *grounded(told.get("groundingMetadata")),
        ):
            self._cite(number, choice, found, out)

    def _cite(self, number: int, choice: _Choice, found: Cited, out: list[Event]) -> None:
        """A source; metadata that grows repeats those that it had."""
        known = hash((number, repr(found)))
        if (
            known in self._sources
            or len(self._sources) == _MAX_SOURCES
            or not (found.url or found.title)
        ):
            return
        self._sources.add(known)
        out.append(found.citation(self._blocks.open_text(out, number), choice.said))


def _picture(value: Any) -> str | None:
    """The data: URL of a part that is a picture, and nothing else."""
    blob = value.get("inlineData") if value.keys() <= _PICTURE else None
    if not isinstance(blob, dict):
        return None
    kind, data = blob.get("mimeType"), blob.get("data")
    if not isinstance(kind, str) or not isinstance(data, str) or not kind.startswith("image/"):
        return None
    return data_url(kind, data)


class _Whole(msgspec.Struct, gc=False):
    """A chunk with all that it says, read when a part of it is first asked for, and once."""

    frame: bytes
    candidates: list[Any] | None = None
    parts: dict[int, list[Any]] = msgspec.field(default_factory=dict)  # of candidates asked for

    def part(self, position: int, at: int) -> Any:
        if self.candidates is None:
            self.candidates = _objects(loads(self.frame)["candidates"])
        if position not in self.parts:
            self.parts[position] = _objects(self.candidates[position]["content"]["parts"])
        return self.parts[position][at]


def _objects(value: Any) -> list[Any]:
    """A list as it was decoded: without what is no object, and an object alone as a list of one."""
    return [item for item in ([value] if isinstance(value, dict) else value) if type(item) is dict]


def _compact(args: bytes) -> str:
    """The vendor's JSON as it is, without its line ends and blanks."""
    if args.startswith(b'"'):
        args = _object_in(args)
    try:
        return msgspec.json.format(args, indent=-1).decode()
    except ValueError:  # what is skipped in decoding is not held against UTF-8
        return mended(args).decode()


def _object_in(text: bytes) -> bytes:
    """Arguments that some gateways write as text, as OpenAI has them; other text as it is."""
    try:
        said = loads(text).encode()
        return said if isinstance(loads(said), dict) else text
    except NotJSONError:
        return text

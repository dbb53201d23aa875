"""Tools that take free text instead of JSON arguments (OpenAI's `custom` tools).

In a `ChatRequest` and in events the arguments of such a call are JSON as those of all calls,
`{"input": "<the text>"}`, so that whoever knows nothing of free text can pass them on. Two machines
turn one into the other as it streams:

    TextToArguments     a vendor's free text to our arguments, for decoders
    ArgumentsToText     our arguments to free text, for encoders

`arguments_of` and `text_of` do the same with a whole call. For a target that has no such tools,
`as_functions` makes functions with one string of them; the answer's calls are custom again by what
`Outgoing.custom_tools` says (see `proxy/codec/tool_names.py`).
"""

import re
from typing import Any

import msgspec
from msgspec.structs import replace

from proxy.codec.lenient_json import NotJSONError, loads
from proxy.events import Note
from proxy.request import ChatRequest, Message, Part, ToolCallPart, ToolSpec, only_texts

BEGIN, END = '{"input":"', '"}'
# Arguments that are not in our form are held to be looked at whole, up to this; longer ones are the
# text as they are.
_HELD_CHARS = 1 << 20
_MAX_HEAD_CHARS = 256
_HEAD = re.compile(r'\s*\{\s*"input"\s*:\s*"')
_HEAD_BEGUN = re.compile(r'\s*(?:\{\s*(?:"|"i|"in|"inp|"inpu|"input|"input"\s*:?\s*)?)?')
# Inside a JSON string: all that is whole, with its last escape, and an escape that may still be
# completed.
_WHOLE = re.compile(r'[^"\\]*(?:(\\(?:u[0-9a-fA-F]{4}|[^u]))[^"\\]*)*')
_ESCAPE_BEGUN = re.compile(r"\\(?:u[0-9a-fA-F]{0,3})?")
_HIGH = re.compile(r"\\u[dD][89abAB]..")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_SHORT = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_NOTE = Note(
    "changed",
    "tools.custom",
    "A tool that takes free text is sent as a function with one string, as the upstream has no "
    "other tools.",
)


class TextToArguments:
    """One call's free text, piece by piece, as pieces of JSON text."""

    def __init__(self) -> None:
        self._begun = False

    def feed(self, text: str) -> str:
        """The arguments so far that were not given yet."""
        begin = "" if self._begun else BEGIN
        self._begun = True
        return begin + _escaped(text)

    def close(self) -> str:
        """The text is whole."""
        return END if self._begun else BEGIN + END


class ArgumentsToText:
    """One call's arguments, piece by piece, as pieces of free text. What is not in our form, as a
    model may write it, is given at the end, as `text_of` explains.
    """

    def __init__(self) -> None:
        self._state = "head"  # then "string" and "tail"; or "odd"
        self._held = ""  # the head so far, or an escape that is cut
        self._odd: list[str] = []
        self._odd_chars = 0

    def feed(self, piece: str) -> str:
        """The text that this piece completes, "" for none."""
        match self._state:
            case "string":
                return self._string(self._held + piece)
            case "head":
                return self._head(self._held + piece)
            case "odd":
                return self._keep(piece)
        return ""

    def close(self) -> str:
        """The arguments are whole, or cut: the rest of the text."""
        if self._state == "head":
            self._odd, self._state = [self._held], "odd"
        rest = _of_odd("".join(self._odd)) if self._state == "odd" else ""
        self._odd, self._held, self._state = [], "", "tail"
        return rest

    def _head(self, data: str) -> str:
        found = _HEAD.match(data)
        if found is not None:
            self._state, self._held = "string", ""
            return self._string(data[found.end() :])
        self._held = data
        if len(data) <= _MAX_HEAD_CHARS and _HEAD_BEGUN.fullmatch(data):
            return ""
        self._state, self._held = "odd", ""
        return self._keep(data)

    def _string(self, data: str) -> str:
        pieces: list[str] = []
        at = 0
        self._held = ""
        while True:
            whole = _WHOLE.match(data, at)
            assert whole is not None  # it matches nothing, too
            stop = whole.end()
            if data[stop : stop + 1] == '"':
                pieces.append(_unescaped(data[at:stop]))
                self._state = "tail"
                break
            if stop == len(data) or _ESCAPE_BEGUN.fullmatch(data, stop):
                if whole.end(1) == stop and _HIGH.match(whole[1]):  # half of a pair
                    stop = whole.start(1)
                pieces.append(_unescaped(data[at:stop]))
                self._held = data[stop:]
                break
            pieces.append(_unescaped(data[at:stop]) + data[stop : stop + 2])  # \u, but no escape
            at = stop + 2
        return _paired("".join(pieces))

    def _keep(self, piece: str) -> str:
        self._odd.append(piece)
        self._odd_chars += len(piece)
        if self._odd_chars <= _HELD_CHARS:
            return ""
        text = "".join(self._odd)
        self._odd = []
        return text


def arguments_of(text: str) -> str:
    """A custom call's whole text as arguments."""
    return BEGIN + _escaped(text) + END


def text_of(arguments: str) -> str:
    """A custom call's whole arguments as its text.

    A model that was told of a function may put the text elsewhere than in `input`: the only text of
    an object is it, and so is a JSON text, and anything that is no JSON; an object that holds none,
    or several, is given as it is written.
    """
    machine = ArgumentsToText()
    return machine.feed(arguments) + machine.close()


def as_functions(request: ChatRequest, notes: list[Note]) -> ChatRequest:
    """The request for a target whose tools are functions only. The very same one where no tool
    takes free text.
    """
    calls = not only_texts(request.messages) and any(
        isinstance(part, ToolCallPart) and part.custom
        for message in request.messages
        for part in message.parts
    )
    declared = any(tool.custom is not None for tool in request.tools)
    if declared:
        notes.append(_NOTE)
        request = replace(request, tools=[_function(tool) for tool in request.tools])
    if calls:
        request = replace(request, messages=[_plain(message) for message in request.messages])
    return request


def custom_names(tools: list[ToolSpec]) -> frozenset[str]:
    """The names of the tools that take free text."""
    return frozenset(tool.name for tool in tools if tool.custom is not None)


def _function(tool: ToolSpec) -> ToolSpec:
    if tool.custom is None:
        return tool
    said: dict[str, Any] = {"type": "string", "description": _described(tool.custom)}
    schema = {"type": "object", "properties": {"input": said}, "required": ["input"]}
    return replace(tool, parameters=schema, custom=None)


def _described(form: dict[str, Any]) -> str:
    """The form of the text in words. OpenAI's custom tools give a grammar by its syntax (`lark`,
    `regex`) and its definition; chat completions keep the two in an object of their own.
    """
    grammar = form.get("grammar")
    inner = grammar if isinstance(grammar, dict) else form
    definition = inner.get("definition")
    if form.get("type") != "grammar" or not isinstance(definition, str):
        return "The input of the tool, as free text."
    return (
        f"The input of the tool, as free text that follows this {inner.get('syntax', '')} "
        f"grammar:\n{definition}"
    )


def _plain(message: Message) -> Message:
    if isinstance(message.content, str):
        return message
    parts: list[Part] = [
        replace(part, custom=False) if isinstance(part, ToolCallPart) and part.custom else part
        for part in message.content
    ]
    return Message(message.role, parts)


def _escaped(text: str) -> str:
    return msgspec.json.encode(text).decode()[1:-1]


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(_one, text) if "\\" in text else text


def _one(match: re.Match[str]) -> str:
    code, letter = match.groups()
    return chr(int(code, 16)) if code else _SHORT.get(letter, letter)


def _paired(text: str) -> str:
    """Two halves of a pair as one character; a half that stands alone is U+FFFD."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _of_odd(written: str) -> str:
    try:
        value = loads(written.encode("utf-8", "replace"))
    except NotJSONError:
        return written
    if isinstance(value, str):
        return value
    if not isinstance(value, dict):
        return written
    if isinstance(value.get("input"), str):
        return str(value["input"])
    texts = list(value.values())
    if len(texts) == 1 and isinstance(texts[0], str):
        return texts[0]
    return written if value else ""

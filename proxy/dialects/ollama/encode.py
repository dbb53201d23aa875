"""Events to the lines of /api/chat or /api/generate.

A line is built once per block, with a gap where the text goes. A tool call is held until it is
complete, as this form has it whole, its arguments an object. A failed stream ends in a line with
`error`, and none with `done: true`. No line is ever blank, so there is no heartbeat: the vendor's
SDKs parse every line as JSON.

What another vendor must see again (a signature, encrypted reasoning) has no place in this form: it
stands in `reasoning_details` of the message, a key of ours in OpenRouter's form, which
`parse_turns` reads back. The vendor's JavaScript SDK gives its user each line as it is; its Python
SDK drops keys that it does not know, and with them these.

What this form has no place for: citations, further choices, counts of cached and reasoning tokens,
tool calls and proofs in /api/generate, `vendor` events of other dialects. It has no words for a
filter or a refusal: both end with `stop`.
"""

from typing import Any

import msgspec
from msgspec import UNSET

from proxy.codec.base import NDJSON, Encoder, Parsed
from proxy.codec.reasoning_details import DetailsOfStream
from proxy.dialects.ollama.errors import error_body
from proxy.dialects.ollama.images import bare
from proxy.dialects.ollama.shapes import call_object, head, last_line
from proxy.dialects.ollama.wire import NAME
from proxy.events import (
    BlockEnd,
    BlockStart,
    Event,
    Image,
    ReasoningDelta,
    StreamEnd,
    StreamError,
    StreamStart,
    TextDelta,
    Tool,
    ToolCallDelta,
    Vendor,
)

_json = msgspec.json.Encoder().encode
# stands for the text in a line that is built beforehand; JSON always writes it as an escape
_NUL = _json("\0")


class _HeldCall(msgspec.Struct):
    tool: Tool
    pieces: list[str]


def encoder(parsed: Parsed) -> Encoder:
    """See `ClientHalf.encoder`."""
    return OllamaEncoder(generate=parsed.options.generate)


class OllamaEncoder(Encoder):
    """One streamed answer. `generate`: in the form of /api/generate."""

    content_type = NDJSON
    heartbeat = b""
    gathers = frozenset({ReasoningDelta, ToolCallDelta})

    def __init__(self, *, generate: bool) -> None:
        self._generate = generate
        self._head: dict[str, Any] = {}
        # open block -> its line, before and after the text
        self._lines: dict[int, tuple[bytes, bytes]] = {}
        self._held: dict[int, _HeldCall] = {}
        self._calls = 0
        self._extras: dict[str, Any] = {}
        self._proofs = DetailsOfStream()

    def encode(self, event: Event) -> bytes:
        if type(event) is TextDelta or type(event) is ReasoningDelta:
            if type(event) is ReasoningDelta:
                self._proofs.add(event.block, event.text)
            line = self._lines.get(event.block)
            return b"%b%b%b" % (line[0], _json(event.text), line[1]) if line else b""
        match event:
            case ToolCallDelta(block, piece) if block in self._held:
                self._held[block].pieces.append(piece)
            case BlockStart() if event.choice is UNSET or event.choice == 0:
                self._start(event)
            case BlockEnd():
                return self._end(event)
            case Vendor() if event.dialect == NAME and isinstance(event.data, dict):
                return self._vendor(event.data)
            case Image():
                return self._image(event)
            case StreamStart():
                self._head = head(event)
            case StreamEnd():
                return self._line(
                    {**self._piece("", ""), **last_line(event, event.usage, self._extras)}
                )
            case StreamError():
                return error_body(event.error) + b"\n"
        # Usage waits for the end. A text.rewrite never comes here: `rewrites` is false, so a filter
        # before this encoder holds text back.
        return b""

    def _start(self, event: BlockStart) -> None:
        if not self._generate:
            self._proofs.begin(event.block, event.kind, event.tool or None)
        if event.kind == "tool_call":
            assert event.tool is not UNSET
            if not self._generate:
                self._held[event.block] = _HeldCall(event.tool, [])
            return
        piece = self._piece("\0", "") if event.kind == "text" else self._piece("", "\0")
        before, _, after = self._line({**piece, "done": False}).rpartition(_NUL)
        self._lines[event.block] = before, after

    def _piece(self, text: str, thinking: str, **more: Any) -> dict[str, Any]:
        """What a line adds. Its text is always there, as the vendor has it."""
        thought = {"thinking": thinking} if thinking else {}
        if self._generate:
            return {"response": text, **thought, **more}
        return {"message": {"role": "assistant", "content": text, **thought, **more}}

    def _end(self, event: BlockEnd) -> bytes:
        self._lines.pop(event.block, None)
        more: dict[str, Any] = {}
        if event.block in self._held:
            held = self._held.pop(event.block)
            more["tool_calls"] = [call_object(held.tool, "".join(held.pieces), self._calls)]
            self._calls += 1
        if details := self._proofs.end(event.block, event):
            more["reasoning_details"] = details
        return self._line({**self._piece("", "", **more), "done": False}) if more else b""

    def _vendor(self, said: dict[str, Any]) -> bytes:
        """What this vendor said beside: with a line of its own where it belongs to the text, else
        in the last.
        """
        self._extras |= {name: value for name, value in said.items() if name != "logprobs"}
        if "logprobs" not in said:
            return b""
        logprobs = {"logprobs": said["logprobs"]}
        return self._line({**self._piece("", ""), **logprobs, "done": False})

    def _image(self, event: Image) -> bytes:
        """A picture in base64; this form has none at an address, nor for another choice."""
        data = bare(event.url)
        if data is None or event.choice:
            return b""
        if self._generate:
            return self._line({**self._piece("", ""), "image": data, "done": False})
        return self._line({**self._piece("", "", images=[data]), "done": False})

    def _line(self, said: dict[str, Any]) -> bytes:
        return _json({**self._head, **said}) + b"\n"

"""What a chunk's choices say, as events: text, reasoning, tool calls, citations, and the vendors'
extras.

A refusal is text, in a block of its own. Reasoning comes under several names, of which one is shown
(see `thoughts`). `<think>` tags in the text stay text.
"""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import msgspec
from msgspec import UNSET

from proxy.codec.blocks import Blocks
from proxy.codec.framed import decoded
from proxy.codec.json_depth import shallow
from proxy.codec.openai.errors import VendorError
from proxy.codec.openai.finish_reasons import NOT_FINISHED
from proxy.codec.proofs import GEMINI, OPENAI, XAI
from proxy.dialects.openai_chat.beside import Beside, rest_of_choice
from proxy.dialects.openai_chat.calls import Calls
from proxy.dialects.openai_chat.content_parts import is_text, joined
from proxy.dialects.openai_chat.messages import Messages
from proxy.dialects.openai_chat.sources import Sources
from proxy.dialects.openai_chat.thoughts import Proof, thoughts
from proxy.dialects.openai_chat.wire import (
    DELTA_EXTRAS,
    NAME,
    QUIET,
    CallPiece,
    Choice,
    Delta,
)
from proxy.events import Event, Image, Vendor

_rest_of_delta = attrgetter(
    "reasoning_content",
    "reasoning",
    "reasoning_text",
    "thinking",
    "reasoning_details",
    "thinking_blocks",
    "refusal",
    "tool_calls",
    "function_call",
    "annotations",
    "images",
    *DELTA_EXTRAS,
)
_NOTHING_ELSE = Delta()
_MESSAGE = msgspec.json.Decoder(Delta)
_RESPONSES = (OPENAI, XAI)  # an encrypted text is the proof of the summary before it


class Choices:
    """The state of every choice of one answer. `said` turns true with the first content."""

    said = refused = False
    # most answers have none
    _calls: Calls | None = None
    _messages: Messages | None = None

    def __init__(self, max_held_chars: int) -> None:
        self.blocks = Blocks(max_held_chars)
        self._max_held_chars = max_held_chars
        self.beside = Beside()
        self._plain: set[int] = set()  # choices whose reasoning is not in details alone
        self._sources = Sources(self.blocks)

    def take(self, out: list[Event], choice: Choice, answer_id: Any) -> VendorError | None:
        """One choice of one chunk. Raises NotJSONError or msgspec.DecodeError for what is hidden in
        it and cannot be read, FramingError for a choice too many and for extras that are nested too
        deeply.
        """
        index = max(choice.index or 0, 0)
        rest, rests = rest_of_choice(choice), self.beside.rests
        begun = True
        if rest != rests.get(index):
            begun = index in rests
            broken = self.beside.take(out, index, rest)
            if broken is not None:
                return broken
        delta = choice.delta
        if delta is None:
            delta = self._instead(index, choice, told=begun and self.said)
        content, delta.content = delta.content, None
        # one comparison in C says it for nearly every delta
        if delta != _NOTHING_ELSE and any(_rest_of_delta(delta)):
            delta.content = content
            self._full(out, index, delta, answer_id)
        elif content:
            self.said = True
            if isinstance(content, str):
                self.blocks.text(out, content, index)
            else:
                self._parts(out, index, content)
        return None

    def end(self, out: list[Event], answer_id: Any) -> None:
        """The answer is complete: close everything."""
        if self._calls is not None:
            self._calls.seed = answer_id
            self._calls.flush(out)
        self.blocks.end_all(out)

    def _instead(self, index: int, choice: Choice, *, told: bool) -> Delta:
        """What stands for the delta: `message` in an answer that was not streamed or in every chunk
        of one that was (see `Messages`), `text` in a legacy completion, or nothing (Azure). `told`:
        the choice was streamed. If it was in deltas, its message is the whole of it once more
        (MiniMax, in its last chunk).
        """
        if choice.message in QUIET:
            return Delta(content=choice.text)
        messages = self._messages
        if told and (messages is None or index not in messages):
            return Delta()
        if messages is None:
            messages = self._messages = Messages(self._max_held_chars)
        message = decoded(_MESSAGE, bytes(choice.message))
        return messages.delta(index, message, last=choice.finish_reason not in NOT_FINISHED)

    def _full(self, out: list[Event], index: int, delta: Delta, answer_id: Any) -> None:
        """A delta that holds more than text: reasoning comes before the text, calls and citations
        after it.
        """
        self._reasoning(out, index, delta)
        content = delta.content
        if content:
            self.said = True
            if isinstance(content, str):
                self.blocks.text(out, content, index)
            else:
                self._parts(out, index, content)
        if delta.refusal:
            self.said = self.refused = True
            self.blocks.refusal(out, delta.refusal, index)
        calls = delta.tool_calls
        pieces: Sequence[CallPiece] = (
            () if not calls else calls if isinstance(calls, list) else (calls,)
        )
        if delta.function_call is not None:
            pieces = (*pieces, CallPiece(index=-1, function=delta.function_call))
        if pieces:
            self.said = True
            self._take_calls(out, index, pieces, answer_id)
        if delta.annotations:
            opaque = self._sources.cite(out, index, delta.annotations)
            if opaque:
                self._vendor(out, index, {"annotations": opaque})
        if delta.images:
            self._images(out, index, delta.images)
        extras = {name: value for name in DELTA_EXTRAS if (value := getattr(delta, name))}
        if extras:
            self._vendor(out, index, extras)

    def _reasoning(self, out: list[Event], index: int, delta: Delta) -> None:
        said = thoughts(delta)
        if said.plain:
            self._plain.add(index)
        # some say all of it once more in details, at the end, with its proof
        if said.text and (said.plain or index not in self._plain):
            self.said = True
            self.blocks.reasoning(out, said.text, index)
        for proof in said.proofs:
            self._prove(out, index, proof)
        if said.opaque:
            self._vendor(out, index, {"reasoning_details": said.opaque})

    def _take_calls(
        self, out: list[Event], index: int, pieces: Sequence[CallPiece], answer_id: Any
    ) -> None:
        if self._calls is None:
            self._calls = Calls(self.blocks, self._max_held_chars)
        self._calls.seed = answer_id
        for position, piece in enumerate(pieces):
            self._calls.take(out, index, position, piece)

    def _prove(self, out: list[Event], index: int, proof: Proof) -> None:
        """Where a proof belongs: to the reasoning before it, to a call of its id (Gemini), or to
        nothing that was shown.
        """
        if not proof.whole or (proof.of in _RESPONSES and self.blocks.is_reasoning(index)):
            self.blocks.reasoning(out, "", index)
            self.blocks.end_reasoning(out, index, proof.text, proof.of, proof.id)
            return
        if proof.of == GEMINI and proof.id is not None and self._calls is not None:
            key = self._calls.key_of(proof.id, index)
            if key is not None and self._calls.proof(key, proof.text, GEMINI, choice=index):
                return
        self.blocks.redacted(out, proof.text, proof.of, proof.id, index)

    def _images(self, out: list[Event], index: int, images: list[Any]) -> None:
        opaque = []
        for image in images:
            match image:
                case str(url) | {"image_url": str(url) | {"url": str(url)}} if url:
                    self.said = True
                    out.append(Image(url, index or UNSET))
                case _:
                    opaque.append(image)
        if opaque:
            self._vendor(out, index, {"images": opaque})

    def _parts(self, out: list[Event], index: int, parts: list[Any]) -> None:
        """Typed parts (Mistral, Databricks), and pictures (gateways before models that draw). What
        is neither text nor thinking is kept as it is.
        """
        opaque = []
        for part in parts:
            match part:
                case str(text) | {"text": str(text)} if is_text(part):
                    if text:  # without, it would open a block for nothing
                        self.blocks.text(out, text, index)
                case {"type": "image_url"}:
                    self._images(out, index, [part])
                case {"type": "thinking", "thinking": thinking}:
                    self._thought(out, index, joined(thinking), part)
                case {"type": "reasoning", "summary": list(summary)}:
                    for piece in summary:
                        if isinstance(piece, dict):
                            self._thought(out, index, joined([piece]), piece)
                case _:
                    opaque.append(part)
        if opaque:
            self._vendor(out, index, {"content": opaque})

    def _thought(self, out: list[Event], index: int, text: str, part: dict[str, Any]) -> None:
        """A part's thinking, and its signature."""
        if text:
            self.blocks.reasoning(out, text, index)
        signature = part.get("signature")
        if isinstance(signature, str) and signature:
            self._prove(out, index, Proof(signature, None, None, whole=False))

    @staticmethod
    def _vendor(out: list[Event], index: int, delta: dict[str, Any]) -> None:
        out.append(Vendor(NAME, shallow({"choices": [{"index": index, "delta": delta}]})))

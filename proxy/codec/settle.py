"""Between an upstream that may take text back and a client that cannot: text goes out only when it
is settled.

ChatGLM2 replaces `[[...]]` when its last bracket arrives, ChatGLM-6B turns half-width punctuation
into full-width when the next character is Chinese. Both touch only the end of the text, so holding
that end back until more text follows removes nearly all rewrites. One that reaches further cannot
be honoured, and is never papered over: see `Settler`.
"""

from collections.abc import Sequence

from proxy.codec.base import Encoder
from proxy.codec.cumulative import common_prefix
from proxy.codec.growing import GrowingText
from proxy.codec.halves import ClientHalf
from proxy.errors import failure
from proxy.events import BlockEnd, Event, Note, StreamEnd, StreamError, TextDelta, TextRewrite

REWRITE_NOTE = Note(
    "changed",
    "text.rewrite",
    "This upstream may take text back and the client's dialect cannot: the newest characters "
    "are held back until they are settled, and an "
    "answer whose earlier text changes ends in an error.",
)
_LOST = (
    "The upstream changed text that was sent already, and this client's dialect cannot take "
    "text back: "
    "ask again without streaming, or by the native dialect."
)
# Punctuation that its neighbour may still change, and the first half of "[[".
_TURNING = frozenset(",!:;?[")
_OPEN, _CLOSE = "[[", "]]"
# The known placeholder has 8 code points; a "[[" left open for longer is plain text (a list in
# code, say) and goes out.
_PLACEHOLDER_CHARS = 32
# Of what went out, so much of a block is remembered, to compare a rewrite with.
REMEMBERED_CHARS = 1 << 20


def settled(text: str) -> int:
    """How many code points of this text, at the end of which more may come, will stay as they
    are.
    """
    end = len(text)
    if end and text[-1] in _TURNING:
        end -= 1
    at = text.rfind(_OPEN)
    if at >= 0 and len(text) - at <= _PLACEHOLDER_CHARS and text.find(_CLOSE, at) < 0:
        return min(at, end)
    return end


class _Block:
    """A text block: what went out, and either the `tail` that has not, or, once the two parted, the
    upstream's text as far as it is known: the first `begin` code points of what went out, then
    `truth`. `agree`: so many code points of both are the same.

    `said` is None once it is too long to be remembered: then only the tail can still change.
    """

    __slots__ = ("agree", "begin", "chars", "said", "tail", "truth")

    def __init__(self) -> None:
        self.chars = 0  # that went out
        self.said: GrowingText | None = GrowingText()
        self.tail = ""
        self.truth: GrowingText | None = None
        self.begin = self.agree = 0

    def say(self, text: str) -> None:
        """It goes out."""
        self.chars += len(text)
        if self.said is not None:
            self.said.add(text)
            if self.chars > REMEMBERED_CHARS:
                self.said = None

    def rewrite(self, keep: int, text: str) -> None:
        if self.truth is None and keep >= self.chars:
            self.tail = self.tail[: keep - self.chars] + text
            return
        self.tail = ""
        if self.truth is None or keep < self.begin:
            self.truth, self.begin, self.agree = GrowingText(), keep, keep
        else:
            self.truth.cut(keep - self.begin)
            self.agree = min(self.agree, keep)
        self.add(text)

    def add(self, text: str) -> None:
        """The upstream's text goes on with this, while it and what went out have parted."""
        if self.said is None or self.truth is None:
            return
        at = self.begin + len(self.truth)
        self.truth.add(text)
        if self.agree == at:
            self.agree += common_prefix(
                self.said.between(at, min(at + len(text), self.chars)), text
            )
        if self.agree >= self.chars:  # what went out is the beginning of it again
            self.tail = self.truth.between(self.chars - self.begin, len(self.truth))
            self.truth = None


def settling(encoder: Encoder, half: ClientHalf, *, rewrites: bool) -> Encoder:
    """The encoder, which is of this half, within a Settler where the half needs one. `rewrites`:
    the upstream may take text back.
    """
    return Settler(encoder) if rewrites and not half.rewrites else encoder


class Settler(Encoder):
    """Wraps the encoder of a client half with `rewrites` false, where the upstream half has it
    true.

    The inner encoder never sees a text.rewrite. When one reaches into text that went out, the rest
    of that block is withheld; the answer then ends in an `upstream_error` instead of a finish,
    unless its finish is `content_filter`: then the vendor withdrew what was shown, and that finish
    says so. `failed` tells whoever keeps the record. Say REWRITE_NOTE in the notes of the stream's
    start.
    """

    def __init__(self, inner: Encoder) -> None:
        self._inner = inner
        self._blocks: dict[int, _Block] = {}
        self._lost = False
        self.failed = False
        self.content_type = inner.content_type
        self.heartbeat = inner.heartbeat
        self.headers = inner.headers
        self.min_gap_s = inner.min_gap_s
        self.gathers = inner.gathers

    def encode(self, event: Event) -> bytes:
        if isinstance(event, TextDelta):
            return self._delta(event)
        if isinstance(event, TextRewrite):
            block = self._block(event.block)
            block.rewrite(event.keep, event.text)
            return self._release(event.block, block, settled(block.tail))
        if isinstance(event, BlockEnd):
            return self._close(event.block) + self._inner.encode(event)
        if isinstance(event, StreamEnd) and self._lost and event.finish.reason != "content_filter":
            self.failed = True
            return self._inner.encode(StreamError(failure("upstream_error", _LOST), event.usage))
        return self._inner.encode(event)

    def joined(self, frames: Sequence[bytes]) -> bytes:
        return self._inner.joined(frames)

    def _delta(self, event: TextDelta) -> bytes:
        block = self._block(event.block)
        if block.truth is not None:
            block.add(event.text)
            return self._release(event.block, block, settled(block.tail))
        if not block.tail and settled(event.text) == len(event.text):
            block.say(event.text)
            return self._inner.encode(event)
        block.tail += event.text
        return self._release(event.block, block, settled(block.tail))

    def _block(self, number: int) -> _Block:
        block = self._blocks.get(number)
        if block is None:
            block = self._blocks[number] = _Block()
        return block

    def _release(self, number: int, block: _Block, chars: int) -> bytes:
        """Send that much of the tail."""
        text, block.tail = block.tail[:chars], block.tail[chars:]
        if not text:
            return b""
        block.say(text)
        return self._inner.encode(TextDelta(number, text))

    def _close(self, number: int) -> bytes:
        block = self._blocks.pop(number, None)
        if block is None:
            return b""
        if block.truth is None:
            return self._release(number, block, len(block.tail))
        self._lost = True
        return b""

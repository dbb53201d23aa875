"""The messages of one answer as text blocks, one for each part. A refusal is text that is marked as
one.
"""

from collections.abc import Mapping
from itertools import islice
from typing import Any

import msgspec

from proxy.codec.counts import count
from proxy.dialects.openai_responses.ledger import Ledger
from proxy.dialects.openai_responses.wire import ANNOTATION, NAME, TEXT_DELTA
from proxy.events import BlockEnd, Citation, Event, TextDelta, Vendor

_MOST_COMPARED = 16  # parts that are looked at for one that has this text


class _Part(msgspec.Struct):
    """A part of a message: how much text of it has come, and how many annotations."""

    chars: int = 0
    cited: int = 0


class _Message(msgspec.Struct):
    """`open` is the content index of the part whose block is open. `whole`: by the level that says
    a part whole (a text, a part, an item) and its content index there, the index of that part.
    """

    block: int | None = None
    open: int | None = None
    parts: dict[int, _Part] = msgspec.field(default_factory=dict)
    whole: dict[str, dict[int, int]] = msgspec.field(default_factory=dict)


class Messages:
    """Methods append to `out`. `at` is a message's output index, `part` a part's content index."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._messages: dict[int, _Message] = {}
        self.refused = False

    def text(
        self, out: list[Event], at: int, part: int, text: str, *, refusal: bool = False
    ) -> None:
        """More text."""
        if not text:
            return
        message = self._messages.get(at)
        if message is None or message.open != part:
            message = self._open(out, at, part, refusal=refusal)
        message.parts[part].chars += len(text)
        assert message.block is not None
        out.append(TextDelta(message.block, text))

    def text_with_logprobs(
        self, out: list[Event], at: int, part: int, text: str, logprobs: Any
    ) -> None:
        """The log-probs stand right before the text that they are of."""
        self._open(out, at, part)
        out.append(
            Vendor(
                NAME,
                {
                    "type": TEXT_DELTA,
                    "output_index": at,
                    "content_index": part,
                    "logprobs": logprobs,
                },
            )
        )
        self.text(out, at, part, text)

    def whole_text(
        self,
        out: list[Event],
        at: int,
        part: int,
        text: Any,
        *,
        refusal: bool = False,
        level: str = "text",
    ) -> int:
        """A part's whole text: it is new only if no delta of it came. Answers the part's index:
        some vendors count parts on over all items in their deltas, and from 0 in what is whole.
        """
        if not isinstance(text, str) or self._said_whole(at):
            return part
        message = self._messages.get(at)
        heard = None if message is None else _heard(message, level, part, text)
        if heard is not None:
            return heard
        self.text(out, at, part, text, refusal=refusal)
        if at in self._messages:
            self._messages[at].whole.setdefault(level, {})[part] = part
        return part

    def whole_part(
        self, out: list[Event], at: int, part: int, said: Mapping[str, Any], level: str = "part"
    ) -> bool:
        """A part, whole. False: it is of a kind that is not known."""
        match said.get("type"):
            case "output_text" | "text":
                part = self.whole_text(out, at, part, said.get("text"), level=level)
                annotations = said.get("annotations")
                if isinstance(annotations, list) and not self._said_whole(at):
                    for annotation in annotations[self._part(at, part).cited :]:
                        self.annotation(out, at, part, annotation)
            case "refusal":
                self.refused = True
                self.whole_text(out, at, part, said.get("refusal"), refusal=True, level=level)
            case _:
                return False
        return True

    def whole(self, out: list[Event], at: int, parts: Any) -> bool:
        """A message, whole, which ends it. False: it has no block, as it says nothing."""
        for number, part in enumerate(parts if isinstance(parts, list) else ()):
            if isinstance(part, dict):
                self.whole_part(out, at, number, part, "item")
        found = self._messages.get(at)
        self.end(out, at)
        return found is not None and found.block is not None

    def annotation(self, out: list[Event], at: int, part: int, said: Any) -> None:
        """A source on the web is a citation; a file of the vendor's has no address and is kept as
        it is.
        """
        message = self._open(out, at, part)
        message.parts[part].cited += 1
        assert message.block is not None
        if not isinstance(said, dict) or not isinstance(said.get("url"), str):
            out.append(
                Vendor(
                    NAME,
                    {
                        "type": ANNOTATION,
                        "output_index": at,
                        "content_index": part,
                        "annotation": said,
                    },
                )
            )
            return
        start, end = count(said.get("start_index")), count(said.get("end_index"))
        if start is not None and end is not None and end < start:
            start = end = None
        title, text = (
            value if isinstance(value := said.get(key), str) and value else None
            for key in ("title", "content")
        )
        out.append(Citation(message.block, said["url"], title, text, start, end))

    def begun(self, at: int) -> bool:
        """Whether any part of a message is known."""
        return at in self._messages

    def end(self, out: list[Event], at: int) -> None:
        """The message is done."""
        message = self._messages.pop(at, None)
        if message is None and ("text", at) not in self._ledger.done:
            self._ledger.count()  # one without parts
        self._ledger.done.add(("text", at))
        if message is not None and message.block is not None:
            out.append(BlockEnd(message.block))

    def end_all(self, out: list[Event]) -> None:
        for at in list(self._messages):
            self.end(out, at)

    def _said_whole(self, at: int) -> bool:
        return at not in self._messages and ("text", at) in self._ledger.done

    def _open(self, out: list[Event], at: int, part: int, *, refusal: bool = False) -> _Message:
        self._part(at, part)
        message = self._messages[at]
        if message.open != part:
            if message.block is not None:
                out.append(BlockEnd(message.block))
            message.block = self._ledger.start(out, "text", refusal=refusal)
            message.open = part
        return message

    def _part(self, at: int, part: int) -> _Part:
        message = self._messages.get(at)
        if message is None:
            message = self._messages[at] = _Message()
        found = message.parts.get(part)
        if found is None:
            self._ledger.count()
            found = message.parts[part] = _Part()
        return found


def _heard(message: _Message, level: str, part: int, text: str) -> int | None:
    """The part whose deltas gave this text, of those that are not said whole yet: the one at
    this index, or else one of the same length. None: it is new.
    """
    whole = message.whole.setdefault(level, {})
    if part in whole:
        return whole[part]
    taken = whole.values()
    exact = message.parts.get(part)
    if exact is not None and (not exact.chars or part in taken):
        exact = None
    found = part if exact is not None and exact.chars == len(text) else None
    if found is None:
        parts = islice(message.parts.items(), _MOST_COMPARED)
        same = (n for n, other in parts if other.chars == len(text) > 0 and n not in taken)
        found = next(same, part if exact is not None else None)
    if found is not None:
        whole[part] = found
    return found

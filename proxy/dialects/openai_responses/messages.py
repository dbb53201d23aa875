"""The messages of one answer as text blocks, one for each part. A refusal is text; that it was one
shows in the finish.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from proxy.dialects.openai_responses.ledger import Ledger
from proxy.dialects.openai_responses.wire import ANNOTATION, NAME, TEXT_DELTA
from proxy.events import BlockEnd, Citation, Event, TextDelta, Vendor


class _Part(msgspec.Struct):
    """A part of a message: whether text of it has come, and how many annotations."""

    said: bool = False
    cited: int = 0


class _Message(msgspec.Struct):
    """`open` is the content index of the part whose block is open."""

    block: int | None = None
    open: int | None = None
    parts: dict[int, _Part] = msgspec.field(default_factory=dict)


class Messages:
    """Methods append to `out`. `at` is a message's output index, `part` a part's content index."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._messages: dict[int, _Message] = {}
        self.refused = False

    def text(self, out: list[Event], at: int, part: int, text: str) -> None:
        """More text."""
        if not text:
            return
        message = self._messages.get(at)
        if message is None or message.open != part:
            message = self._open(out, at, part)
        message.parts[part].said = True
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

    def whole_text(self, out: list[Event], at: int, part: int, text: Any) -> None:
        """A part's whole text: it is new only if no delta of it came."""
        if isinstance(text, str) and not self._said_whole(at) and not self._part(at, part).said:
            self.text(out, at, part, text)

    def whole_part(self, out: list[Event], at: int, part: int, said: Mapping[str, Any]) -> bool:
        """A part, whole. False: it is of a kind that is not known."""
        match said.get("type"):
            case "output_text" | "text":
                self.whole_text(out, at, part, said.get("text"))
                annotations = said.get("annotations")
                if isinstance(annotations, list) and not self._said_whole(at):
                    for annotation in annotations[self._part(at, part).cited :]:
                        self.annotation(out, at, part, annotation)
            case "refusal":
                self.refused = True
                self.whole_text(out, at, part, said.get("refusal"))
            case _:
                return False
        return True

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
        start, end = (
            value if type(value := said.get(key)) is int and value >= 0 else None
            for key in ("start_index", "end_index")
        )
        if start is not None and end is not None and end < start:
            start = end = None
        title, text = (
            value if isinstance(value := said.get(key), str) and value else None
            for key in ("title", "content")
        )
        out.append(Citation(message.block, said["url"], title, text, start, end))

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

    def _open(self, out: list[Event], at: int, part: int) -> _Message:
        self._part(at, part)
        message = self._messages[at]
        if message.open != part:
            if message.block is not None:
                out.append(BlockEnd(message.block))
            message.block, message.open = self._ledger.start(out, "text"), part
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

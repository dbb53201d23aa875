"""A text in which tags may stand around reasoning: where it has come to, and whether a tag opens or
closes there. What is done with it: `reasoning_tags`.
"""

from typing import NamedTuple

from proxy.events import BlockStart, Citation

# More blanks than this are no margin of a tag.
MOST_BLANKS = 64


class Tags(NamedTuple):
    """What opens reasoning, and what closes it."""

    opening: str
    closing: str


def tags_of(said: str) -> Tags:
    """A rule's word: the name of a tag (`think`), or both tags with a blank between them."""
    opening, _, closing = said.partition(" ")
    return Tags(opening, closing) if closing else Tags(f"<{said}>", f"</{said}>")


class TaggedText:
    """A text block of the inner decoder. `state`: `begin` where the opening tag may stand, `inside`
    the reasoning, `behind` it, or `text`.

    `held` came and is not told of, `taken` are the code points before the text that is shown.
    `block` is the number of the open block that is shown, if there is one. `shown`: there was one.
    `sources` wait for the text that they belong to.
    """

    __slots__ = (
        "block",
        "choice",
        "closing",
        "held",
        "refusal",
        "shown",
        "sources",
        "state",
        "taken",
    )

    def __init__(self, start: BlockStart) -> None:
        self.choice = start.choice
        self.refusal = start.refusal
        self.state = "begin"
        self.closing = ""
        self.held = ""
        self.taken = 0
        self.block: int | None = None
        self.shown = False
        self.sources: list[Citation] = []

    def edge(self, tags: list[Tags], data: str) -> str:
        """Where a tag may open: what is to be read behind it; "" while that cannot be told."""
        rest = data.lstrip()
        blanks = len(data) - len(rest)
        if self.state == "begin" and blanks > MOST_BLANKS:
            self.state = "text"
            return data
        if not rest:
            self._hold(data)
            return ""
        for opening, closing in tags:
            if rest.startswith(opening):
                self.state, self.closing = "inside", closing
                self.taken += blanks + len(opening)
                return rest[len(opening) :]
        if any(tag.opening.startswith(rest) for tag in tags):
            self._hold(data)
            return ""
        if self.state == "behind":
            self.taken += blanks
            data = rest
        self.state = "text"
        return data

    def _hold(self, data: str) -> None:
        """Blanks behind reasoning are nothing but counted."""
        if self.state == "behind":
            kept = data.lstrip()
            self.taken += len(data) - len(kept)
            data = kept
        self.held = data


def size_of_beginning(data: str, tag: str) -> int:
    """How many characters at the end of the data may be the beginning of the tag."""
    most = min(len(data), len(tag) - 1)
    return next((size for size in range(most, 0, -1) if tag.startswith(data[-size:])), 0)

"""Arguments that came before the name of their call. In pieces: to add each to a text would cost
that text's length again.
"""

import msgspec

PIECE_CHARS = 16  # what a piece costs beside its text, so that countless small ones count too


class PendingArguments(msgspec.Struct, eq=False):
    """What waits for one call. `size` is what it counts as, against a bound that its owner has."""

    pieces: list[str] = []
    size: int = 0

    def add(self, text: str) -> int:
        """Keep it; answers what it counts as."""
        if not text:
            return 0
        self.pieces.append(text)
        self.size += len(text) + PIECE_CHARS
        return len(text) + PIECE_CHARS

    def take(self) -> str:
        """All of it, which then waits no more."""
        text = "".join(self.pieces)
        self.pieces, self.size = [], 0
        return text

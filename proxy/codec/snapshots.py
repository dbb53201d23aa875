"""Texts that come in pieces, or whole each time, to pieces. For vendors with a switch for that,
whose answers do not say how it was.
"""

from typing import Literal

from proxy.framing import FramingError


class Snapshots:
    """The texts of one answer, by key. `whole`: each piece repeats the text so far.

    Models that think send true pieces whatever was asked, so the second piece of a text tells: one
    that does not begin with the first is no repetition, and then none is. An empty piece says
    nothing. All texts together are at most `max_held_chars` long.
    """

    def __init__(self, max_held_chars: int, *, whole: bool) -> None:
        self._whole = whole
        self._room = max_held_chars
        self._texts: dict[object, str] = {}
        self._ways: dict[object, Literal["whole", "pieces"]] = {}

    def new(self, key: object, piece: str) -> str:
        """What the piece adds. Raises FramingError where a text is taken back, which these vendors
        are not known to do, and for texts that are too long to be kept.
        """
        if not self._whole or not piece or self._ways.get(key) == "pieces":
            return piece
        said = self._texts.get(key)
        if said is None or piece.startswith(said):
            if said is not None:
                self._ways[key] = "whole"
            self._keep(key, said or "", piece)
            return piece[len(said or "") :]
        if key in self._ways:
            raise FramingError("it repeats its text, and what it repeats differs from what it said")
        self._ways[key] = "pieces"
        self._room += len(self._texts.pop(key))
        return piece

    def _keep(self, key: object, said: str, piece: str) -> None:
        self._room -= len(piece) - len(said)
        if self._room < 0:
            raise FramingError("the texts that it repeats are too long to be kept")
        self._texts[key] = piece

"""Texts that come in pieces, or whole each time, to pieces. For vendors with a switch for that,
whose answers do not say how it was.
"""

from typing import Literal

from proxy.framing import FramingError


class Snapshots:
    """The texts of one answer, by key. `whole`: whole texts were asked for, each of which repeats
    the text so far; else pieces were.

    What comes need not be what was asked for: models that think send pieces in any case, and what
    stands between the vendor and us may have asked otherwise. The second piece of a text tells: one
    that does not begin with the first is no repetition, and then none is. Where pieces were asked
    for, one that does may be one by chance: it waits for the next, or is the last. All texts
    together are at most `max_held_chars` long.
    """

    def __init__(self, max_held_chars: int, *, whole: bool) -> None:
        self._whole = whole
        self._room = max_held_chars
        self._texts: dict[object, str] = {}
        self._ways: dict[object, Literal["whole", "pieces"]] = {}
        self._waiting: dict[object, str] = {}  # second pieces that may be repetitions

    def new(self, key: object, piece: str, *, last: bool = False) -> str:
        """What the piece adds. `last`: no further piece comes. Raises FramingError where a text is
        taken back, which these vendors are not known to do, and for texts that are too long to be
        kept.
        """
        way = self._ways.get(key)
        if way == "pieces":
            return piece
        if not self._whole and way is None:
            return self._doubted(key, piece, last=last)
        if not piece:
            return piece
        said = self._texts.get(key)
        if said is None or piece.startswith(said):
            if said is not None:
                self._ways[key] = "whole"
            self._keep(key, said or "", piece)
            return piece[len(said or "") :]
        if key in self._ways:
            raise FramingError("it repeats its text, and what it repeats differs from what it said")
        self._in_pieces(key)
        return piece

    def _doubted(self, key: object, piece: str, *, last: bool) -> str:
        """One of the first pieces where pieces were asked for. A vendor that repeats its text says
        it once more at the end, so an empty piece is no repetition.
        """
        said, waiting = self._texts.get(key), self._waiting.pop(key, "")
        if said is None:
            if piece:
                self._keep(key, "", piece)
            return piece
        so_far = waiting or said
        repeats = piece.startswith(so_far) and (waiting or len(piece) > len(so_far))
        if repeats and (waiting or last):
            self._ways[key] = "whole"
            self._keep(key, said, piece)
            return piece[len(said) :]
        if repeats:
            self._waiting[key] = piece
            return ""
        if piece or waiting:
            self._in_pieces(key)
        return waiting + piece

    def _in_pieces(self, key: object) -> None:
        self._ways[key] = "pieces"
        self._room += len(self._texts.pop(key))

    def _keep(self, key: object, said: str, piece: str) -> None:
        self._room -= len(piece) - len(said)
        if self._room < 0:
            raise FramingError("the texts that it repeats are too long to be kept")
        self._texts[key] = piece

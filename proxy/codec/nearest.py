"""The known word that somebody may have meant, for a sentence about one that is not known."""

import difflib
from collections.abc import Collection

# The search compares letter by letter; nobody has mistyped a longer word.
_MOST_CHARS = 200


def nearest(word: str, known: Collection[str], least: float = 0.6) -> str | None:
    """The known word most like this one; None where none is as like it as `least`, from 0 to 1."""
    if len(word) > _MOST_CHARS:
        return None
    return next(iter(difflib.get_close_matches(word, known, n=1, cutoff=least)), None)

"""Vendors' words for why an answer ended, to ours. They are compared without case, hyphens and
underscores, as gateways write other vendors' words in their own way (`tool-calls`, `MAX_TOKENS`).
"""

from collections.abc import Mapping
from typing import Final

from proxy.errors import Failure, failure
from proxy.events import FinishReason

_BETWEEN: Final = str.maketrans("", "", "-_ ")


def plain(word: str) -> str:
    """A word as it is compared."""
    return word.translate(_BETWEEN).lower()


class Finishes:
    """The words of one vendor."""

    def __init__(self, words: Mapping[str, FinishReason]) -> None:
        self._words = {plain(word): reason for word, reason in words.items()}

    def reason(self, raw: str, *, called: bool = False) -> FinishReason:
        """Our word; `other` for a word that is not known. An answer that ends as it should, and
        called a tool, ended for the call, whatever the vendor says.
        """
        reason = self._words.get(plain(raw), "other")
        return "tool_calls" if called and reason == "stop" else reason

    def broken(self, raw: str) -> Failure | None:
        """The failure that a word stands for, if it is no finish at all: one that ends in `error`,
        but for those that are known to be something else.
        """
        word = plain(raw)
        if word in self._words or not word.endswith("error"):
            return None
        said = f"The upstream broke off its answer: its finish reason is {raw}."
        return failure("upstream_error", said, code=raw)

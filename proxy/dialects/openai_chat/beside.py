"""What stands beside the deltas of choices: finish reasons, errors, the vendors' extras."""

from itertools import count
from operator import attrgetter
from typing import Any

from msgspec import Raw

from proxy.codec.json_depth import shallow
from proxy.codec.lenient_json import loads
from proxy.codec.openai.errors import VendorError, vendor_error
from proxy.codec.openai.finish_reasons import NOT_FINISHED, is_error
from proxy.dialects.openai_chat.extras import Extras
from proxy.dialects.openai_chat.wire import CHOICE_EXTRAS, NAME, QUIET, present
from proxy.events import Event, Vendor
from proxy.framing import FramingError

# Looked up together, in C, and compared with the last chunk's: what a vendor repeats in every chunk
# costs one comparison.
rest_of_choice = attrgetter("finish_reason", "error", "usage", *CHOICE_EXTRAS)
_LOG_PROBS = 3 + CHOICE_EXTRAS.index("logprobs")  # where they stand in what is looked up
# OpenAI's own limit of `n`.
_MAX_CHOICES = 128
_MAX_WORD_CHARS = 100  # of a finish reason
# what stands beside a delta and is longer than this is looked at anew in each chunk
_MAX_BYTES = 4096


class Beside:
    """Of every choice of one answer. `rests`: choice -> what stood beside its delta in the last
    chunk, as `rest_of_choice` gives it. `extras`: those of the choices, and of the chunks too.
    """

    usage: Raw | None = None  # Moonshot's usage, which stands in a choice

    def __init__(self) -> None:
        self.rests: dict[int, tuple[Any, ...]] = {}
        self.extras = Extras()
        self._finishes: dict[int, str] = {}

    @property
    def finish(self) -> str | None:
        """The vendor's word for the end of the first choice that has ended."""
        return self._finishes[min(self._finishes)] if self._finishes else None

    @property
    def all_finished(self) -> bool:
        """Whether every choice that began has its finish reason."""
        return bool(self._finishes) and len(self._finishes) == len(self.rests)

    def take(self, out: list[Event], index: int, rest: tuple[Any, ...]) -> VendorError | None:
        """What stands beside a delta now, and differs from what is in `rests`. Gives the error that
        it says. Raises NotJSONError for what cannot be read, FramingError for a choice too many and
        for extras that are nested too deeply.
        """
        self._remember(index, rest)
        raw, error, usage, *extras = rest
        if error not in QUIET:
            return vendor_error({"error": loads(error)}) or VendorError("")
        if usage not in QUIET:
            self.usage = usage
        told = self.extras.new(index, present(CHOICE_EXTRAS, extras))
        if raw is not None and raw not in NOT_FINISHED:
            native = told.get("native_finish_reason")  # OpenRouter: of the vendor behind it
            worst = native if isinstance(native, str) and is_error(native) else raw
            if is_error(worst):
                why = f"The upstream broke off its answer: its finish reason is {worst[:80]!r}."
                return VendorError(why, worst[:80])
            raw = raw[:_MAX_WORD_CHARS]
            if self._finishes.get(index) != raw and index:
                told["finish_reason"] = raw  # the one finish of the stream is that of choice 0
            self._finishes[index] = raw
        if told:
            out.append(Vendor(NAME, shallow({"choices": [{"index": index, **told}]})))
        return None

    def _remember(self, index: int, rest: tuple[Any, ...]) -> None:
        """Raw values hold the whole chunk that they came in, and there is one row a choice: so
        copies are kept, and short ones only.
        """
        if index not in self.rests and len(self.rests) >= _MAX_CHOICES:
            raise FramingError(f"it holds more than {_MAX_CHOICES} answers")
        self.rests[index] = ()
        # nothing follows the end; log-probs, alike or not, each belong to a piece of text
        if rest[0] or rest[_LOG_PROBS] not in QUIET:
            return
        kept, size = list(rest), 0
        for at, value in present(count(), rest):
            if value is None:
                continue
            if isinstance(value, Raw):
                kept[at] = value.copy()
            size += memoryview(value).nbytes if isinstance(value, Raw) else len(value)
            if size > _MAX_BYTES:
                return
        self.rests[index] = tuple(kept)

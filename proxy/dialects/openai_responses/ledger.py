"""What the items of one answer have in common: numbers for their blocks, a bound on how many there
are, and which are done.
"""

from msgspec import UNSET

from proxy.codec.own_ids import OwnIds
from proxy.events import BlockKind, BlockStart, Event, Tool
from proxy.framing import FramingError

# No answer has as many items and parts; a stream that goes on opening them must not fill the
# memory.
_MAX_ITEMS = 1024


class Ledger:
    """`seen`: there was an item. `done` holds the kind and the output index of those that were said
    whole: a vendor may say one again.
    """

    def __init__(self) -> None:
        self._blocks = 0
        self._items = 0
        self._ids = OwnIds()
        self.done: set[tuple[BlockKind, int]] = set()

    @property
    def seen(self) -> bool:
        return self._items > 0

    def start(
        self, out: list[Event], kind: BlockKind, tool: Tool | None = None, *, refusal: bool = False
    ) -> int:
        """Begin a block; answers its number. A call gets an id that no other has."""
        self._blocks += 1
        out.append(
            BlockStart(
                self._blocks - 1,
                kind,
                tool=UNSET if tool is None else self._ids.alone(tool),
                refusal=True if refusal else UNSET,
            )
        )
        return self._blocks - 1

    def count(self) -> None:
        """One item more, or one part of a message. Raises FramingError for one too many."""
        self._items += 1
        if self._items > _MAX_ITEMS:
            raise FramingError(f"it holds more than {_MAX_ITEMS} items and parts")

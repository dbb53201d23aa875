"""Reads what the store has of a stream into a copy of its log."""

from time import monotonic

from proxy.server.stores import layout
from proxy.server.stores.copy import Copy
from proxy.server.stores.link import Link

_LOAD_S = 3.0
_PIECE = 200  # entries at a time
# While it is read its process may fold what was to be read next, but not so often.
_TRIES = 3


async def load(link: Link, copy: Copy) -> None:
    """All that was said so far; what came before the entries as it is folded. Where some of it is
    nowhere, the copy is lost. Raises Away, and ValueError for what another version wrote.
    """
    keys = layout.keys_of(copy.id)
    async with link.within("ask", _LOAD_S):
        for _ in range(_TRIES):
            past = await link.redis.get(keys.past)
            if past is not None:
                copy.recall(layout.read_past(past))
            if await _entries(link, copy, keys.log):
                return
    copy.lose(monotonic())


async def _entries(link: Link, copy: Copy, key: str) -> bool:
    """Those that it has not. False: something is missing before them."""
    while copy.log.end is None:
        entries = await link.redis.xrange(key, min=f"({copy.log.next}-0", count=_PIECE)
        for _, fields in entries:
            if not copy.gain(layout.read_entry(fields), monotonic()):
                return False
        if len(entries) < _PIECE:
            break
    return True

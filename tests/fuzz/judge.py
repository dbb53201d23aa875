"""What is asked of a decoder for any bytes at all, as one function that raises AssertionError, or
whatever else came out."""

import random
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import msgspec

from proxy.codec.base import Decoder
from proxy.dialects.registry import CLIENTS, UPSTREAMS
from proxy.events import Event, StreamError, Usage
from proxy.framing import sse_lines
from tests.fuzz.held import held
from tests.fuzz.readers import START, encoder_of, readable
from tests.support import decode

_BOUNDS = (48, 2048, 1 << 15, 1 << 20, 1 << 20, 1 << 20)
_OPTIONS: tuple[Mapping[str, Any], ...] = (
    *(
        {},
        {},
        {"incremental": False},
        {"incremental_output": False},
        {"done": "[END]"},
        {"workflow": True},
        {"form": "array"},
    ),
    *(
        {"text_in_msg": True, "br": "newline", "done": "", "empty": "newline"},
        {"api": True},
        {"generation": "chat"},
    ),
)


class Trial(NamedTuple):
    """One input: bytes and the cuts between them, the bound and the options of the decoder, and a
    client that reads the answer."""

    name: str
    body: bytes
    cuts: tuple[int, ...]
    most: int
    options: Mapping[str, Any]
    client: str

    def chunks(self) -> list[bytes]:
        return [self.body[start:end] for start, end in pairwise((0, *self.cuts, len(self.body)))]


def trial(chance: random.Random, name: str, body: bytes) -> Trial:
    longest = chance.choice((1, 3, 30, 500, 500, 9000))
    if longest < 30 and len(body) > 4000:
        longest = 100
    cuts = []
    place = chance.randint(1, longest)
    while place < len(body):
        cuts.append(place)
        place += chance.randint(1, longest)
    return Trial(
        name,
        body,
        tuple(cuts),
        chance.choice(_BOUNDS),
        chance.choice(_OPTIONS),
        chance.choice(list(CLIENTS)),
    )


class Watched(Decoder):
    """A decoder, with an eye on what it takes and holds."""

    def __init__(self, inner: Decoder, looks: int) -> None:
        self._inner = inner
        self._looks = looks  # measure after this many bytes
        self._next = looks
        self.taken = 0  # bytes fed before it was done
        self.most_held = 0

    @property
    def done(self) -> bool:  # type: ignore[override]
        return self._inner.done

    @property
    def usage(self) -> Usage:
        return self._inner.usage

    def feed(self, data: bytes) -> list[Event]:
        if not self._inner.done:
            self.taken += len(data)
        events = self._inner.feed(data)
        if self.taken >= self._next:
            self._next = self.taken + self._looks
            self._look()
        return events

    def close(self) -> list[Event]:
        self._look()
        return self._inner.close()

    def _look(self) -> None:
        self.most_held = max(self.most_held, held(self._inner))


def judge(given: Trial) -> int:
    """Bytes that the decoder took before its terminal event."""
    decoder = Watched(
        UPSTREAMS[given.name].decoder(given.most, given.options), len(given.body) // 3 + 1
    )
    events = decode(decoder, given.chunks())
    assert [] == decoder.feed(b"data: {}\n\n"), "events after the end of the body"
    assert decoder.most_held <= 4 * given.most + 2 * sse_lines.STRAY_BYTES, (
        f"held {decoder.most_held} bytes, with a bound of {given.most}"
    )
    return decoder.taken if events else 0


def judge_cuts(given: Trial) -> None:
    """The same events, whole and cut."""
    decoders = [UPSTREAMS[given.name].decoder(given.most, given.options) for _ in range(2)]
    whole, cut = (
        list(map(_unquoted, decode(*pair)))
        for pair in zip(decoders, ([given.body], given.chunks()), strict=True)
    )
    assert whole == cut, _difference(whole, cut)


def judge_client(given: Trial) -> None:
    """A client's encoder can say what came out, and another reader finds whole values in it."""
    events = decode(UPSTREAMS[given.name].decoder(given.most, given.options), given.chunks())
    encoder = encoder_of(given.client)
    readable(given.client, encoder, b"".join([encoder.encode(event) for event in (START, *events)]))


def _unquoted(event: Event) -> Event:
    """An error without what it quotes of garbage: how much of that had come is the one thing that
    depends on the cuts."""
    if not isinstance(event, StreamError):
        return event
    return StreamError(
        msgspec.structs.replace(event.error, message=event.error.message.partition(", found b")[0]),
        event.usage,
    )


def _difference(whole: Sequence[Event], cut: Sequence[Event]) -> str:
    place = next(
        (n for n, (one, two) in enumerate(zip(whole, cut, strict=False)) if one != two),
        min(len(whole), len(cut)),
    )
    return f"event {place} of {len(whole)}, whole: {whole[place : place + 2]!r}, of {len(cut)}, cut: {cut[place : place + 2]!r}"
